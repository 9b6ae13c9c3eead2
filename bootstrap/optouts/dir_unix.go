//go:build unix

package optouts

import (
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// dirHandle is an open directory. Its names are opened in it, by one system call each,
// and a link in the place of what was there before is an error.
type dirHandle struct{ fd int }

// openTop opens the directory that was named.
func openTop(path string) (dirHandle, error) {
	return openDirAt(unix.AT_FDCWD, path, 0)
}

func openDirAt(at int, name string, more int) (dirHandle, error) {
	fd, err := ignoringEINTR(func() (int, error) {
		return unix.Openat(at, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC|more, 0)
	})
	if err != nil {
		return dirHandle{}, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return dirHandle{fd}, nil
}

func ignoringEINTR(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != unix.EINTR {
			return n, err
		}
	}
}

// sub opens a directory in it.
func (d dirHandle) sub(name string) (dirHandle, error) { return openDirAt(d.fd, name, unix.O_NOFOLLOW) }

func (d dirHandle) close() { unix.Close(d.fd) }

// list returns the entries.
func (d dirHandle) list() ([]fs.DirEntry, error) {
	again, err := openDirAt(d.fd, ".", 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(again.fd), ".")
	defer f.Close()
	return f.ReadDir(-1)
}

// has reports whether there is a file of that name.
func (d dirHandle) has(name string) bool {
	var st unix.Stat_t
	return unix.Fstatat(d.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW) == nil
}

// read returns the first limit bytes of a regular file, in buf as far as that has
// room. A regular file gives less than was asked for at its end alone.
func (d dirHandle) read(name string, limit int, buf []byte) ([]byte, error) {
	fd, err := ignoringEINTR(func() (int, error) {
		return unix.Openat(d.fd, name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	defer unix.Close(fd)
	return readAll(limit, buf, func(p []byte) (int, error) {
		return ignoringEINTR(func() (int, error) { return unix.Read(fd, p) })
	})
}
