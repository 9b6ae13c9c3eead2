package store

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"x.go/dist"
)

// List implements [Driver].
func (d *dir) List(ctx context.Context, prefix string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		root, err := d.root()
		if errors.Is(err, fs.ErrNotExist) {
			return
		}
		if err == nil {
			w := dirWalk{ctx: ctx, root: root, prefix: prefix, yield: yield}
			if _, err = w.visit("."); errors.Is(err, fs.ErrNotExist) {
				err = nil // of a directory that was deleted meanwhile
			}
		}
		if err != nil {
			yield(Object{}, dist.WithoutPath(err))
		}
	}
}

// dirWalk yields the files of a directory.
type dirWalk struct {
	ctx    context.Context
	root   *os.Root
	prefix string
	yield  func(Object, error) bool
}

// visit yields what is below a directory. more is false if the caller wants no more.
func (w *dirWalk) visit(name string) (more bool, err error) {
	if err := context.Cause(w.ctx); err != nil {
		return false, err
	}
	entries, err := fs.ReadDir(w.root.FS(), name)
	if err != nil {
		return false, err
	}
	key := func(e fs.DirEntry) string {
		if e.IsDir() {
			return e.Name() + "/" // as it is in the names of its files
		}
		return e.Name()
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return cmp.Compare(key(a), key(b)) })
	for _, e := range entries {
		at := path.Join(name, e.Name())
		switch {
		case isOwn(e.Name()):
			continue
		case e.IsDir() && (strings.HasPrefix(at+"/", w.prefix) || strings.HasPrefix(w.prefix, at+"/")):
			more, err := w.visit(at)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if !more || err != nil {
				return more, err
			}
		case !e.IsDir() && strings.HasPrefix(at, w.prefix):
			info, err := w.root.Lstat(filepath.FromSlash(at))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return false, err
			}
			if !w.yield(Object{at, info.Size(), info.ModTime(), info.Mode().Type()}, nil) {
				return false, nil
			}
		}
	}
	return true, nil
}
