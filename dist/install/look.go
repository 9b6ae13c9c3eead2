package install

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"x.go/dist"
)

// look compares files on disk with what they should be. Below the directories that an
// installation was given it follows no symbolic link.
type look struct {
	layout   layout
	progress func(done, total int64) // bytes

	mu       sync.Mutex
	done     int64
	total    int64
	bases    map[string]*os.Root
	problems []Problem
}

func newLook(l layout, progress func(done, total int64)) *look {
	return &look{layout: l, progress: progress, bases: map[string]*os.Root{}}
}

func (k *look) problem(kind ProblemKind, component, path, format string, args ...any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.problems = append(k.problems, Problem{kind, component, path, fmt.Sprintf(format, args...)})
}

// wrong notes a problem of a file.
func (k *look) wrong(kind ProblemKind, w *wanted, format string, args ...any) {
	k.problem(kind, w.component, w.at.path(), format, args...)
}

// files looks at all files, a directory at a time.
func (k *look) files(ctx context.Context, list []wanted) error {
	byDir := map[place][]*wanted{}
	for i := range list {
		w := &list[i]
		dir := place{w.at.base, path.Dir(w.at.rel)}
		byDir[dir] = append(byDir[dir], w)
		k.total += w.size
	}
	defer func() {
		for _, root := range k.bases {
			root.Close()
		}
	}()
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	dirs := slices.SortedFunc(maps.Keys(byDir), func(a, b place) int { return strings.Compare(a.path(), b.path()) })
	for _, dir := range dirs {
		g.Go(func() error { return k.dir(ctx, dir, byDir[dir]) })
	}
	return g.Wait()
}

// dir looks at the files of one directory.
func (k *look) dir(ctx context.Context, at place, list []*wanted) error {
	root, err := k.open(at)
	var link linkError
	switch {
	case errors.As(err, &link):
		k.problem(WrongKind, list[0].component, link.path, "got %s, want a directory", link.kind)
		return nil
	case errors.Is(err, fs.ErrNotExist):
		for _, w := range list {
			k.wrong(Missing, w, "want %s", w.describe())
		}
		return nil
	case err != nil:
		for _, w := range list {
			k.problem(Unreadable, w.component, w.at.path(), "%v", dist.WithoutPath(err))
		}
		return nil
	}
	defer root.Close()
	buf := make([]byte, 128<<10)
	for _, w := range list {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		k.file(ctx, root, w, buf)
	}
	return nil
}

// linkError says that something else is in the place of a directory.
type linkError struct{ path, kind string }

// Error says what is there.
func (e linkError) Error() string { return fmt.Sprintf("%q is %s", e.path, e.kind) }

// open opens a directory.
func (k *look) open(at place) (*os.Root, error) {
	root, err := k.base(at.base)
	if err != nil {
		return nil, err
	}
	given := k.layout.given(at)
	for dir := range dist.Parents(path.Join(at.rel, "x")) {
		if dir == given || strings.HasPrefix(given, dir+"/") {
			continue
		}
		info, err := root.Lstat(dir)
		if err != nil {
			return nil, orLinkOut(root, at, err)
		}
		if !info.IsDir() {
			return nil, linkError{place{at.base, dir}.path(), dist.KindOf(info.Mode())}
		}
	}
	dir, err := root.OpenRoot(at.rel)
	if err != nil {
		err = orLinkOut(root, at, err)
	}
	return dir, err
}

// base opens the root of places.
func (k *look) base(base string) (*os.Root, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if root := k.bases[base]; root != nil {
		return root, nil
	}
	root, err := os.OpenRoot(base)
	if err == nil {
		k.bases[base] = root
	}
	return root, err
}

// given returns the directory above a place, in its base, that the caller has given;
// "." for the base itself. Links on the way to it are the caller's.
func (l layout) given(at place) string {
	best := "."
	for _, dir := range l.dirs() {
		rel, err := filepath.Rel(at.base, dir)
		rel = filepath.ToSlash(rel)
		if err == nil && (rel == at.rel || strings.HasPrefix(at.rel, rel+"/")) && len(rel) > len(best) {
			best = rel
		}
	}
	return best
}

// describe says what should be in a place.
func (w *wanted) describe() string {
	switch {
	case w.mode == 0:
		return "a file"
	case w.mode.IsRegular():
		return fmt.Sprintf("a file of %d bytes, mode %04o", w.size, w.mode.Perm())
	case w.mode.IsDir():
		return "a directory"
	}
	return fmt.Sprintf("a symbolic link to %q", w.link)
}

// file looks at one file.
func (k *look) file(ctx context.Context, dir *os.Root, w *wanted, buf []byte) {
	name := path.Base(w.at.rel)
	info, err := dir.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		k.wrong(Missing, w, "want %s", w.describe())
	case err != nil:
		k.problem(Unreadable, w.component, w.at.path(), "%v", dist.WithoutPath(err))
	case w.mode == 0:
		if !info.Mode().IsRegular() && info.Mode()&fs.ModeSymlink == 0 {
			k.wrong(WrongKind, w, "got %s, want a file", dist.KindOf(info.Mode()))
		}
	case w.mode.IsDir() && slices.Contains(k.layout.dirs(), w.at.path()): // it may be a link
	case info.Mode().Type() != w.mode.Type():
		k.wrong(WrongKind, w, "got %s, want %s", dist.KindOf(info.Mode()), w.describe())
	case w.mode&fs.ModeSymlink != 0:
		if target, err := dir.Readlink(name); err != nil || target != w.link {
			k.wrong(Changed, w, "got a link to %q, want one to %q", target, w.link)
		}
	default:
		k.regular(ctx, dir, w, info, buf)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.done += w.size; k.progress != nil {
		k.progress(k.done, k.total)
	}
}

// modeBits are those that are compared.
const modeBits = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky

// regular looks at a file or directory of the right kind.
func (k *look) regular(ctx context.Context, dir *os.Root, w *wanted, info fs.FileInfo, buf []byte) {
	if got := info.Mode() & modeBits; got != w.mode&modeBits && runtime.GOOS != "windows" {
		k.wrong(WrongMode, w, "got mode %s, want %s", octal(got), octal(w.mode))
	}
	if info.IsDir() {
		return
	}
	if info.Size() != w.size {
		k.wrong(Changed, w, "got %d bytes, want %d", info.Size(), w.size)
		return
	}
	got, err := dist.HashOwn(ctx, dir, path.Base(w.at.rel), buf)
	switch {
	case err != nil && ctx.Err() == nil:
		k.problem(Unreadable, w.component, w.at.path(), "%v", dist.WithoutPath(err))
	case err == nil && got != w.hash:
		k.wrong(Changed, w, "got sha256 %s, want %s", got, w.hash)
	}
}

// octal writes permissions as chmod takes them.
func octal(mode fs.FileMode) string {
	n := uint32(mode.Perm())
	for bit, value := range map[fs.FileMode]uint32{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if mode&bit != 0 {
			n |= value
		}
	}
	return fmt.Sprintf("%04o", n)
}
