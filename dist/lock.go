package dist

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

// lockName is the file in a directory whose lock the directory's user holds.
const lockName = ".x-lock"

// lockText is what a lock's file says of its holder.
var lockText = regexp.MustCompile(`^(process [0-9]{1,10}\n)?$`)

// DirLock is a directory that this process has for itself.
type DirLock struct {
	root *os.Root
	lock *flock.Flock
}

// Lock takes the directory root for this process. While another process holds it,
// Lock calls waiting once with what is known of the holder and then waits until the
// lock is free or ctx ends. The system releases the lock of a killed process, so it
// can't be left behind. root must stay open until the lock is released.
func Lock(ctx context.Context, root *os.Root, waiting func(holder string)) (*DirLock, error) {
	for told := false; ; {
		l := &DirLock{root, nil}
		ok, err := l.try()
		if err == nil && ok {
			l.noteHolder()
			return l, nil
		}
		if err != nil {
			return nil, fmt.Errorf("locking directory %q: %w", root.Name(), WithoutPath(err))
		}
		if !told {
			told = true
			waiting(holder(root))
		}
		const poll = 200 * time.Millisecond
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for directory %q, used by %s: %w", root.Name(), holder(root), ctx.Err())
		case <-time.After(poll):
		}
	}
}

// try takes the lock if nobody has it.
func (l *DirLock) try() (bool, error) {
	f, err := l.root.OpenFile(lockName, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		f, err = openOwn(l.root, lockName, os.O_RDWR)
	}
	if err != nil {
		return false, err
	}
	want, err := f.Stat()
	if err := errors.Join(err, f.Close()); err != nil {
		return false, err
	}
	lock := flock.New(filepath.Join(l.root.Name(), lockName), flock.SetFlag(os.O_RDWR|syscall.O_NONBLOCK))
	ok, err := lock.TryLock()
	if errors.Is(err, fs.ErrNotExist) { // its holder has removed it meanwhile
		return false, nil
	}
	if err != nil || !ok {
		return false, err
	}
	// The lock may be that of a file which has lost its name, or of another one.
	got, err := lock.Stat()
	if now, nerr := l.root.Lstat(lockName); err != nil || nerr != nil || !os.SameFile(got, want) || !os.SameFile(got, now) {
		return false, lock.Close()
	}
	l.lock = lock
	return true, nil
}

// noteHolder writes into the lock's file who holds it. That is only for the message
// to others, so failing is harmless. It leaves a file alone that says anything else:
// somebody else wrote it.
func (l *DirLock) noteHolder() {
	f, err := openOwn(l.root, lockName, os.O_RDWR)
	if err != nil {
		return
	}
	defer f.Close()
	const longest = 64
	text, err := io.ReadAll(io.LimitReader(f, longest))
	if err == nil && lockText.Match(text) && f.Truncate(0) == nil {
		_, _ = f.WriteAt(fmt.Appendf(nil, "process %d\n", os.Getpid()), 0)
	}
}

// Release gives the directory back.
func (l *DirLock) Release() { _ = l.lock.Close() }

// Remove gives the directory back and leaves no file of the lock in it. One who waits
// for the lock meanwhile takes it with a new file.
func (l *DirLock) Remove() {
	_ = l.root.Remove(lockName) // not possible on Windows, where the open file stays
	l.Release()
}

// holder returns what the lock's file says of the process that holds it.
func holder(root *os.Root) string {
	data, err := ReadOwn(root, lockName, 64)
	if s := strings.TrimSpace(string(data)); err == nil && s != "" && lockText.Match(data) {
		return s
	}
	return "another process"
}
