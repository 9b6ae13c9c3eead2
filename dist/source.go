package dist

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"time"
)

// source is where the bytes of a regular file come from.
type source interface {
	open() (io.ReadCloser, error)
	String() string // for error messages
}

// fileSource is a file on disk as it was when it entered the image. An archive
// promises sizes before it holds bytes, and a component must be the same in
// its own archive and in the combined one, so a file that changes is an error.
type fileSource struct {
	path    string
	size    int64
	modTime time.Time
}

func (s fileSource) String() string { return s.path }

func (s fileSource) open() (io.ReadCloser, error) {
	f, err := os.Open(s.path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = s.check(info)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (s fileSource) check(info os.FileInfo) error {
	switch {
	case !info.Mode().IsRegular():
		return fmt.Errorf("reading %q: it is no longer a regular file", s.path)
	case info.Size() != s.size:
		return fmt.Errorf("reading %q: file changed since it was added: got %d bytes, want %d", s.path, info.Size(), s.size)
	case !info.ModTime().Equal(s.modTime):
		return fmt.Errorf("reading %q: file changed since it was added: got modification time %s, want %s",
			s.path, info.ModTime().UTC().Format(time.RFC3339Nano), s.modTime.UTC().Format(time.RFC3339Nano))
	}
	return nil
}

// byteSource is content made by the program.
type byteSource []byte

func (s byteSource) String() string { return "generated content" }

func (s byteSource) open() (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(s)), nil
}

// openerSource is content that a function gives.
type openerSource struct {
	origin  string
	content func() (io.ReadCloser, error)
}

func (s openerSource) String() string { return s.origin }

func (s openerSource) open() (io.ReadCloser, error) { return s.content() }

// Path returns where the entry's file is on disk, or "" for content that is
// made by the program or lies in an archive. It lets a staged tree link to a file instead of copying it.
func (e Entry) Path() string {
	if f, ok := e.src.(fileSource); ok {
		return f.path
	}
	return ""
}
