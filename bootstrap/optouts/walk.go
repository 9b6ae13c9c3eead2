package optouts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"sort"
	"sync"
	"syscall"

	"x.go/dist"
)

// Bounds of the walk. A file that configures a build is far smaller.
const (
	maxFile  = 4 << 20 // bytes of a file; what follows is not looked at
	maxDepth = 256     // of directories
	batch    = 256     // names that one worker takes at a time
)

// walker goes through one directory with several workers. A worker takes a directory,
// or a part of the names in a large one.
type walker struct {
	root     *os.Root
	noIgnore bool

	mu       sync.Mutex
	wake     sync.Cond
	queue    []task
	busy     int
	err      error
	files    []*file
	problems []string
	looked   int
}

// task is a directory to read, or names in one that is open.
type task struct {
	dir    string // slash path, "." for the one that was named
	depth  int
	ignore *ignores
	open   *openDir
	names  []named
}

type named struct {
	name   string
	kind   Kind
	syntax syntax
}

// openDir is a directory that several tasks read files from.
type openDir struct {
	root *os.Root
	mu   sync.Mutex
	uses int
}

func (d *openDir) release() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.uses--; d.uses == 0 {
		d.root.Close()
	}
}

// walk reads all below root.
func (w *walker) walk(ctx context.Context, jobs int) error {
	w.wake.L = &w.mu
	w.queue = []task{{dir: "."}}
	stop := context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.err = context.Cause(ctx)
		w.wake.Broadcast()
	})
	defer stop()
	var group sync.WaitGroup
	for range jobs {
		group.Go(w.work)
	}
	group.Wait()
	for _, t := range w.queue { // what an error left
		if t.open != nil {
			t.open.release()
		}
	}
	sort.Slice(w.files, func(i, j int) bool { return w.files[i].name < w.files[j].name })
	sort.Strings(w.problems)
	return w.err
}

// work takes tasks until there are none, and nobody can add one.
func (w *walker) work() {
	buf := make([]byte, 64<<10)
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		for len(w.queue) == 0 && w.busy > 0 && w.err == nil {
			w.wake.Wait()
		}
		if len(w.queue) == 0 || w.err != nil {
			w.wake.Broadcast()
			return
		}
		t := w.queue[len(w.queue)-1]
		w.queue = w.queue[:len(w.queue)-1]
		w.busy++
		w.mu.Unlock()
		var more []task
		if t.open == nil {
			more = w.readDir(&t)
		}
		if t.open != nil {
			buf = w.readFiles(&t, buf)
		}
		w.mu.Lock()
		w.busy--
		w.queue = append(w.queue, more...)
		if len(more) > 0 || w.busy == 0 {
			w.wake.Broadcast()
		}
	}
}

// problem remembers what could not be read.
func (w *walker) problem(name string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.problems = append(w.problems, fmt.Sprintf("reading %q: %v", path.Join(w.root.Name(), name), dist.WithoutPath(err)))
}

// readDir opens a directory, sorts out its entries, and returns the directories below
// it, and the files that this task does not read itself.
func (w *walker) readDir(t *task) []task {
	if t.depth > maxDepth {
		w.problem(t.dir, fmt.Errorf("more than %d directories deep", maxDepth))
		return nil
	}
	root, err := w.root.OpenRoot(t.dir)
	if err != nil {
		w.problem(t.dir, err)
		return nil
	}
	f, err := root.Open(".")
	var entries []fs.DirEntry
	if err == nil {
		entries, err = f.ReadDir(-1)
		f.Close()
	}
	if err != nil {
		w.problem(t.dir, err)
		root.Close()
		return nil
	}
	t.open = &openDir{root: root, uses: 1}
	if !w.noIgnore {
		t.ignore = w.ignores(t, root, entries)
	}
	return w.sortOut(t, entries)
}

// ignores reads the .gitignore files of a directory.
func (w *walker) ignores(t *task, root *os.Root, entries []fs.DirEntry) *ignores {
	dir := t.dir
	if dir == "." {
		dir = ""
	}
	var rules []ignoreRule
	for _, name := range ignoreFiles {
		for _, e := range entries {
			if e.Name() != name || !e.Type().IsRegular() {
				continue
			}
			data, err := readBounded(root, name, maxIgnore, nil)
			if err != nil {
				w.problem(path.Join(t.dir, name), err)
			}
			rules = append(rules, parseIgnore(data)...)
		}
	}
	if rules == nil {
		return t.ignore
	}
	return &ignores{above: t.ignore, dir: dir, rules: rules}
}

// sortOut divides the entries of a directory into work.
func (w *walker) sortOut(t *task, entries []fs.DirEntry) []task {
	dir := t.dir
	if dir == "." {
		dir = ""
	}
	kinds := kindsIn(t.dir)
	var more []task
	for _, e := range entries {
		name := e.Name()
		switch {
		case e.IsDir():
			if !skippedDirs[name] && !t.ignore.skip(dir, name, true) && !isTargetDir(t.open.root, name) {
				more = append(more, task{dir: path.Join(t.dir, name), depth: t.depth + 1, ignore: t.ignore})
			}
		case e.Type().IsRegular():
			kind, sx := kinds.classify(name)
			if (kind != "" || mayBeScript(name)) && !t.ignore.skip(dir, name, false) {
				t.names = append(t.names, named{name, kind, sx})
			}
		}
	}
	all := t.names
	for len(all) > batch {
		part := *t
		part.names = all[:batch]
		all = all[batch:]
		t.open.uses++ // no other task has it yet
		more = append(more, part)
	}
	t.names = all
	return more
}

// isTargetDir reports whether a directory is one that cargo builds into.
func isTargetDir(root *os.Root, name string) bool {
	if name != "target" {
		return false
	}
	for _, mark := range []string{"CACHEDIR.TAG", ".rustc_info.json"} {
		if _, err := root.Lstat(path.Join(name, mark)); err == nil {
			return true
		}
	}
	return false
}

// mayBeScript reports whether a name without an ending may be that of a script.
func mayBeScript(name string) bool {
	for i := range len(name) {
		if name[i] == '.' {
			return false
		}
	}
	return true
}

// readFiles looks into the files of a task. It returns the buffer for the next ones.
func (w *walker) readFiles(t *task, buf []byte) []byte {
	defer t.open.release()
	var files []*file
	for _, n := range t.names {
		data, err := readBounded(t.open.root, n.name, maxFile, buf)
		if cap(data) > cap(buf) {
			buf = data[:cap(data)]
		}
		name := path.Join(t.dir, n.name)
		if err != nil {
			w.problem(name, err)
			continue
		}
		if !mayHold(data) || bytes.IndexByte(data[:min(len(data), 8<<10)], 0) >= 0 {
			continue
		}
		if n.kind == "" {
			if !bytes.HasPrefix(data, []byte("#!")) {
				continue
			}
			n.kind, n.syntax = KindScript, hash
		}
		f := &file{name: name, kind: n.kind, syntax: n.syntax, data: bytes.Clone(data)}
		if f.parse(); len(f.found) > 0 {
			files = append(files, f)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.files = append(w.files, files...)
	w.looked += len(t.names)
	return buf
}

// readBounded returns the first limit bytes of a regular file of root, in buf as far
// as that has room. It follows no link.
func readBounded(root *os.Root, name string, limit int, buf []byte) ([]byte, error) {
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK|noFollow, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if cap(buf) == 0 {
		buf = make([]byte, 4<<10)
	}
	data := buf[:0]
	for len(data) < limit {
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
		n, err := f.Read(data[len(data):min(cap(data), limit)])
		data = data[:len(data)+n]
		switch {
		case errors.Is(err, io.EOF):
			return data, nil
		case err != nil:
			return nil, err
		case len(data) < cap(data):
			return data, nil // a regular file gives less than was asked for at its end alone
		}
	}
	return data, nil
}
