package builddir

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"x.go/dist"
)

// lockName is the file in a directory whose lock the directory's user holds.
const lockName = ".x-lock"

// Lock takes the directory dir, such as a build directory, for this process,
// creating it if it is missing, and returns the function that gives it back. While
// another process holds it, Lock calls waiting once with what is known of the holder
// and then waits until the lock is free or ctx ends. The system releases the lock of
// a killed process, so it can't be left behind.
func Lock(ctx context.Context, dir string, waiting func(holder string)) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("creating directory %q: %w", dir, dist.WithoutPath(err))
	}
	path := filepath.Join(dir, lockName)
	lock := flock.New(path, flock.SetFlag(os.O_RDWR|os.O_CREATE), flock.SetPermissions(0o644))
	ok, err := lock.TryLock()
	if err == nil && !ok {
		waiting(holder(path))
		const poll = 200 * time.Millisecond
		ok, err = lock.TryLockContext(ctx, poll)
	}
	switch {
	case err == nil && ok:
	case ctx.Err() != nil:
		return nil, fmt.Errorf("waiting for directory %q, used by %s: %w", dir, holder(path), ctx.Err())
	default:
		return nil, fmt.Errorf("locking directory %q: %w", dir, dist.WithoutPath(err))
	}
	// Who holds it is only for the message; failing to note it is harmless.
	_ = os.WriteFile(path, fmt.Appendf(nil, "process %d\n", os.Getpid()), 0o644)
	return func() { _ = lock.Close() }, nil
}

// holder returns what the lock's file says of the process that holds it.
func holder(path string) string {
	data, err := os.ReadFile(path)
	if s := strings.TrimSpace(string(data)); err == nil && s != "" && len(s) < 64 {
		return s
	}
	return "another process"
}
