package dist

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"time"
)

// source is where the bytes of a regular file come from.
type source interface {
	open() (io.ReadCloser, error)
	String() string // for error messages
}

// fileSource is a file as it was when it was added. A tar header states the size
// before the content, and a component must be the same in its own archive and in
// the combined one, so a file that changes is an error.
type fileSource struct {
	fsys    fs.FS  // nil for a file on disk
	path    string // in fsys
	size    int64
	modTime time.Time
}

func (s fileSource) String() string { return s.path }

func (s fileSource) open() (io.ReadCloser, error) {
	f, err := s.openFile()
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

// readable returns an error if the file cannot be opened. One on disk is not opened for
// that: a toolchain has fifty thousand.
func (s fileSource) readable() error {
	if s.fsys == nil {
		return readable(s.path)
	}
	f, err := s.open()
	if err != nil {
		return err
	}
	return f.Close()
}

func (s fileSource) openFile() (fs.File, error) {
	if s.fsys != nil {
		return s.fsys.Open(s.path)
	}
	return OpenFile(s.path)
}

func (s fileSource) check(info fs.FileInfo) error {
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

// opener is content from a function of the caller.
type opener func() (io.ReadCloser, error)

func (opener) String() string { return "generated content" }

func (o opener) open() (io.ReadCloser, error) { return o() }

// bytesOpener opens data.
func bytesOpener(data []byte) opener {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
}

// Path returns the path of the entry's file on disk, or "" for content from
// elsewhere. With it a staged tree can link to the file instead of copying it.
func (e Entry) Path() string {
	if f, ok := e.src.(fileSource); ok && f.fsys == nil {
		return f.path
	}
	return ""
}
