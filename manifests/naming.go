package manifests

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"x.go/targets"
)

// channelName matches the names of channels that rustup asks a server for (its
// `src/dist/mod.rs`).
var channelName = regexp.MustCompile(`^(stable|beta|nightly|\d{1,5}\.\d{1,5}(\.\d{1,5})?(-beta(\.\d{1,5})?)?)$`)

// IsChannelName reports whether rustup asks a server for a channel of that name.
func IsChannelName(name string) bool { return channelName.MatchString(name) }

// numberOfVersion matches the part of a version that rustup can ask for.
var numberOfVersion = regexp.MustCompile(`^(\d{1,5}\.\d{1,5})(\.\d{1,5})?`)

// publicNames returns the names by which rustup can ask for a release: those of
// [Version.Names], where named is the version in the names of its archives. If
// rustup could not ask for it by its own name, exact is false:
//
//	dev                 nightly, since such a compiler allows what that one allows
//	1.88.0.0, 1.88.0-x  stable, 1.88.0, 1.88
func publicNames(v Version, named string) (names []string, exact bool) {
	if named == "" || named == v.PackageVersion() {
		names = slices.DeleteFunc(v.Names(), func(name string) bool { return !IsChannelName(name) })
		if len(names) > 0 {
			return names, true
		}
		return []string{channelNightly}, false
	}
	if named == channelBeta || named == channelNightly {
		return []string{named}, true
	}
	m := numberOfVersion.FindStringSubmatch(named)
	switch {
	case m == nil || strings.HasSuffix(named, "-"+channelDev):
		return []string{channelNightly}, false
	case IsChannelName(named):
		exact = true
	}
	names = []string{channelStable, m[1] + m[2]}
	if m[2] != "" {
		names = append(names, m[1])
	}
	return names, exact
}

// PublicNames returns the names by which rustup can ask for the release of the channel.
// named is what the release calls itself: the version in the names of its archives or, if
// they have none, in its text. If rustup could not ask for that, exact is false: of a dev
// compiler the name is nightly, of 1.88.0.0 stable, 1.88.0 and 1.88.
func (c *Channel) PublicNames() (names []string, named string, exact bool, err error) {
	rust := c.Packages[rustPackage]
	v, err := ParseVersion(rust.Version, rust.CommitHash)
	if err != nil {
		return nil, "", false, err
	}
	number, _, _ := strings.Cut(rust.Version, " ")
	named = c.ArchiveVersion()
	if named == "" && number != v.Release.String() {
		named = number
	}
	names, exact = publicNames(v, named)
	return names, cmp.Or(named, number), exact, nil
}

// ArchiveVersion returns the version in the names of the archives of rustc, "" if they
// tell none.
func (c *Channel) ArchiveVersion() string {
	for _, pkg := range []string{rustcPackage, rustPackage} {
		all := c.Packages[pkg].Targets
		for _, target := range slices.Sorted(maps.Keys(all)) {
			for _, d := range all[target].Downloads() {
				u, err := url.Parse(d.URL)
				if err != nil {
					continue
				}
				if a, err := FindName(path.Base(u.Path), nil); err == nil && a.Component.Package == pkg {
					return a.Version
				}
			}
		}
	}
	return ""
}

// ParseVersion reads the content of an archive's file `version`, such as
// "1.95.0 (59807616e 2026-04-14) (Debian 13)". commit is the content of
// git-commit-hash, or "". Of a number that rustc does not have, such as 1.88.0.0, it
// takes what is like one: the text of the version is then another.
func ParseVersion(text, commit string) (Version, error) {
	m := versionText.FindStringSubmatch(text)
	if m == nil {
		return Version{}, fmt.Errorf("got version %.200q, want VERSION (COMMIT DATE) (DESCRIPTION)", text)
	}
	release, err := targets.ParseRelease(m[1])
	if err != nil {
		like, lerr := targets.ParseRelease(numberOfVersion.FindString(m[1]))
		if lerr != nil {
			return Version{}, err
		}
		release = like
	}
	if commit != "" && !strings.HasPrefix(commit, m[2]) {
		return Version{}, fmt.Errorf("got version %.200q and commit %.100q, want the same commit", text, commit)
	}
	v := Version{Release: release, CommitHash: commit, CommitDate: m[3], Description: m[4]}
	return v, v.Check()
}
