package dist

import (
	"errors"
	"iter"
	"net/url"
	"path/filepath"
	"strings"
	"unicode"

	"x.go/manifests"
)

// CheckElement is [manifests.CheckMemberName] for a name that must be a single
// path element without white space, as the names of packages are.
func CheckElement(name string) error {
	if err := manifests.CheckMemberName(name); err != nil {
		return err
	}
	if strings.ContainsRune(name, '/') || strings.ContainsFunc(name, unicode.IsSpace) {
		return errors.New("name is not a single path element without spaces")
	}
	return nil
}

// FilePath returns the path of a file:// URL of this machine.
func FilePath(place string) (string, bool) {
	u, err := url.Parse(place)
	if err != nil || u.Scheme != "file" || u.Host != "" && u.Host != "localhost" {
		return "", false
	}
	return filepath.FromSlash(u.Path), true
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
