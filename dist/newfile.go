package dist

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"x.go/manifests"
)

// tempPattern is the name of an unfinished file. It lies in the directory of the
// finished one, so that a rename lets it appear whole or not at all.
const tempPattern = ".x-*.tmp"

// RemoveStale deletes the temporary files that killed runs left in dir and returns
// their number. The caller must make sure that no run is writing there, for
// example with a lock. A missing dir is not an error.
func RemoveStale(dir string) (int, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("removing stale files: %w", err)
	}
	removed := 0
	for _, e := range entries {
		if stale, _ := filepath.Match(tempPattern, e.Name()); !stale || !e.Type().IsRegular() {
			continue
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
			return removed, fmt.Errorf("removing stale files: %w", err)
		}
		removed++
	}
	return removed, nil
}

// NewFile is an unfinished file. It hashes and counts the bytes written to it, and
// has a temporary name until Commit: a run that is killed leaves no half file under a
// final name.
type NewFile struct {
	dir, name string // final place
	temp      *os.File
	buf       *bufio.Writer
	hash      hash.Hash
	size      int64
	mode      fs.FileMode
	placed    bool // under its final name
}

// CreateFile creates the unfinished file dir/name, of mode 0644.
func CreateFile(dir, name string) (*NewFile, error) {
	temp, err := os.CreateTemp(dir, tempPattern)
	if err != nil {
		return nil, fmt.Errorf("creating %q: %w", filepath.Join(dir, name), err)
	}
	o := &NewFile{dir: dir, name: name, temp: temp, hash: sha256.New(), mode: 0o644}
	o.buf = bufio.NewWriterSize(outputFile{o}, 256<<10)
	return o, nil
}

// Write implements [io.Writer] through a buffer.
func (f *NewFile) Write(p []byte) (int, error) { return f.buf.Write(p) }

// outputFile is a NewFile below its buffer.
type outputFile struct{ o *NewFile }

func (f outputFile) Write(p []byte) (int, error) {
	n, err := f.o.temp.Write(p)
	f.o.hash.Write(p[:n])
	f.o.size += int64(n)
	return n, err
}

// Path is where the file goes.
func (f *NewFile) Path() string { return filepath.Join(f.dir, f.name) }

// TempPath is where the file is until it has its name.
func (f *NewFile) TempPath() string { return f.temp.Name() }

// Size is the number of bytes written and flushed.
func (f *NewFile) Size() int64 { return f.size }

// Committed reports whether the file has its name.
func (f *NewFile) Committed() bool { return f.placed }

// Finish flushes the bytes to the disk. The mode does not depend on the umask.
func (f *NewFile) Finish() error {
	err := f.buf.Flush()
	if err == nil {
		err = f.temp.Chmod(f.mode)
	}
	if err == nil {
		err = f.temp.Sync()
	}
	return errors.Join(err, f.temp.Close())
}

// Commit gives a finished file its final name.
func (f *NewFile) Commit() error {
	err := os.Rename(f.temp.Name(), f.Path())
	f.placed = err == nil
	return err
}

// Discard removes a file that was not committed.
func (f *NewFile) Discard() {
	if !f.placed {
		f.temp.Close()
		os.Remove(f.temp.Name())
	}
}

// Sum is the digest of what was written and flushed.
func (f *NewFile) Sum() manifests.Hash { return manifests.Hash(f.hash.Sum(nil)) }

// WriteFile puts a small file at path as archives are written: under a
// temporary name, flushed to the disk, then renamed. It replaces what was there.
func WriteFile(path string, data []byte) error { return writeFile(path, data, 0o644) }

// ReplaceFile is [WriteFile] for a file that exists. It keeps the file's mode, which
// the new file has before its name, so that a private file is never readable by
// others. Of a symbolic link it replaces the file that the link leads to.
func ReplaceFile(path string, data []byte) error {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("replacing %q: %w", path, WithoutPath(err))
	}
	fi, err := os.Stat(real)
	if err != nil {
		return fmt.Errorf("replacing %q: %w", path, WithoutPath(err))
	}
	if err := writeFile(real, data, fi.Mode().Perm()); err != nil {
		return fmt.Errorf("replacing %q: %w", path, WithoutPath(err))
	}
	return nil
}

func writeFile(path string, data []byte, mode fs.FileMode) error {
	dir, name := filepath.Split(path)
	o, err := CreateFile(filepath.Clean(dir), name)
	if err != nil {
		return err
	}
	o.mode = mode
	defer o.Discard()
	if _, err := o.Write(data); err != nil {
		return err
	}
	if err := o.Finish(); err != nil {
		return err
	}
	return o.Commit()
}

// SyncDir flushes dir, so that renames in it survive a crash of the machine.
func SyncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // directories cannot be flushed there
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
