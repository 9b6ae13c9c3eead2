package install

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
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
}

// Run installs components as the install.sh of their package would, without a
// shell: files go to the directories of opts, and the records
// rustlib/{components,manifest-*,rust-installer-version} below libdir. So either can
// uninstall or upgrade what the other installed. There are two differences: Run
// replaces an existing file in one step instead of renaming it to X.old, and writes
// no install.log.
//
// Run removes files of an earlier installation of the same components that are no
// longer needed. A file that another installed component owns is an error. With
// DestDir nothing outside it is written, even if symbolic links in it lead out. A
// cancelled or failed call records what it has written, so that uninstall.sh removes
// it and a second call completes it.
func Run(ctx context.Context, opts Options, components []dist.Component) (Installed, error) {
	l, err := opts.layout()
	if err != nil {
		return Installed{}, fmt.Errorf("installing: %w", err)
	}
	in := &installation{layout: l, roots: roots{}, made: map[string]bool{}, files: map[string]bool{}}
	defer in.roots.close()
	defer in.closeLast()
	if err := in.prepare(components); err != nil {
		return Installed{}, fmt.Errorf("installing to %q: %w", l.prefix, err)
	}
	if err := in.run(ctx, components, opts.Uninstaller); err != nil {
		return in.done, fmt.Errorf("installing to %q: %w", l.prefix, err)
	}
	return in.done, nil
}

type installation struct {
	layout layout
	roots  roots
	made   map[string]bool // absolute paths of directories of new files
	files  map[string]bool // absolute paths of the new files

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

// recordPlace returns the place of one of the files in Libdir/rustlib.
func (in *installation) recordPlace(name string) place {
	return in.layout.at(in.layout.libdir, path.Join(dist.RecordsDir, name))
}

// prepare checks all that it can before anything is written.
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
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	return in.readRecords(components, selected)
}

// readRecords reads the records of what is installed.
func (in *installation) readRecords(components []dist.Component, selected map[string]bool) error {
	if data, err := os.ReadFile(in.recordPlace(manifests.VersionFile).path()); err == nil {
		// Version 2 had the same records.
		if v := strings.TrimSpace(string(data)); v != "2" && v != manifests.InstallerVersion {
			return fmt.Errorf("got installed version %.20q, want 2 or %s; uninstall it first with the installer that installed it", v, manifests.InstallerVersion)
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	data, err := os.ReadFile(in.recordPlace(manifests.ComponentsFile).path())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
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
	data, err := os.ReadFile(in.recordPlace(manifests.InstalledPrefix + name).path())
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
	for _, c := range components {
		if err := in.writeComponent(ctx, c); err != nil {
			return fmt.Errorf("component %q: %w", c.Name, err)
		}
	}
	for _, c := range components {
		if err := in.removeOld(in.old[c.Name]); err != nil {
			return fmt.Errorf("removing old files of component %q: %w", c.Name, err)
		}
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
	return in.writeFile(context.Background(), in.recordPlace(name), mode, bytes.NewReader(data), int64(len(data)))
}

func (in *installation) writeComponent(ctx context.Context, c dist.Component) error {
	for e := range c.Image.Entries() {
		to := in.layout.destination(e.Name)
		if e.IsDir() {
			// install.sh goes by the manifest, which only lists bulk directories.
			if c.InBulkDir(e.Name) || slices.Contains(c.BulkDirs, e.Name) {
				if _, err := in.dir(to.base, to.rel); err != nil {
					return fmt.Errorf("creating %q: %w", to.path(), err)
				}
			}
			continue
		}
		if strings.HasPrefix(e.Name, "bin/") {
			e.Mode = dist.ModeExec
		}
		if err := in.writeEntry(ctx, to, e); err != nil {
			return fmt.Errorf("writing %q: %w", to.path(), err)
		}
		in.done.Files = append(in.done.Files, to.path())
	}
	return nil
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
		if err := dist.CreateDirs(root, dir); err != nil {
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

func (in *installation) writeEntry(ctx context.Context, to place, e dist.Entry) error {
	src, err := e.Open()
	if err != nil {
		return err
	}
	defer src.Close()
	return in.writeFile(ctx, to, e.Mode, src, e.Size)
}

// writeFile writes a file under a temporary name and renames it. It does not flush
// the file to the disk: after a crash of the machine a package is installed again.
func (in *installation) writeFile(ctx context.Context, to place, mode fs.FileMode, src io.Reader, size int64) error {
	dir, err := in.dir(to.base, path.Dir(to.rel))
	if err != nil {
		return err
	}
	name := path.Base(to.rel)
	temp := tempName(name)
	f, err := createAnew(dir, temp, mode.Perm())
	if err != nil {
		return err
	}
	err = dist.CopyExactly(ctx, f, src, size, make([]byte, min(size+1, 128<<10)))
	if err == nil {
		err = f.Chmod(mode.Perm())
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = dir.Rename(temp, name)
	}
	if err != nil {
		dir.Remove(temp)
	}
	return err
}

// tempName returns the name of a file until it is complete. It is the same in every
// run, so that a run replaces what a killed one left, and not too long for any file
// system.
func tempName(name string) string {
	const longest = 200 // bytes of name
	if len(name) > longest {
		name = strings.ToValidUTF8(name[:longest], "")
	}
	return ".x-" + name + ".tmp"
}

// createAnew creates a file. It first removes an existing one, which may be a link
// that somebody has put there.
func createAnew(dir *os.Root, name string, mode fs.FileMode) (*os.File, error) {
	f, err := dir.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if !errors.Is(err, fs.ErrExist) {
		return f, err
	}
	if err := dir.Remove(name); err != nil {
		return nil, err
	}
	return dir.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
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
