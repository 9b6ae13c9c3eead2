//go:build !unix

package optouts

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

// dirHandle is an open directory.
type dirHandle struct{ root *os.Root }

// openTop opens the directory that was named.
func openTop(path string) (dirHandle, error) {
	root, err := os.OpenRoot(path)
	return dirHandle{root}, err
}

// sub opens a directory in it.
func (d dirHandle) sub(name string) (dirHandle, error) {
	root, err := d.root.OpenRoot(name)
	return dirHandle{root}, err
}

func (d dirHandle) close() { d.root.Close() }

// list returns the entries.
func (d dirHandle) list() ([]fs.DirEntry, error) { return fs.ReadDir(d.root.FS(), ".") }

// has reports whether there is a file of that name.
func (d dirHandle) has(name string) bool {
	_, err := d.root.Lstat(name)
	return err == nil
}

// read returns the first limit bytes of a regular file, in buf as far as that has
// room.
func (d dirHandle) read(name string, limit int, buf []byte) ([]byte, error) {
	f, err := d.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAll(limit, buf, func(p []byte) (int, error) {
		n, err := f.Read(p)
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return n, err
	})
}
