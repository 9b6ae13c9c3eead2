package optouts

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"path"
	"sort"
	"sync"
	"sync/atomic"

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
	top      dirHandle
	name     string // of the directory that was named
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
	above  *openDir // that the directory is in; nil for the one that was named
	open   *openDir // once it is open
	names  []named
}

type named struct {
	name   string
	kind   Kind
	syntax syntax
}

// openDir is a directory that several tasks read files from, or open directories in.
type openDir struct {
	dirHandle
	uses atomic.Int32
}

func (d *openDir) release() {
	if d != nil && d.uses.Add(-1) == 0 {
		d.close()
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
		t.open.release()
		t.above.release()
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
			t.above.release()
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
	w.problems = append(w.problems, fmt.Sprintf("reading %q: %v", path.Join(w.name, name), dist.WithoutPath(err)))
}

// readDir opens a directory, sorts out its entries, and returns the directories below
// it, and the files that this task does not read itself.
func (w *walker) readDir(t *task) []task {
	if t.depth > maxDepth {
		w.problem(t.dir, fmt.Errorf("more than %d directories deep", maxDepth))
		return nil
	}
	handle, err := w.top, error(nil)
	if t.above != nil {
		handle, err = t.above.sub(path.Base(t.dir))
	}
	if err != nil {
		w.problem(t.dir, err)
		return nil
	}
	t.open = &openDir{dirHandle: handle}
	t.open.uses.Add(1)
	if t.above == nil {
		t.open.uses.Add(1) // the caller closes it
	}
	entries, err := t.open.list()
	if err != nil {
		w.problem(t.dir, err)
		return nil
	}
	if !w.noIgnore {
		t.ignore = w.ignores(t, entries)
	}
	return w.sortOut(t, entries)
}

// ignores reads the .gitignore files of a directory.
func (w *walker) ignores(t *task, entries []fs.DirEntry) *ignores {
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
			data, err := t.open.read(name, maxIgnore, nil)
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
			if !skippedDirs[name] && !t.ignore.skip(dir, name, true) && !isTargetDir(t.open.dirHandle, name) {
				t.open.uses.Add(1)
				more = append(more, task{dir: path.Join(t.dir, name), depth: t.depth + 1, ignore: t.ignore, above: t.open})
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
		more = append(more, task{dir: t.dir, open: t.open, names: all[:batch]})
		all = all[batch:]
		t.open.uses.Add(1)
	}
	t.names = all
	return more
}

// isTargetDir reports whether a directory is one that cargo builds into.
func isTargetDir(dir dirHandle, name string) bool {
	if name != "target" {
		return false
	}
	return dir.has(name+"/CACHEDIR.TAG") || dir.has(name+"/.rustc_info.json")
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
		data, err := t.open.read(n.name, maxFile, buf)
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

// readAll reads until a read gives less than it has room for, or limit bytes.
func readAll(limit int, buf []byte, read func([]byte) (int, error)) ([]byte, error) {
	if cap(buf) == 0 {
		buf = make([]byte, 16<<10)
	}
	data := buf[:0]
	for len(data) < limit {
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
		room := data[len(data):min(cap(data), limit)]
		n, err := read(room)
		if err != nil {
			return nil, err
		}
		if data = data[:len(data)+n]; n < len(room) {
			break
		}
	}
	return data, nil
}
