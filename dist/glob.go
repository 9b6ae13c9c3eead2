package dist

import (
	"fmt"
	"path"
	"strings"
)

// glob is a pattern split at its slashes.
type glob []string

// compileGlobs returns a function that reports whether any of the patterns
// matches a name. See [Rule] for the syntax.
func compileGlobs(patterns []string) (func(name string) bool, error) {
	var globs []glob
	for _, p := range patterns {
		for _, plain := range expandBraces(p) {
			g := glob(strings.Split(plain, "/"))
			for _, element := range g {
				if _, err := path.Match(element, ""); err != nil || element == "" {
					return nil, fmt.Errorf("compiling glob %q: bad pattern", p)
				}
			}
			globs = append(globs, g)
		}
	}
	return func(name string) bool {
		elements := strings.Split(name, "/")
		for _, g := range globs {
			if g.match(elements) {
				return true
			}
		}
		return false
	}, nil
}

func (g glob) match(elements []string) bool {
	for i, pattern := range g {
		if pattern == "**" {
			for skip := range len(elements) - i + 1 {
				if g[i+1:].match(elements[i+skip:]) {
					return true
				}
			}
			return false
		}
		if i >= len(elements) {
			return false
		}
		if ok, _ := path.Match(pattern, elements[i]); !ok {
			return false
		}
	}
	return len(g) == len(elements)
}

// expandBraces turns "a{b,c}" into "ab" and "ac". Braces do not nest; one
// without its partner stands for itself.
func expandBraces(p string) []string {
	head, rest, ok := strings.Cut(p, "{")
	if !ok {
		return []string{p}
	}
	choices, tail, ok := strings.Cut(rest, "}")
	if !ok {
		return []string{p}
	}
	var out []string
	for choice := range strings.SplitSeq(choices, ",") {
		for _, end := range expandBraces(tail) {
			out = append(out, head+choice+end)
		}
	}
	return out
}
