package dist

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"x.go/manifests"
)

// Meta is what an archive says about itself.
type Meta struct {
	Package       string   // the top folder
	Components    []string // in the order of the file components
	Version       string   // such as "1.95.0 (59807616e 2026-04-14)"; "" if the archive has none
	GitCommitHash string   // 40 hexadecimal digits; "" if the archive has none
	Manifests     map[string]manifests.FileList
}

// maxMeta bounds the files that ReadMeta keeps in memory together, in bytes. The
// manifest of a component with 100,000 files has about 10 MiB.
const maxMeta = 64 << 20

// ReadMeta reads the descriptive files of a dist archive. The order of members
// scatters them, so that the whole archive is decompressed, but nothing else is
// kept. An archive that rustup would refuse for these files is an error.
func ReadMeta(ctx context.Context, archivePath string, limits Limits) (_ Meta, err error) {
	a, err := limits.OpenArchive(archivePath)
	if err != nil {
		return Meta{}, err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	files, err := metaFiles(ctx, a)
	if err != nil {
		return Meta{}, err
	}
	meta, err := files.parse()
	if err != nil {
		return Meta{}, fmt.Errorf("reading archive %q: %w", archivePath, err)
	}
	return meta, nil
}

// metaTree holds descriptive files by name below the top folder.
type metaTree struct {
	top   string
	files map[string][]byte
	size  int64 // bytes of all files
}

func isMeta(name string) bool {
	switch name {
	case manifests.ComponentsFile, manifests.VersionFile, "version", "git-commit-hash":
		return true
	}
	component, file, ok := strings.Cut(name, "/")
	return ok && component != "" && file == manifests.ManifestFile
}

func metaFiles(ctx context.Context, a *Archive) (metaTree, error) {
	t := metaTree{files: map[string][]byte{}}
	for {
		if err := context.Cause(ctx); err != nil {
			return t, fmt.Errorf("reading archive %q: %w", a.name, err)
		}
		m, err := a.Next()
		if errors.Is(err, io.EOF) {
			return t, nil
		}
		if err != nil {
			return t, err
		}
		if err := t.add(m, a); err != nil {
			return t, fmt.Errorf("reading archive %q: %w", a.name, err)
		}
	}
}

func (t *metaTree) add(m Member, r io.Reader) error {
	if err := CheckMember(m); err != nil {
		return err
	}
	top, rest, _ := strings.Cut(m.Name, "/")
	if t.top == "" {
		t.top = top
	}
	if t.top != top {
		return fmt.Errorf("member %q: got a second top folder, the first is %q", m.Name, t.top)
	}
	if !isMeta(rest) || !m.Mode.IsRegular() {
		return nil
	}
	if t.size += m.Size; t.size > maxMeta {
		return fmt.Errorf("member %q: descriptive files have more than %d bytes: %w", m.Name, maxMeta, ErrLimit)
	}
	if _, ok := t.files[rest]; ok {
		return fmt.Errorf("member %q: it occurs twice", m.Name)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	t.files[rest] = data
	return nil
}

func (t metaTree) parse() (Meta, error) {
	meta := Meta{
		Package:       t.top,
		Version:       strings.TrimSpace(string(t.files["version"])),
		GitCommitHash: strings.TrimSpace(string(t.files["git-commit-hash"])),
		Manifests:     map[string]manifests.FileList{},
	}
	if err := manifests.ParseInstallerVersion(t.files[manifests.VersionFile]); err != nil {
		return Meta{}, fmt.Errorf("member %q: %w", t.top+"/"+manifests.VersionFile, err)
	}
	names, err := manifests.ParseComponentNames(t.files[manifests.ComponentsFile])
	if err == nil && len(names) == 0 {
		err = errors.New("it names no components")
	}
	if err != nil {
		return Meta{}, fmt.Errorf("member %q: %w", t.top+"/"+manifests.ComponentsFile, err)
	}
	meta.Components = names
	for _, c := range meta.Components {
		name := c + "/" + manifests.ManifestFile
		data, ok := t.files[name]
		if !ok {
			return Meta{}, fmt.Errorf("component %q has no %q", c, manifests.ManifestFile)
		}
		m, err := manifests.ParseFileList(data)
		if err != nil {
			return Meta{}, fmt.Errorf("member %q: %w", t.top+"/"+name, err)
		}
		meta.Manifests[c] = m
	}
	return meta, nil
}
