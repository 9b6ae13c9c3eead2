package check

import (
	"errors"

	"golang.org/x/sys/unix"
)

// writable returns why nothing can be created in an existing directory, or nil. The
// kernel knows about read-only file systems, too.
func writable(dir string) error {
	return unix.Access(dir, unix.W_OK|unix.X_OK)
}

// freeSpace returns the free bytes that an ordinary user may fill.
func freeSpace(dir string) (int64, error) {
	var st unix.Statfs_t
	for {
		err := unix.Statfs(dir, &st)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		return int64(st.Bavail) * int64(st.Bsize), err
	}
}
