package install

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"x.go/dist"
	"x.go/manifests"
)

// file is a file of a transaction.
type file struct {
	component string
	to        place       // see [layout.destination] for a name in an image
	mode      fs.FileMode // [dist.ModeFile], ModeExec or ModeSymlink
	size      int64       // bytes, of a regular file
	link      string      // target of a symbolic link
}

// added is a file that has been added.
type added struct {
	file
	hash manifests.Hash
	kept bool // the installation had it already, so nothing was written
}

// part is a component that a transaction leaves installed, with its records.
type part struct {
	name string
	list []record // lines of manifest-NAME
}

// transaction changes an installation as a whole or not at all. Files are added in any
// order, from several goroutines; nothing has its final name before commit.
//
// New files lie in a directory of ours beside their places: what is in the directory D
// is in D/.x-ID.new until commit. A directory that is missing is built whole in there,
// so that one rename puts it in place, whatever it holds. What commit replaces or
// removes goes to D/.x-ID.old, and stays until all is done. The journal, in the
// directory of the records, names each such D before there is anything in it.
type transaction struct {
	layout  layout
	opts    Options
	roots   *roots
	records *os.Root // Libdir/rustlib
	at      place    // of records
	lock    *dist.DirLock
	id      string // of the names of our directories
	journal bool   // there is one, and it is ours
	planned bool   // it may have the plan, so that the next run completes it

	replaced []*installedPart // whose files the transaction may change
	others   []*installedPart // whose files it may not
	names    []string         // for a repair: all that are installed, in their order
	ours     map[string]bool  // for a repair: paths of directories that x has created
	before   *installed       // for a repair: what the records say
	sources  [][]byte         // for a repair: install.sh of each archive
	killed   string           // for a dry run: the id of a killed run that nobody has completed

	mu      sync.Mutex
	dirs    map[string]*stagedDir // by path
	stages  map[string]place      // directories that have one of ours, by path
	opened  map[string]bool       // of these, those where it is
	made    []place               // directories that were not there before, in order
	files   map[string]*added     // by path
	units   map[string]place      // what commit puts in place: files, and directories with all that is in them
	handles handles
	total   int64 // bytes to write
	written atomic.Int64
	early   earlyFlush

	touched map[string]place // directories in which names have changed since they were flushed
	undo    []func() error
	ended   bool
	done    Installed
}

// begin locks the installation, completes what a killed run left, and reads the records.
// choose gets the names of the installed components and returns those that the
// transaction replaces; files of other installed components are not its to change. The
// caller must call commit or rollback.
func begin(ctx context.Context, opts Options, choose func(installed []string) []string) (*transaction, error) {
	l, err := opts.layout()
	if err != nil {
		return nil, err
	}
	t := &transaction{
		layout: l, opts: opts, id: rand.Text(), at: l.at(l.libdir, dist.RecordsDir), roots: &roots{open: map[string]*os.Root{}},
		dirs: map[string]*stagedDir{}, stages: map[string]place{}, opened: map[string]bool{}, ours: map[string]bool{}, files: map[string]*added{}, units: map[string]place{},
	}
	if opts.DryRun {
		err = t.look(choose)
	} else {
		err = t.open(ctx)
		if err == nil {
			err = t.readRecords(choose)
		}
		if err == nil {
			err = t.startJournal()
		}
	}
	if err != nil {
		return nil, errors.Join(t.leadsOut(t.at, err), t.rollback())
	}
	return t, nil
}

// open creates and locks the directory of the records, and completes what a killed run
// left.
func (t *transaction) open(ctx context.Context) error {
	waiting := t.opts.Waiting
	if waiting == nil {
		waiting = func(string) {}
	}
	for {
		root, err := t.root(t.at.base)
		if err == nil {
			err = t.makeDirs(root, t.at)
		}
		if err != nil {
			return err
		}
		if t.records, err = root.OpenRoot(t.at.rel); err != nil {
			return err
		}
		abandoned := dist.LeftLocked(t.records)
		if t.lock, err = dist.Lock(ctx, t.records, waiting); err == nil {
			if abandoned && len(t.made) == 0 {
				t.adopt(root)
			}
			break
		}
		// One who held the lock may have removed the last component, and the directory.
		if _, gone := root.Lstat(t.at.rel); !errors.Is(err, fs.ErrNotExist) || !errors.Is(gone, fs.ErrNotExist) {
			return err
		}
		t.records.Close()
		t.records = nil
	}
	if _, err := dist.RemoveStale(t.records); err != nil {
		return err
	}
	return t.recover()
}

// adopt takes the directory of the records for one of ours, with those above that have
// nothing else: whoever created them was killed before it could write its journal, since
// a lock is left where nothing is installed.
func (t *transaction) adopt(root *os.Root) {
	for at := t.at; at.rel != "."; at = at.dir() {
		info, err := t.lstat(at)
		if err != nil || info == nil || !info.IsDir() { // a link is the user's
			return
		}
		if names, err := dist.FewNames(root, at.rel); err != nil || len(names) != 1 {
			return
		}
		t.made = slices.Insert(t.made, 0, at)
	}
}

// makeDirs creates the directory at of root, and notes what was not there.
func (t *transaction) makeDirs(root *os.Root, at place) error {
	if _, err := root.Stat(at.rel); errors.Is(err, fs.ErrNotExist) {
		if err := t.step("mkdir", at); err != nil {
			return err
		}
	}
	return dist.CreateDirs(root, at.rel, func(dir string) { t.made = append(t.made, place{at.base, dir}) })
}

// step is called before each change of the disk. Tests let it fail.
func (t *transaction) step(op string, at place) error {
	if t.opts.fault == nil {
		return nil
	}
	return t.opts.fault(op, at.path())
}

// root opens a base directory.
func (t *transaction) root(base string) (*os.Root, error) { return t.roots.get(base) }

// claim notes that a file belongs to the transaction.
func (t *transaction) claim(f file) (*added, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := f.to.path()
	if other := t.owner(p); other != "" {
		return nil, fmt.Errorf("it belongs to installed component %q; install that too, or uninstall it first", other)
	}
	if prev, ok := t.files[p]; ok {
		return nil, fmt.Errorf("components %q and %q both have it", prev.component, f.component)
	}
	a := &added{file: f}
	t.files[p] = a
	return a, nil
}

// add writes a file under a temporary name and hashes it; r may be nil for a link. It
// is an error if r has more or fewer than f.size bytes.
func (t *transaction) add(ctx context.Context, f file, r io.Reader) error {
	a, err := t.claim(f)
	if err == nil {
		err = t.write(ctx, a, r)
	}
	if err != nil {
		return fmt.Errorf("writing %q: %w", f.to.path(), dist.WithoutPath(t.leadsOut(f.to, err)))
	}
	return nil
}

// addDir has a directory in the installation, even if it is empty.
func (t *transaction) addDir(to place) error {
	if _, err := t.dir(to); err != nil {
		return fmt.Errorf("creating %q: %w", to.path(), dist.WithoutPath(t.leadsOut(to, err)))
	}
	return nil
}

// commit, but for a dry run, gives all files their names, writes the records of the parts, and removes
// what the earlier installation of the replaced components had and this one has not.
// If it fails, everything is as before begin.
func (t *transaction) commit(ctx context.Context, parts ...part) (Installed, error) {
	for _, p := range parts {
		t.done.Components = append(t.done.Components, p.name)
	}
	if t.opts.Repair {
		if err := t.sameBuild(parts); err != nil {
			return Installed{}, errors.Join(err, t.rollback())
		}
		t.done.Extra = t.leftAlone(parts)
		var err error
		if t.done.Repaired, err = t.toMend(ctx, parts); err != nil {
			return Installed{}, errors.Join(err, t.rollback())
		}
	}
	t.flushEarly(flushEvery) // whatever there is
	p, err := t.plan(ctx, parts)
	if err == nil && !t.opts.DryRun {
		err = t.apply(ctx, p)
	}
	if err != nil {
		return Installed{}, errors.Join(err, t.rollback())
	}
	t.tell(p)
	if t.opts.DryRun {
		return t.done, t.end()
	}
	err = t.finish(p)
	return t.done, errors.Join(err, t.end())
}

// apply makes the changes of a plan: all of them or none.
func (t *transaction) apply(ctx context.Context, p *plan) error {
	if p.empty() {
		return nil
	}
	if err := t.flushAll(); err != nil {
		return err
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	t.planned = true
	if err := t.writeJournal(p); err != nil {
		return err
	}
	return t.run(ctx, p)
}

// rollback ends a transaction without a change. It does nothing after commit.
func (t *transaction) rollback() error {
	if t.ended {
		return nil
	}
	if t.opts.DryRun {
		return t.end()
	}
	if err := t.goBack(); err != nil {
		return errors.Join(fmt.Errorf("going back to the earlier state: %w: once the cause is mended, run the command again", err), t.end())
	}
	err := t.cleanUp(nil)
	if err == nil {
		t.removeMade()
	}
	return errors.Join(err, t.end())
}

// goBack undoes all changes, the last one first, up to the first that cannot be undone:
// what is then there, a killed run could have left, and the next run completes it. Once
// all is undone, the next run only removes what is new.
func (t *transaction) goBack() error {
	for _, undo := range slices.Backward(t.undo) {
		if err := undo(); err != nil {
			return err
		}
	}
	t.undo = nil
	if !t.planned {
		return nil
	}
	if err := t.flush(); err != nil {
		return err
	}
	return t.saveJournal(t.journalHead().Bytes())
}

// removeMade removes the directories that begin created.
func (t *transaction) removeMade() {
	if t.lock != nil {
		t.lock.Remove()
		t.lock = nil
	}
	for _, at := range slices.Backward(t.made) {
		t.prune(at)
	}
	if t.step("rmdir", place{t.layout.prefix, "."}) == nil {
		t.roots.removeMade()
	}
}

// end closes everything.
func (t *transaction) end() error {
	t.ended = true
	t.early.running.Wait()
	t.handles.close()
	if t.lock != nil {
		t.lock.Remove()
		t.lock = nil
	}
	var err error
	if t.records != nil {
		err = t.records.Close()
	}
	t.roots.close()
	return err
}

// leadsOut returns the error of an operation at a place, or a better one if a link on
// the way leads out of what the transaction may write to.
func (t *transaction) leadsOut(at place, err error) error {
	if err == nil {
		return nil
	}
	root, rerr := t.root(at.base)
	if rerr != nil {
		return err
	}
	return orLinkOut(root, at, err)
}

// outError says that a link leads out of the directory that it should stay below.
type outError struct{ link, base, target string }

// Error says what to do.
func (e *outError) Error() string {
	return fmt.Sprintf("the link %q leads out of %q, to %q: have a directory in its place, or name that one", e.link, e.base, e.target)
}

// orLinkOut returns err, or an [outError] if a link on the way to a place below root leads
// out of it: the errors of [os.Root] name neither.
func orLinkOut(root *os.Root, at place, err error) error {
	for dir := range dist.Parents(path.Join(at.rel, "x")) {
		info, lerr := root.Lstat(dir)
		if lerr != nil {
			return err
		}
		if info.Mode().Type() != fs.ModeSymlink {
			continue
		}
		_, inside := root.Stat(dir)
		link := place{at.base, dir}.path()
		if _, outside := os.Stat(link); inside != nil && !errors.Is(inside, fs.ErrNotExist) && outside == nil {
			target, _ := root.Readlink(dir)
			return &outError{link, at.base, target}
		}
	}
	return err
}

// progress counts written bytes.
func (t *transaction) progress(n int) {
	done := t.written.Add(int64(n))
	if t.opts.Progress != nil {
		t.opts.Progress(done, max(done, t.total))
	}
}

// Names of our directories: PREFIX ID, then what is in them.
const (
	ownPrefix = ".x-"
	newSuffix = ".new"
	oldSuffix = ".old"
)

// stage returns the directory of ours in the directory at.
func (t *transaction) stage(at place, suffix string) place {
	return at.join(ownPrefix + t.id + suffix)
}

// isOwn reports whether a directory of that name is ours, or that of a killed run.
func (t *transaction) isOwn(name string) bool {
	return strings.HasPrefix(name, ownPrefix+t.id) || t.killed != "" && strings.HasPrefix(name, ownPrefix+t.killed)
}

// within reports whether p is dir or below it.
func within(dir, p string) bool {
	return p == dir || strings.HasPrefix(p, dir+string(os.PathSeparator))
}

// byPath sorts places.
func byPath(a, b place) int { return cmp.Compare(a.path(), b.path()) }

// join returns the place of a name in the directory p.
func (p place) join(name string) place { return place{p.base, path.Join(p.rel, name)} }

// dir returns the directory of p.
func (p place) dir() place { return place{p.base, path.Dir(p.rel)} }

// name returns the last element of p.
func (p place) name() string { return path.Base(p.rel) }
