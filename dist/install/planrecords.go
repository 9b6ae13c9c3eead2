package install

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"x.go/dist"
	"x.go/manifests"
)

// Names of records that have none in [manifests].
const (
	uninstallerName = "uninstall.sh"
	logName         = "install.log"
)

// planRecords writes the new records beside the old ones.
func (p *planner) planRecords(ctx context.Context) error {
	names := []string{}
	for _, c := range p.others {
		names = append(names, c.name)
	}
	for _, c := range p.parts {
		names = append(names, c.name)
	}
	if p.opts.Repair {
		return errors.Join(p.mendRecords(), context.Cause(ctx))
	}
	if len(names) > 0 {
		if err := p.writeRecords(names); err != nil {
			return err
		}
	}
	// Last of all: a component that is listed has its manifest.
	return errors.Join(p.dropRecords(names), context.Cause(ctx))
}

// writeRecords writes the records of a prefix that has components of those names.
func (p *planner) writeRecords(names []string) error {
	made := p.allMade()
	var script manifests.Hash
	if len(p.opts.Uninstaller) > 0 {
		script = manifests.HashOf(p.opts.Uninstaller)
	}
	for _, c := range p.parts {
		list := p.manifest(c)
		// uninstall.sh leaves files of a bulk directory that are newer than the manifest.
		if err := p.record(manifests.InstalledPrefix+c.name, list, dist.ModeFile, p.newInBulk(c)); err != nil {
			return err
		}
		if err := p.recordDigests(c, list, script, made); err != nil {
			return err
		}
	}
	if err := p.record(manifests.ComponentsFile, manifests.EncodeComponentNames(names...), dist.ModeFile, false); err != nil {
		return err
	}
	if len(p.parts) > 0 {
		if err := p.record(manifests.VersionFile, []byte(manifests.InstallerVersion+"\n"), dist.ModeFile, false); err != nil {
			return err
		}
		if len(p.opts.Uninstaller) > 0 {
			if err := p.record(uninstallerName, p.opts.Uninstaller, dist.ModeExec, false); err != nil {
				return err
			}
		}
		if !p.out.empty() {
			return p.record(logName, p.log(), dist.ModeFile, false)
		}
	}
	return nil
}

// manifest returns the list of installed files of a component.
func (p *planner) manifest(c part) []byte {
	var text strings.Builder
	old := p.restored(c.name)
	for _, r := range c.list {
		file := p.layout.recorded(r.place)
		if rel, err := filepath.Rel(p.layout.prefix, r.path()); old != nil && old.relative && err == nil && filepath.IsLocal(rel) {
			file = filepath.ToSlash(rel)
		}
		text.WriteString(r.kind.String() + ":" + file + "\n")
	}
	return []byte(text.String())
}

// allMade returns the paths of all directories that x has created here, in this run or
// earlier.
func (p *planner) allMade() map[string]bool {
	made := p.madeDirs(slices.Concat(p.replaced, p.others))
	for key, d := range p.dirs {
		if !d.exists {
			made[key] = true
		}
	}
	for _, at := range p.made {
		made[at.path()] = true
	}
	maps.Copy(made, p.ours)
	return made
}

// recordDigests writes the digests of a component, with that of the uninstaller and the
// directories that x has created for it.
func (p *planner) recordDigests(c part, list []byte, script manifests.Hash, made map[string]bool) error {
	prefix := filepath.ToSlash(p.layout.final(p.layout.prefix))
	if !path.IsAbs(prefix) {
		return nil // a drive of Windows
	}
	d := manifests.Digests{Component: c.name, Prefix: prefix, Manifest: manifests.HashOf(list), Uninstaller: script}
	dirs := map[string]bool{}
	addMade := func(at place) {
		for ; at.rel != "." && !dirs[at.path()]; at = at.dir() {
			key := at.path()
			dirs[key] = true
			if made[key] && !within(key, p.layout.prefix) {
				d.Files = append(d.Files, manifests.FileDigest{Path: p.digestPath(at), Mode: fs.ModeDir | 0o755})
			}
		}
	}
	addMade(p.at.dir()) // of the records, which go with the last component
	for _, a := range p.files {
		if a.component == c.name {
			d.Files = append(d.Files, p.digest(a))
			addMade(a.to.dir())
		}
	}
	text, err := d.Encode()
	if err != nil {
		return err
	}
	return p.record(manifests.DigestsPrefix+c.name, text, dist.ModeFile, false)
}

func (p *planner) digest(a *added) manifests.FileDigest {
	f := manifests.FileDigest{Path: p.digestPath(a.to), Mode: a.mode}
	if a.mode&fs.ModeSymlink != 0 {
		f.Link = a.link
	} else {
		f.Size, f.Hash = a.size, a.hash
	}
	return f
}

// digestPath returns a path as digests have it: relative to the prefix if it is below.
func (p *planner) digestPath(at place) string {
	if rel, ok := inside(p.layout.prefix, at.path()); ok {
		return filepath.ToSlash(rel)
	}
	return filepath.ToSlash(p.layout.final(at.path()))
}

// newInBulk reports whether a bulk directory of a component gets new files.
func (p *planner) newInBulk(c part) bool {
	for _, r := range c.list {
		if r.kind != manifests.DirDirective {
			continue
		}
		for key, a := range p.files {
			if !a.kept && within(r.path(), key) {
				return true
			}
		}
	}
	return false
}

// record writes a new record beside the old one, unless that is the same and need not be
// newer.
func (p *planner) record(name string, data []byte, mode fs.FileMode, newer bool) error {
	change := recordChange{name: name, now: manifests.HashOf(data)}
	old, err := p.recordText(name, manifests.MaxDigests)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err == nil {
		change.was = manifests.HashOf(old)
		if info, err := p.records.Lstat(name); err == nil && info.Mode() == mode && change.was == change.now && !newer {
			return nil
		}
	}
	if err := p.writeNew(name, data, mode); err != nil {
		return fmt.Errorf("writing %q: %w", p.at.join(name).path(), dist.WithoutPath(err))
	}
	p.out.records = append(p.out.records, change)
	return nil
}

// writeNew writes a new record beside the old one.
func (p *planner) writeNew(name string, data []byte, mode fs.FileMode) error {
	if p.opts.DryRun {
		return nil
	}
	if _, err := p.dir(p.at); err != nil {
		return err
	}
	at := p.stage(p.at, newSuffix).join(name)
	dir, done, err := p.handles.get(p.transaction, at.dir())
	if err != nil {
		return err
	}
	defer done()
	w := &writer{t: p.transaction, dir: dir, at: at, sure: new(atomic.Bool), a: &added{file: file{mode: mode, size: int64(len(data))}}}
	return w.copy(context.Background(), bytes.NewReader(data))
}

// dropRecords plans to remove the records of components that are no longer installed,
// or all if none is.
func (p *planner) dropRecords(names []string) error {
	if p.records == nil {
		return nil
	}
	entries, err := fs.ReadDir(p.records.FS(), ".")
	if err != nil {
		return err
	}
	stays := map[string]bool{}
	for _, name := range names {
		stays[manifests.InstalledPrefix+name] = true
		stays[manifests.DigestsPrefix+name] = true
	}
	for _, e := range entries {
		name := e.Name()
		ofPart := strings.HasPrefix(name, manifests.DigestsPrefix)
		for _, c := range p.replaced {
			ofPart = ofPart || name == manifests.InstalledPrefix+c.name && c.name != ""
		}
		common := slices.Contains([]string{manifests.ComponentsFile, manifests.VersionFile, uninstallerName, logName}, name)
		if !e.Type().IsRegular() || stays[name] || !ofPart && (!common || len(names) > 0) {
			continue
		}
		data, err := p.recordText(name, manifests.MaxDigests)
		if err != nil {
			return err
		}
		p.out.records = append(p.out.records, recordChange{name: name, was: manifests.HashOf(data)})
	}
	if len(names) == 0 {
		p.pruneRecords()
	}
	return nil
}

// pruneRecords has the directory of the records removed, as uninstall.sh does, if there
// is nothing of others in it.
func (p *planner) pruneRecords() {
	dirs := map[string]place{}
	p.pruneBelow(p.at, dirs)
	below := slices.SortedFunc(func(yield func(place) bool) {
		for _, at := range dirs {
			if !yield(at) {
				return
			}
		}
	}, func(a, b place) int { return byPath(b, a) })
	above := p.out.prune
	p.out.prune = nil
	for _, at := range slices.Concat(below, above) {
		if !slices.Contains(p.out.prune, at) {
			p.out.prune = append(p.out.prune, at)
		}
	}
}

// log is what install.log says.
func (p *planner) log() []byte {
	var text strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&text, "install: "+format+"\n", args...) }
	for _, c := range p.replaced {
		if c.name != "" {
			say("uninstalling component '%s'", c.name)
		}
	}
	for _, c := range p.parts {
		say("installing component '%s'", c.name)
	}
	for _, d := range p.out.displace {
		if d.isBackup() {
			say("backing up existing file at %s", p.layout.recorded(d.at))
		}
	}
	return []byte(text.String())
}
