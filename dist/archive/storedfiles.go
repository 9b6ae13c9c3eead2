package archive

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"x.go/dist/installsh"
	"x.go/manifests"
)

// StoredFiles are files of an archive, one after the other in a temporary file.
type StoredFiles struct {
	file    *os.File
	removed bool // the file has no name any more
	out     *bufio.Writer
	end     int64
	at      map[string]span
}

// span is where a member's content lies, in bytes.
type span struct{ start, size int64 }

// ReadFiles reads the content of those members of an archive that keep chooses. It
// judges the archive as [Read] does, but for the descriptive files, and returns the
// digest of its file. The caller must close the files.
func ReadFiles(ctx context.Context, archivePath string, opts ReadOptions, keep func(m Member) bool) (*StoredFiles, manifests.Hash, error) {
	files, facts, err := readFiles(ctx, archivePath, opts, keep)
	if err != nil {
		return nil, manifests.Hash{}, err
	}
	return files, facts.Digest, nil
}

func readFiles(ctx context.Context, archivePath string, opts ReadOptions, keep func(m Member) bool) (*StoredFiles, *Facts, error) {
	file, err := os.CreateTemp(opts.TempDir, "x-package-")
	if err != nil {
		return nil, nil, fmt.Errorf("reading archive %q: %w", archivePath, err)
	}
	// A process that is killed leaves no file where one without a name can be open.
	s := &StoredFiles{file: file, removed: os.Remove(file.Name()) == nil, out: bufio.NewWriterSize(file, smallFile), at: map[string]span{}}
	sink := func(m Member) (io.WriteCloser, error) {
		if !m.IsFile() || !keep(m) {
			return nil, nil
		}
		s.at[m.Name] = span{s.end, m.Size}
		s.end += m.Size
		return keepOpen{s.out}, nil
	}
	facts, err := scan(ctx, archivePath, ScanOptions{Limits: opts.Limits, Symlinks: opts.Symlinks, Sink: sink, Texts: []string{installsh.FileName}}, true)
	if err == nil {
		if err = s.out.Flush(); err != nil {
			err = fmt.Errorf("reading archive %q: %w", archivePath, err)
		}
	}
	if err != nil {
		return nil, nil, errors.Join(err, s.Close())
	}
	return s, facts, nil
}

// Open opens the file called name in the archive.
func (s *StoredFiles) Open(name string) (io.ReadCloser, error) {
	at, ok := s.at[name]
	if !ok {
		return nil, fmt.Errorf("opening member %q: %w", name, fs.ErrNotExist)
	}
	return io.NopCloser(io.NewSectionReader(s.file, at.start, at.size)), nil
}

// Close removes the content of the files. They can no longer be opened.
func (s *StoredFiles) Close() error {
	err := s.file.Close()
	if !s.removed {
		err = errors.Join(err, os.Remove(s.file.Name()))
	}
	return err
}

// keepOpen is a writer with nothing to close.
type keepOpen struct{ io.Writer }

// Close implements [io.Closer].
func (keepOpen) Close() error { return nil }
