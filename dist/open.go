package dist

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"x.go/manifests"
)

// OpenFile opens the regular file at path for reading. It follows symbolic links: the
// caller was given the path. Anything else in its place, such as a FIFO or a device,
// is an [fs.PathError] at once: nobody waits for a writer who never comes.
func OpenFile(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if err := wantRegular(path, info); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	return stillRegular(f)
}

// OpenIn opens the regular file name of root for reading. It follows a symbolic link
// that stays in root: somebody else made the tree. Anything but a file is an
// [fs.PathError] at once, as with [OpenFile].
func OpenIn(root *os.Root, name string) (*os.File, error) {
	info, err := root.Stat(name)
	if err != nil {
		return nil, err
	}
	if err := wantRegular(name, info); err != nil {
		return nil, err
	}
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	return stillRegular(f)
}

// openOwn opens the regular file name of root, a file of a name that x itself uses. It
// follows no link in its place: what a stranger has put there is not what an earlier
// run wrote.
func openOwn(root *os.Root, name string, flag int) (*os.File, error) {
	path := filepath.Join(root.Name(), name)
	const tries = 5 // another run may be renaming a new file to this name
	for range tries {
		before, err := root.Lstat(name)
		if err != nil {
			return nil, atPath(err, path)
		}
		if err := wantRegular(path, before); err != nil {
			return nil, err
		}
		f, err := root.OpenFile(name, flag|syscall.O_NONBLOCK, 0)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, atPath(err, path)
		}
		if f, err = stillRegular(f); err != nil {
			return nil, err
		}
		if after, err := f.Stat(); err == nil && os.SameFile(before, after) {
			return f, nil
		}
		f.Close()
	}
	return nil, &fs.PathError{Op: "open", Path: path, Err: errors.New("it is replaced over and over")}
}

// OpenOwn opens the regular file name of root, a file of a name that x itself uses, for
// reading. It follows no link in its place, and does not wait for a FIFO.
func OpenOwn(root *os.Root, name string) (*os.File, error) { return openOwn(root, name, os.O_RDONLY) }

// ReadOwn returns the content of the regular file name of root, a file of a name that x
// itself uses. It follows no link in its place. More than limit bytes are an error.
func ReadOwn(root *os.Root, name string, limit int64) ([]byte, error) {
	f, err := openOwn(root, name, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ReadAll(f, f.Name(), limit)
}

// HashOwn returns the digest of the regular file name of root, which it reads through
// buf. It follows no link in its place, and does not wait for a FIFO.
func HashOwn(ctx context.Context, root *os.Root, name string, buf []byte) (manifests.Hash, error) {
	f, err := openOwn(root, name, os.O_RDONLY)
	if err != nil {
		return manifests.Hash{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return manifests.Hash{}, err
	}
	h := sha256.New()
	if err := CopyExactly(ctx, h, f, info.Size(), buf); err != nil {
		return manifests.Hash{}, fmt.Errorf("reading %q: %w", f.Name(), err)
	}
	return manifests.Hash(h.Sum(nil)), nil
}

// stillRegular closes f and returns an error if it is not a regular file: it was one
// before it was opened.
func stillRegular(f *os.File) (*os.File, error) {
	info, err := f.Stat()
	if err == nil {
		err = wantRegular(f.Name(), info)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// wantRegular returns an error that says what is in the place of a regular file.
func wantRegular(path string, info fs.FileInfo) error {
	if info.Mode().IsRegular() {
		return nil
	}
	return &fs.PathError{Op: "open", Path: path, Err: fmt.Errorf("it is %s, want a regular file", KindOf(info.Mode()))}
}

// KindOf names the kind of a file, with its article, for a message.
func KindOf(mode fs.FileMode) string {
	switch mode.Type() {
	case 0:
		return "a regular file"
	case fs.ModeDir:
		return "a directory"
	case fs.ModeSymlink:
		return "a symbolic link"
	case fs.ModeNamedPipe:
		return "a FIFO"
	case fs.ModeSocket:
		return "a socket"
	case fs.ModeDevice, fs.ModeDevice | fs.ModeCharDevice:
		return "a device"
	}
	return fmt.Sprintf("a special file (mode %v)", mode.Type())
}

// OpenDir opens the directory at path as the root of what is written there. It
// creates what is missing, and makes the new names last.
func OpenDir(path string) (*os.Root, error) {
	path = filepath.Clean(path) // "a/" and "a/." are below no directory "a"
	root, err := os.OpenRoot(path)
	above := filepath.Dir(path)
	if err == nil || !errors.Is(err, fs.ErrNotExist) || above == path {
		return root, atPath(err, path)
	}
	parent, err := OpenDir(above)
	if err != nil {
		return nil, err
	}
	defer parent.Close()
	return OpenSubdir(parent, filepath.Base(path))
}

// OpenSubdir opens the directory dir, a slash path, of root, and creates what is
// missing. A symbolic link on the way is an error, even one that stays inside root:
// x created no links there.
func OpenSubdir(root *os.Root, dir string) (*os.Root, error) {
	for above := range Parents(dir + "/") {
		err := root.Mkdir(above, 0o755)
		switch {
		case errors.Is(err, fs.ErrExist):
			if err := CheckDir(root, above); err != nil {
				return nil, err
			}
		case err != nil:
			return nil, atPath(err, filepath.Join(root.Name(), above))
		default:
			if err := syncAbove(root, above); err != nil {
				return nil, err
			}
		}
	}
	sub, err := root.OpenRoot(dir)
	return sub, atPath(err, filepath.Join(root.Name(), dir))
}

// CheckDir returns an error unless name is a directory of root: not a link to one.
func CheckDir(root *os.Root, name string) error {
	path := filepath.Join(root.Name(), name)
	info, err := root.Lstat(name)
	if err != nil {
		return atPath(err, path)
	}
	if info.IsDir() {
		return nil
	}
	return &fs.PathError{Op: "open", Path: path, Err: fmt.Errorf("it is %s, want a directory: remove it", KindOf(info.Mode()))}
}

// syncAbove flushes the directory that holds name.
func syncAbove(root *os.Root, name string) error {
	above, err := root.OpenRoot(filepath.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(SyncDir(above), above.Close())
}

// atPath returns err with the whole path in the place of the name in a root.
func atPath(err error, path string) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return &fs.PathError{Op: e.Op, Path: path, Err: e.Err}
	}
	return err
}
