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
	var pkgs []dist.Package
	for _, p := range parts {
		pkgs = append(pkgs, p.Package)
	}
	plans, err := b.Writer.Plan(pkgs)
	if err != nil {
		return nil, err
	}
	b.notify(Event{Plans: plans})
	var planned []dist.Artifact
	for i, plan := range plans {
		var size int64
		for _, c := range pkgs[i].Components {
			size += c.Image.Size()
		}
		for _, a := range plan.Archives {
			path := filepath.Join(b.DistDir(), a.Name)
			b.act("emit", path, FormatSize(size)+" of files, "+DescribeArchive(a))
			planned = append(planned, dist.Artifact{Name: a.Name, Path: path, Package: plan.Package, Format: a.Format, DecoderMemory: a.DecoderMemory})
		}
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

// DescribeArchive says how an archive is going to be compressed: "dictionary
// 48.0 MiB, 48.1 MiB to unpack".
func DescribeArchive(a dist.ArchivePlan) string {
	text := FormatMemory(a.DecoderMemory) + " to unpack"
	switch a.Format {
	case dist.XZ:
		text = "dictionary " + FormatMemory(a.Dictionary) + ", " + text
	case dist.Zst:
		text = "window " + FormatMemory(a.Dictionary) + ", " + text
	}
	if a.Lowered {
		text += ", lowered by the memory limit"
	}
	return text
}
