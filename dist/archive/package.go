package archive

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"os"
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
}

// StoredPackage is a package read from an archive. Until Close its files can be
// opened, in any order and at the same time.
type StoredPackage struct {
	dist.Package
	Version string         // such as "1.95.0 (59807616e 2026-04-14)"; "" if the archive has none
	Commit  string         // 40 hexadecimal digits of git-commit-hash; "" if the archive has none
	Digest  manifests.Hash // of the archive's file
	spool   *os.File
	removed bool // the spool has no name any more
}

// Close removes the content of the files. They can no longer be opened.
func (p *StoredPackage) Close() error {
	err := p.spool.Close()
	if !p.removed {
		err = errors.Join(err, os.Remove(p.spool.Name()))
	}
	return err
}

// ReadPackage reads an archive back into the package that it was written from.
// Writing that again, with the same [Writer], gives the same bytes. Components have
// the bulk directories that their manifest.in lists. Product and SuccessMessage are
// taken from install.sh; the script itself is not kept. If rustup would refuse the
// archive or leave out a part of it, the first such [Problem] is the error.
//
// Compressed formats cannot be read from the middle, so one pass over the archive
// copies all files into one temporary file. The caller must close the package.
func ReadPackage(ctx context.Context, archivePath string, opts ReadOptions) (_ *StoredPackage, err error) {
	spool, err := os.CreateTemp(opts.TempDir, "x-package-")
	if err != nil {
		return nil, fmt.Errorf("reading package %q: %w", archivePath, err)
	}
	// A process that is killed leaves no file where one without a name can be open.
	p := &StoredPackage{spool: spool, removed: os.Remove(spool.Name()) == nil}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	s := spooler{file: bufio.NewWriterSize(spool, smallFile), at: map[string]int64{}}
	facts, err := scan(ctx, archivePath, ScanOptions{Limits: opts.Limits, Sink: s.member, Texts: []string{installsh.FileName}}, true)
	if err != nil {
		return nil, err
	}
	if err := s.file.Flush(); err != nil {
		return nil, fmt.Errorf("reading package %q: %w", archivePath, err)
	}
	p.Digest = facts.Digest
	l := facts.Layout()
	if err = l.First(); err == nil {
		err = p.assemble(l, facts.Texts, s.at)
	}
	if err != nil {
		return nil, fmt.Errorf("reading package %q: %w", archivePath, err)
	}
	return p, nil
}

// spooler is a [Sink] that writes all files one after the other.
type spooler struct {
	file *bufio.Writer
	end  int64
	at   map[string]int64 // offset by member name
}

func (s *spooler) member(m Member) (io.WriteCloser, error) {
	if !m.IsFile() {
		return nil, nil
	}
	s.at[m.Name] = s.end
	s.end += m.Size
	return keepOpen{s.file}, nil
}

// keepOpen is a writer with nothing to close.
type keepOpen struct{ io.Writer }

// Close implements [io.Closer].
func (keepOpen) Close() error { return nil }

// assemble sorts the members into components and overlay.
func (p *StoredPackage) assemble(l *Layout, texts map[string][]byte, at map[string]int64) error {
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
		if err := p.add(image, rel, name, l, at); err != nil {
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

// add puts the file or empty directory called name into image as rel.
func (p *StoredPackage) add(image *dist.Image, rel, name string, l *Layout, at map[string]int64) error {
	m, isFile := l.Files[name]
	if !isFile {
		return image.AddDir(rel)
	}
	off := at[m.Name]
	return image.AddOpener(rel, fs.FileMode(m.Mode), m.Size, func() (io.ReadCloser, error) {
		return io.NopCloser(io.NewSectionReader(p.spool, off, m.Size)), nil
	})
}

// leaves returns the sorted names of all files and empty directories: the entries
// of a [dist.Image].
func (l *Layout) leaves() []string {
	filled := map[string]bool{}
	for _, names := range []iter.Seq[string]{maps.Keys(l.Files), maps.Keys(l.Dirs)} {
		for name := range names {
			filled[path.Dir(name)] = true
		}
	}
	names := slices.Collect(maps.Keys(l.Files))
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
