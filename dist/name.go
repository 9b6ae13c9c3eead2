package dist

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"strings"
	"unicode"
)

// maxNameLen bounds a member's name, in bytes. It is Linux's PATH_MAX.
const maxNameLen = 4096

// CheckName returns an error unless name is a member name that every consumer
// of an archive understands alike: relative, clean, slash-separated UTF-8.
// rust-installer refuses backslashes; rustup refuses "..", absolute names and
// a leading "./"; a control character would break the line-based manifest.in.
func CheckName(name string) error {
	switch {
	case name == "" || name == ".":
		return errors.New("name is empty")
	case len(name) > maxNameLen:
		return fmt.Errorf("name has %d bytes, the limit is %d", len(name), maxNameLen)
	case !fs.ValidPath(name):
		return errors.New("name is not a clean relative UTF-8 path")
	case strings.ContainsRune(name, '\\'):
		return errors.New(`name has a "\", which rust-installer does not support`)
	}
	if i := strings.IndexFunc(name, unicode.IsControl); i >= 0 {
		return fmt.Errorf("name has a control character at byte %d", i)
	}
	return nil
}

// CheckElement is [CheckName] for a name that must be a single path element
// without white space, as the names of packages and components are.
func CheckElement(name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if strings.ContainsRune(name, '/') || strings.ContainsFunc(name, unicode.IsSpace) {
		return errors.New("name is not a single path element without spaces")
	}
	return nil
}

// Parents yields the proper parent directories of a member name, outermost
// first: "a" and "a/b" of "a/b/c".
func Parents(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range len(name) {
			if name[i] == '/' && !yield(name[:i]) {
				return
			}
		}
	}
}
