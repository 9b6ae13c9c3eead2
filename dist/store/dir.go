package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"x.go/dist"
	"x.go/manifests"
)

// dir is a store in a directory. It follows no symbolic link below it.
type dir struct {
	path string

	mu     sync.Mutex
	opened *os.Root        // nil while there is no directory
	users  *dist.DirLock   // nil until something is written
	since  time.Time       // see [dist.Share]
	swept  map[string]bool // directories without unfinished files of killed processes
	held   map[string]*heldDir
}

func openDir(_ context.Context, place string) (Driver, error) {
	p := place
	if strings.HasPrefix(place, "file://") {
		var ok bool
		if p, ok = dist.FilePath(place); !ok || p == "" {
			return nil, errors.New("want file:///PATH")
		}
	}
	if p == "" {
		return nil, errors.New("want the path of a directory")
	}
	d := &dir{path: p, swept: map[string]bool{}, held: map[string]*heldDir{}}
	if _, err := d.root(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		if info, serr := os.Stat(p); serr == nil && !info.IsDir() {
			return nil, fmt.Errorf("it is %s, want a directory", dist.KindOf(info.Mode()))
		}
		return nil, dist.WithoutPath(err)
	}
	return d, nil
}

// root returns the directory, which may be missing until something is written.
func (d *dir) root() (*os.Root, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.opened == nil {
		root, err := os.OpenRoot(d.path)
		if err != nil {
			return nil, err
		}
		d.opened = root
	}
	return d.opened, nil
}

// writable returns the directory for writing, and creates it if it is missing.
func (d *dir) writable() (*os.Root, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.opened == nil {
		root, err := dist.OpenDir(d.path)
		if err != nil {
			return nil, err
		}
		d.opened = root
	}
	if d.users == nil {
		var err error
		if d.users, d.since, err = dist.Share(d.opened); err != nil {
			return nil, err
		}
	}
	return d.opened, nil
}

// Close lets the directory go.
func (d *dir) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for above, h := range d.held {
		d.drop(above, h)
	}
	if d.users != nil {
		d.users.Remove()
	}
	if d.opened == nil {
		return nil
	}
	err := d.opened.Close()
	d.opened, d.users = nil, nil
	return err
}

// parent opens the directory of a name for writing.
func (d *dir) parent(name string) (*os.Root, error) {
	root, err := d.writable()
	if err != nil {
		return nil, err
	}
	above := path.Dir(name)
	sub, err := dist.OpenSubdir(root, above)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.since.IsZero() && !d.swept[above] {
		d.swept[above] = true
		if _, err := dist.RemoveStaleBefore(sub, d.since); err != nil {
			sub.Close()
			return nil, err
		}
	}
	return sub, nil
}

// Put implements [Driver].
func (d *dir) Put(_ context.Context, name string, r io.Reader, body Body, o Options) error {
	if body.File != "" && o.Lazy && !o.IfAbsent {
		adopt := func(parent *os.Root, base string) error { return dist.AdoptFile(parent, base, body.File) }
		if d.within(name, true, adopt) == nil {
			return nil
		}
	}
	return d.within(name, o.Lazy, func(parent *os.Root, base string) error {
		f, err := dist.CreateFile(parent, base)
		if err != nil {
			return err
		}
		defer f.Discard()
		f.WithoutHash() // the store does
		if n, err := f.ReadFrom(r); err != nil {
			return err
		} else if n != body.Size {
			return errors.New("its directory was removed meanwhile") // r was read before
		}
		if o.Lazy && !o.IfAbsent {
			return f.CommitLazily()
		}
		if err := f.Finish(); err != nil {
			return err
		}
		return commit(parent, f, o)
	})
}

// Flush brings what was put lazily to the disk.
func (d *dir) Flush(context.Context) error {
	root, err := d.root()
	if errors.Is(err, fs.ErrNotExist) {
		return nil // nothing was put
	}
	if err != nil {
		return err
	}
	return errors.Join(d.releaseAll(root), dist.SyncAll(root))
}

// commit gives a file its name.
func commit(parent *os.Root, f *dist.NewFile, o Options) error {
	if !o.IfAbsent {
		return dist.CommitAll(parent, []*dist.NewFile{f})
	}
	err := f.CommitAbsent()
	if errors.Is(err, fs.ErrExist) {
		return ErrExists
	}
	return err
}

// open opens a file, and none but a regular one that no link leads to.
func (d *dir) open(name string) (*os.File, error) {
	root, err := d.root()
	if err == nil && path.Dir(name) != "." {
		for above := range dist.Parents(name) {
			if err = dist.CheckDir(root, above); err != nil {
				break
			}
		}
	}
	var f *os.File
	if err == nil {
		f, err = dist.OpenOwn(root, filepath.FromSlash(name))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &AbsentError{name}
	}
	return f, dist.WithoutPath(err)
}

// Get implements [Driver].
func (d *dir) Get(_ context.Context, name string, offset int64) (io.ReadCloser, Attrs, error) {
	f, err := d.open(name)
	if err != nil {
		return nil, Attrs{}, err
	}
	a, err := attrs(f)
	if err == nil && (offset < 0 || offset > a.Size) {
		err = fmt.Errorf("got offset %d in a file of %d bytes", offset, a.Size)
	}
	if err == nil {
		_, err = f.Seek(offset, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, Attrs{}, err
	}
	return f, a, nil
}

func attrs(f *os.File) (Attrs, error) {
	info, err := f.Stat()
	if err != nil {
		return Attrs{}, err
	}
	return Attrs{Size: info.Size(), ModTime: info.ModTime()}, nil
}

// Stat implements [Driver].
func (d *dir) Stat(_ context.Context, name string) (Attrs, error) {
	f, err := d.open(name)
	if err != nil {
		return Attrs{}, err
	}
	defer f.Close()
	return attrs(f)
}

// Copy implements [Driver]. The copy is another name of the same file where the file
// system has that: no file of a store is ever written again.
func (d *dir) Copy(ctx context.Context, dst, src string, _ Options) error {
	f, err := d.open(src)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if there, err := d.open(dst); err == nil {
		same, serr := there.Stat()
		there.Close()
		if serr == nil && os.SameFile(same, info) {
			return nil // to rename one name of a file to the other does nothing
		}
	}
	root, err := d.root()
	if err != nil {
		return err
	}
	return d.within(dst, false, func(parent *os.Root, base string) error {
		if err := dist.LinkFile(root, src, dst); err == nil {
			return dist.SyncDir(parent)
		}
		n, err := dist.CreateFile(parent, base)
		if err != nil {
			return err
		}
		defer n.Discard()
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		if err := dist.CopyExactly(ctx, n, f, info.Size(), make([]byte, 256<<10)); err != nil {
			return err
		}
		if err := n.Finish(); err != nil {
			return err
		}
		return dist.CommitAll(parent, []*dist.NewFile{n})
	})
}

// Delete implements [Driver]. Directories that it empties go, too, as a bucket has
// none.
func (d *dir) Delete(_ context.Context, name string) error {
	f, err := d.open(name) // and nothing but a file is deleted
	if err != nil {
		return err
	}
	f.Close()
	parent, err := d.parent(name)
	if err != nil {
		return err
	}
	if err := errors.Join(dist.RemoveAll(parent, path.Base(name)), parent.Close()); err != nil {
		return err
	}
	root, err := d.root()
	if err != nil {
		return err
	}
	for above := path.Dir(name); above != "."; above = path.Dir(above) {
		if root.Remove(filepath.FromSlash(above)) != nil {
			break // not empty
		}
	}
	return nil
}

// Load implements [Driver].
func (d *dir) Load(_ context.Context, name string, limit int64) ([]byte, Version, error) {
	f, err := d.open(name)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	data, err := dist.ReadAll(f, name, limit)
	if err != nil {
		return nil, "", err
	}
	return data, Version(manifests.HashOf(data).String()), nil
}

// maxSwap bounds the files that are swapped, in bytes.
const maxSwap = 64 << 20

// Swap implements [Driver]. Processes take turns by a lock of the directory.
func (d *dir) Swap(ctx context.Context, name string, old Version, data []byte, _ Options) error {
	root, err := d.writable()
	if err != nil {
		return err
	}
	lock, err := dist.Lock(ctx, root, func(string) {})
	if err != nil {
		return err
	}
	defer lock.Remove()
	_, now, err := d.Load(ctx, name, maxSwap)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if now != old {
		return ErrChanged
	}
	return d.within(name, false, func(parent *os.Root, base string) error {
		return dist.WriteOwn(parent, base, data, 0o644)
	})
}
