package manifests

import (
	"fmt"
	"regexp"
	"strings"

	"x.go/targets"
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
	if err == nil {
		err = v.Check()
	}
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
	m := versionText.FindStringSubmatch(rust.Version)
	if m == nil {
		return Version{}, fmt.Errorf("got version %.200q, want VERSION (COMMIT DATE) (DESCRIPTION)", rust.Version)
	}
	release, err := targets.ParseRelease(m[1])
	if err != nil {
		return Version{}, err
	}
	if release.String() != m[1] { // ParseRelease also takes 1.95
		return Version{}, fmt.Errorf("got version %q, want it in full: %s", m[1], release)
	}
	if rust.CommitHash != "" && !strings.HasPrefix(rust.CommitHash, m[2]) {
		return Version{}, fmt.Errorf("got version %q and commit %q, want the same commit", rust.Version, rust.CommitHash)
	}
	return Version{Release: release, CommitHash: rust.CommitHash, CommitDate: m[3], Description: m[4]}, nil
}
