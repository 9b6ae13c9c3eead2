package targets

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"
)

// Triple names a compilation target, such as x86_64-unknown-linux-gnu. The
// zero Triple is invalid. It is opaque on purpose: what a target is like is
// asked of its [Spec], never read out of the letters of its name.
type Triple struct{ name string }

// maxTripleLen is far above the longest builtin name (35 bytes in 1.97).
const maxTripleLen = 128

// ParseTriple checks that s has the form of a target name: two or more
// non-empty parts of ASCII letters, digits, '_' and '.', joined by '-'. Whether a compiler
// knows the target is another question, which the registry answers.
func ParseTriple(s string) (Triple, error) {
	if s == "" {
		return Triple{}, fmt.Errorf("parsing target triple %q: empty name", s)
	}
	if len(s) > maxTripleLen {
		return Triple{}, fmt.Errorf("parsing target triple %.20q…: name has %d bytes, the limit is %d", s, len(s), maxTripleLen)
	}
	parts, inPart := 0, false
	for i := range len(s) {
		c := s[i]
		switch {
		case c == '-':
			if !inPart {
				return Triple{}, fmt.Errorf("parsing target triple %q: empty part at byte %d", s, i)
			}
			inPart = false
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '.' && inPart:
			if !inPart {
				parts++
			}
			inPart = true
		default:
			return Triple{}, fmt.Errorf("parsing target triple %q: bad character %q at byte %d", s, c, i)
		}
	}
	if !inPart || parts < 2 {
		return Triple{}, fmt.Errorf("parsing target triple %q: want at least two words joined by '-', such as x86_64-unknown-linux-gnu", s)
	}
	return Triple{s}, nil
}

// TripleOfSpec returns the name of the target whose specification is a file of JSON:
// rustc and x.py call it like the file. Such a name may be one word.
func TripleOfSpec(file string) (Triple, error) {
	name, ok := strings.CutSuffix(path.Base(filepath.ToSlash(file)), ".json")
	if !ok {
		return Triple{}, fmt.Errorf("reading target %q: want a file with the extension .json", file)
	}
	if _, err := ParseTriple("a-" + name); err != nil {
		return Triple{}, fmt.Errorf("reading target %q: the file's name is none of a target", file)
	}
	return Triple{name}, nil
}

// String returns the name, or "" for the zero Triple.
func (t Triple) String() string { return t.name }

// IsZero reports whether t is the invalid zero Triple.
func (t Triple) IsZero() bool { return t.name == "" }

// MarshalText implements [encoding.TextMarshaler].
func (t Triple) MarshalText() ([]byte, error) { return []byte(t.name), nil }

// UnmarshalText implements [encoding.TextUnmarshaler] by [ParseTriple].
func (t *Triple) UnmarshalText(b []byte) error {
	p, err := ParseTriple(string(b))
	if err != nil {
		return err
	}
	*t = p
	return nil
}
