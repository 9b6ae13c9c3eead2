package install

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"x.go/dist"
	"x.go/manifests"
)

// stagedDir is a directory of the installation while a transaction runs.
type stagedDir struct {
	at     place // at last
	exists bool  // already, and stays
	temp   place // where its new files are until commit
	unit   place // the topmost directory above it, or itself, that did not exist
	// plain and exec say that files created there have got just the mode that was asked
	// for: neither the umask nor the directory takes of it.
	plain, exec atomic.Bool
}

// sure returns what is known of files of a mode in the directory.
func (d *stagedDir) sure(mode fs.FileMode) *atomic.Bool {
	if mode.Perm() == dist.ModeExec {
		return &d.exec
	}
	return &d.plain
}

// dir returns the staged directory for at, and creates where its new files go.
func (t *transaction) dir(at place) (*stagedDir, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	d, err := t.stagedDir(at)
	if err == nil && d.exists {
		err = t.openStage(at)
	}
	return d, err
}

// stagedDir is dir for one who has the lock. A directory that exists has no stage yet.
func (t *transaction) stagedDir(at place) (*stagedDir, error) {
	if d := t.dirs[at.path()]; d != nil {
		return d, nil
	}
	d := &stagedDir{at: at, temp: t.stage(at, newSuffix)}
	var err error
	if d.exists, err = t.isDir(at); err != nil {
		return nil, err
	}
	if !d.exists {
		above, err := t.stagedDir(at.dir())
		if err == nil && above.exists {
			err = t.openStage(above.at)
		}
		if err != nil {
			return nil, err
		}
		d.temp, d.unit = above.temp.join(at.name()), above.unit
		if above.exists {
			d.unit = at
			t.units[at.path()] = at
		}
		if err := t.mkdir(d.temp); err != nil {
			return nil, err
		}
	}
	t.dirs[at.path()] = d
	return d, nil
}

// isDir reports whether there is a directory at a place, which may be a link to one
// that stays below the same base. Anything else in its place is an error, unless the
// transaction takes it away.
func (t *transaction) isDir(at place) (bool, error) {
	root, err := t.root(at.base)
	if t.opts.DryRun && errors.Is(err, fs.ErrNotExist) {
		return at.rel == ".", nil // a run would create it first
	}
	if err != nil {
		return false, err
	}
	if above := t.dirs[at.dir().path()]; at.rel != "." && above != nil && !above.exists {
		return false, nil
	}
	if t.opts.Repair {
		return t.isMendedDir(root, at)
	}
	if info, err := root.Lstat(at.rel); err == nil && info.Mode().Type() == fs.ModeSymlink && t.own(at.path()) {
		return false, nil // a link of the earlier version, or in one of its directories: nothing is written through it
	}
	info, err := root.Stat(at.rel)
	if err == nil && info.IsDir() {
		return true, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
		return false, err
	}
	info, err = root.Lstat(at.rel)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || t.own(at.path()) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return false, fmt.Errorf("%q exists and is not a directory (mode %v): move it away", at.path(), info.Mode())
}

// openStage creates our directory in the existing directory at.
func (t *transaction) openStage(at place) error {
	if t.opts.DryRun {
		return nil
	}
	temp := t.stage(at, newSuffix)
	if _, ok := t.stages[at.path()]; !ok {
		if err := t.noteStage(at); err != nil {
			return err
		}
		t.stages[at.path()] = at
	}
	if t.opened[at.path()] {
		return nil
	}
	err := t.mkdir(temp)
	t.opened[at.path()] = err == nil
	return err
}

// mkdir creates a directory of mode 0755, whatever the umask.
func (t *transaction) mkdir(at place) error {
	if t.opts.DryRun {
		return nil
	}
	if err := t.step("mkdir", at); err != nil {
		return err
	}
	above, done, err := t.handles.get(t, at.dir())
	if err != nil {
		return err
	}
	defer done()
	if err := above.Mkdir(at.name(), 0o755); err != nil {
		return err
	}
	if info, err := above.Lstat(at.name()); err != nil || info.Mode().Perm() == 0o755 {
		return err
	}
	return above.Chmod(at.name(), 0o755)
}

// write writes a file into its stage; in a dry run it only hashes and compares.
func (t *transaction) write(ctx context.Context, a *added, r io.Reader) error {
	d, err := t.dir(a.to.dir())
	if err != nil {
		return err
	}
	w := &writer{t: t, a: a, at: d.temp.join(a.to.name()), sure: d.sure(a.mode)}
	if !t.opts.DryRun {
		dir, done, err := t.handles.get(t, d.temp)
		if err != nil {
			return err
		}
		defer done()
		w.dir = dir
	}
	if d.exists {
		if err := w.compareWith(d.at, r); err != nil {
			return err
		}
	}
	if a.mode&fs.ModeSymlink != 0 {
		err = w.link()
	} else {
		err = w.copy(ctx, r)
	}
	if err == nil && d.exists && !a.kept {
		t.mu.Lock()
		t.units[a.to.path()] = a.to
		t.mu.Unlock()
	}
	return err
}

// writer writes one file. As long as the content is that of the installed file, it
// writes nothing.
type writer struct {
	t    *transaction
	dir  *os.Root     // nil in a dry run
	sure *atomic.Bool // see stagedDir
	a    *added
	at   place // of the new file
	hash hash.Hash
	out  *os.File
	// dirty are the bytes that were written since the disk was last told.
	dirty int

	cur     *os.File // the installed file
	off     int64    // bytes of cur that are the same
	curLink string
}

// compareWith looks for the installed file in the directory at.
func (w *writer) compareWith(at place, r io.Reader) error {
	dir, done, err := w.t.handles.get(w.t, at)
	if err != nil {
		return err
	}
	defer done()
	name := w.a.to.name()
	info, err := dir.Lstat(name)
	if err != nil {
		return nil // said when it is in the way
	}
	if src, ok := r.(fs.File); ok {
		if from, err := src.Stat(); err == nil && os.SameFile(from, info) {
			return errors.New("it is the file to install: the place to install to is the toolchain itself: name another")
		}
	}
	if !w.t.own(w.a.to.path()) && !w.t.opts.Repair || info.Mode() != w.a.mode && info.Mode().Type() != fs.ModeSymlink {
		return nil
	}
	switch {
	case info.Mode().Type() == fs.ModeSymlink && w.a.mode.Type() == fs.ModeSymlink:
		w.curLink, _ = dir.Readlink(name)
	case info.Mode().IsRegular() && info.Size() == w.a.size:
		if w.cur, err = dir.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0); err != nil {
			w.cur = nil // it is replaced
		}
	}
	return nil
}

func (w *writer) link() error {
	if w.a.kept = w.curLink == w.a.link; w.a.kept || w.dir == nil {
		return nil
	}
	if err := w.t.step("symlink", w.at); err != nil {
		return err
	}
	return w.dir.Symlink(w.a.link, w.at.name())
}

var buffers = sync.Pool{New: func() any { b := make([]byte, 256<<10); return &b }}

func (w *writer) copy(ctx context.Context, r io.Reader) error {
	w.hash = sha256.New()
	var err error
	if w.cur == nil {
		err = w.create()
	}
	if err == nil {
		err = w.fill(ctx, r)
	}
	if w.cur != nil {
		w.a.kept = err == nil
		err = errors.Join(err, w.cur.Close())
	}
	w.a.hash = manifests.Hash(w.hash.Sum(nil))
	if w.out == nil {
		return err
	}
	if err == nil {
		err = w.complete()
	}
	return errors.Join(err, w.out.Close())
}

// fill copies r, which is written from where it lies if that is memory.
func (w *writer) fill(ctx context.Context, r io.Reader) error {
	if m, ok := r.(inMemory); ok {
		return m.writeTo(w)
	}
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	return dist.CopyExactly(ctx, w, r, w.a.size, *buf)
}

// complete gives the file its mode, and starts to bring it to the disk.
func (w *writer) complete() error {
	err := w.chmod()
	if err == nil && w.a.size >= large {
		dist.StartSync(w.out)
	}
	if err == nil && dist.SyncEach {
		if err = w.t.step("sync", w.at); err == nil {
			err = w.out.Sync()
		}
	}
	return err
}

// chmod gives the file the mode that it should have got when it was created.
func (w *writer) chmod() error {
	if w.sure.Load() {
		return nil
	}
	info, err := w.out.Stat()
	if err != nil {
		return err
	}
	if info.Mode().Perm() == w.a.mode.Perm() {
		w.sure.Store(true)
		return nil
	}
	if err := w.t.step("chmod", w.at); err != nil {
		return err
	}
	return w.out.Chmod(w.a.mode.Perm())
}

const (
	large     = 1 << 20 // size in bytes of files to flush early; small ones are better flushed together
	syncEvery = 8 << 20 // bytes, so that the disk works while we do
)

func (w *writer) create() (err error) {
	if w.dir == nil {
		return nil
	}
	if err := w.t.step("create", w.at); err != nil {
		return err
	}
	// O_NONBLOCK means nothing for a regular file, but without it package os sets and
	// clears it, with four more system calls.
	w.out, err = w.dir.OpenFile(w.at.name(), os.O_WRONLY|os.O_CREATE|os.O_EXCL|syscall.O_NONBLOCK, w.a.mode.Perm())
	return err
}

// Write implements [io.Writer].
func (w *writer) Write(p []byte) (int, error) {
	w.hash.Write(p)
	if w.cur != nil {
		if w.same(p) {
			w.off += int64(len(p))
			w.t.progress(len(p))
			return len(p), nil
		}
		if err := w.createLike(); err != nil {
			return 0, err
		}
	}
	if w.out == nil {
		w.t.progress(len(p))
		return len(p), nil
	}
	if err := w.t.step("write", w.at); err != nil {
		return 0, err
	}
	n, err := w.out.Write(p)
	w.t.progress(n)
	w.t.flushEarly(n)
	if w.dirty += n; w.dirty >= syncEvery {
		w.dirty = 0
		dist.StartSync(w.out)
	}
	return n, err
}

// same reports whether the installed file goes on with p.
func (w *writer) same(p []byte) bool {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	for len(p) > 0 {
		n, err := io.ReadFull(w.cur, (*buf)[:min(len(p), len(*buf))])
		if err != nil || !bytes.Equal(p[:n], (*buf)[:n]) {
			return false
		}
		p = p[n:]
	}
	return true
}

// createLike creates the file with what the installed one has in common with it.
func (w *writer) createLike() error {
	err := w.create()
	if err == nil && w.out != nil {
		_, err = io.Copy(w.out, io.NewSectionReader(w.cur, 0, w.off))
	}
	err = errors.Join(err, w.cur.Close())
	w.cur = nil
	return err
}

// handles are opened directories. Files come in the order of their directories, so few
// of them are in use at a time.
type handles struct {
	mu   sync.Mutex
	open map[string]*handle
}

type handle struct {
	root *os.Root
	uses int
}

// get opens the directory at, or returns the one that is open. The caller must call
// done at last, and not close it.
func (h *handles) get(t *transaction, at place) (root *os.Root, done func(), err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open == nil {
		h.open = map[string]*handle{}
	}
	key := at.path()
	e := h.open[key]
	if e == nil {
		const most = 32
		if len(h.open) >= most {
			h.evict()
		}
		e = &handle{}
		if e.root, err = h.openRoot(t, at); err != nil {
			return nil, nil, err
		}
		h.open[key] = e
	}
	e.uses++
	return e.root, func() {
		h.mu.Lock()
		e.uses--
		h.mu.Unlock()
	}, nil
}

// openRoot opens a directory from the one above it if that is open, so that no long way
// is gone.
func (h *handles) openRoot(t *transaction, at place) (*os.Root, error) {
	if above := h.open[at.dir().path()]; above != nil {
		if root, err := above.root.OpenRoot(at.name()); err == nil {
			return root, nil // else it may be a link that leads out of that one only
		}
	}
	base, err := t.root(at.base)
	if err != nil {
		return nil, err
	}
	return base.OpenRoot(at.rel)
}

// evict closes what is not in use.
func (h *handles) evict() {
	for key, e := range h.open {
		if e.uses == 0 {
			e.root.Close()
			delete(h.open, key)
		}
	}
}

func (h *handles) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.evict()
}
