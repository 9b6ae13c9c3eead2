//go:build unix

package dist

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

// readable returns the error of opening a file for reading, if there is one.
func readable(path string) error {
	if err := unix.Faccessat(unix.AT_FDCWD, path, unix.R_OK, unix.AT_EACCESS); err != nil {
		return &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return nil
}
