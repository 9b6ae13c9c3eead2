package manifests

import (
	"fmt"
	"strings"

	"x.go/targets"
)

// The release channels of Rust.
const (
	ChannelStable  = "stable"
	ChannelBeta    = "beta"
	ChannelNightly = "nightly"
	ChannelDev     = "dev"
)

// Release names one release of Rust: what `rustc -vV` says of it, and the day
// it is published. Source of the rules: `src/bootstrap/src/lib.rs`,
// `src/tools/build-manifest/src/main.rs`.
type Release struct {
	// Channel is stable, beta, nightly or dev.
	Channel string
	// Version is the release string: 1.95.0, 1.96.0-beta.3, 1.97.0-nightly, 1.98.0-dev.
	Version string
	// Date is the day of publication, YYYY-MM-DD, a channel's "date".
	Date string
	// CommitHash is the full hash of the rust-lang/rust commit, 40 digits; "" if unknown.
	CommitHash string
	// CommitDate is that commit's day, YYYY-MM-DD; "" if unknown.
	CommitDate string
	// Description is what build.description adds to the version text; mostly "".
	Description string
}

// ParseRelease reads a release string such as `rustc -vV` prints after
// "release:" by [targets.ParseRelease] and sets Channel and Version. The other
// facts are the caller's to set.
func ParseRelease(version string) (Release, error) {
	v, err := targets.ParseRelease(version)
	if err != nil {
		return Release{}, err
	}
	return Release{Channel: v.Channel(), Version: v.String()}, nil
}

// PackageVersion returns the version in archive names: the number on stable
// and dev, else the channel's name.
func (r Release) PackageVersion() string {
	if r.Channel == ChannelBeta || r.Channel == ChannelNightly {
		return r.Channel
	}
	return r.Version
}

// VersionText returns the content of an archive's `version` file and the
// channel's version of most packages: "1.95.0 (59807616e 2026-04-14)", or the
// bare release string if the commit is not known.
func (r Release) VersionText() string {
	text := r.Version
	if len(r.CommitHash) >= shortHashLen && r.CommitDate != "" {
		text += " (" + r.CommitHash[:shortHashLen] + " " + r.CommitDate + ")"
	}
	if r.Description != "" {
		text += " (" + r.Description + ")"
	}
	return text
}

// shortHashLen is the length of the abbreviated hash in version texts.
const shortHashLen = 9

// Names returns the names under which rustup may ask for the release:
//
//	stable   stable, 1.95.0, 1.95
//	beta     beta, 1.96.0-beta.3, 1.96.0-beta, 1.96-beta
//	nightly  nightly
//	dev      dev
//
// rustup itself has no channel named dev; such a channel serves other readers.
// A Release that [ParseRelease] would not make has only its channel's name.
func (r Release) Names() []string {
	names := []string{r.Channel}
	if v, err := targets.ParseRelease(r.Version); err != nil || v.Channel() != r.Channel {
		return names
	}
	number, suffix, _ := strings.Cut(r.Version, "-")
	short := number[:strings.LastIndexByte(number, '.')]
	switch r.Channel {
	case ChannelStable:
		names = append(names, number, short)
	case ChannelBeta:
		names = append(names, r.Version)
		if suffix != ChannelBeta {
			names = append(names, number+"-"+ChannelBeta)
		}
		names = append(names, short+"-"+ChannelBeta)
	}
	return names
}

// Check reports what is wrong with the release, everything at once joined in
// one error: a version that does not fit the channel, malformed dates or hash.
func (r Release) Check() error {
	var problems []string
	p, err := ParseRelease(r.Version)
	switch {
	case err != nil:
		problems = append(problems, err.Error())
	case p.Version != r.Version:
		problems = append(problems, fmt.Sprintf("got version %q, want %q", r.Version, p.Version))
	case p.Channel != r.Channel:
		problems = append(problems, fmt.Sprintf("got channel %q, want %q for version %q", r.Channel, p.Channel, r.Version))
	}
	if !isDate(r.Date) {
		problems = append(problems, fmt.Sprintf("got date %q, want YYYY-MM-DD", r.Date))
	}
	if r.CommitDate != "" && !isDate(r.CommitDate) {
		problems = append(problems, fmt.Sprintf("got commit date %q, want YYYY-MM-DD", r.CommitDate))
	}
	if r.CommitHash != "" && !isCommitHash(r.CommitHash) {
		problems = append(problems, fmt.Sprintf("got commit hash %q, want 40 lower-case hexadecimal digits", r.CommitHash))
	}
	if hasControl(r.Description) {
		problems = append(problems, fmt.Sprintf("got description %q, want one line of text", r.Description))
	}
	if problems == nil {
		return nil
	}
	return fmt.Errorf("checking release %q: %s", r.Version, strings.Join(problems, "; "))
}

// isDate reports whether s has the form YYYY-MM-DD with a month and a day that
// exist in some year.
func isDate(s string) bool {
	if len(s) != len("2006-01-02") || s[4] != '-' || s[7] != '-' {
		return false
	}
	digits := s[:4] + s[5:7] + s[8:]
	if strings.Trim(digits, "0123456789") != "" {
		return false
	}
	month, day := s[5:7], s[8:]
	return month >= "01" && month <= "12" && day >= "01" && day <= "31"
}

// isCommitHash reports whether s is a full git hash.
func isCommitHash(s string) bool {
	return len(s) == 40 && strings.Trim(s, "0123456789abcdef") == ""
}

// hasControl reports whether s holds a control character, which no name or
// version has and which would forge lines in logs.
func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}
