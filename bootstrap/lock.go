package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"x.go/dist"
)

// lockName is the file in a folder whose lock the folder's user holds.
const lockName = ".x-lock"

// errLocked is returned by tryLock when another process holds the lock.
var errLocked = errors.New("locked by another process")

// Lock takes the folder dir, such as a build folder, for this process, making it if it is
// missing, and returns the function that gives it back. While another process
// holds it, Lock calls waiting once with what is known of the holder and then
// waits until the lock is free or ctx ends. The system releases the lock of a
// killed process, so it can't be left behind.
func Lock(ctx context.Context, dir string, waiting func(holder string)) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("making folder %q: %w", dir, dist.WithoutPath(err))
	}
	path := filepath.Join(dir, lockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("locking folder %q: %w", dir, dist.WithoutPath(err))
	}
	const poll = 200 * time.Millisecond
	for told := false; ; {
		err := tryLock(f)
		if err == nil {
			break
		}
		if !errors.Is(err, errLocked) {
			f.Close()
			return nil, fmt.Errorf("locking folder %q: %w", dir, err)
		}
		if !told {
			waiting(holder(path))
			told = true
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, fmt.Errorf("waiting for folder %q, used by %s: %w", dir, holder(path), ctx.Err())
		case <-time.After(poll):
		}
	}
	// Who holds it is only for the message; failing to note it is harmless.
	if f.Truncate(0) == nil {
		_, _ = f.WriteAt(fmt.Appendf(nil, "process %d\n", os.Getpid()), 0)
	}
	return func() { f.Close() }, nil
}

func holder(path string) string {
	data, err := os.ReadFile(path)
	if s := strings.TrimSpace(string(data)); err == nil && s != "" && len(s) < 64 {
		return s
	}
	return "another process"
}
