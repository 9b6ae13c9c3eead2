package install

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"x.go/dist"
	"x.go/manifests"
)

// Installed says what [Run] has done, in absolute paths.
type Installed struct {
	Files   []string // written, in the order of the components
	Removed []string // of an earlier installation of the components
	Backups []Backup // files of the user's that were in the way
	Missing []string // recorded files of an earlier installation that were not there
}

// Run installs components as the install.sh of their package would, without a
// shell: files go to the directories of opts, and the records
// rustlib/{components,manifest-*,rust-installer-version} below libdir. So either can
// uninstall or upgrade what the other installed. There are two differences: Run
// replaces an existing file in one step instead of renaming it to X.old, and writes
// no install.log.
//
// Run removes files of an earlier installation of the same components that are no
// longer needed. A file that another installed component owns is an error. Nothing
// outside DestDir, the prefix and the directories of opts that are not below it is
// written, even if symbolic links in them lead out.
//
// All files are complete, under temporary names, before the first one gets its final
// name, so the disk must hold an old installation and the new one. A call that is
// cancelled or fails before that leaves an earlier installation as it was. After that,
// the records list both, so that uninstall.sh removes it and a second call completes
// it. A second call also removes what a killed one left. Two calls for one prefix
// wait for each other.
func Run(ctx context.Context, opts Options, components []dist.Component) (Installed, error) {
	l, err := opts.layout()
	if err != nil {
		return Installed{}, fmt.Errorf("installing: %w", err)
	}
	in := &installation{layout: l, roots: roots{}, made: map[string]bool{}, files: map[string]bool{}}
	defer in.roots.close()
	defer in.closeLast()
	err = in.prepare(components)
	if err == nil {
		err = in.locked(ctx, opts.Waiting, func() error { return in.run(ctx, components, opts.Uninstaller) })
	}
	if err != nil {
		return in.done, fmt.Errorf("installing to %q: %w", l.prefix, err)
	}
	return in.done, nil
}

type installation struct {
	layout layout
	roots  roots
	made   map[string]bool // absolute paths of directories of new files
	files  map[string]bool // absolute paths of the new files

	records *os.Root  // Libdir/rustlib
	created []place   // directories that were not there before, in order
	fresh   []newFile // complete files that only lack their names
	named   bool      // files get their names now, or have them

	last     *os.Root // the directory written to last, nil if none
	lastPath string

	names []string            // installed components: those before, then the new ones
	old   map[string][]record // earlier records of the components to install
	done  Installed
}

// record is a line of an installed manifest.
type record struct {
	kind manifests.DirectiveKind
	place
}

// prepare checks the components.
func (in *installation) prepare(components []dist.Component) error {
	var errs []error
	if len(components) == 0 {
		errs = append(errs, errors.New("no components given"))
	}
	selected := map[string]bool{}
	for _, c := range components {
		if selected[c.Name] {
			errs = append(errs, fmt.Errorf("component %q is given twice", c.Name))
		}
		selected[c.Name] = true
		for _, err := range append([]error{c.Validate()}, dist.Check(c.Image, dist.NoSymlinks())...) {
			if err != nil {
				errs = append(errs, fmt.Errorf("component %q: %w", c.Name, err))
			}
		}
		for e := range c.Image.Entries() {
			if !e.IsDir() {
				in.files[in.layout.destination(e.Name).path()] = true
			}
		}
	}
	errs = append(errs, dist.CheckOwners(components)...)
	return errors.Join(errs...)
}

// Bounds of the records that are read, in bytes. The manifest of all documentation has
// 5 MB.
const (
	maxText     = 1 << 20
	maxManifest = 64 << 20
)

// readRecords reads the records of what is installed.
func (in *installation) readRecords(components []dist.Component) error {
	if data, err := dist.ReadOwn(in.records, manifests.VersionFile, maxText); err == nil {
		// Version 2 had the same records.
		if v := strings.TrimSpace(string(data)); v != "2" && v != manifests.InstallerVersion {
			return fmt.Errorf("got installed version %.20q, want 2 or %s; uninstall it first with the installer that installed it", v, manifests.InstallerVersion)
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	data, err := dist.ReadOwn(in.records, manifests.ComponentsFile, maxText)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	selected := map[string]bool{}
	for _, c := range components {
		selected[c.Name] = true
	}
	before, err := manifests.ParseComponentNames(data)
	if err != nil {
		return err
	}
	in.old = map[string][]record{}
	for _, name := range before {
		records, err := in.readManifest(name)
		if err != nil {
			return fmt.Errorf("reading the manifest of installed component %q: %w", name, err)
		}
		if selected[name] {
			in.old[name] = records
			continue
		}
		in.names = append(in.names, name)
		for _, r := range records {
			if in.files[r.path()] {
				return fmt.Errorf("%q belongs to installed component %q; install that too, or uninstall it first", r.path(), name)
			}
		}
	}
	for _, c := range components {
		in.names = append(in.names, c.Name)
	}
	return nil
}

// readManifest reads manifest-NAME. install.sh records absolute paths, rustup
// relative ones. A path outside the installation is an error: what it names must
// not be removed.
func (in *installation) readManifest(name string) ([]record, error) {
	data, err := dist.ReadOwn(in.records, manifests.InstalledPrefix+name, maxManifest)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // an earlier run was killed between two records
	}
	if err != nil {
		return nil, err
	}
	var records []record
	for line := range strings.Lines(string(data)) {
		word, file, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		r := record{kind: manifests.FileDirective}
		if word == manifests.DirDirective.String() {
			r.kind = manifests.DirDirective
		}
		if !ok || word != r.kind.String() {
			return nil, fmt.Errorf("got line %.200q, want file:PATH or dir:PATH", line)
		}
		if !path.IsAbs(file) {
			file = in.layout.prefix + "/" + file
		}
		if r.place, ok = in.layout.locate(file); !ok {
			return nil, fmt.Errorf("%.200q is in none of the directories given; uninstall that component first", file)
		}
		records = append(records, r)
	}
	return records, nil
}

func (in *installation) run(ctx context.Context, components []dist.Component, uninstaller []byte) error {
	if err := in.readRecords(components); err != nil {
		return err
	}
	if err := in.writeFiles(ctx, components); err != nil {
		return err
	}
	in.named = true
	if err := in.writeRecord(manifests.VersionFile, []byte(manifests.InstallerVersion+"\n"), dist.ModeFile); err != nil {
		return err
	}
	if len(uninstaller) > 0 {
		if err := in.writeRecord("uninstall.sh", uninstaller, dist.ModeExec); err != nil {
			return err
		}
	}
	// First record the files to write and those to remove, so that a killed run
	// leaves none without a record.
	fresh := map[string][]record{}
	for _, c := range components {
		for _, d := range c.Manifest() {
			fresh[c.Name] = append(fresh[c.Name], record{d.Kind, in.layout.destination(d.Path)})
		}
		if err := in.writeManifest(c.Name, fresh[c.Name], in.old[c.Name]); err != nil {
			return err
		}
	}
	if err := in.writeRecord(manifests.ComponentsFile, manifests.EncodeComponentNames(in.names...), dist.ModeFile); err != nil {
		return err
	}
	if err := in.nameFiles(); err != nil {
		return err
	}
	for _, c := range components {
		if err := in.removeOld(in.old[c.Name]); err != nil {
			return fmt.Errorf("removing old files of component %q: %w", c.Name, err)
		}
	}
	if err := in.roots.sync(); err != nil { // a removed file must not come back without its record
		return err
	}
	for _, c := range components {
		if err := in.writeManifest(c.Name, fresh[c.Name]); err != nil {
			return err
		}
	}
	return nil
}

func (in *installation) writeManifest(name string, lists ...[]record) error {
	var text strings.Builder
	seen := map[string]bool{}
	for _, r := range slices.Concat(lists...) {
		if line := r.kind.String() + ":" + in.layout.recorded(r.place) + "\n"; !seen[line] {
			seen[line] = true
			text.WriteString(line)
		}
	}
	return in.writeRecord(manifests.InstalledPrefix+name, []byte(text.String()), dist.ModeFile)
}

func (in *installation) writeRecord(name string, data []byte, mode fs.FileMode) error {
	return dist.WriteOwn(in.records, name, data, mode)
}

// dir creates a directory and opens it. It keeps the last one open: components are
// sorted, so the next file is likely to be in it, too. The caller must not close it.
func (in *installation) dir(base, dir string) (*os.Root, error) {
	root, err := in.roots.open(base)
	if err != nil || dir == "." {
		return root, err
	}
	p := place{base, dir}.path()
	if in.last != nil && in.lastPath == p {
		return in.last, nil
	}
	if !in.made[p] {
		if err := dist.CreateDirs(root, dir, func(d string) { in.created = append(in.created, place{base, d}) }); err != nil {
			return nil, err
		}
		in.made[p] = true
	}
	next, err := root.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	in.closeLast()
	in.last, in.lastPath = next, p
	return next, nil
}

func (in *installation) closeLast() {
	if in.last != nil {
		in.last.Close()
	}
	in.last = nil
}

// removeOld removes the recorded files that are not among the new ones.
func (in *installation) removeOld(records []record) error {
	for _, r := range records {
		root, err := in.roots.open(r.base)
		if err != nil {
			return err
		}
		if r.kind == manifests.DirDirective {
			err = in.removeOldDir(root, r.place)
		} else {
			err = in.removeOldFile(root, r.place)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (in *installation) removeOldFile(root *os.Root, p place) error {
	if in.files[p.path()] {
		return nil
	}
	err := root.Remove(p.rel)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		in.done.Removed = append(in.done.Removed, p.path())
	}
	return err
}

// removeOldDir removes the files of a bulk directory that are not among the new ones.
func (in *installation) removeOldDir(root *os.Root, p place) error {
	entries, err := fs.ReadDir(root.FS(), p.rel)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		child := place{p.base, path.Join(p.rel, e.Name())}
		if e.IsDir() {
			err = in.removeOldDir(root, child)
		} else {
			err = in.removeOldFile(root, child)
		}
		if err != nil {
			return err
		}
	}
	if in.made[p.path()] {
		return nil
	}
	// A directory that holds new files stays.
	if left, err := fs.ReadDir(root.FS(), p.rel); err != nil || len(left) > 0 {
		return err
	}
	return root.Remove(p.rel)
}
