package install

import (
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/manifests"
)

// packageLink is a symbolic link of a component in a package.
type packageLink struct {
	component, name string // in its image
	target          string
	// file is the name in the package of the file to install in its place; "" if the
	// link is installed. See [archive.Layout.Copies].
	file string
}

// packageLinks returns the links of all components of a package, sorted.
func packageLinks(l *archive.Layout) []packageLink {
	var out []packageLink
	for full, target := range l.Links {
		component, name, ok := strings.Cut(full, "/")
		if ok && name != manifests.ManifestFile && slices.Contains(l.Components, component) {
			out = append(out, packageLink{component, name, target, l.Copies[full]})
		}
	}
	slices.SortFunc(out, func(a, b packageLink) int {
		return strings.Compare(path.Join(a.component, a.name), path.Join(b.component, b.name))
	})
	return out
}

// mode is that of what is installed, where m is the file that the link leads to.
func (k packageLink) mode(m archive.Member) fs.FileMode {
	if k.file == "" {
		return dist.ModeSymlink
	}
	return installedMode(k.name, dist.ModeOf(k.name, fs.FileMode(m.Mode)))
}

// wanted is what is installed for a link, by the name called.
func (k packageLink) wanted(called string, l layout, found *archive.Layout) wanted {
	m := found.Files[k.file]
	w := wanted{component: called, at: l.destination(k.name), mode: k.mode(m)}
	if k.file == "" {
		w.link = k.target
	} else {
		w.size, w.hash = m.Size, m.Digest
	}
	return w
}

// links adds the links of the wanted components, or the files that they lead to. Those
// may lie in front of a link or behind it, and be of components that are not wanted: the
// archive is read once more for them.
func (p *pass) links(l *archive.Layout) error {
	links := slices.DeleteFunc(packageLinks(l), func(k packageLink) bool { return !p.wanted[k.component] })
	if err := p.store(l, links); err != nil {
		return err
	}
	for _, k := range links {
		m := l.Files[k.file]
		f := p.file(k.component, k.name, fs.FileMode(m.Mode), m.Size)
		open := func() (io.ReadCloser, error) { return p.openTarget(m) }
		if f.mode = k.mode(m); k.file == "" {
			f.link, open = k.target, nil
		}
		if err := p.add(f, k.name, open); err != nil {
			return err
		}
	}
	return nil
}

// store reads the files of an archive that links lead to.
func (p *pass) store(l *archive.Layout, links []packageLink) error {
	files := map[string]bool{}
	for _, k := range links {
		if k.file != "" {
			files[l.Files[k.file].Name] = true
		}
	}
	if len(files) == 0 || p.in.unpacked {
		return nil
	}
	stored, digest, err := archive.ReadFiles(p.ctx, p.in.path, archive.ReadOptions{Symlinks: true}, func(m archive.Member) bool { return files[m.Name] })
	if err != nil {
		return err
	}
	p.stored = stored
	return p.in.check(digest)
}

// openTarget opens the file of a package that a link leads to.
func (p *pass) openTarget(m archive.Member) (io.ReadCloser, error) {
	if !p.in.unpacked {
		return p.stored.Open(m.Name)
	}
	root, err := os.OpenRoot(p.in.path)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return dist.OpenIn(root, filepath.FromSlash(archive.Below(m.Name)))
}

// close removes what is stored.
func (p *pass) close() error {
	if p.stored == nil {
		return nil
	}
	return p.stored.Close()
}
