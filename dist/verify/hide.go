package verify

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// rivals matches the names under which distributions install LLD and mold, in
// one version or several: ld.lld, ld.lld-14, aarch64-linux-gnu-ld.lld.
var rivals = regexp.MustCompile(`(^|-)(ld\.lld|ld64\.lld|lld|lld-link|wasm-ld|mold|ld\.mold|ld64\.mold)(-[0-9.]+)?$`)

// hideLLD returns a search path with the programs of another one, but without
// LLD and mold. Directories of links below dir stand for those that hold one.
// All other directories stay: a compiler cache searches those after its own in PATH.
func hideLLD(searchPath, dir string) (string, error) {
	dirs := filepath.SplitList(searchPath)
	for i, from := range dirs {
		entries, err := os.ReadDir(from)
		if err != nil || !holdsRival(entries) {
			continue // what cannot be listed is asked for ld.lld by the caller
		}
		dirs[i] = filepath.Join(dir, fmt.Sprint(i))
		if err := linkOthers(from, dirs[i], entries); err != nil {
			return "", fmt.Errorf("hiding the LLD of %q: %w", from, err)
		}
	}
	return strings.Join(dirs, string(filepath.ListSeparator)), nil
}

func holdsRival(entries []os.DirEntry) bool {
	for _, e := range entries {
		if rivals.MatchString(e.Name()) {
			return true
		}
	}
	return false
}

// linkOthers creates the directory to, with links to the entries of from. The
// links are not resolved: a program may go by the name that it is called.
func linkOthers(from, to string, entries []os.DirEntry) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for _, e := range entries {
		if rivals.MatchString(e.Name()) {
			continue
		}
		if err := os.Symlink(filepath.Join(from, e.Name()), filepath.Join(to, e.Name())); err != nil {
			return err
		}
	}
	return nil
}
