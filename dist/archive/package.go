package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"path"
	"slices"
	"strings"

	"x.go/dist"
	"x.go/dist/installsh"
	"x.go/manifests"
)

// ReadOptions say how to read a package. The zero value is ready to use.
type ReadOptions struct {
	Limits Limits
	// TempDir is the directory for the content of the files, until Close; "" means
	// [os.TempDir]. It needs as much room as the unpacked archive.
	TempDir string
	// Symlinks accepts symbolic links, which rustup refuses: those that are installed as
	// files become files, see [Layout.Copies].
	Symlinks bool
}

// StoredPackage is a package read from an archive. Until Close its files can be
// opened, in any order and at the same time.
type StoredPackage struct {
	dist.Package
	Version string         // such as "1.95.0 (59807616e 2026-04-14)"; "" if the archive has none
	Commit  string         // 40 hexadecimal digits of git-commit-hash; "" if the archive has none
	Digest  manifests.Hash // of the archive's file
	*StoredFiles
}

// ReadPackage reads an archive back into the package that it was written from.
// Writing that again, with the same [Writer], gives the same bytes. Components have
// the bulk directories that their manifest.in lists. Product and SuccessMessage are
// taken from install.sh; the script itself is not kept. If rustup would refuse the
// archive or leave out a part of it, the first such [Problem] is the error.
//
// Compressed formats cannot be read from the middle, so one pass over the archive
// copies all files into one temporary file. The caller must close the package.
func ReadPackage(ctx context.Context, archivePath string, opts ReadOptions) (*StoredPackage, error) {
	files, facts, err := readFiles(ctx, archivePath, opts, func(Member) bool { return true })
	if err != nil {
		return nil, err
	}
	p := &StoredPackage{Digest: facts.Digest, StoredFiles: files}
	l := facts.Layout()
	if err = cmp.Or(l.First(), l.checkCopies(facts.Unpacked, opts.Limits.withDefaults())); err == nil {
		err = p.assemble(l, facts.Texts)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reading package %q: %w", archivePath, err), p.Close())
	}
	return p, nil
}

// assemble sorts the members into components and overlay.
func (p *StoredPackage) assemble(l *Layout, texts map[string][]byte) error {
	p.Name = l.Top
	p.Version = strings.TrimSpace(string(texts[versionName]))
	p.Commit = strings.TrimSpace(string(texts[commitName]))
	p.Product, p.SuccessMessage = installsh.Words(texts[installsh.FileName])
	images := map[string]*dist.Image{}
	for _, c := range l.Components {
		images[c] = &dist.Image{}
	}
	for _, name := range l.leaves() {
		image, rel := &p.Overlay, name
		if dir, below, _ := strings.Cut(name, "/"); images[dir] != nil {
			image, rel = images[dir], below
		}
		if isGenerated(image == &p.Overlay, rel) {
			continue
		}
		if err := p.add(image, rel, name, l); err != nil {
			return err
		}
	}
	for _, c := range l.Components {
		component := dist.Component{Name: c, Image: *images[c]}
		for _, d := range l.Lists[c] {
			if d.Kind == manifests.DirDirective {
				component.BulkDirs = append(component.BulkDirs, d.Path)
			}
		}
		p.Components = append(p.Components, component)
	}
	return nil
}

// add puts the file, link or empty directory called name into image as rel.
func (p *StoredPackage) add(image *dist.Image, rel, name string, l *Layout) error {
	if target, isLink := l.Links[name]; isLink && l.Copies[name] == "" {
		return image.AddSymlink(rel, target)
	}
	m, isFile := l.Files[cmp.Or(l.Copies[name], name)]
	if !isFile {
		return image.AddDir(rel)
	}
	return image.AddOpener(rel, fs.FileMode(m.Mode), m.Size, func() (io.ReadCloser, error) { return p.Open(m.Name) })
}

// leaves returns the sorted names of all files, links and empty directories: the entries
// of a [dist.Image].
func (l *Layout) leaves() []string {
	filled := map[string]bool{}
	for _, names := range []iter.Seq[string]{maps.Keys(l.Files), maps.Keys(l.Links), maps.Keys(l.Dirs)} {
		for name := range names {
			filled[path.Dir(name)] = true
		}
	}
	names := slices.AppendSeq(slices.Collect(maps.Keys(l.Files)), maps.Keys(l.Links))
	for dir := range l.Dirs {
		if !filled[dir] {
			names = append(names, dir)
		}
	}
	slices.Sort(names)
	return names
}

// isGenerated reports whether [dist.Package.Image] writes the file rel itself. rel
// is a name in the overlay or in a component, where "" is the component's directory.
func isGenerated(overlay bool, rel string) bool {
	if overlay {
		return slices.Contains([]string{manifests.ComponentsFile, manifests.VersionFile, installsh.FileName}, rel)
	}
	return rel == "" || rel == manifests.ManifestFile
}
