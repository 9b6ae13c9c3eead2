package dist

import (
	"bufio"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"x.go/manifests"
)

// tempPattern is the name of an unfinished file. It lies in the directory of the
// finished one, so that a rename lets it appear whole or not at all.
const tempPattern = ".x-*.tmp"

// RemoveStale deletes the temporary files that killed runs left in root and returns
// their number. The caller must make sure that no run is writing there, for
// example with a lock.
func RemoveStale(root *os.Root) (int, error) { return RemoveStaleBefore(root, time.Time{}) }

// RemoveStaleBefore is [RemoveStale] for files last written before a time, or for all
// if it is zero: runs that began later may be writing.
func RemoveStaleBefore(root *os.Root, before time.Time) (int, error) {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return 0, fmt.Errorf("removing stale files of %q: %w", root.Name(), WithoutPath(err))
	}
	removed := 0
	for _, e := range entries {
		if stale, _ := filepath.Match(tempPattern, e.Name()); !stale || !e.Type().IsRegular() {
			continue
		}
		if info, err := e.Info(); !before.IsZero() && (err != nil || !info.ModTime().Before(before)) {
			continue
		}
		if err := root.Remove(e.Name()); err != nil {
			return removed, fmt.Errorf("removing stale file %q: %w", filepath.Join(root.Name(), e.Name()), WithoutPath(err))
		}
		removed++
	}
	return removed, nil
}

// NewFile is an unfinished file. It hashes and counts the bytes written to it, and
// has a temporary name until [CommitAll]: a run that is killed leaves no half file under a
// final name.
type NewFile struct {
	root       *os.Root // of the final place
	name, temp string   // in root
	file       *os.File
	buf        *bufio.Writer // nil until something is written by [NewFile.Write]
	hash       hash.Hash     // nil if somebody else hashes
	size       int64
	mode       fs.FileMode
	placed     bool // under its final name
}

// CreateFile creates the unfinished file name of root, of mode 0644. root must stay
// open until the file is committed or discarded.
func CreateFile(root *os.Root, name string) (*NewFile, error) {
	o := &NewFile{root: root, name: name, hash: sha256.New(), mode: 0o644}
	// Said at once: a rename would say it when other files have their names.
	if info, err := root.Lstat(name); err == nil && info.IsDir() {
		return nil, fmt.Errorf("creating %q: it is a directory: remove it", o.Path())
	}
	for o.file == nil {
		o.temp = strings.Replace(tempPattern, "*", rand.Text(), 1)
		var err error
		o.file, err = root.OpenFile(o.temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("creating %q: %w", o.Path(), WithoutPath(err))
		}
	}
	return o, nil
}

// WithoutHash has what is written not be hashed: there is no Sum.
func (f *NewFile) WithoutHash() { f.hash = nil }

const bufferSize = 256 << 10

// Write implements [io.Writer] through a buffer.
func (f *NewFile) Write(p []byte) (int, error) {
	if f.buf == nil {
		f.buf = bufio.NewWriterSize(outputFile{f}, bufferSize)
	}
	return f.buf.Write(p)
}

// buffers are for files that are read as a whole.
var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// ReadFrom implements [io.ReaderFrom].
func (f *NewFile) ReadFrom(r io.Reader) (int64, error) {
	if err := f.flush(); err != nil {
		return 0, err
	}
	buf := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buf)
	return io.CopyBuffer(outputFile{f}, fullReader{r}, buf[:])
}

// fullReader fills buffers: a connection has a few kilobytes at a time, and each write
// to a file costs more than its bytes.
type fullReader struct{ r io.Reader }

// Read implements [io.Reader].
func (f fullReader) Read(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var more int
		more, err = f.r.Read(p[n:])
		n += more
	}
	return n, err
}

func (f *NewFile) flush() error {
	if f.buf == nil {
		return nil
	}
	return f.buf.Flush()
}

// outputFile is a NewFile below its buffer.
type outputFile struct{ o *NewFile }

func (f outputFile) Write(p []byte) (int, error) {
	n, err := f.o.file.Write(p)
	if f.o.hash != nil {
		f.o.hash.Write(p[:n])
	}
	f.o.size += int64(n)
	return n, err
}

// Path is where the file goes.
func (f *NewFile) Path() string { return filepath.Join(f.root.Name(), f.name) }

// TempPath is where the file is until it has its name.
func (f *NewFile) TempPath() string { return filepath.Join(f.root.Name(), f.temp) }

// Size is the number of bytes written and flushed.
func (f *NewFile) Size() int64 { return f.size }

// Open opens a finished file that has no final name yet, to read it.
func (f *NewFile) Open() (*os.File, error) { return openOwn(f.root, f.temp, os.O_RDONLY) }

// Finish flushes the bytes to the disk. The mode does not depend on the umask.
func (f *NewFile) Finish() error { return f.finish((*os.File).Sync) }

// finish ends the file; sync brings its bytes to the disk.
func (f *NewFile) finish(sync func(*os.File) error) error {
	err := f.flush()
	if err == nil {
		err = f.file.Chmod(f.mode)
	}
	if err == nil {
		err = sync(f.file)
	}
	return errors.Join(err, f.file.Close())
}

// startSync is the size, in bytes, from which a file is brought to the disk at once: many
// small ones go there faster together.
const startSync = 1 << 20

// CommitLazily ends the file and gives it its name. After a loss of power the name may
// have less than all of the content, unless [SyncAll] came between.
func (f *NewFile) CommitLazily() error {
	if SyncEach {
		if err := f.Finish(); err != nil {
			return err
		}
		return CommitAll(f.root, []*NewFile{f})
	}
	err := f.finish(func(file *os.File) error {
		if f.size >= startSync {
			StartSync(file)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return f.commit()
}

// commit gives a finished file its final name. The name lasts only when its directory
// is flushed, too: see [CommitAll].
func (f *NewFile) commit() error {
	err := f.root.Rename(f.temp, f.name)
	f.placed = err == nil
	if err != nil {
		return fmt.Errorf("renaming a new file to %q: %w", f.Path(), WithoutPath(err))
	}
	return nil
}

// CommitAbsent gives a finished file its final name, unless there is something of that
// name: then the error is [fs.ErrExist], also if another process creates it in the same
// moment. Where the file system has no hard links, another process may be overwritten.
func (f *NewFile) CommitAbsent() error {
	err := f.root.Link(f.temp, f.name)
	switch {
	case err == nil:
		f.placed = true
		_ = f.root.Remove(f.temp) // a second name of the file, which harms nobody
		err = SyncDir(f.root)
	case errors.Is(err, fs.ErrExist):
	default:
		if _, serr := f.root.Lstat(f.name); serr == nil {
			return fmt.Errorf("linking a new file to %q: %w", f.Path(), fs.ErrExist)
		}
		return CommitAll(f.root, []*NewFile{f})
	}
	if err != nil {
		return fmt.Errorf("linking a new file to %q: %w", f.Path(), WithoutPath(err))
	}
	return nil
}

// LinkFile gives the file src of root another name, dst, in one step. It replaces what is
// there. It is an error where the file system has no hard links. The name lasts only
// when its directory is flushed: see [SyncDir].
func LinkFile(root *os.Root, src, dst string) error {
	temp := filepath.Join(filepath.Dir(dst), strings.Replace(tempPattern, "*", rand.Text(), 1))
	if err := root.Link(src, temp); err != nil {
		return fmt.Errorf("linking %q to %q: %w", filepath.Join(root.Name(), src), dst, WithoutPath(err))
	}
	if err := root.Rename(temp, dst); err != nil {
		_ = root.Remove(temp)
		return fmt.Errorf("linking %q to %q: %w", filepath.Join(root.Name(), src), dst, WithoutPath(err))
	}
	return nil
}

// AdoptFile gives a file of the same file system, which nobody writes any more, a name in
// root, and mode 0644. It replaces what is there. The error may be [errors.ErrUnsupported].
func AdoptFile(root *os.Root, name, file string) error {
	if SyncEach {
		return errors.ErrUnsupported
	}
	temp := strings.Replace(tempPattern, "*", rand.Text(), 1)
	if err := linkInto(root, temp, file); err != nil {
		return fmt.Errorf("linking %q to %q: %w", file, filepath.Join(root.Name(), name), WithoutPath(err))
	}
	f, err := openOwn(root, temp, os.O_RDWR)
	if err == nil {
		err = f.Chmod(0o644)
		StartSync(f)
		err = errors.Join(err, f.Close())
	}
	if err == nil {
		err = root.Rename(temp, name)
	}
	if err != nil {
		_ = root.Remove(temp)
		return fmt.Errorf("linking %q to %q: %w", file, filepath.Join(root.Name(), name), WithoutPath(err))
	}
	return nil
}

// CommitAll gives finished files of one directory their names, in order of the steps.
// The names of a step last before the next one begins, even if the machine loses its
// power.
func CommitAll(root *os.Root, steps ...[]*NewFile) error {
	for _, files := range steps {
		for _, f := range files {
			if err := f.commit(); err != nil {
				return err
			}
		}
		if err := SyncDir(root); err != nil {
			return err
		}
	}
	return nil
}

// RemoveAll removes files of root, which may be missing, for good: they do not come
// back even if the machine loses its power.
func RemoveAll(root *os.Root, names ...string) error {
	for _, name := range names {
		if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing %q: %w", filepath.Join(root.Name(), name), WithoutPath(err))
		}
	}
	return SyncDir(root)
}

// Discard removes a file that was not committed.
func (f *NewFile) Discard() {
	if !f.placed {
		f.file.Close()
		_ = f.root.Remove(f.temp)
	}
}

// Sum is the digest of what was written and flushed.
func (f *NewFile) Sum() manifests.Hash { return manifests.Hash(f.hash.Sum(nil)) }

// WriteFile puts a small file at path as archives are written: under a
// temporary name, flushed to the disk, then renamed. It replaces what was there.
func WriteFile(path string, data []byte) error { return writeFile(path, data, 0o644) }

// WriteOwn is [WriteFile] for the file name of root, with any mode.
func WriteOwn(root *os.Root, name string, data []byte, mode fs.FileMode) error {
	f, err := newSmallFile(root, name, data, mode)
	if err != nil {
		return err
	}
	defer f.Discard()
	return CommitAll(root, []*NewFile{f})
}

// WriteOutput writes data where the user wants it. A regular file is replaced in one
// step, with its mode, as is the file that a symbolic link leads to. A device, FIFO or
// socket, such as /dev/stdout, stays: data goes into it.
func WriteOutput(path string, data []byte) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return WriteFile(path, data)
	case err != nil:
		return fmt.Errorf("writing %q: %w", path, WithoutPath(err))
	case info.Mode().IsRegular():
		return ReplaceFile(path, data)
	case info.IsDir():
		return fmt.Errorf("writing %q: it is a directory: name a file", path)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("writing %q: %w", path, WithoutPath(err))
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("writing %q: %w", path, WithoutPath(err))
	}
	return nil
}

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
	root, err := os.OpenRoot(filepath.Clean(dir))
	if err != nil {
		return fmt.Errorf("creating %q: %w", path, WithoutPath(err))
	}
	return errors.Join(WriteOwn(root, name, data, mode), root.Close())
}

// NewSmallFile is [CreateFile] of a file whose whole content is data: it only lacks
// its name.
func NewSmallFile(root *os.Root, name string, data []byte) (*NewFile, error) {
	return newSmallFile(root, name, data, 0o644)
}

func newSmallFile(root *os.Root, name string, data []byte, mode fs.FileMode) (*NewFile, error) {
	f, err := CreateFile(root, name)
	if err != nil {
		return nil, err
	}
	f.mode = mode
	_, err = f.Write(data)
	if err == nil {
		err = f.Finish()
	}
	if err != nil {
		f.Discard()
		return nil, fmt.Errorf("writing %q: %w", f.Path(), WithoutPath(err))
	}
	return f, nil
}

// SyncDir flushes the directory, so that renames in it survive a crash of the machine.
func SyncDir(root *os.Root) error {
	if runtime.GOOS == "windows" {
		return nil // directories cannot be flushed there
	}
	d, err := root.Open(".")
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) {
		err = nil // fsync(2): this file system has no such thing
	}
	return errors.Join(err, d.Close())
}
