package diff

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Allowance says that a difference is intended, and why.
type Allowance struct {
	Kind    string // a kind of difference, or "*"
	Pattern string // glob of a path; ** stands for any number of directories
	Reason  string
	Line    int // in the allow-file
}

// String is the allowance as its file has it, without the reason.
func (a Allowance) String() string { return fmt.Sprintf("line %d: %s %s", a.Line, a.Kind, a.Pattern) }

const (
	maxAllow = 1 << 20 // bytes of an allow-file
	maxStars = 4       // ** in a glob: each multiplies the time to match
)

// ParseAllow reads an allow-file: a line each of a kind, a glob and, after #,
// the reason, which is required. It skips empty lines and lines of a comment alone,
// and returns all errors at once.
//
//	only-in-b share/doc/rust/licenses/*  # two new licences
//	size      bin/cargo                  # now with its own TLS
//	content   **                         # another release
func ParseAllow(data []byte) ([]Allowance, error) {
	if len(data) > maxAllow {
		return nil, fmt.Errorf("parsing allow-file: got %d bytes, want at most %d", len(data), maxAllow)
	}
	var out []Allowance
	var errs []error
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		text, reason, _ := strings.Cut(line, "#")
		fields := strings.Fields(text)
		if len(fields) == 0 {
			continue
		}
		a := Allowance{Kind: fields[0], Reason: strings.TrimSpace(reason), Line: n}
		known := a.Kind == "*" || slices.ContainsFunc(Kinds(), func(k [2]string) bool { return k[0] == a.Kind })
		switch {
		case !known:
			errs = append(errs, fmt.Errorf("line %d: got kind %q, want one of the kinds of differences or *", n, a.Kind))
		case len(fields) != 2:
			errs = append(errs, fmt.Errorf("line %d: got %d words, want a kind, a glob and # and a reason", n, len(fields)))
		case a.Reason == "":
			errs = append(errs, fmt.Errorf("line %d: no reason; write it after a #", n))
		default:
			a.Pattern = fields[1]
			if _, err := path.Match(a.Pattern, ""); err != nil || strings.Count(a.Pattern, "**") > maxStars {
				errs = append(errs, fmt.Errorf("line %d: malformed glob %q", n, a.Pattern))
			}
			out = append(out, a)
		}
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("parsing allow-file: %w", errors.Join(errs...))
	}
	return out, nil
}

// covers reports whether the allowance is for d. It matches a difference without a
// path by the archive's name, and a path in an archive with or without the
// component's directory in front.
func (a Allowance) covers(d Difference) bool {
	if a.Kind != "*" && a.Kind != d.Kind {
		return false
	}
	if d.Path == "" {
		return matchPath(a.Pattern, d.In)
	}
	if matchPath(a.Pattern, d.Path) {
		return true
	}
	_, rest, ok := strings.Cut(d.Path, "/")
	return d.In != "" && ok && matchPath(a.Pattern, rest)
}

// matchPath matches a path with a glob. ** stands for any number of directories.
func matchPath(pattern, name string) bool {
	return matchParts(strings.Split(pattern, "/"), strings.Split(name, "/"))
}

func matchParts(pattern, name []string) bool {
	for len(pattern) > 0 {
		if pattern[0] == "**" {
			for i := range len(name) + 1 {
				if matchParts(pattern[1:], name[i:]) {
					return true
				}
			}
			return false
		}
		if len(name) == 0 {
			return false
		}
		if ok, err := path.Match(pattern[0], name[0]); err != nil || !ok {
			return false
		}
		pattern, name = pattern[1:], name[1:]
	}
	return len(name) == 0
}
