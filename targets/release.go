package targets

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Release is a version of rustc, such as 1.95.0 or 1.97.0-nightly. The zero
// Release is invalid.
type Release struct {
	major, minor, patch int
	pre                 string // "", "beta", "beta.3", "nightly", "dev"
}

// ParseRelease reads a version as `rustc -vV` prints it after "release: ".
// "1.95" is short for 1.95.0. Words after a blank, such as a commit, are not part
// of the version and an error.
func ParseRelease(s string) (Release, error) {
	bad := func(why string) (Release, error) {
		return Release{}, fmt.Errorf("parsing release %q: %s, want a version such as 1.95.0 or 1.97.0-nightly", s, why)
	}
	number, pre, hasPre := strings.Cut(s, "-")
	if hasPre && !validPre(pre) {
		return bad("unknown pre-release " + strconv.Quote(pre))
	}
	parts := strings.Split(number, ".")
	if len(parts) != 2 && len(parts) != 3 {
		return bad(fmt.Sprintf("numbers between dots: got %d", len(parts)))
	}
	r := Release{pre: pre}
	for i, into := range []*int{&r.major, &r.minor, &r.patch}[:len(parts)] {
		n, err := strconv.ParseUint(parts[i], 10, 16)
		if err != nil || len(parts[i]) > 1 && parts[i][0] == '0' {
			return bad("bad number " + strconv.Quote(parts[i]))
		}
		*into = int(n)
	}
	if r.major == 0 {
		return bad("major version 0")
	}
	return r, nil
}

// validPre accepts the suffixes of src/bootstrap's Build::release: dev,
// nightly, beta, beta.N.
func validPre(pre string) bool {
	switch pre {
	case "dev", "nightly", "beta":
		return true
	}
	n, ok := strings.CutPrefix(pre, "beta.")
	if !ok || n == "" || len(n) > 4 {
		return false
	}
	_, err := strconv.ParseUint(n, 10, 16)
	return err == nil
}

// String returns the version as rustc prints it, or "" for the zero Release.
func (r Release) String() string {
	if r.IsZero() {
		return ""
	}
	s := fmt.Sprintf("%d.%d.%d", r.major, r.minor, r.patch)
	if r.pre != "" {
		s += "-" + r.pre
	}
	return s
}

// IsZero reports whether r is the invalid zero Release.
func (r Release) IsZero() bool { return r == Release{} }

// Channel returns the release channel: stable, beta, nightly or dev, and ""
// for the zero Release.
func (r Release) Channel() string {
	switch {
	case r.IsZero():
		return ""
	case r.pre == "":
		return "stable"
	case strings.HasPrefix(r.pre, "beta"):
		return "beta"
	}
	return r.pre
}

// Minor returns the second number, which counts the releases of Rust.
func (r Release) Minor() int { return r.minor }

// AllowsUnstable reports whether a compiler of this release takes -Z options
// without RUSTC_BOOTSTRAP: nightly and dev do.
func (r Release) AllowsUnstable() bool { return r.pre == "nightly" || r.pre == "dev" }

// Compare orders releases by number, then dev, nightly, beta, beta.1, stable:
// the order in which one version appears.
func (r Release) Compare(s Release) int {
	return cmp.Or(
		cmp.Compare(r.major, s.major),
		cmp.Compare(r.minor, s.minor),
		cmp.Compare(r.patch, s.patch),
		cmp.Compare(r.ripeness(), s.ripeness()),
	)
}

func (r Release) ripeness() int {
	switch r.pre {
	case "":
		return 1 << 20
	case "dev":
		return 0
	case "nightly":
		return 1
	case "beta":
		return 2
	}
	n, _ := strconv.Atoi(strings.TrimPrefix(r.pre, "beta."))
	return 3 + n
}

// MarshalText implements [encoding.TextMarshaler].
func (r Release) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler] by [ParseRelease].
func (r *Release) UnmarshalText(b []byte) error {
	p, err := ParseRelease(string(b))
	if err != nil {
		return err
	}
	*r = p
	return nil
}
