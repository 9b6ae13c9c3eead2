package verify

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"x.go/bootstrap/toml"
	"x.go/dist"
	"x.go/manifests"
)

// maxInventory bounds an installed manifest: rust-src's has 0.3 MB.
const maxInventory = 64 << 20

// Records that rustup keeps in lib/rustlib of a toolchain.
const (
	rustupChannelFile = "multirust-channel-manifest.toml"
	rustupConfigFile  = "multirust-config.toml"
)

// inventory requires the files that the installed manifests list, and the records of
// an installer to be sound: without them the tree can neither be updated nor removed.
func (c *sysrootChecker) inventory() {
	lists, err := filepath.Glob(c.record(manifests.InstalledPrefix + "*"))
	if err != nil {
		return // never: the pattern is ours, and the prefix is a directory
	}
	records := []string{manifests.ComponentsFile, manifests.VersionFile, rustupChannelFile, rustupConfigFile}
	if len(lists) == 0 && !slices.ContainsFunc(records, func(name string) bool { return exists(c.record(name)) }) {
		return // no installer was here
	}
	c.s.declare(treeInventory)
	for _, list := range lists {
		c.listed(list)
	}
	c.components(lists)
	c.installerVersion()
	c.rustupRecords()
}

// record is the path of a record in lib/rustlib.
func (c *sysrootChecker) record(name string) string { return c.t.path("lib", "rustlib", name) }

// listed requires what one component's list names. rustup writes paths relative to
// the prefix, install.sh absolute ones.
func (c *sysrootChecker) listed(list string) {
	name := filepath.Base(list)
	b, err := dist.ReadFile(list, maxInventory)
	if err != nil {
		c.s.failf(treeInventory, "%v", err)
		return
	}
	if len(b) == 0 {
		c.s.failf(treeInventory, "%q is empty: the component's files belong to nobody", name)
	}
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSuffix(line, "\n")
		kind, path, ok := strings.Cut(line, ":")
		if !ok || kind != "file" && kind != "dir" || path == "" {
			c.s.failf(treeInventory, "%s: got %.80q, want file: or dir: and a path", name, line)
			continue
		}
		at := path
		if !filepath.IsAbs(path) {
			if err := manifests.CheckMemberName(path); err != nil {
				c.s.failf(treeInventory, "%s: got %.80q: %v", name, line, err)
				continue
			}
			at = c.t.path(filepath.FromSlash(path))
		} else {
			at = c.staged(path)
		}
		info, err := os.Stat(at)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			c.s.failf(treeInventory, "%s lists %q, which is missing", name, path)
		case err != nil:
			c.s.failf(treeInventory, "%s lists %q: %v", name, path, dist.WithoutPath(err))
		case info.IsDir() != (kind == "dir"):
			c.s.failf(treeInventory, "%s lists %q, which is of another kind", name, line)
		}
	}
}

// staged returns where the file or directory with an absolute path of a list is. A tree that is not
// at its place yet has lists that name the place.
func (c *sysrootChecker) staged(path string) string {
	for stage := c.t.prefix; len(stage) > 1; stage = filepath.Dir(stage) {
		at := filepath.Join(stage, path)
		if _, err := os.Lstat(at); err == nil {
			return at
		}
	}
	return path
}

// components compares the list of components with the manifests beside it.
func (c *sysrootChecker) components(lists []string) {
	b, err := dist.ReadFile(c.record(manifests.ComponentsFile), maxInventory)
	if err != nil {
		c.s.failf(treeInventory, "reading %q: %v", manifests.ComponentsFile, dist.WithoutPath(err))
		return
	}
	names := map[string]bool{}
	for _, name := range manifests.ReadComponentNames(b, func(p manifests.ListProblem) {
		c.s.failf(treeInventory, "%s:%d: %s", manifests.ComponentsFile, p.Line, p.Text)
	}) {
		names[name] = true
	}
	for _, list := range lists {
		name := strings.TrimPrefix(filepath.Base(list), manifests.InstalledPrefix)
		if !names[name] {
			c.s.failf(treeInventory, "%q belongs to no installed component", filepath.Base(list))
		}
		delete(names, name)
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		c.s.failf(treeInventory, "component %q has no list of its files, %s", name, manifests.InstalledPrefix+name)
	}
}

// installerVersion requires the version that all installers know, if it is there.
func (c *sysrootChecker) installerVersion() {
	b, err := dist.ReadFile(c.record(manifests.VersionFile), maxScript)
	if err == nil {
		err = manifests.ParseInstallerVersion(b)
	}
	if err != nil {
		c.s.failf(treeInventory, "%v", err)
	}
}

// rustupRecords reads what rustup keeps of the channel, as far as it is there. rustup
// does not work with a toolchain whose records it cannot read.
func (c *sysrootChecker) rustupRecords() {
	for name, parse := range map[string]func([]byte) error{
		rustupChannelFile: func(b []byte) error {
			_, err := manifests.ParseChannel(b)
			return err
		},
		rustupConfigFile: func(b []byte) error {
			if errs := toml.Parse(rustupConfigFile, b).Errors; len(errs) > 0 {
				return errs[0]
			}
			return nil
		},
	} {
		b, err := dist.ReadFile(c.record(name), manifests.MaxChannel)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = parse(b)
		}
		if err != nil {
			c.s.failf(treeInventory, "%s: %s", name, firstLine(err.Error()))
		}
	}
	sortFindings(c.s, treeInventory)
}
