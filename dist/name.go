package dist

import (
	"errors"
	"strings"
	"unicode"

	"x.go/manifests"
)

// checkElement is [manifests.CheckMemberName] for a name that must be a single
// path element without white space, as the names of packages are.
func checkElement(name string) error {
	if err := manifests.CheckMemberName(name); err != nil {
		return err
	}
	if strings.ContainsRune(name, '/') || strings.ContainsFunc(name, unicode.IsSpace) {
		return errors.New("name is not a single path element without spaces")
	}
	return nil
}

// parents yields the proper parent directories of name, outermost first.
func parents(name string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for i := range len(name) {
			if name[i] == '/' && !yield(name[:i]) {
				return
			}
		}
	}
}
