package manifests

import (
	"fmt"
	"regexp"
	"strings"
)

// versionText is the inverse of [Version.String].
var versionText = regexp.MustCompile(`^(\S+)(?: \(([0-9a-f]{9}) ([0-9]{4}-[0-9]{2}-[0-9]{2})\))?(?: \((.+)\))?$`)

// Version returns the version that the channel was built from, so that
// [ChannelFiles] can write a channel again. It splits the version text of the
// package "rust", such as "1.95.0 (59807616e 2026-04-14) (Debian 13)", the inverse
// of [Version.String]; the full commit hash is that package's. A channel in
// [DialectInstalled] does not have it, and CommitHash is then "".
//
// The error joins all that [Version.Check] finds, and says so if the two commit
// hashes are of different commits.
func (c *Channel) Version() (Version, error) {
	v, err := c.version()
	if err != nil {
		return Version{}, fmt.Errorf("reading the release of the channel of %s: %w", c.Date, err)
	}
	return v, nil
}

// version is Version without the checks of single facts.
func (c *Channel) version() (Version, error) {
	rust, ok := c.Packages[rustPackage]
	if !ok {
		return Version{}, fmt.Errorf("got no package %q, want its version", rustPackage)
	}
	v, err := ParseVersion(rust.Version, rust.CommitHash)
	if err != nil {
		return Version{}, err
	}
	if number, _, _ := strings.Cut(rust.Version, " "); number != v.Release.String() { // 1.95, or a number that rustc does not have
		return Version{}, fmt.Errorf("got version %q, want it in full: %s", number, v.Release)
	}
	return v, nil
}
