package manifests

import (
	"maps"
	"slices"
	"strings"
)

// Difference is one way in which a channel differs from another.
type Difference struct {
	// Kind is gained or lost, for a package, a target of one or what a user can ask for;
	// version; content, for an archive with other bytes; or linker, for how the toolchain
	// of a host links, which no manifest says.
	Kind string `json:"kind"`
	// Package and Target say of what; both are "" for a profile or a rename.
	Package string `json:"package,omitempty"`
	Target  string `json:"target,omitempty"`
	// What is the profile, the rename or the format.
	What string `json:"what,omitempty"`
	// Old and New are the values of a version, a content or a linker.
	Old string `json:"old,omitempty"`
	New string `json:"new,omitempty"`
	// OldSize and NewSize are the bytes of the archives, as far as they are known: no
	// manifest says them.
	OldSize int64 `json:"old_size,omitempty"`
	NewSize int64 `json:"new_size,omitempty"`
}

// The kinds of differences.
const (
	diffGained  = "gained"
	diffLost    = "lost"
	diffVersion = "version"
	diffContent = "content"
	// DiffLinker is that of what [Channel.Diff] cannot see.
	DiffLinker = "linker"
)

// Diff returns how the channel next differs from c, in what users can install: packages
// for targets that are available, their versions and archives, profiles and renames.
// Where archives are does not count.
func (c *Channel) Diff(next *Channel) []Difference {
	var out []Difference
	for _, name := range sortedKeys(c.Packages, next.Packages) {
		a, b := c.Packages[name], next.Packages[name]
		if a.Version != b.Version && a.Version != "" && b.Version != "" {
			out = append(out, Difference{Kind: diffVersion, Package: name, Old: a.Version, New: b.Version})
		}
		for _, target := range sortedKeys(a.Targets, b.Targets) {
			out = append(out, diffTarget(name, target, a.Targets[target], b.Targets[target])...)
		}
	}
	for _, from := range sortedKeys(c.Renames, next.Renames) {
		if a, b := c.Renames[from], next.Renames[from]; a != b {
			out = append(out, lostOrGained(Difference{What: "rename " + from, Old: a, New: b}))
		}
	}
	for _, name := range sortedKeys(c.Profiles, next.Profiles) {
		if a, b := c.Profiles[name], next.Profiles[name]; !slices.Equal(a, b) {
			out = append(out, lostOrGained(Difference{What: "profile " + name, Old: strings.Join(a, " "), New: strings.Join(b, " ")}))
		}
	}
	return out
}

// lostOrGained sets the kind of a difference of values.
func lostOrGained(d Difference) Difference {
	switch {
	case d.New == "":
		d.Kind = diffLost
	case d.Old == "":
		d.Kind = diffGained
	default:
		d.Kind = diffContent
	}
	return d
}

// diffTarget compares a package for one target. The package "rust" has components in
// place of an archive.
func diffTarget(name, target string, a, b PackageTarget) []Difference {
	d := Difference{Package: name, Target: target}
	had, has := a.Available || len(a.Components) > 0, b.Available || len(b.Components) > 0
	switch {
	case had && !has:
		d.Kind = diffLost
		return []Difference{d}
	case has && !had:
		d.Kind = diffGained
		return []Difference{d}
	}
	var out []Difference
	for _, f := range Formats() {
		x, y := a.Download(f), b.Download(f)
		if x.Hash == y.Hash {
			continue
		}
		d := Difference{Package: name, Target: target, What: string(f)}
		if !x.IsZero() {
			d.Old = x.Hash.String()
		}
		if !y.IsZero() {
			d.New = y.Hash.String()
		}
		out = append(out, lostOrGained(d))
	}
	return out
}

// sortedKeys returns the keys of both maps.
func sortedKeys[V any](a, b map[string]V) []string {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(keys)
	return slices.Compact(keys)
}
