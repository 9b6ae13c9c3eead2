package manifests

import (
	"fmt"
	"slices"
	"strings"

	"x.go/targets"
)

// previewSuffix ends the names of packages that a channel renames.
const previewSuffix = "-preview"

// FindName is [ParseArchiveName] for any version and any component: one of
// [Components], or another, which is then found. components are the names in the
// archive's file of that name: they tell where the name of an unknown component ends.
//
// A version is a word that begins with a digit, or beta, nightly or dev, and what
// follows it of pre-release words: 1.88.0.0, 1.98.0-dev, 2.0-rc.1.
func FindName(file string, components []string) (ArchiveName, error) {
	stem, format, ok := CutFormat(file)
	if !ok {
		return ArchiveName{}, fmt.Errorf("parsing archive name %.200q: want it to end in .tar.gz, .tar.xz or .tar.zst", file)
	}
	a, ok := findKnown(stem)
	if !ok {
		a, ok = findOther(stem, components)
	}
	a.Format = format
	if !ok || a.String() != file {
		return ArchiveName{}, fmt.Errorf("parsing archive name %.200q: want COMPONENT-VERSION or COMPONENT-VERSION-TARGET", file)
	}
	return a, nil
}

// findKnown splits a name that begins with that of a component of Rust's. The longest one counts.
func findKnown(stem string) (ArchiveName, bool) {
	var best ArchiveName
	for _, c := range componentTable {
		rest, ok := strings.CutPrefix(stem, c.Archive+"-")
		if !ok || len(c.Archive) <= len(best.Component.Archive) {
			continue
		}
		version, target, ok := cutAnyVersion(rest)
		if !ok {
			continue
		}
		a := ArchiveName{Component: cloneSpecs([]ComponentSpec{c})[0], Version: version}
		if c.Archive == rustcPackage && (target == SourcePlain || target == SourceGPL) {
			a.Source, best = target, a
			continue
		}
		if (target == "") != (c.Scope == ScopeNone) {
			continue
		}
		var err error
		if a.Target, err = targets.ParseTriple(target); err == nil || target == "" {
			best = a
		}
	}
	return best, best.Component.Archive != ""
}

// findOther splits the name of a component that nobody has declared. Each host lists
// it for itself, and for the targets that are no hosts.
func findOther(stem string, components []string) (ArchiveName, bool) {
	var found []ArchiveName
	for i := 1; i < len(stem); i++ {
		if stem[i] != '-' || !isPackageName(stem[:i]) {
			continue
		}
		version, target, ok := cutAnyVersion(stem[i+1:])
		if !ok {
			continue
		}
		a := ArchiveName{Version: version, Component: ComponentSpec{
			Archive: stem[:i], Package: stem[:i], Scope: ScopeNone, OwnVersion: true, listing: optional, own: true,
		}}
		if target != "" {
			var err error
			if a.Target, err = targets.ParseTriple(target); err != nil {
				continue
			}
			a.Component.Scope = ScopeHost
		}
		for _, dir := range components {
			name := strings.TrimSuffix(dir, "-"+target)
			if name == a.Component.Archive || strings.TrimSuffix(name, previewSuffix) == a.Component.Archive {
				a.Component.Package = name
				return a, true
			}
		}
		found = append(found, a)
	}
	if len(found) == 0 {
		return ArchiveName{}, false
	}
	return found[0], true
}

// preWords begin what follows a version's number.
var preWords = []string{"dev", "alpha", "beta", "rc", "pre", "nightly", "git"}

// cutAnyVersion cuts a version from what follows it.
func cutAnyVersion(s string) (version, rest string, ok bool) {
	version, rest, _ = strings.Cut(s, "-")
	named := version == channelBeta || version == channelNightly || version == channelDev
	if !named && (version == "" || version[0] < '0' || version[0] > '9') {
		return "", "", false
	}
	for {
		word, after, _ := strings.Cut(rest, "-")
		isPre := slices.ContainsFunc(preWords, func(pre string) bool {
			tail, ok := strings.CutPrefix(word, pre)
			return ok && strings.Trim(tail, ".0123456789") == ""
		})
		if !isPre || named {
			return version, rest, true
		}
		version, rest = version+"-"+word, after
	}
}

// IsOwn reports whether Rust does not have the component.
func (a ArchiveName) IsOwn() bool { return a.Component.own }

// Holds reports whether rustup finds the component in an archive with components of
// these names, which the archive's file of that name has.
func (a ArchiveName) Holds(components []string) bool {
	pkg := a.Component.Package
	return slices.Contains(components, pkg) || !a.Target.IsZero() && slices.Contains(components, pkg+"-"+a.Target.String())
}
