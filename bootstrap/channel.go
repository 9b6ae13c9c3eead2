package bootstrap

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"x.go/bootstrap/lld"
	"x.go/dist"
	"x.go/dist/compose"
	"x.go/manifests"
	"x.go/targets"
)

// channelStep is the step that describes the archives of a selection for rustup.
type channelStep struct{ Selection Selection }

// String names the step in plans and errors.
func (c channelStep) String() string { return "Channel" + c.Selection.String() }

// Dist is what a run has written to [Builder.DistDir].
type Dist struct {
	Hosts    []DistHost // none of archives of sources
	Archives []Archive
	Channel  []string // names of the channel's files; none if there is no channel
}

// DistHost is a toolchain that was packaged.
type DistHost struct {
	Host    targets.Triple `json:"host"`
	Sysroot string         `json:"sysroot"`
	LLD     lld.Outcome    `json:"lld"` // what the toolchain has of LLD
}

// Run implements [step]. Archives of earlier runs stay in the channel, so that one
// component can be written again by itself. Without rustc among them rustup could
// install nothing, and no channel is written.
//
// All files are complete before the first one gets its name. Then the old channel goes,
// archives get their names, and last the new channel: whenever the run is stopped, a
// channel that is there names archives that are there.
func (c channelStep) Run(ctx context.Context, b *Builder) (Dist, error) {
	var hosts []DistHost
	for _, h := range b.hosts {
		decided, err := ensure(ctx, h, decideLLDStep{})
		if err != nil {
			return Dist{}, err
		}
		hosts = append(hosts, DistHost{h.tc.Host, h.tc.Sysroot, decided})
	}
	set, err := ensure(ctx, b, archivesStep(c))
	if err != nil {
		return Dist{}, err
	}
	return b.publishSet(set, Dist{Hosts: hosts, Archives: set.archives})
}

// publishSet gives archives their names, and writes the channel.
func (b *Builder) publishSet(set unnamed, d Dist) (Dist, error) {
	defer set.discard()
	files, err := b.channel(set)
	if err != nil {
		return Dist{}, err
	}
	for _, f := range files {
		b.act("write", filepath.Join(b.DistDir(), f.Name), "")
		d.Channel = append(d.Channel, f.Name)
	}
	if b.dryRun {
		return d, nil
	}
	return d, b.publish(set, files)
}

// channel returns the files of the channel of the archives. Those of a dry run, which
// has no digests to write into a channel, have names only.
func (b *Builder) channel(set unnamed) ([]manifests.File, error) {
	plan := manifests.ChannelPlan{Version: b.tc.Version, Date: b.date(), URLBase: b.urlBase()}
	for _, a := range set.archives {
		plan.Archives = append(plan.Archives, a.Listed)
	}
	earlier := slices.DeleteFunc(b.earlierArchives(set.dir, plan), func(a manifests.ListedArchive) bool {
		return slices.Contains(set.outdated, a.String())
	})
	if len(earlier) > 0 {
		b.note("the channel also lists %d archives of earlier runs", len(earlier))
	}
	plan.Archives = append(plan.Archives, earlier...)
	if !slices.ContainsFunc(plan.Archives, func(a manifests.ListedArchive) bool { return a.Component.Archive == "rustc" && a.Source == "" }) {
		b.note("no channel is written: it needs the archive of rustc")
		return nil, nil
	}
	if b.dryRun {
		return b.channelFiles(&manifests.Channel{}), nil
	}
	channel, err := plan.Channel()
	if err != nil {
		return nil, err
	}
	if findings := channel.Validate(); len(findings) > 0 {
		return nil, fmt.Errorf("checking the channel: %w", findings)
	}
	return b.channelFiles(channel), nil
}

// withdrawnName is that of the old channel while archives get their names. A run that
// is killed then leaves it, and the next one learns from it of earlier archives.
const withdrawnName = ".x-channel.toml"

// publish gives archives and channel their names.
func (b *Builder) publish(set unnamed, files []manifests.File) error {
	var unsigned []string
	var err error
	if len(files) > 0 {
		unsigned, err = compose.Publish(set.dir, files, set.files.Commit, b.keptName(set.dir))
	} else if unsigned, err = b.withdraw(set); err == nil {
		err = set.files.Commit()
	}
	if len(unsigned) > 0 {
		b.note("removed %d files that no longer fit, of signatures and digests, such as %q: sign again", len(unsigned), unsigned[0])
	}
	if err != nil {
		return err
	}
	gone := []string{withdrawnName}
	for _, name := range set.outdated {
		b.note("removed %s of an earlier run: it has other content than the new archive", name)
		gone = append(gone, name+manifests.ChecksumExt, name)
	}
	return dist.RemoveAll(set.dir, gone...)
}

// withdraw removes the channel of an earlier run that no new one replaces. It stays as
// long as no archive that it names is written anew.
func (b *Builder) withdraw(set unnamed) (unsigned []string, err error) {
	old, err := readChannel(set.dir, b.channelName())
	if err != nil || !names(old, set.archives) {
		return nil, nil
	}
	b.note("the channel of an earlier run is removed: it names archives that this run replaces")
	return compose.Withdraw(set.dir, b.channelFiles(&manifests.Channel{}), withdrawnName)
}

// keptName is what the old channel is called while archives get their names: "" for one
// that cannot be read, of which the next run could not learn.
func (b *Builder) keptName(dir *os.Root) string {
	if _, err := readChannel(dir, b.channelName()); err != nil {
		return ""
	}
	return withdrawnName
}

// channelFiles returns the files of a channel of this release.
func (b *Builder) channelFiles(c *manifests.Channel) []manifests.File {
	return manifests.ChannelFiles(b.tc.Version.Names(), b.tc.Version.CommitHash, c, manifests.DialectDist)
}

// names reports whether a channel names one of the archives with other content.
func names(c *manifests.Channel, archives []Archive) bool {
	sums := map[string]manifests.Hash{}
	for _, a := range archives {
		sums[a.Name] = a.SHA256
	}
	for _, pkg := range c.Packages {
		for _, target := range pkg.Targets {
			for _, d := range target.Downloads() {
				if sum, ok := sums[path.Base(d.URL)]; ok && sum != d.Hash {
					return true
				}
			}
		}
	}
	return false
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

// channelName is the file of the channel that is read again.
func (b *Builder) channelName() string { return "channel-rust-" + b.tc.Version.Names()[0] + ".toml" }

// maxChannel bounds a channel that an earlier run wrote, in bytes. Rust's own have a
// few million.
const maxChannel = 32 << 20

// readChannel reads the channel name of dir.
func readChannel(dir *os.Root, name string) (*manifests.Channel, error) {
	data, err := dist.ReadOwn(dir, name, maxChannel)
	if err != nil {
		return nil, err
	}
	return manifests.ParseChannel(data)
}

// earlierArchives returns the archives that the channel of an earlier run lists
// and this run does not write, as far as they still are what it says. A channel
// that cannot be read is written anew from this run alone.
func (b *Builder) earlierArchives(dir *os.Root, plan manifests.ChannelPlan) []manifests.ListedArchive {
	if dir == nil { // a dry run
		var err error
		if dir, err = os.OpenRoot(b.DistDir()); err != nil {
			return nil
		}
		defer dir.Close()
	}
	channel, err := readChannel(dir, b.channelName())
	if errors.Is(err, fs.ErrNotExist) {
		channel, err = readChannel(dir, withdrawnName)
	}
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
				if err != nil || made[name.String()] || !unchanged(dir, name.String(), d.Hash) {
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
func unchanged(dir *os.Root, name string, want manifests.Hash) bool {
	if info, err := dir.Lstat(name); err != nil || !info.Mode().IsRegular() {
		return false
	}
	const maxChecksum = 1 << 10
	data, err := dist.ReadOwn(dir, name+manifests.ChecksumExt, maxChecksum)
	if err != nil {
		return false
	}
	got, of, err := manifests.ParseChecksum(data)
	return err == nil && got == want && of == name
}
