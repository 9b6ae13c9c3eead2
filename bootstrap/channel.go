package bootstrap

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"x.go/bootstrap/lld"
	"x.go/dist"
	"x.go/manifests"
)

// channelStep is the step that describes the archives of a selection for rustup.
type channelStep struct{ Selection Selection }

// String names the step in plans and errors.
func (c channelStep) String() string { return "Channel" + c.Selection.String() }

// Dist is what a run has written to [Builder.DistDir].
type Dist struct {
	LLD      lld.Outcome // what the toolchain has of LLD
	Archives []Archive
	Channel  []string // names of the channel's files; none if there is no channel
}

// Run implements [step]. Archives of earlier runs stay in the channel, so that one
// component can be written again by itself. Without rustc among them rustup could
// install nothing, and no channel is written.
func (c channelStep) Run(ctx context.Context, b *Builder) (Dist, error) {
	decided, err := ensure(ctx, b, decideLLDStep{})
	if err != nil {
		return Dist{}, err
	}
	archives, err := ensure(ctx, b, archivesStep(c))
	if err != nil {
		return Dist{}, err
	}
	files, err := b.channel(archives)
	return Dist{decided, archives, files}, err
}

// channel writes the channel of the archives and returns the names of its files.
func (b *Builder) channel(archives []Archive) ([]string, error) {
	plan := manifests.ChannelPlan{Version: b.tc.Version, Date: b.date(), URLBase: b.urlBase()}
	for _, a := range archives {
		plan.Archives = append(plan.Archives, a.Listed)
	}
	earlier := b.earlierArchives(plan)
	if len(earlier) > 0 {
		b.note("the channel also lists %d archives of earlier runs", len(earlier))
	}
	plan.Archives = append(plan.Archives, earlier...)
	if !slices.ContainsFunc(plan.Archives, func(a manifests.ListedArchive) bool { return a.Component.Archive == "rustc" }) {
		b.note("no channel is written: it needs the archive of rustc")
		return nil, nil
	}
	if b.dryRun {
		return b.planChannel(plan.Version), nil
	}
	channel, err := plan.Channel()
	if err != nil {
		return nil, err
	}
	if findings := channel.Validate(); len(findings) > 0 {
		return nil, fmt.Errorf("checking the channel: %w", findings)
	}
	var names []string
	for _, f := range manifests.ChannelFiles(plan.Version, channel, manifests.DialectDist) {
		path := filepath.Join(b.DistDir(), f.Name)
		b.act("write", path, "")
		if err := dist.WriteFile(path, f.Data); err != nil {
			return nil, err
		}
		names = append(names, f.Name)
	}
	return names, nil
}

// planChannel records the channel's files in a dry run, which has no digests
// to write into a channel.
func (b *Builder) planChannel(v manifests.Version) []string {
	var names []string
	for _, f := range manifests.ChannelFiles(v, &manifests.Channel{}, manifests.DialectDist) {
		b.act("write", filepath.Join(b.DistDir(), f.Name), "")
		names = append(names, f.Name)
	}
	return names
}

// date returns the day of publication: that of SOURCE_DATE_EPOCH, else of the
// commit, so that equal inputs give equal bytes.
func (b *Builder) date() string {
	if t := b.writer.ModTime; !t.IsZero() {
		return t.UTC().Format(time.DateOnly)
	}
	return cmp.Or(b.tc.Version.CommitDate, "1970-01-01")
}

// urlBase returns the URL of the directory that holds the archives: below
// dist.upload-addr as build-manifest has it, else rustup's own dist server,
// whose place any server takes.
func (b *Builder) urlBase() string {
	if addr := b.cfg.Dist.UploadAddr; addr != "" {
		return addr + "/" + b.date()
	}
	return manifests.OfficialServer + "/dist"
}

// earlierArchives returns the archives that the channel of an earlier run lists
// and this run does not write, as far as they still are what it says. A channel
// that cannot be read is written anew from this run alone.
func (b *Builder) earlierArchives(plan manifests.ChannelPlan) []manifests.ListedArchive {
	data, err := os.ReadFile(filepath.Join(b.DistDir(), "channel-rust-"+plan.Version.Names()[0]+".toml"))
	if err != nil {
		return nil
	}
	channel, err := manifests.ParseChannel(data)
	if err != nil || channel.Packages[combinedArchive].Version != plan.Version.String() {
		return nil
	}
	made := map[string]bool{}
	for _, a := range plan.Archives {
		made[a.String()] = true
	}
	var out []manifests.ListedArchive
	for _, pkg := range channel.Packages {
		for _, target := range pkg.Targets {
			for _, d := range target.Downloads() {
				name, err := manifests.ParseArchiveName(path.Base(d.URL))
				if err != nil || made[name.String()] || !b.unchanged(name.String(), d.Hash) {
					continue
				}
				made[name.String()] = true
				out = append(out, manifests.ListedArchive{ArchiveName: name, Hash: d.Hash, VersionText: pkg.Version})
			}
		}
	}
	return out
}

// unchanged reports whether an archive of an earlier run is still there, going
// by the checksum that was written with it.
func (b *Builder) unchanged(name string, want manifests.Hash) bool {
	path := filepath.Join(b.DistDir(), name)
	if _, err := os.Stat(path); err != nil {
		return false
	}
	data, err := os.ReadFile(path + manifests.ChecksumExt)
	if err != nil {
		return false
	}
	got, of, err := manifests.ParseChecksum(data)
	return err == nil && got == want && of == name
}
