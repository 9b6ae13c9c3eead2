package manifests

import (
	"fmt"
	"strings"

	"x.go/targets"
)

// Source archives are bare tarballs: no component, no install.sh.
const (
	SourcePlain = "src"
	SourceGPL   = "src-gpl" // with the source of GCC
)

// ArchiveName is the name of an archive, split into its parts.
type ArchiveName struct {
	// Component is the row of the vocabulary that the name belongs to.
	Component ComponentSpec
	// Version is the version in the name: 1.95.0, beta, nightly, 1.98.0-dev.
	Version string
	// Target is the host or target, zero if the component has none.
	Target targets.Triple
	// Source is "src" or "src-gpl" for source archives, else "".
	Source string
	// Format is the compression.
	Format Format
}

// ParseArchiveName splits a file name such as
// rust-std-1.95.0-x86_64-unknown-linux-gnu.tar.xz. It knows the names of
// [Components] and the grammar of versions, so it mistakes no part of a triple for
// either.
func ParseArchiveName(file string) (ArchiveName, error) {
	stem, format, ok := CutFormat(file)
	if !ok {
		return ArchiveName{}, fmt.Errorf("parsing archive name %.200q: want it to end in .tar.gz, .tar.xz or .tar.zst", file)
	}
	a, err := parseStem(stem)
	if err != nil {
		return ArchiveName{}, fmt.Errorf("parsing archive name %.200q: %w", file, err)
	}
	a.Format = format
	return a, nil
}

// String returns the file name.
func (a ArchiveName) String() string { return a.Stem() + a.Format.Ext() }

// Stem returns the file name without extension, which is also the archive's top
// directory.
func (a ArchiveName) Stem() string {
	if a.Source != "" {
		return a.Component.Archive + "-" + a.Version + "-" + a.Source
	}
	return a.Component.PackageName(a.Version, a.Target)
}

// parseStem tries every component. At most one has a version after its name,
// since a version starts with a digit or is "beta" or "nightly", and no component
// has such a part in its name.
func parseStem(stem string) (ArchiveName, error) {
	var problem error
	for i := range componentTable {
		rest, ok := strings.CutPrefix(stem, componentTable[i].Archive+"-")
		if !ok {
			continue
		}
		version, rest, ok := cutVersion(rest)
		if !ok {
			continue
		}
		c, _ := LookupComponent(componentTable[i].Archive)
		a := ArchiveName{Component: c, Version: version}
		switch {
		case c.Archive == "rustc" && (rest == SourcePlain || rest == SourceGPL):
			a.Source = rest
			return a, nil
		case c.Scope == ScopeNone && rest == "":
			return a, nil
		case c.Scope == ScopeNone:
			return a, fmt.Errorf("got %q behind the version, want nothing, since %s is the same for all targets", rest, c.Archive)
		}
		if a.Target, problem = targets.ParseTriple(rest); problem == nil {
			return a, nil
		}
		return a, problem
	}
	return ArchiveName{}, fmt.Errorf("want COMPONENT-VERSION or COMPONENT-VERSION-TARGET with a known component and a version such as 1.95.0, beta, nightly or 1.98.0-dev")
}

// cutVersion cuts the version of an archive name from what follows it.
func cutVersion(s string) (version, rest string, ok bool) {
	version, rest, _ = strings.Cut(s, "-")
	if version == channelBeta || version == channelNightly {
		return version, rest, true
	}
	if v, err := targets.ParseRelease(version); err != nil || v.String() != version {
		return "", "", false
	}
	if rest == channelDev {
		return version + "-" + channelDev, "", true
	}
	if after, ok := strings.CutPrefix(rest, channelDev+"-"); ok {
		return version + "-" + channelDev, after, true
	}
	return version, rest, true
}
