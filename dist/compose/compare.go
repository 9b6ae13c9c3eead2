package compose

import (
	"cmp"
	"context"
	"maps"
	"os"
	"slices"

	"x.go/dist/archive"
	"x.go/dist/channel"
	"x.go/manifests"
)

// Comparison is what differs between two channels.
type Comparison struct {
	// Differences are those of [manifests.Channel.Diff], with the sizes of archives as far
	// as these are on this machine, then those of how toolchains link.
	Differences []manifests.Difference
	// Unknown are the hosts of both channels of whose linker nothing at hand tells, in
	// one channel or the other.
	Unknown []string
}

// Compare finds out how the channel next differs from the channel s. It reads no more of
// the archives than the build records of the smallest ones, from which it takes how the
// toolchains of a host link.
func (s *Source) Compare(ctx context.Context, next *Source) (Comparison, error) {
	a, b := &compared{s, s.atHand()}, &compared{next, next.atHand()}
	c := Comparison{Differences: s.Channel.Diff(next.Channel)}
	for i, d := range c.Differences {
		c.Differences[i].OldSize, c.Differences[i].NewSize = a.size(d), b.size(d)
	}
	hosts := next.Channel.Packages["rust"].Targets
	for _, host := range slices.Sorted(maps.Keys(s.Channel.Packages["rust"].Targets)) {
		if _, both := hosts[host]; !both {
			continue
		}
		was, err := a.linker(ctx, host)
		if err != nil {
			return Comparison{}, err
		}
		is, err := b.linker(ctx, host)
		if err != nil {
			return Comparison{}, err
		}
		switch {
		case was == "" || is == "":
			c.Unknown = append(c.Unknown, host)
		case was != is:
			c.Differences = append(c.Differences, manifests.Difference{Kind: manifests.DiffLinker, Target: host, Old: was, New: is})
		}
	}
	return c, nil
}

// compared is a channel with the archives of it that are on this machine, by name.
type compared struct {
	*Source
	files map[string]File
}

// archive returns the archive of a package that rustup takes, or that of a format, and
// its size in bytes; "" and 0 if it is not at hand.
func (c *compared) archive(pkg, target string, formats ...manifests.Format) (string, int64) {
	t := c.Channel.Packages[pkg].Targets[target]
	for _, f := range formats {
		d := t.Download(f)
		if d.URL == "" {
			continue
		}
		path, ok := channel.LocalPath(c.files[fileOf(d.URL)].Place)
		if !ok {
			return "", 0
		}
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() {
			return "", 0
		}
		return path, info.Size()
	}
	return "", 0
}

// size returns the size in bytes of the archive that a difference is about, or 0.
func (c *compared) size(d manifests.Difference) int64 {
	formats := manifests.Preferred()
	if d.What != "" {
		formats = []manifests.Format{manifests.Format(d.What)}
	}
	_, size := c.archive(d.Package, d.Target, formats...)
	return size
}

// linker says how the toolchain of a host links; "" if nothing at hand tells.
func (c *compared) linker(ctx context.Context, host string) (string, error) {
	type candidate struct {
		path string
		size int64
	}
	var have []candidate
	for _, pkg := range manifests.Recorded() {
		if path, size := c.archive(pkg, host, manifests.Preferred()...); path != "" {
			have = append(have, candidate{path, size})
		}
	}
	if len(have) == 0 {
		return "", nil
	}
	smallest := slices.MinFunc(have, func(a, b candidate) int { return cmp.Compare(a.size, b.size) })
	data, err := archive.ReadBuildRecord(ctx, smallest.path)
	if err != nil {
		return "", context.Cause(ctx) // a broken archive says nothing, either
	}
	record, err := manifests.ParseBuildRecord(data)
	if err != nil || record.Toolchain.Host != host {
		return "", nil // what is no record of x says nothing
	}
	return record.Linker(), nil
}
