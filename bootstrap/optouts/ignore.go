package optouts

import (
	"bytes"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// maxIgnore bounds a .gitignore file, in bytes; maxIgnoreRules the patterns of one.
const (
	maxIgnore      = 1 << 20
	maxIgnoreRules = 10000
)

// ignoreFiles are read in each directory. Later ones count more, as in ripgrep.
var ignoreFiles = [...]string{".gitignore", ".ignore", ".rgignore"}

// ignoreRule is a line of a .gitignore file.
type ignoreRule struct {
	pattern  string
	literal  bool // no special character: the name itself
	ending   bool // pattern is what follows a single star
	anchored bool // against the path from the file's directory; else against the name
	dirOnly  bool
	negated  bool
}

// ignores are the rules that hold in a directory: its own, and those of the
// directories above it.
type ignores struct {
	above *ignores
	dir   string // slash path of the directory, "" for the one that was named
	rules []ignoreRule
}

// parseIgnore reads a .gitignore file, gitignore(5).
func parseIgnore(data []byte) []ignoreRule {
	var out []ignoreRule
	for line := range bytes.Lines(data) {
		if len(out) == maxIgnoreRules {
			break
		}
		text := strings.TrimRight(string(line), "\r\n")
		if !strings.HasSuffix(text, `\ `) {
			text = strings.TrimRight(text, " ")
		}
		if text == "" || text[0] == '#' {
			continue
		}
		var r ignoreRule
		text, r.negated = strings.CutPrefix(text, "!")
		text = strings.TrimPrefix(text, `\`) // \# and \!
		text, r.dirOnly = strings.CutSuffix(text, "/")
		r.anchored = strings.Contains(text, "/")
		text = strings.TrimPrefix(text, "/")
		if rest, ok := strings.CutPrefix(text, "**/"); ok && !strings.Contains(rest, "/") {
			text, r.anchored = rest, false
		}
		switch tail, star := strings.CutPrefix(text, "*"); {
		case !strings.ContainsAny(text, `*?[\`):
			r.literal = true
		case star && !r.anchored && !strings.ContainsAny(tail, `*?[\`):
			r.ending, text = true, tail
		case !doublestar.ValidatePattern(escapeBraces(text)):
			continue
		default:
			text = escapeBraces(text)
		}
		if r.pattern = text; text != "" {
			out = append(out, r)
		}
	}
	return out
}

// escapeBraces hides what doublestar knows and git does not.
func escapeBraces(pattern string) string {
	return strings.NewReplacer("{", `\{`, "}", `\}`).Replace(pattern)
}

// skip reports whether the entry name of the directory dir is ignored: the last rule
// that matches counts, from the innermost directory outwards.
func (ig *ignores) skip(dir, name string, isDir bool) bool {
	for at := ig; at != nil; at = at.above {
		for i := len(at.rules) - 1; i >= 0; i-- {
			if r := &at.rules[i]; (isDir || !r.dirOnly) && r.matches(at.dir, dir, name) {
				return !r.negated
			}
		}
	}
	return false
}

func (r *ignoreRule) matches(base, dir, name string) bool {
	subject := name
	if r.anchored {
		if dir != base {
			subject = strings.TrimPrefix(strings.TrimPrefix(dir, base), "/") + "/" + name
		}
	}
	switch {
	case r.literal:
		return subject == r.pattern
	case r.ending:
		return strings.HasSuffix(subject, r.pattern)
	}
	return doublestar.MatchUnvalidated(r.pattern, subject)
}
