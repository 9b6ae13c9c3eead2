package dist

import (
	"fmt"
	"path"
	"slices"

	"github.com/bmatcuk/doublestar/v4"
)

// compileGlobs returns a function that reports whether any of the patterns
// matches a name. See [Rule] for the syntax.
func compileGlobs(patterns []string) (func(name string) bool, error) {
	for _, p := range patterns {
		// A pattern that is not a clean path could match no name.
		if !doublestar.ValidatePattern(p) || path.Clean(p) != p || path.IsAbs(p) {
			return nil, fmt.Errorf("compiling glob %q: bad pattern", p)
		}
	}
	return func(name string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool { return doublestar.MatchUnvalidated(p, name) })
	}, nil
}
