package manifests

import (
	"fmt"
	"regexp"
	"strings"
)

// versionText is the inverse of [Release.VersionText].
var versionText = regexp.MustCompile(`^(\S+)(?: \(([0-9a-f]{9}) ([0-9]{4}-[0-9]{2}-[0-9]{2})\))?(?: \((.+)\))?$`)

// Release returns the release that the channel is of, so that a channel that was
// read can be written again by [ChannelFiles]. It takes the version text of the
// package "rust" apart, such as "1.95.0 (59807616e 2026-04-14) (Debian 13)", the
// inverse of [Release.VersionText]; the full commit hash is that package's. A
// channel in [DialectInstalled] has lost it, and CommitHash is then "".
//
// The error joins all that [Release.Check] finds, and says so if the two commit
// hashes are of different commits.
func (c *Channel) Release() (Release, error) {
	r, err := c.release()
	if err == nil {
		err = r.Check()
	}
	if err != nil {
		return Release{}, fmt.Errorf("reading the release of the channel of %s: %w", c.Date, err)
	}
	return r, nil
}

// release is Release without the checks of single facts.
func (c *Channel) release() (Release, error) {
	rust, ok := c.Packages[rustPackage]
	if !ok {
		return Release{}, fmt.Errorf("got no package %q, want its version", rustPackage)
	}
	m := versionText.FindStringSubmatch(rust.Version)
	if m == nil {
		return Release{}, fmt.Errorf("got version %.200q, want VERSION (COMMIT DATE) (DESCRIPTION)", rust.Version)
	}
	r, err := ParseRelease(m[1])
	if err != nil {
		return Release{}, err
	}
	if rust.CommitHash != "" && !strings.HasPrefix(rust.CommitHash, m[2]) {
		return Release{}, fmt.Errorf("got version %q and commit %q, want the same commit", rust.Version, rust.CommitHash)
	}
	r.Version, r.Date, r.CommitHash, r.CommitDate, r.Description = m[1], c.Date, rust.CommitHash, m[3], m[4]
	return r, nil
}
