package bootstrap

import (
	"context"
	"path/filepath"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/manifests"
)

// DistDir is where archives and channel files are.
func (b *Builder) DistDir() string { return filepath.Join(b.buildDir, distDir) }

// archivesStep is the step that writes the archives of a selection.
type archivesStep struct{ Selection Selection }

// String names the step in plans and errors.
func (a archivesStep) String() string { return "Archives" + a.Selection.String() }

// Archive is an archive of this run, and its row in a channel.
type Archive struct {
	archive.Artifact
	Listed manifests.ListedArchive
}

// Run implements [step]: it writes the archives of all parts, in all formats at
// once. In a dry run they have names, but neither sizes nor digests.
func (a archivesStep) Run(ctx context.Context, b *Builder) ([]Archive, error) {
	parts, err := ensure(ctx, b, packagesStep(a))
	if err != nil {
		return nil, err
	}
	var pkgs []dist.Package
	for _, p := range parts {
		pkgs = append(pkgs, p.pkg)
	}
	job, err := b.writer.Plan(pkgs)
	if err != nil {
		return nil, err
	}
	archives := b.planned(parts, job.Plans())
	if b.dryRun {
		return archives, nil
	}
	if _, err := b.claim(b.DistDir()); err != nil {
		return nil, err
	}
	if _, err := dist.RemoveStale(b.DistDir()); err != nil {
		return nil, err
	}
	artifacts, err := job.Write(ctx, b.DistDir())
	if err != nil {
		return nil, err
	}
	for i, art := range artifacts { // in the order of the plans
		archives[i].Artifact, archives[i].Listed.Hash = art, art.SHA256
	}
	return archives, nil
}

// planned tells how the parts are going to be compressed, and returns their
// archives as far as they are known before they are written.
func (b *Builder) planned(parts []part, plans []archive.Plan) []Archive {
	b.notify(Event{Plans: plans})
	var archives []Archive
	for i, plan := range plans {
		var size int64
		for _, c := range parts[i].pkg.Components {
			size += c.Image.Size()
		}
		for k, art := range plan.Artifacts(b.DistDir()) {
			b.act("emit", art.Path, FormatSize(size)+" of files, "+DescribeArchive(plan.Archives[k]))
			listed := manifests.ListedArchive{ArchiveName: parts[i].name, VersionText: parts[i].version}
			listed.Format = art.Format
			archives = append(archives, Archive{art, listed})
		}
	}
	return archives
}

// DescribeArchive says how an archive is going to be compressed: "dictionary
// 48.0 MiB, 48.1 MiB to unpack".
func DescribeArchive(a archive.FormatPlan) string {
	text := FormatMemory(a.DecoderMemory) + " to unpack"
	switch a.Format {
	case archive.XZ:
		text = "dictionary " + FormatMemory(a.Dictionary) + ", " + text
	case archive.Zst:
		text = "window " + FormatMemory(a.Dictionary) + ", " + text
	}
	if a.Lowered {
		text += ", lowered by the memory limit"
	}
	return text
}
