package inspect

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"x.go/dist"
)

// Result is what [Walk] found at one path.
type Result struct {
	File File  // what could be read of it
	Err  error // names the path
}

// Walk inspects files and the files in directories, below them too, and calls do with
// each result, in the order of the paths and in a directory by name. It inspects
// as many at once as there are processors, and keeps no more of them than that.
// Files in directories that are neither ELF files nor archives are left out; one that is
// named is an error. Symbolic links in directories are not followed. An error of do or of
// ctx ends the walk and is returned.
func Walk(ctx context.Context, paths []string, o Options, do func(Result) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	jobs := o.Jobs
	if jobs <= 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	w := walker{system: newSystem(o.Root), free: make(chan struct{}, jobs), queue: make(chan chan *Result, 64*jobs)}
	go w.run(ctx, paths)
	for pending := range w.queue {
		select {
		case r := <-pending:
			if r == nil {
				continue
			}
			if err := do(*r); err != nil {
				return err
			}
		case <-ctx.Done():
			return fmt.Errorf("inspecting files: %w", context.Cause(ctx))
		}
	}
	if ctx.Err() != nil {
		return fmt.Errorf("inspecting files: %w", context.Cause(ctx))
	}
	return nil
}

// walker is one [Walk].
type walker struct {
	system *system
	free   chan struct{}
	queue  chan chan *Result // in order; nil for a file that is left out
}

// run fills the queue.
func (w *walker) run(ctx context.Context, paths []string) {
	defer close(w.queue)
	for _, p := range paths {
		info, err := os.Stat(p)
		switch {
		case err != nil:
			w.put(ctx, func() *Result { return failure(p, err) })
		case info.IsDir():
			w.dir(ctx, p)
		default:
			w.put(ctx, func() *Result {
				f, err := w.system.read(p)
				return result(p, f, err)
			})
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// dir queues the files in a directory.
func (w *walker) dir(ctx context.Context, root string) {
	// Of a named link to a directory the content is meant, which DirFS reads.
	_ = fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return fs.SkipAll
		}
		p := filepath.Join(root, filepath.FromSlash(name))
		switch {
		case err != nil:
			w.put(ctx, func() *Result { return failure(p, err) })
		case d.Type().IsRegular():
			w.put(ctx, func() *Result { return w.found(p) })
		}
		return nil
	})
}

// found inspects a file of a directory. It returns nil for one of another format, or
// that is gone.
func (w *walker) found(path string) *Result {
	head := make([]byte, headSize)
	n, err := beginning(path, head)
	if err == nil {
		if format, _ := sniff(head[:n], false); !format.hasFacts() {
			return nil
		}
		var f File
		if f, err = w.system.read(path); err == nil {
			return result(path, f, nil)
		}
		if _, ok := errors.AsType[*OtherFormatError](err); ok {
			return nil // it has been replaced
		}
		return result(path, f, err)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return failure(path, err)
}

// put queues a file.
func (w *walker) put(ctx context.Context, read func() *Result) {
	pending := make(chan *Result, 1)
	select {
	case w.queue <- pending:
	case <-ctx.Done():
		return
	}
	w.free <- struct{}{}
	go func() {
		defer func() { <-w.free }()
		pending <- read()
	}()
}

func result(path string, f File, err error) *Result {
	if err != nil {
		r := failure(path, err)
		r.File = f
		return r
	}
	return &Result{File: f}
}

func failure(path string, err error) *Result {
	return &Result{Err: fmt.Errorf("inspecting %q: %w", path, dist.WithoutPath(err))}
}
