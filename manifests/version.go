package manifests

import (
	"fmt"
	"strings"

	"x.go/targets"
)

// The release channels of Rust.
const (
	channelStable  = "stable"
	channelBeta    = "beta"
	channelNightly = "nightly"
	channelDev     = "dev"
)

// Version is the origin of a compiler, an archive or a channel: the release and the
// commit. Source of the rules:
// `src/bootstrap/src/lib.rs`, `src/tools/build-manifest/src/main.rs`.
type Version struct {
	Release targets.Release
	// CommitHash is the full hash of the rust-lang/rust commit, 40 digits; "" if unknown.
	CommitHash string
	// CommitDate is that commit's day, YYYY-MM-DD; "" if unknown.
	CommitDate string
	// Description is what build.description adds to the version text; mostly "".
	Description string
}

// Channel returns stable, beta, nightly or dev.
func (v Version) Channel() string { return v.Release.Channel() }

// PackageVersion returns the version in archive names: the number on stable
// and dev, else the channel's name.
func (v Version) PackageVersion() string {
	if ch := v.Channel(); ch == channelBeta || ch == channelNightly {
		return ch
	}
	return v.Release.String()
}

// String returns the content of an archive's `version` file and the channel's
// version of most packages: "1.95.0 (59807616e 2026-04-14)", or the bare release
// if the commit is not known.
func (v Version) String() string {
	text := v.Release.String()
	if len(v.CommitHash) >= shortHashLen && v.CommitDate != "" {
		text += " (" + v.CommitHash[:shortHashLen] + " " + v.CommitDate + ")"
	}
	if v.Description != "" {
		text += " (" + v.Description + ")"
	}
	return text
}

// CommitInfo returns the content of an archive's git-commit-info: the hash, its first
// digits and the day, a line each. The commit must be known.
func (v Version) CommitInfo() string {
	return v.CommitHash + "\n" + v.CommitHash[:shortHashLen] + "\n" + v.CommitDate + "\n"
}

// shortHashLen is the length of the abbreviated hash in version texts.
const shortHashLen = 9

// Names returns the names under which rustup may ask for the version:
//
//	stable   stable, 1.95.0, 1.95
//	beta     beta, 1.96.0-beta.3, 1.96.0-beta, 1.96-beta
//	nightly  nightly
//	dev      dev
//
// rustup itself has no channel named dev; such a channel serves other readers.
// The zero Version has no names.
func (v Version) Names() []string {
	if v.Release.IsZero() {
		return nil
	}
	release := v.Release.String()
	number, suffix, _ := strings.Cut(release, "-")
	short := number[:strings.LastIndexByte(number, '.')]
	names := []string{v.Channel()}
	switch v.Channel() {
	case channelStable:
		names = append(names, number, short)
	case channelBeta:
		names = append(names, release)
		if suffix != channelBeta {
			names = append(names, number+"-"+channelBeta)
		}
		names = append(names, short+"-"+channelBeta)
	}
	return names
}

// Check reports what is wrong with the version, everything at once joined in one
// error: no release, a malformed date or hash.
func (v Version) Check() error {
	var problems []string
	if v.Release.IsZero() {
		problems = append(problems, "got no release")
	}
	if v.CommitDate != "" && !isDate(v.CommitDate) {
		problems = append(problems, fmt.Sprintf("got commit date %q, want YYYY-MM-DD", v.CommitDate))
	}
	if v.CommitHash != "" && !isCommitHash(v.CommitHash) {
		problems = append(problems, fmt.Sprintf("got commit hash %q, want 40 lower-case hexadecimal digits", v.CommitHash))
	}
	if hasControl(v.Description) {
		problems = append(problems, fmt.Sprintf("got description %q, want one line of text", v.Description))
	}
	if problems == nil {
		return nil
	}
	return fmt.Errorf("checking version %q: %s", v.Release, strings.Join(problems, "; "))
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
