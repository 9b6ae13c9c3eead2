package dist

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"x.go/manifests"
)

// CreateDirs creates the directory dir of root, and what is missing above it,
// with mode 0755 whatever the umask, and calls created with the name of each. Directories
// that exist stay as they are.
func CreateDirs(root *os.Root, dir string, created func(dir string)) error {
	for above := range Parents(dir + "/") {
		err := root.Mkdir(above, 0o755)
		if errors.Is(err, fs.ErrExist) {
			info, serr := root.Stat(above)
			if serr != nil {
				return serr
			}
			if !info.IsDir() {
				return fmt.Errorf("%q exists and is not a directory", above)
			}
			continue
		}
		if err != nil {
			return err
		}
		created(above)
		if err := root.Chmod(above, 0o755); err != nil {
			return err
		}
	}
	return nil
}

// FewNames returns names of what is in the directory dir of root, two at most: whether it
// is empty, has one thing or more.
func FewNames(root *os.Root, dir string) ([]string, error) {
	d, err := root.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	names, err := d.Readdirnames(2)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return names, err
}

// CopyExactly copies r to w through buf. It is an error if r has more or fewer than
// size bytes: the file has changed since its size was read. When ctx ends, it stops
// before the next read.
func CopyExactly(ctx context.Context, w io.Writer, r io.Reader, size int64, buf []byte) error {
	in := ContextReader{ctx, r}
	var done int64
	for {
		n, err := in.Read(buf)
		if done += int64(n); done > size {
			return fmt.Errorf("file grew while it was read: got more than %d bytes", size)
		}
		if _, werr := w.Write(buf[:n]); werr != nil {
			return werr
		}
		switch {
		case errors.Is(err, io.EOF) && done < size:
			return fmt.Errorf("file shrank while it was read: got %d bytes, want %d", done, size)
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// ContextReader reads from Reader until Context ends, and fails then with its cause.
type ContextReader struct {
	Context context.Context
	Reader  io.Reader
}

// Read implements [io.Reader].
func (c ContextReader) Read(p []byte) (int, error) {
	if err := context.Cause(c.Context); err != nil {
		return 0, err
	}
	return c.Reader.Read(p)
}

// Hash returns the digest of the content of a regular file.
func (e Entry) Hash(ctx context.Context) (manifests.Hash, error) {
	r, err := e.Open()
	if err != nil {
		return manifests.Hash{}, err
	}
	defer r.Close()
	return HashReader(ctx, r, e.Size, e.Name)
}

// HashFile returns the digest of the file at path.
func HashFile(ctx context.Context, path string) (manifests.Hash, error) {
	f, err := OpenFile(path)
	if err != nil {
		return manifests.Hash{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return manifests.Hash{}, err
	}
	return HashReader(ctx, f, info.Size(), path)
}

// ReadFile returns the content of the file at path. More than limit bytes are an
// error: the file is a stranger's, and no text that is looked for is that long. So is
// anything but a regular file: see [OpenFile].
func ReadFile(path string, limit int64) ([]byte, error) {
	f, err := OpenFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ReadAll(f, path, limit)
}

// ReadInput is [ReadFile] for a path that the user gave, which may be a pipe or a
// device too, such as /dev/stdin.
func ReadInput(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ReadAll(f, path, limit)
}

// ReadAll returns the content of r, as [ReadFile] does; name stands for it in
// errors.
func ReadAll(r io.Reader, name string, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", name, WithoutPath(err))
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("reading %q: more than %s", name, FormatBytes(limit))
	}
	return b, nil
}

// HashReader returns the digest of r, which has size bytes; name stands for it in
// errors.
func HashReader(ctx context.Context, r io.Reader, size int64, name string) (manifests.Hash, error) {
	h := sha256.New()
	if err := CopyExactly(ctx, h, r, size, make([]byte, 64<<10)); err != nil {
		return manifests.Hash{}, fmt.Errorf("reading %q: %w", name, err)
	}
	return manifests.Hash(h.Sum(nil)), nil
}

// WithoutPath returns err without the operation and paths of an [fs.PathError] or
// [os.LinkError], for a message that names the file itself. It returns any other error
// as it is.
func WithoutPath(err error) error {
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
