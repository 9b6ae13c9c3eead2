package bootstrap

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"x.go/dist"
	"x.go/manifests"
)

// DistDir is where archives and channel files are.
func (b *Builder) DistDir() string { return filepath.Join(b.BuildDir, distDir) }

// Archives is the step that writes the archives of a selection.
type Archives struct{ Selection Selection }

func (a Archives) String() string {
	return "Archives" + Packages{a.Selection}.String()[len("Packages"):]
}

// Archive is an archive of this run with what it holds.
type Archive struct {
	dist.Artifact
	Part Part
}

// Run implements [Step]. In a dry run the artifacts have names, but neither
// sizes nor digests.
func (a Archives) Run(ctx context.Context, b *Builder) ([]Archive, error) {
	parts, err := Ensure(ctx, b, Packages{a.Selection})
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

// officialURL is where Rust's own archives are. rustup puts its dist server in
// the place of this prefix, so a channel that carries it can be installed from
// wherever it lies, and has equal bytes in every folder.
const officialURL = "https://static.rust-lang.org"

// Channel is the step that describes the archives of a selection for rustup.
type Channel struct{ Selection Selection }

func (c Channel) String() string {
	return "Channel" + Packages{c.Selection}.String()[len("Packages"):]
}

// Run implements [Step] and returns the names of the channel's files.
func (c Channel) Run(ctx context.Context, b *Builder) ([]string, error) {
	archives, err := Ensure(ctx, b, Archives{c.Selection})
	if err != nil {
		return nil, err
	}
	plan := manifests.ChannelPlan{Release: b.release(), URLBase: b.urlBase()}
	for _, a := range archives {
		plan.Archives = append(plan.Archives, manifests.Archive{
			ArchiveName: a.Part.Name, Hash: a.SHA256, VersionText: a.Part.Version,
		})
	}
	if b.DryRun {
		return b.planChannel(plan.Release), nil
	}
	channel, err := plan.Channel()
	if err != nil {
		return nil, err
	}
	if findings := channel.Validate(); len(findings) > 0 {
		return nil, fmt.Errorf("checking the channel: %w", findings)
	}
	var names []string
	for _, f := range manifests.ChannelFiles(plan.Release, channel, manifests.DialectDist) {
		path := filepath.Join(b.DistDir(), f.Name)
		b.act("write", path, "")
		if err := dist.WriteFile(path, f.Data); err != nil {
			return nil, err
		}
		names = append(names, f.Name)
	}
	return names, nil
}

// planChannel records the channel's files in a dry run, where the digests that
// a channel is made of do not exist.
func (b *Builder) planChannel(r manifests.Release) []string {
	var names []string
	for _, f := range manifests.ChannelFiles(r, &manifests.Channel{}, manifests.DialectDist) {
		b.act("write", filepath.Join(b.DistDir(), f.Name), "")
		names = append(names, f.Name)
	}
	return names
}

// release returns the toolchain's release with its day of publication: that of
// SOURCE_DATE_EPOCH, else of the commit, so that equal inputs make equal bytes.
func (b *Builder) release() manifests.Release {
	r := b.Toolchain.Release
	switch {
	case !b.Writer.ModTime.IsZero():
		r.Date = b.Writer.ModTime.UTC().Format(time.DateOnly)
	case r.CommitDate != "":
		r.Date = r.CommitDate
	default:
		r.Date = "1970-01-01"
	}
	return r
}

// urlBase returns the URL of the folder that holds the archives: below
// dist.upload-addr as build-manifest has it, else rustup's own dist server,
// whose place any server takes.
func (b *Builder) urlBase() string {
	if addr := b.Config.Dist.UploadAddr; addr != "" {
		return addr + "/" + b.release().Date
	}
	return officialURL + "/dist"
}
