package install

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"x.go/dist"
	"x.go/manifests"
)

// A transaction mends ([Options.Repair]) if it restores what is installed: only files
// and records that are not as the components have them are touched, whatever the
// records say about them, and nothing that the components do not have.

// chooseMended finds the components to restore, by their installed names. Records that
// disagree or cannot be read do not keep it from that.
func (t *transaction) chooseMended(choose func(installed []string) []string) error {
	in := newInstalled(t.layout, t.records)
	if in.root != nil {
		if err := in.read(); err != nil {
			return err
		}
	}
	if len(in.components) == 0 {
		return errors.New("nothing is installed here: there is nothing to repair")
	}
	var names []string
	for _, c := range in.components {
		names = append(names, c.name)
	}
	chosen := choose(names)
	for _, c := range in.components {
		if !slices.Contains(chosen, c.name) {
			part, err := t.readPart(c.name)
			if err != nil {
				return fmt.Errorf("reading the manifest of installed component %q: %w", c.name, err)
			}
			t.others = append(t.others, part)
			continue
		}
		part := &installedPart{name: c.name, files: map[string]bool{}, text: c.data, relative: in.isRelative(c), sound: c.listed && c.sound}
		for _, r := range c.records {
			part.list = append(part.list, r)
			if r.kind == manifests.DirDirective {
				part.bulk = append(part.bulk, r.path())
			} else {
				part.files[r.path()] = true
			}
		}
		var err error
		if part.digests, err = t.readDigests(c.name, c.text); err != nil {
			return err
		}
		t.replaced = append(t.replaced, part)
		t.mendDirs(c.name)
	}
	t.names, t.before = names, in
	return nil
}

// isRelative reports whether the list of a component is to have relative paths, as all of
// rustup's have: rustup 1.29 panics at absolute ones. A list that is lost or damaged is
// written like the others.
func (in *installed) isRelative(c installedComponent) bool {
	if c.relative || regexp.MustCompile(`^(file|dir):/`).Match(c.data) {
		return c.relative
	}
	_, err := in.root.Lstat("multirust-channel-manifest.toml")
	return err == nil || slices.ContainsFunc(in.components, func(c installedComponent) bool { return c.relative })
}

// mendDirs notes the directories that x has created for a component, whatever list its
// digests are of.
func (t *transaction) mendDirs(component string) {
	data, err := t.recordText(manifests.DigestsPrefix+component, manifests.MaxDigests)
	if err != nil {
		return
	}
	d, err := manifests.ParseDigests(data)
	if err != nil {
		return
	}
	for _, f := range d.Files {
		if at, ok := t.layout.digestPlace(f.Path); ok && f.Mode.IsDir() {
			t.ours[at.path()] = true
		}
	}
}

// sameBuild returns an error if a component to restore is another one than what is
// installed.
func (t *transaction) sameBuild(parts []part) error {
	for _, c := range t.replaced {
		i := slices.IndexFunc(parts, func(p part) bool { return p.name == c.name })
		if i < 0 {
			continue
		}
		if differs := t.differs(c, parts[i]); differs != "" {
			return fmt.Errorf("component %q: the source is of another build than what is installed: it has another %q: give the archives that were installed, or install these without repairing", c.name, differs)
		}
	}
	return nil
}

// differs returns a path that the installed component has and the source has not, or
// has with another content; "" if they are the same, as far as anybody knows.
func (t *transaction) differs(c *installedPart, p part) string {
	if c.digests == nil {
		fresh := map[record]bool{}
		for _, r := range p.list {
			fresh[r] = true
		}
		for _, r := range c.list {
			if info, err := t.lstat(r.place); !fresh[r] && (err != nil || info != nil) {
				return r.path()
			}
		}
		return ""
	}
	for key, a := range t.files {
		f, ok := c.digests[key]
		if a.component == c.name && (!ok || f.Mode.Type() != a.mode.Type() || f.Hash != a.hash || f.Link != a.link) {
			return key
		}
	}
	for key, f := range c.digests {
		if !f.Mode.IsDir() && t.files[key] == nil {
			return key
		}
	}
	return ""
}

// isMendedDir is isDir for a directory that links must not lead to, unless they are the
// caller's: what is in its place makes room.
func (t *transaction) isMendedDir(root *os.Root, at place) (bool, error) {
	for _, dir := range t.layout.dirs() {
		if within(at.path(), dir) {
			info, err := root.Stat(at.rel)
			return err == nil && info.IsDir(), ignoreAbsent(err)
		}
	}
	above, err := t.stagedDir(at.dir())
	if err != nil || !above.exists {
		return false, err
	}
	info, err := t.lstat(at)
	return info != nil && info.IsDir(), err
}

// ignoreAbsent returns err unless it says that a file is not there.
func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// mendedList returns the list of a component: the one that is there, if it says the
// same.
func (p *planner) mendedList(c part) []byte {
	old := p.restored(c.name)
	if old == nil || !old.sound {
		return p.manifest(c)
	}
	lines := map[record]bool{}
	for _, r := range c.list {
		lines[r] = true
	}
	for _, r := range old.list {
		if !lines[r] {
			return p.manifest(c)
		}
		delete(lines, r)
	}
	if len(lines) > 0 {
		return p.manifest(c)
	}
	return old.text
}

func (t *transaction) restored(name string) *installedPart {
	for _, c := range t.replaced {
		if c.name == name {
			return c
		}
	}
	return nil
}

// mendRecords writes the records that are not as they should be. A toolchain of rustup
// gets no digests: rustup would not keep them up to date.
func (p *planner) mendRecords() error {
	made := p.allMade()
	text, script := p.soundUninstaller()
	for _, c := range p.parts {
		list := p.mendedList(c)
		if err := p.record(manifests.InstalledPrefix+c.name, list, dist.ModeFile, p.newInBulk(c)); err != nil {
			return err
		}
		if old := p.restored(c.name); old != nil && old.relative && old.digests == nil {
			continue
		}
		mine := script
		if old := p.before.digests[c.name]; !old.Uninstaller.IsZero() {
			mine = old.Uninstaller // it has not changed, even if another component's has replaced it
		}
		if err := p.recordDigests(c, list, mine, made); err != nil {
			return err
		}
	}
	data, err := p.recordText(manifests.ComponentsFile, maxText)
	if ignoreAbsent(err) != nil {
		return err
	}
	if got, err := manifests.ParseComponentNames(data); err != nil || !slices.Equal(got, p.names) {
		if err := p.record(manifests.ComponentsFile, manifests.EncodeComponentNames(p.names...), dist.ModeFile, false); err != nil {
			return err
		}
	}
	if len(text) > 0 {
		// After the list of components: without it, uninstall.sh forgets all others.
		if err := p.record(uninstallerName, text, dist.ModeExec, false); err != nil {
			return err
		}
	}
	data, err = p.recordText(manifests.VersionFile, maxText)
	if ignoreAbsent(err) != nil {
		return err
	}
	if v := strings.TrimSpace(string(data)); v != "2" && v != manifests.InstallerVersion {
		if err := p.record(manifests.VersionFile, []byte(manifests.InstallerVersion+"\n"), dist.ModeFile, false); err != nil {
			return err
		}
	}
	return p.dropUnfinished()
}

// dropUnfinished removes what a run of install.sh has left.
func (p *planner) dropUnfinished() error {
	for _, name := range slices.Sorted(maps.Keys(unfinished)) {
		if name == journalName {
			continue
		}
		data, err := p.recordText(name, manifests.MaxDigests)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		p.out.records = append(p.out.records, recordChange{name: name, was: manifests.HashOf(data)})
	}
	return nil
}

// leftAlone returns the files in the directories of the components that nothing
// installed owns.
func (t *transaction) leftAlone(parts []part) []string {
	s := survey{in: newInstalled(t.layout, t.records)}
	for _, p := range parts {
		e := expectation{component: p.name, against: "the sources", list: p.list}
		for _, r := range p.list {
			if r.kind == manifests.DirDirective {
				e.dirs = append(e.dirs, r.place)
			}
		}
		for _, a := range t.files {
			if a.component == p.name {
				e.files = append(e.files, wanted{component: p.name, at: a.to})
			}
		}
		s.expected = append(s.expected, e)
	}
	for _, c := range t.others {
		e := expectation{component: c.name}
		for _, r := range c.list {
			if r.kind == manifests.DirDirective {
				e.dirs = append(e.dirs, r.place)
			} else {
				e.files = append(e.files, wanted{component: c.name, at: r.place})
			}
		}
		s.expected = append(s.expected, e)
	}
	s.extras()
	var out []string
	for _, p := range s.state.Problems {
		if p.Kind == Extra && !slices.ContainsFunc(strings.Split(p.Path, string(filepath.Separator)), t.isOwn) {
			out = append(out, p.Path)
		}
	}
	slices.Sort(out)
	return out
}
