package archive

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

	"x.go/dist"
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

// output is an unfinished file. It hashes and counts the bytes written to it, and
// has a temporary name until commit.
type output struct {
	dir, name string // final place
	temp      *os.File
	buf       *bufio.Writer
	hash      hash.Hash
	size      int64
	mode      fs.FileMode
	placed    bool // under its final name
}

func newOutput(dir, name string) (*output, error) {
	temp, err := os.CreateTemp(dir, tempPattern)
	if err != nil {
		return nil, fmt.Errorf("creating %q: %w", filepath.Join(dir, name), err)
	}
	o := &output{dir: dir, name: name, temp: temp, hash: sha256.New(), mode: 0o644}
	o.buf = bufio.NewWriterSize(outputFile{o}, 256<<10)
	return o, nil
}

// Write implements [io.Writer] through a buffer.
func (o *output) Write(p []byte) (int, error) { return o.buf.Write(p) }

// outputFile is an output below its buffer.
type outputFile struct{ o *output }

func (f outputFile) Write(p []byte) (int, error) {
	n, err := f.o.temp.Write(p)
	f.o.hash.Write(p[:n])
	f.o.size += int64(n)
	return n, err
}

func (o *output) path() string { return filepath.Join(o.dir, o.name) }

// finish flushes the bytes to the disk. The mode does not depend on the umask.
func (o *output) finish() error {
	err := o.buf.Flush()
	if err == nil {
		err = o.temp.Chmod(o.mode)
	}
	if err == nil {
		err = o.temp.Sync()
	}
	return errors.Join(err, o.temp.Close())
}

// commit gives a finished output its final name.
func (o *output) commit() error {
	err := os.Rename(o.temp.Name(), o.path())
	o.placed = err == nil
	return err
}

// publish is commit, with a checksum file beside the output. It removes an old one
// first, so that no checksum ever lies beside another archive than its own.
func (o *output) publish() error {
	if err := os.Remove(o.path() + manifests.ChecksumExt); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := o.commit(); err != nil {
		return err
	}
	return WriteFile(o.path()+manifests.ChecksumExt, manifests.FormatChecksum(o.sum(), o.name))
}

// discard removes an output that was not committed.
func (o *output) discard() {
	if !o.placed {
		o.temp.Close()
		os.Remove(o.temp.Name())
	}
}

func (o *output) sum() manifests.Hash { return manifests.Hash(o.hash.Sum(nil)) }

// WriteFile puts a small file at path as archives are written: under a
// temporary name, flushed to the disk, then renamed. It replaces what was there.
func WriteFile(path string, data []byte) error { return writeFile(path, data, 0o644) }

// ReplaceFile is [WriteFile] for a file that exists. It keeps the file's mode, which
// the new file has before its name, so that a private file is never readable by
// others. Of a symbolic link it replaces the file that the link leads to.
func ReplaceFile(path string, data []byte) error {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("replacing %q: %w", path, dist.WithoutPath(err))
	}
	fi, err := os.Stat(real)
	if err != nil {
		return fmt.Errorf("replacing %q: %w", path, dist.WithoutPath(err))
	}
	if err := writeFile(real, data, fi.Mode().Perm()); err != nil {
		return fmt.Errorf("replacing %q: %w", path, dist.WithoutPath(err))
	}
	return nil
}

func writeFile(path string, data []byte, mode fs.FileMode) error {
	dir, name := filepath.Split(path)
	o, err := newOutput(filepath.Clean(dir), name)
	if err != nil {
		return err
	}
	o.mode = mode
	defer o.discard()
	if _, err := o.Write(data); err != nil {
		return err
	}
	if err := o.finish(); err != nil {
		return err
	}
	return o.commit()
}

// syncDir flushes dir, so that renames in it survive a crash of the machine.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // directories cannot be flushed there
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
