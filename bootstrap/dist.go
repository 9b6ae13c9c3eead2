package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/dist/recompress"
	"x.go/manifests"
)

// DistDir is where archives and channel files are.
func (b *Builder) DistDir() string { return filepath.Join(b.buildDir, distDir) }

// archivesStep is the step that writes the archives of a selection, all but their
// names.
type archivesStep struct{ Selection Selection }

// String names the step in plans and errors.
func (a archivesStep) String() string { return "Archives" + a.Selection.String() }

// Archive is an archive of this run, and its row in a channel.
type Archive struct {
	archive.Artifact
	Listed manifests.ListedArchive
}

// unnamed are archives that only lack their names in dir. In a dry run there are
// neither files nor dir.
type unnamed struct {
	archives []Archive
	outdated []string // archives of earlier runs in other formats, with other content
	files    *archive.Prepared
	dir      *os.Root
}

// Run implements [step]: it writes the archives of all parts, in all formats at
// once.
func (a archivesStep) Run(ctx context.Context, b *Builder) (unnamed, error) {
	parts, err := b.allParts(ctx, a.Selection)
	if err != nil {
		return unnamed{}, err
	}
	var pkgs []dist.Package
	for _, p := range parts {
		pkgs = append(pkgs, p.pkg)
	}
	return b.prepare(ctx, parts, pkgs, nil)
}

// prepare writes the archives of the parts, all but their names. In a dry run they have
// names, but neither sizes nor digests.
func (b *Builder) prepare(ctx context.Context, parts []part, pkgs []dist.Package, bare []archive.Bare) (unnamed, error) {
	writer, cache := b.writer, recompress.OpenCache(b.DistDir(), b.store)
	writer.Keeper = cache
	job, err := writer.Plan(pkgs, bare...)
	if err != nil {
		return unnamed{}, err
	}
	u := unnamed{archives: b.planned(parts, job.Plans(), cache)}
	if b.dryRun {
		return u, nil
	}
	if u.dir, err = b.openDist(); err != nil {
		return unnamed{}, err
	}
	if u.files, err = job.Prepare(ctx, u.dir); err != nil {
		return unnamed{}, errors.Join(err, u.dir.Close())
	}
	u.outdated = outdated(u, cache)
	kept := 0
	for i, art := range u.files.Artifacts { // in the order of the plans
		u.archives[i].Artifact, u.archives[i].Listed.Hash = art, art.SHA256
		if art.Kept {
			kept++
		}
	}
	for _, text := range cache.Damaged() {
		b.notify(Event{Note: text + ": it is made again", Warn: true})
	}
	if kept > 0 {
		b.note("%d of %d archives were compressed before", kept, len(u.archives))
	}
	return u, nil
}

// outdated returns the archives of earlier runs that differ from those of this one in
// format, and in content. A client that prefers their format would get old files.
func outdated(u unnamed, cache *recompress.Cache) []string {
	made := map[string]bool{}
	for _, a := range u.archives {
		made[a.Name] = true
	}
	var out []string
	for _, a := range u.archives {
		for _, f := range manifests.Formats() {
			name := a.Package + f.Ext()
			if sum, ok := cache.Outdated(name, a.Name); ok && !made[name] && unchanged(u.dir, name, sum) {
				made[name] = true
				out = append(out, name)
			}
		}
	}
	return out
}

// openDist opens the directory of the archives, without what killed runs left there.
func (b *Builder) openDist() (*os.Root, error) {
	if _, err := b.dir.Claim(distDir); err != nil {
		return nil, err
	}
	root, err := b.dir.OpenSubdir(distDir)
	if err != nil {
		return nil, fmt.Errorf("opening the directory of archives: %w", err)
	}
	if _, err := dist.RemoveStale(root); err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return root, nil
}

// discard removes the files that have no name yet.
func (u unnamed) discard() {
	if u.dir != nil {
		u.files.Discard()
		_ = u.dir.Close()
	}
}

// planned tells how the parts are going to be compressed, and returns their
// archives as far as they are known before they are written.
func (b *Builder) planned(parts []part, plans []archive.Plan, cache *recompress.Cache) []Archive {
	b.notify(Event{Plans: plans})
	var archives []Archive
	for i, plan := range plans {
		size := parts[i].bare.Size()
		for _, c := range parts[i].pkg.Components {
			size += c.Image.Size()
		}
		for k, art := range plan.Artifacts(b.DistDir()) {
			here, inStore := cache.MayHave(plan.Archives[k])
			detail := FormatSize(size) + " of files, " + DescribeArchive(plan.Archives[k])
			switch {
			case here:
				detail += ", kept if files and settings are those of before"
			case inStore:
				detail += ", looked for in the store"
			}
			b.act("emit", art.Path, detail)
			listed := manifests.ListedArchive{ArchiveName: parts[i].name, VersionText: parts[i].version}
			listed.Format = art.Format
			archives = append(archives, Archive{art, listed})
		}
	}
	return archives
}

// DescribeArchive says how an archive is going to be compressed: "dictionary
// 48 MiB, 48.1 MiB to unpack".
func DescribeArchive(a archive.FormatPlan) string {
	text := dist.FormatBytes(a.DecoderMemory) + " to unpack"
	switch a.Format {
	case archive.XZ:
		text = "dictionary " + dist.FormatBytes(a.Dictionary) + ", " + text
	case archive.Zst:
		text = "window " + dist.FormatBytes(a.Dictionary) + ", " + text
	}
	if a.Lowered {
		text += ", lowered by the memory limit"
	}
	return text
}
