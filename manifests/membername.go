package manifests

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"unicode"
)

// maxMemberName bounds a member's name, in bytes. It is Linux's PATH_MAX.
const maxMemberName = 4096

// CheckMemberName returns an error unless every consumer of an archive reads
// name alike: relative, clean, slash-separated UTF-8 of at most 4096 bytes.
// rustup refuses "..", absolute names and a leading "./"; rust-installer refuses
// backslashes; a control character would break the lines of manifest.in. The
// names of an archive's members, the paths in a file list and the names of an
// image all have this one grammar.
func CheckMemberName(name string) error {
	switch {
	case name == "":
		return errors.New("name is empty")
	case len(name) > maxMemberName:
		return fmt.Errorf("name has %d bytes, the limit is %d", len(name), maxMemberName)
	case strings.ContainsRune(name, '\\'):
		return errors.New(`name has a "\", which rust-installer does not support`)
	}
	if i := strings.IndexFunc(name, unicode.IsControl); i >= 0 {
		return fmt.Errorf("name has a control character at byte %d", i)
	}
	if fs.ValidPath(name) && name != "." {
		return nil
	}
	switch {
	case name[0] == '/':
		return errors.New("name is absolute, want a clean relative path")
	case name == "." || strings.HasPrefix(name, "./"):
		return errors.New(`name starts with ".", which rustup counts as the top directory: want a clean relative path`)
	case slices.Contains(strings.Split(name, "/"), ".."):
		return errors.New(`name has "..", want a clean relative path`)
	}
	return errors.New("name is not a clean relative UTF-8 path")
}

// CheckComponentName returns an error unless name can stand in the file
// `components`, and so name the directory of a component: letters, digits, "-",
// "_" and, after the first byte, ".".
func CheckComponentName(name string) error {
	if strings.HasPrefix(name, ".") || !isPackageName(strings.ReplaceAll(name, ".", "_")) {
		return errors.New(`want letters, digits, "-", "_" and, after the first, "."`)
	}
	return nil
}
