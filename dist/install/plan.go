package install

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sync/errgroup"

	"x.go/dist"
	"x.go/manifests"
)

// plan is what commit changes, once all that is new has been written.
type plan struct {
	displace []displacement // in order of their paths
	records  []recordChange
	units    []place // to put in place
	prune    []place // directories to remove if they are empty, those below others first
}

func (p *plan) empty() bool { return len(p.displace)+len(p.records)+len(p.units) == 0 }

// displacement is a file or directory that gives way.
type displacement struct {
	at place
	// backup is where it goes if it is the user's. Without one it is a file of an
	// earlier installation, which nobody has changed.
	backup place
	size   int64    // of such a file, in bytes; of a directory see [transaction.gist]
	mtime  int64    // of such a file, in nanoseconds
	inside []string // paths of the files of an earlier installation in such a directory; not in the journal
}

func (d displacement) isBackup() bool { return d.backup.rel != "" }

// recordChange is a file in the directory of the records that is replaced or, if now is
// zero, removed.
type recordChange struct {
	name     string
	was, now manifests.Hash // was is zero if there was none
}

// planner makes a plan.
type planner struct {
	*transaction
	out    plan
	parts  []part
	bulk   map[string]place // directories that the new records name, and the old ones that stay
	moved  map[string]*candidate
	asides map[string]place // where the user's files of a bulk directory go
}

// candidate is something that may have to give way.
type candidate struct {
	displacement
	info    fs.FileInfo
	digest  manifests.FileDigest // what it was when it was installed
	known   bool                 // digest is set
	foreign bool                 // no record names it
	// below is all that is in a directory, if that is in the way of a file and an
	// earlier installation has made it.
	below []*candidate
}

// plan finds out what commit has to change.
func (t *transaction) plan(ctx context.Context, parts []part) (*plan, error) {
	p, err := t.displacements(ctx, parts)
	if err != nil {
		return nil, err
	}
	p.out.units = slices.SortedFunc(maps.Values(t.units), byPath)
	p.pruneDirs()
	if err := p.planRecords(ctx); err != nil {
		return nil, err
	}
	return &p.out, nil
}

// displacements finds out what has to give way.
func (t *transaction) displacements(ctx context.Context, parts []part) (*planner, error) {
	p := &planner{transaction: t, parts: parts, bulk: map[string]place{}, moved: map[string]*candidate{}, asides: map[string]place{}}
	for _, c := range parts {
		for _, r := range c.list {
			if r.kind == manifests.DirDirective {
				p.bulk[r.path()] = r.place
			}
		}
	}
	for _, find := range []func() error{p.oldFiles, p.bulkFiles, p.inTheWay, func() error { return p.compare(ctx) }} {
		if err := find(); err != nil {
			return nil, err
		}
	}
	for _, path := range slices.Sorted(maps.Keys(p.moved)) {
		if err := p.place(p.moved[path]); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// lstat returns what is at a place, or nil if nothing is.
func (t *transaction) lstat(at place) (fs.FileInfo, error) {
	root, err := t.root(at.base)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	info, err := root.Lstat(at.rel)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ELOOP) {
		return nil, nil
	}
	return info, t.leadsOut(at.dir(), err)
}

// oldFiles finds what the replaced components had.
func (p *planner) oldFiles() error {
	for _, c := range p.replaced {
		for _, r := range c.list {
			var err error
			if r.kind == manifests.DirDirective {
				err = p.oldDir(c, r.place)
			} else {
				err = p.oldFile(c, r.place)
			}
			if err != nil {
				return fmt.Errorf("component %q: %w", c.name, err)
			}
		}
	}
	return nil
}

func (p *planner) oldFile(c *installedPart, at place) error {
	info, err := p.lstat(at)
	if err != nil {
		return err
	}
	if info == nil {
		p.done.Missing = append(p.done.Missing, at.path())
		return nil
	}
	if !info.IsDir() && p.owner(at.path()) == "" { // a directory is none of ours
		p.note(c, at, info, c.digests == nil && !info.Mode().IsRegular())
	}
	return nil
}

// note adds a candidate, unless the new installation keeps it.
func (p *planner) note(c *installedPart, at place, info fs.FileInfo, foreign bool) {
	key := at.path()
	if a := p.files[key]; a != nil && a.kept {
		return
	}
	if _, ok := p.moved[key]; ok {
		return
	}
	a := p.files[key]
	if p.opts.Repair && a == nil && !p.inUnits(key) {
		return // it is not in the way
	}
	n := &candidate{displacement: displacement{at: at, size: info.Size(), mtime: info.ModTime().UnixNano()}, info: info, foreign: foreign}
	if c != nil && c.digests != nil {
		n.digest, n.known = c.digests[key]
		n.foreign = n.foreign || !n.known
	}
	if p.opts.Repair && a != nil {
		// Whatever the records say: what differs from the new file may be the user's.
		n.digest, n.known, n.foreign = p.digest(a), true, false
	}
	p.moved[key] = n
}

// oldDir finds the files of a bulk directory of an earlier installation. Those of the
// user's give way to the new directory, and stay where they are if there is none: no
// record names them any more.
func (p *planner) oldDir(c *installedPart, at place) error {
	_, stays := p.bulk[at.path()]
	users, err := p.usersOf(c, at, stays)
	if err != nil {
		return err
	}
	return p.walk(at, func(at place, info fs.FileInfo) {
		_, fresh := p.files[at.path()]
		if user := users(at, info); !user || fresh || stays {
			p.note(c, at, info, user)
		}
	})
}

// usersOf returns a function that tells the user's files in the old bulk directory at.
// Without digests the manifest's time decides: install.sh writes it last, as rustup
// does. Of other installers, where all files are newer, nobody knows which are the
// user's. Then an upgrade takes all for such that the new version has not, and an
// uninstallation goes by the records, as uninstall.sh does.
func (p *planner) usersOf(c *installedPart, at place, stays bool) (func(at place, info fs.FileInfo) bool, error) {
	if c.digests != nil {
		return func(at place, _ fs.FileInfo) bool {
			_, known := c.digests[at.path()]
			return !known
		}, nil
	}
	byChange, byTime := false, false
	err := p.walk(at, func(_ place, info fs.FileInfo) {
		byChange = byChange || !changeTime(info).After(c.time)
		byTime = byTime || !info.ModTime().After(c.time)
	})
	switch {
	case byChange:
		return func(_ place, info fs.FileInfo) bool { return changeTime(info).After(c.time) }, err
	case stays:
		return func(at place, _ fs.FileInfo) bool { return p.files[at.path()] == nil }, err
	case byTime:
		return func(_ place, info fs.FileInfo) bool { return info.ModTime().After(c.time) }, err
	}
	return func(place, fs.FileInfo) bool { return false }, err
}

// bulkFiles finds files of the user's in new bulk directories: uninstall.sh would
// remove them with the directory.
func (p *planner) bulkFiles() error {
	for _, key := range slices.Sorted(maps.Keys(p.bulk)) {
		err := p.walk(p.bulk[key], func(at place, info fs.FileInfo) {
			if p.owner(at.path()) == "" {
				p.note(nil, at, info, true)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// walk calls f for all below the directory at but directories and what is ours.
func (p *planner) walk(at place, f func(at place, info fs.FileInfo)) error {
	if info, err := p.lstat(at); err != nil || info == nil || !info.IsDir() {
		return err // nothing, or in the way
	}
	root, err := p.root(at.base)
	if err != nil {
		return err
	}
	return fs.WalkDir(root.FS(), filepath.ToSlash(at.rel), func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && p.isOwn(d.Name()):
			return fs.SkipDir
		case d.IsDir():
			return nil
		}
		info, err := d.Info()
		if err == nil {
			f(place{at.base, name}, info)
		}
		return err
	})
}

// inTheWay finds what is at the places of new files and directories and no record of
// the replaced components names.
func (p *planner) inTheWay() error {
	for key, at := range p.units {
		info, err := p.lstat(at)
		if err != nil {
			return err
		}
		if info == nil || p.moved[key] != nil {
			continue
		}
		var below []*candidate
		if info.IsDir() || p.dirs[key] != nil {
			if below, err = p.wholeDir(at); err != nil {
				return err
			}
		}
		p.note(nil, at, info, len(below) == 0)
		if n := p.moved[key]; n != nil && len(below) > 0 {
			n.below = below
			n.size, n.mtime, err = p.gist(at)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// wholeDir has all below a directory go with it. It returns that, or nothing if an
// earlier installation has not made all of it.
func (p *planner) wholeDir(at place) ([]*candidate, error) {
	dir := at.path()
	for _, c := range p.others {
		for file := range c.files {
			if within(dir, file) {
				return nil, fmt.Errorf("%q is in the way, and has files of installed component %q: uninstall that first", dir, c.name)
			}
		}
	}
	var below []*candidate
	for key, c := range p.moved {
		if within(dir, key) {
			below = append(below, c)
			delete(p.moved, key)
		}
	}
	files := 0
	err := p.walk(at, func(place, fs.FileInfo) { files++ }) // none if a link leads to it
	if files != len(below) {
		return nil, err
	}
	return below, err
}

// gist returns what tells whether anything in a directory has changed: as size a
// negative number that counts what is in it, and the time of the last change.
func (t *transaction) gist(at place) (size, mtime int64, err error) {
	root, err := t.root(at.base)
	if err != nil {
		return 0, 0, err
	}
	err = fs.WalkDir(root.FS(), filepath.ToSlash(at.rel), func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil {
			size--
			mtime = max(mtime, info.ModTime().UnixNano())
		}
		return err
	})
	return size, mtime, err
}

// compare finds out which files of the earlier installation the user has changed.
func (p *planner) compare(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, moved := range p.moved {
		for _, c := range append([]*candidate{moved}, moved.below...) {
			if c.known && !c.foreign {
				g.Go(func() error {
					same, err := p.unchanged(ctx, c)
					c.foreign = !same
					return err
				})
			}
		}
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, c := range p.moved {
		c.foreign = c.foreign || slices.ContainsFunc(c.below, func(b *candidate) bool { return b.foreign })
	}
	return nil
}

// readable are the permissions that every installed file has.
const readable fs.FileMode = 0o444

// unchanged reports whether c is what was installed.
func (p *planner) unchanged(ctx context.Context, c *candidate) (bool, error) {
	if c.info.Mode().Type() != c.digest.Mode.Type() {
		return false, nil
	}
	root, err := p.root(c.at.base)
	if err != nil {
		return false, err
	}
	if c.info.Mode()&fs.ModeSymlink != 0 {
		target, err := root.Readlink(c.at.rel)
		return target == c.digest.Link, err
	}
	if c.info.Size() != c.digest.Size {
		return false, nil
	}
	f, err := root.OpenFile(c.at.rel, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrPermission) && c.info.Mode().Perm()&readable != readable {
		return false, nil // nobody can tell, and its mode has been changed
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	sum, err := dist.HashReader(ctx, f, c.info.Size(), c.at.path())
	return sum == c.digest.Hash, err
}

// place decides where a candidate goes.
func (p *planner) place(c *candidate) error {
	if c.foreign {
		var err error
		if c.backup, err = p.aside(c.at); err != nil {
			return err
		}
	} else {
		for _, b := range c.below {
			c.inside = append(c.inside, b.at.path())
		}
	}
	p.out.displace = append(p.out.displace, c.displacement)
	return nil
}

// aside returns where the user's file goes: to X.old, or if it is in a bulk directory
// that the new records name, beside that.
func (p *planner) aside(at place) (place, error) {
	for key, dir := range p.bulk {
		if key == at.path() || !within(key, at.path()) {
			continue
		}
		old, ok := p.asides[key]
		if !ok {
			var err error
			if old, err = p.free(dir); err != nil {
				return place{}, err
			}
			p.asides[key] = old
		}
		return old.join(strings.TrimPrefix(at.rel, dir.rel+"/")), nil
	}
	return p.free(at)
}

// free returns the name for a backup of at: X.old, or X.old.1 and so on where that is
// taken.
func (t *transaction) free(at place) (place, error) {
	old := place{at.base, at.rel + ".old"}
	for n := 1; ; n++ {
		if info, err := t.lstat(old); err != nil || info == nil {
			return old, err
		}
		old.rel = at.rel + ".old." + strconv.Itoa(n)
	}
}

// pruneDirs notes the directories that an earlier installation has made and that may be
// empty now.
func (p *planner) pruneDirs() {
	dirs := map[string]place{}
	for key := range p.madeDirs(p.replaced) {
		if at, ok := p.layout.locate(key); ok {
			dirs[key] = at
		}
	}
	for _, c := range p.replaced {
		for _, r := range c.list {
			if r.kind == manifests.DirDirective && !p.opts.Repair {
				p.pruneBelow(r.place, dirs)
			}
		}
	}
	maps.DeleteFunc(dirs, func(key string, _ place) bool { return p.dirs[key] != nil || p.inUnits(key) })
	p.out.prune = slices.SortedFunc(maps.Values(dirs), func(a, b place) int { return byPath(b, a) })
}

// inUnits reports whether a new file or directory goes to a path.
func (p *planner) inUnits(key string) bool { _, ok := p.units[key]; return ok }

// pruneBelow notes all directories of an old bulk directory.
func (p *planner) pruneBelow(at place, dirs map[string]place) {
	root, err := p.root(at.base)
	if err != nil {
		return
	}
	_ = fs.WalkDir(root.FS(), at.rel, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || !d.IsDir():
			return nil
		case p.isOwn(d.Name()):
			return fs.SkipDir
		}
		dirs[place{at.base, name}.path()] = place{at.base, name}
		return nil
	})
}

// madeDirs returns the paths of the directories that x has created for components.
func (t *transaction) madeDirs(parts []*installedPart) map[string]bool {
	out := map[string]bool{}
	for _, c := range parts {
		for key, f := range c.digests {
			if f.Mode.IsDir() {
				out[key] = true
			}
		}
	}
	return out
}
