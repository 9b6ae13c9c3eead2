package manifests

import (
	"fmt"
	"strings"

	"x.go/targets"
)

// Rustc is what `rustc -vV` says of a compiler.
type Rustc struct {
	Version Version
	// Host is the triple the compiler runs on.
	Host targets.Triple
	// Line is the first line, which `rustc -V` has alone:
	// "rustc 1.95.0 (59807616e 2026-04-14)".
	Line string
}

// maxRustcText bounds the text of `rustc -vV` in bytes; it has 200.
const maxRustcText = 64 << 10

// ParseRustc reads what `rustc -vV` prints: a version line, then "key: value"
// lines. host and release must be there. The commit "unknown" counts as none:
// compilers built outside of git print it.
func ParseRustc(text string) (Rustc, error) {
	if len(text) > maxRustcText {
		return Rustc{}, fmt.Errorf("got %d bytes, want at most %d", len(text), maxRustcText)
	}
	first, rest, _ := strings.Cut(strings.TrimLeft(text, "\r\n"), "\n")
	fields := map[string]string{}
	for line := range strings.Lines(rest) {
		if k, v, ok := strings.Cut(line, ": "); ok {
			fields[k] = strings.TrimSpace(v)
		}
	}
	for _, k := range []string{"host", "release"} {
		if fields[k] == "" {
			return Rustc{}, fmt.Errorf("got no %q line in %.200q, want what rustc prints", k, text)
		}
	}
	r := Rustc{Line: strings.TrimSpace(first)}
	var err error
	if r.Host, err = targets.ParseTriple(fields["host"]); err != nil {
		return Rustc{}, err
	}
	if r.Version.Release, err = targets.ParseRelease(fields["release"]); err != nil {
		return Rustc{}, err
	}
	if h := fields["commit-hash"]; h != "unknown" && h != "" {
		r.Version.CommitHash, r.Version.CommitDate = h, fields["commit-date"]
	}
	// build.description follows the version and the commit.
	if d, ok := strings.CutPrefix(r.Line, "rustc "+r.Version.String()+" ("); ok {
		r.Version.Description = strings.TrimSuffix(d, ")")
	}
	return r, nil
}
