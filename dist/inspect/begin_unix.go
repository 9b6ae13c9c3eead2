//go:build unix

package inspect

import (
	"errors"
	"io/fs"
	"syscall"
)

// beginning reads the first bytes of a regular file of a directory into b. It does no more
// than open, read and close: most files of a tree are looked at no further.
func beginning(path string, b []byte) (int, error) {
	for {
		fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return 0, &fs.PathError{Op: "open", Path: path, Err: err}
		}
		n, err := syscall.Pread(fd, b, 0)
		syscall.Close(fd)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return 0, &fs.PathError{Op: "read", Path: path, Err: err}
		}
		return n, nil
	}
}
