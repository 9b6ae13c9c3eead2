package layout

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"

	"x.go/targets/nearest"
)

// Layout is how a distribution arranges the files of a Rust toolchain. Globs have the
// syntax of [x.go/dist.Rule]. Those that begin with a slash are matched against places
// in the file system, others against names in the archives. {name} in a glob or path
// stands for a variable, see [Facts].
type Layout struct {
	Name        string // of the file, without .toml
	Description string
	// Prefix is where a file goes for which there is no row, such as "/usr".
	Prefix string
	// Variables have the values of the layout's own variables, such as the version
	// of LLVM. [Layout.Set] changes them.
	Variables map[string]string

	format     listFormat
	manSuffix  string   // follows the name of a manual page in lists
	owned      []string // directories that belong to the packages, for rpm
	executable []string // globs of places whose files are executable
	drops      []drop
	moves      []move
	duplicates []duplicate
	links      []link
	packages   []packageRow
}

// drop is a row of files that are left out.
type drop struct{ files []string }

// move is a row of files that go elsewhere. If to ends in a slash, it is the directory
// that takes the place of the one in which the glob begins; else it is the place itself,
// in which {file} and {parent} are the last two elements of the name.
type move struct{ from, to string }

// duplicate is a row of files that become links to equal files of the same name.
type duplicate struct {
	keep string // glob of places
	link string // glob of places
}

// link is a row of one link to a file that the distribution brings, or that is staged.
type link struct {
	path, to string // places
	with     string // glob of names; the link is there if a file of the archives matches
}

// packageRow is a row of a package. The first package whose globs match has the file.
type packageRow struct {
	name     string
	files    []string // globs of places
	docs     []string // those that rpm calls %doc
	licenses []string // those that rpm calls %license
}

//go:embed layouts/*.toml
var shipped embed.FS

const extension = ".toml"

// MaxSize bounds the file of a layout, in bytes.
const MaxSize = 1 << 20

// Names returns the names of the layouts that come with the program, sorted.
func Names() []string {
	entries, err := shipped.ReadDir("layouts")
	if err != nil {
		panic(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), extension))
	}
	slices.Sort(names)
	return names
}

// Text returns the file of a layout that comes with the program, to start another
// from.
func Text(name string) ([]byte, error) {
	if !slices.Contains(Names(), name) {
		return nil, fmt.Errorf("choosing layout %q: x has %s; a file is named with a slash or with %s at its end%s",
			name, strings.Join(Names(), ", "), extension, nearest.Hint(name, Names()))
	}
	return shipped.ReadFile("layouts/" + name + extension)
}

// Named returns a layout that comes with the program.
func Named(name string) (Layout, error) {
	data, err := Text(name)
	if err != nil {
		return Layout{}, err
	}
	return Parse(name+extension, data)
}

// IsFile reports whether the word with which a user chooses a layout is the path of a
// file, not a name.
func IsFile(word string) bool {
	return strings.ContainsAny(word, `/\`) || path.Ext(word) == extension
}

// Set replaces the value of a variable: "llvm=21". The layout must have it, unless every
// layout does.
func (l *Layout) Set(assignment string) error {
	name, value, ok := strings.Cut(assignment, "=")
	if !ok {
		return fmt.Errorf("setting a variable of layout %q: got %q, want NAME=VALUE", l.Name, assignment)
	}
	known := append(l.variableNames(), fixed...)
	if !slices.Contains(known, name) {
		return fmt.Errorf("setting variable %q of layout %q: it has %s%s", name, l.Name, strings.Join(known, ", "), nearest.Hint(name, known))
	}
	if err := checkValue(value); err != nil {
		return fmt.Errorf("setting variable %q of layout %q to %q: %w", name, l.Name, value, err)
	}
	l.Variables[name] = value
	return nil
}
