package install

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"x.go/dist"
	"x.go/manifests"
)

// record is a line of an installed manifest.
type record struct {
	kind manifests.DirectiveKind
	place
}

// installedPart is a component as the records have it.
type installedPart struct {
	name  string // "" for an installation of version 1
	list  []record
	files map[string]bool // paths of the files
	bulk  []string        // paths of the directories
	time  time.Time       // of the manifest
	// digests have the files by path, or are nil if nobody has written them down, or
	// another installer has installed the component since.
	digests map[string]manifests.FileDigest

	// For a repair: the bytes of the list, whether its paths are relative, as rustup
	// writes them, and whether all of it could be read.
	text            []byte
	relative, sound bool
}

// bulkOf returns the bulk directory that a path is in, or "".
func (c *installedPart) bulkOf(p string) string {
	for _, dir := range c.bulk {
		if p != dir && within(dir, p) {
			return dir
		}
	}
	return ""
}

// Bounds of the records that are read, in bytes. The manifest of all documentation has
// 5 MB.
const (
	maxText     = 1 << 20
	maxManifest = 64 << 20
)

// readRecords reads the records of what is installed.
func (t *transaction) readRecords(choose func(installed []string) []string) error {
	if err := t.checkVersion(); err != nil {
		return err
	}
	if t.opts.Repair {
		return t.chooseMended(choose)
	}
	data, err := t.recordText(manifests.ComponentsFile, maxText)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	names, err := manifests.ParseComponentNames(data)
	if err != nil {
		return err
	}
	if t.opts.unlisted {
		if names, err = t.addUnlisted(names); err != nil {
			return err
		}
	}
	chosen := choose(names)
	for _, name := range names {
		c, err := t.readPart(name)
		if err != nil {
			return fmt.Errorf("reading the manifest of installed component %q: %w", name, err)
		}
		if slices.Contains(chosen, name) {
			t.replaced = append(t.replaced, c)
		} else {
			t.others = append(t.others, c)
		}
	}
	return t.readLegacy()
}

// addUnlisted adds the components that have a list of files and no name in the list of
// components.
func (t *transaction) addUnlisted(names []string) ([]string, error) {
	if t.records == nil {
		return names, nil
	}
	entries, err := fs.ReadDir(t.records.FS(), ".")
	for _, e := range entries {
		name, ok := strings.CutPrefix(e.Name(), manifests.InstalledPrefix)
		if ok && e.Type().IsRegular() && !slices.Contains(names, name) && manifests.CheckComponentName(name) == nil {
			names = append(names, name)
		}
	}
	return names, err
}

// recordText reads a file in the directory of the records, which a dry run may not find.
func (t *transaction) recordText(name string, limit int64) ([]byte, error) {
	if t.records == nil {
		return nil, fs.ErrNotExist
	}
	return dist.ReadOwn(t.records, name, limit)
}

// checkVersion refuses records of a version that is not known.
func (t *transaction) checkVersion() error {
	data, err := t.recordText(manifests.VersionFile, maxText)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	// Version 2 had the same records.
	v := strings.TrimSpace(string(data))
	if _, err := strconv.Atoi(v); err != nil && t.opts.Repair {
		return nil // damaged
	}
	if v != "2" && v != manifests.InstallerVersion {
		return fmt.Errorf("got installed version %.20q, want 2 or %s; uninstall it first with the installer that installed it", v, manifests.InstallerVersion)
	}
	return nil
}

// readPart reads manifest-NAME. install.sh records absolute paths, rustup relative
// ones. A path outside the installation is an error: what it names must not be removed.
func (t *transaction) readPart(name string) (*installedPart, error) {
	data, err := t.recordText(manifests.InstalledPrefix+name, maxManifest)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // an installer was killed between two records
		return nil, err
	}
	c := &installedPart{name: name, files: map[string]bool{}}
	for line := range strings.Lines(string(data)) {
		word, file, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		kind := manifests.FileDirective
		if word == manifests.DirDirective.String() {
			kind = manifests.DirDirective
		}
		if !ok || word != kind.String() {
			return nil, fmt.Errorf("got line %.200q, want file:PATH or dir:PATH", line)
		}
		if err := c.add(t.layout, kind, file); err != nil {
			return nil, err
		}
	}
	if t.records != nil {
		if info, err := t.records.Lstat(manifests.InstalledPrefix + name); err == nil {
			c.time = info.ModTime()
		}
	}
	c.digests, err = t.readDigests(name, manifests.HashOf(data))
	return c, err
}

func (c *installedPart) add(l layout, kind manifests.DirectiveKind, file string) error {
	if !path.IsAbs(file) && !filepath.IsAbs(file) {
		file = l.prefix + "/" + file
	}
	at, ok := l.locate(file)
	if !ok {
		return fmt.Errorf("%.200q is in none of the directories given; uninstall that component first", file)
	}
	c.list = append(c.list, record{kind, at})
	if kind == manifests.DirDirective {
		c.bulk = append(c.bulk, at.path())
	} else {
		c.files[at.path()] = true
	}
	return nil
}

// readDigests reads the digests of a component whose manifest has the digest list.
// Those that cannot be read or tell of another list are none.
func (t *transaction) readDigests(name string, list manifests.Hash) (map[string]manifests.FileDigest, error) {
	data, err := t.recordText(manifests.DigestsPrefix+name, manifests.MaxDigests)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	d, err := manifests.ParseDigests(data)
	if err != nil || d.Manifest != list || d.Component != name {
		return nil, nil
	}
	out := map[string]manifests.FileDigest{}
	for _, f := range d.Files {
		file := f.Path
		if !path.IsAbs(file) {
			file = t.layout.prefix + "/" + file
		}
		if at, ok := t.layout.locate(file); ok {
			out[at.path()] = f
		}
	}
	return out, nil
}

// readLegacy reads the records of version 1: one list of absolute paths.
func (t *transaction) readLegacy() error {
	dirs := t.opts.LegacyManifestDirs
	if dirs == nil {
		dirs = []string{dist.RecordsDir, "cargo"}
	}
	for _, dir := range dirs {
		at := t.layout.at(t.layout.libdir, dir)
		root, err := t.root(at.base)
		if errors.Is(err, fs.ErrNotExist) { // in a dry run
			return nil
		}
		if err != nil {
			return err
		}
		const listName = "manifest"
		data, err := dist.ReadOwn(root, at.join(listName).rel, maxManifest)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		c := &installedPart{files: map[string]bool{}}
		for line := range strings.Lines(string(data)) {
			if file := strings.TrimSuffix(line, "\n"); path.IsAbs(file) {
				if err := c.add(t.layout, manifests.FileDirective, file); err != nil {
					return fmt.Errorf("reading the list of an old installation, %q: %w", at.join(listName).path(), err)
				}
			}
		}
		if err := c.add(t.layout, manifests.FileDirective, at.join(listName).path()); err != nil {
			return err
		}
		t.replaced = append(t.replaced, c)
	}
	return nil
}

// own reports whether what lies at a path is the transaction's to change: the records
// of a component that it replaces name it.
func (t *transaction) own(p string) bool {
	return slices.ContainsFunc(t.replaced, func(c *installedPart) bool { return c.files[p] || c.bulkOf(p) != "" })
}

// owner returns the installed component that has a path and is not replaced, or "".
func (t *transaction) owner(p string) string {
	for _, c := range t.others {
		if c.files[p] || c.bulkOf(p) != "" {
			return c.name
		}
	}
	return ""
}
