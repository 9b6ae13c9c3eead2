package bootstrap

import (
	"context"
	"path/filepath"
	"slices"

	"x.go/dist"
)

// DistDir is where archives and channel files are.
func (b *Builder) DistDir() string { return filepath.Join(b.BuildDir, distDir) }

// Archives is the step that writes the archives of a selection.
type Archives struct{ Selection Selection }

// String names the step in plans and errors.
func (a Archives) String() string {
	return "Archives" + Packages(a).String()[len("Packages"):]
}

// Archive is an archive of this run with what it holds.
type Archive struct {
	dist.Artifact
	Part Part
}

// Run implements [Step]. In a dry run the artifacts have names, but neither
// sizes nor digests.
func (a Archives) Run(ctx context.Context, b *Builder) ([]Archive, error) {
	parts, err := Ensure(ctx, b, Packages(a))
	if err != nil {
		return nil, err
	}
	artifacts, err := b.emit(ctx, parts)
	if err != nil {
		return nil, err
	}
	archives := make([]Archive, 0, len(artifacts))
	for _, art := range artifacts {
		i := slices.IndexFunc(parts, func(p Part) bool { return p.Package.Name == art.Package })
		part := parts[i]
		part.Name.Format = art.Format
		archives = append(archives, Archive{art, part})
	}
	return archives, nil
}

// emit writes the archives of all parts, in all formats at once.
func (b *Builder) emit(ctx context.Context, parts []Part) ([]dist.Artifact, error) {
	var planned []dist.Artifact
	var pkgs []dist.Package
	for _, p := range parts {
		var size int64
		for _, c := range p.Package.Components {
			size += c.Image.Size()
		}
		for _, f := range b.Writer.Formats {
			name := p.Package.Name + f.Ext()
			b.act("emit", filepath.Join(b.DistDir(), name), FormatSize(size)+" of files")
			planned = append(planned, dist.Artifact{Name: name, Path: filepath.Join(b.DistDir(), name), Package: p.Package.Name, Format: f})
		}
		pkgs = append(pkgs, p.Package)
	}
	if b.DryRun {
		return planned, nil
	}
	if _, err := b.claim(b.DistDir()); err != nil {
		return nil, err
	}
	if _, err := dist.RemoveStale(b.DistDir()); err != nil {
		return nil, err
	}
	return b.Writer.WriteAll(ctx, b.DistDir(), pkgs)
}
