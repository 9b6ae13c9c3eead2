package install

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"archive/tar"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/dist/installsh"
	"x.go/manifests"
)

// directory loads an unpacked archive: what is judged of an archive is judged of it.
func (p *pass) directory() (unit, error) {
	root, err := os.OpenRoot(p.in.path)
	if err != nil {
		return unit{}, err
	}
	defer root.Close()
	facts, err := readTree(root)
	if err != nil {
		return unit{}, fmt.Errorf("reading directory %q: %w", p.in.path, err)
	}
	l := facts.Layout()
	if err := l.First(); err != nil {
		return unit{}, fmt.Errorf("reading directory %q: %w", p.in.path, err)
	}
	for _, m := range facts.Members {
		component, name, ok := strings.Cut(archive.Below(m.Name), "/")
		if !ok || !m.IsFile() || name == manifests.ManifestFile || !slices.Contains(l.Components, component) {
			continue
		}
		if wanted, err := p.takes(component); err != nil {
			return unit{}, fmt.Errorf("reading directory %q: %w", p.in.path, err)
		} else if !wanted {
			continue
		}
		disk := filepath.Join(p.in.path, component, filepath.FromSlash(name))
		var img dist.Image
		if err := img.AddFile(name, disk); err != nil {
			return unit{}, fmt.Errorf("reading directory %q: %w", p.in.path, err)
		}
		for e := range img.Entries() {
			if err := p.add(p.file(component, name, fs.FileMode(m.Mode), e.Size), name, e.Open); err != nil {
				return unit{}, fmt.Errorf("reading directory %q: %w", p.in.path, err)
			}
		}
	}
	return p.finish(l, facts.Texts)
}

// isSource returns an error if a directory to install to lies in an unpacked archive:
// its files would no longer be what it came with.
func (r *resolver) isSource(l layout) error {
	for _, in := range r.inputs {
		source, err := os.Stat(in.path)
		if err != nil || !in.unpacked {
			continue // whoever reads it says so
		}
		for _, dir := range append(l.dirs(), l.prefix) {
			if isWithin(dir, source) {
				return fmt.Errorf("%q is in %q, which is what it is to be installed from: name another directory", dir, in.path)
			}
		}
	}
	return nil
}

// isWithin reports whether dir is a directory or below it, whatever links lead there.
func isWithin(dir string, above fs.FileInfo) bool {
	for {
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			dir = real
			break
		}
		if dir == filepath.Dir(dir) {
			return false
		}
		dir = filepath.Dir(dir)
	}
	for {
		if info, err := os.Stat(dir); err == nil && os.SameFile(info, above) {
			return true
		}
		if dir == filepath.Dir(dir) {
			return false
		}
		dir = filepath.Dir(dir)
	}
}

// maxUnpacked is how many files a package may have; see [archive.Limits].
const maxUnpacked = 250_000

// readTree describes a package's directory as if it were read from an archive.
func readTree(root *os.Root) (*archive.Facts, error) {
	const top = "package"
	facts := &archive.Facts{Symlinks: true, Texts: map[string][]byte{}, Members: []archive.Member{{Name: top, Type: tar.TypeDir}}}
	err := fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		if len(facts.Members) > maxUnpacked {
			return fmt.Errorf("got more than %d files", maxUnpacked)
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		m := archive.Member{Name: path.Join(top, name), Type: tar.TypeReg, Mode: int64(info.Mode().Perm()), Size: info.Size(), ModTime: info.ModTime()}
		switch {
		case d.IsDir():
			m.Type, m.Size = tar.TypeDir, 0
		case d.Type() == fs.ModeSymlink:
			m.Type, m.Size = tar.TypeSymlink, 0
			if m.Link, err = root.Readlink(filepath.FromSlash(name)); err != nil {
				return err
			}
		case !d.Type().IsRegular():
			return fmt.Errorf("%q is neither a regular file nor a symbolic link (mode %v)", name, info.Mode())
		}
		if err := manifests.CheckMemberName(name); err != nil {
			return fmt.Errorf("file %q: %w", name, err)
		}
		facts.Members = append(facts.Members, m)
		if isText(name) && m.IsFile() {
			data, err := dist.ReadOwn(root, filepath.FromSlash(name), maxManifest)
			if err != nil {
				return err
			}
			facts.Texts[name] = data
		}
		return nil
	})
	return facts, err
}

// isText reports whether a file of a package describes it.
func isText(name string) bool {
	component, file, below := strings.Cut(name, "/")
	if !below {
		return name == manifests.ComponentsFile || name == manifests.VersionFile || name == installsh.FileName
	}
	return component != "" && file == manifests.ManifestFile
}
