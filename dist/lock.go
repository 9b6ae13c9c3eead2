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

const (
	// lockName is the file in a directory whose lock the directory's user holds.
	lockName = ".x-lock"
	// sharedName is the file whose lock all who share the directory hold.
	sharedName = ".x-users"
)

// lockText is what a lock's file says of its holder.
var lockText = regexp.MustCompile(`^(process [0-9]{1,10}\n)?$`)

// DirLock is a directory that this process has for itself, or shares: see [Lock] and
// [Share].
type DirLock struct {
	root *os.Root
	name string
	lock *flock.Flock
}

// Lock takes the directory root for this process. While another process holds it,
// Lock calls waiting once with what is known of the holder and then waits until the
// lock is free or ctx ends. The system releases the lock of a killed process, so it
// can't be left behind. root must stay open until the lock is released.
func Lock(ctx context.Context, root *os.Root, waiting func(holder string)) (*DirLock, error) {
	for told := false; ; {
		l := &DirLock{root, lockName, nil}
		ok, err := l.try((*flock.Flock).TryLock)
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

// Share notes that this process uses the directory root, as others may do at the same
// time. If nobody else did when the call was made, since is that moment by the clock of
// the file system: what was unfinished before then is nobody's. Otherwise it is zero. A
// [Lock] is another matter, and may be held beside it. root must stay open until the lock
// is released or removed.
func Share(root *os.Root) (l *DirLock, since time.Time, err error) {
	l = &DirLock{root, sharedName, nil}
	alone, err := l.try((*flock.Flock).TryLock)
	if alone {
		l.noteHolder()
		var info fs.FileInfo
		if info, err = root.Lstat(l.name); err == nil {
			since = info.ModTime()
		}
		l.Release()
	}
	const tries = 1000 // others may be at this same place, or leave with the file
	for range tries {
		var ok bool
		if err == nil {
			ok, err = l.try((*flock.Flock).TryRLock)
		}
		if ok {
			return l, since, nil
		}
		if err != nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if err == nil {
		err = errors.New("its lock is taken over and over")
	}
	return nil, time.Time{}, fmt.Errorf("sharing directory %q: %w", root.Name(), WithoutPath(err))
}

// try takes the lock in one way, if it is free for that.
func (l *DirLock) try(take func(*flock.Flock) (bool, error)) (bool, error) {
	f, err := l.root.OpenFile(l.name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		f, err = openOwn(l.root, l.name, os.O_RDWR)
	}
	if errors.Is(err, fs.ErrNotExist) && dirExists(l.root) { // its holder has removed it meanwhile
		return false, nil
	}
	if err != nil {
		return false, err
	}
	want, err := f.Stat()
	if err := errors.Join(err, f.Close()); err != nil {
		return false, err
	}
	lock := flock.New(filepath.Join(l.root.Name(), l.name), flock.SetFlag(os.O_RDWR|syscall.O_NONBLOCK))
	ok, err := take(lock)
	if errors.Is(err, fs.ErrNotExist) { // its holder has removed it meanwhile
		return false, nil
	}
	if err != nil || !ok {
		return false, err
	}
	// The lock may be that of a file which has lost its name, or of another one.
	got, err := lock.Stat()
	if now, nerr := l.root.Lstat(l.name); err != nil || nerr != nil || !os.SameFile(got, want) || !os.SameFile(got, now) {
		return false, lock.Close()
	}
	l.lock = lock
	return true, nil
}

// dirExists reports whether the directory still has its name.
func dirExists(root *os.Root) bool {
	_, err := os.Stat(root.Name())
	return err == nil
}

// noteHolder writes into the lock's file who holds it. That is only for the message
// to others, so failing is harmless. It leaves a file alone that says anything else:
// somebody else wrote it.
func (l *DirLock) noteHolder() {
	f, err := openOwn(l.root, l.name, os.O_RDWR)
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
//
// Of a shared directory the last one to leave removes the file.
func (l *DirLock) Remove() {
	last := true
	if l.name == sharedName {
		l.Release()
		ok, err := l.try((*flock.Flock).TryLock)
		last = ok && err == nil
	}
	if last {
		_ = l.root.Remove(l.name) // not possible on Windows, where the open file stays
	}
	l.Release()
}

// LeftLocked reports whether a directory has the file of its lock and nothing else, as
// the end of a killed process leaves one in which it had not yet written anything.
func LeftLocked(root *os.Root) bool {
	names, err := FewNames(root, ".")
	return err == nil && len(names) == 1 && names[0] == lockName
}

// holder returns what the lock's file says of the process that holds it.
func holder(root *os.Root) string {
	data, err := ReadOwn(root, lockName, 64)
	if s := strings.TrimSpace(string(data)); err == nil && s != "" && lockText.Match(data) {
		return s
	}
	return "another process"
}
