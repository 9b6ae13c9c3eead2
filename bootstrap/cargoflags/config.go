package cargoflags

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"x.go/bootstrap/toml"
)

// Source is all that the flags depend on.
type Source struct {
	Dir       string // the current directory, absolute
	CargoHome string // $CARGO_HOME or ~/.cargo, absolute; "" for none
	// Lookupenv returns a variable and whether it is set. nil means that none is.
	Lookupenv func(key string) (string, bool)
	// ReadFile reads a file; it returns an error that is fs.ErrNotExist if
	// there is none. nil means that no file exists.
	ReadFile func(path string) ([]byte, error)
}

// Config is cargo's configuration as far as it affects rustc's flags. The zero
// Config is empty.
type Config struct {
	src   Source
	files []file // the ones that count least come first
}

// file is one config.toml, after the files that it includes.
type file struct {
	path string
	root string // where relative programs start from: above .cargo
	doc  *toml.Document
}

// maxIncludes bounds the files that one file includes, directly or not.
const maxIncludes = 100

// Load reads .cargo/config.toml of the current directory and of all directories
// above it, and that of CargoHome. A nearer file counts more.
func Load(src Source) (Config, error) {
	if src.ReadFile == nil {
		src.ReadFile = func(string) ([]byte, error) { return nil, fs.ErrNotExist }
	}
	c := Config{src: src}
	home := src.CargoHome
	var nearestFirst []string
	for dir := src.Dir; dir != ""; dir = filepath.Dir(dir) {
		at := filepath.Join(dir, ".cargo")
		nearestFirst = append(nearestFirst, at)
		if at == home {
			home = ""
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	if home != "" {
		nearestFirst = append(nearestFirst, home)
	}
	for _, dir := range slices.Backward(nearestFirst) {
		if err := c.loadDir(dir); err != nil {
			return Config{}, err
		}
	}
	return c, nil
}

// loadDir reads the file of one .cargo directory. The name without .toml is the
// old one; cargo prefers it where both exist.
func (c *Config) loadDir(dir string) error {
	for _, name := range []string{"config", "config.toml"} {
		left := maxIncludes
		err := c.loadFile(filepath.Join(dir, name), filepath.Dir(dir), &left)
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (c *Config) loadFile(path, root string, left *int) error {
	if *left--; *left < 0 {
		return fmt.Errorf("reading %q: more than %d files are included", path, maxIncludes)
	}
	data, err := c.src.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading cargo's configuration %q: %w", path, err)
	}
	f := file{path: path, root: root, doc: toml.Parse(path, data)}
	if err := f.doc.Err(); err != nil {
		return fmt.Errorf("reading cargo's configuration: %w", err)
	}
	includes, err := f.includes()
	if err != nil {
		return err
	}
	for _, in := range includes {
		err := c.loadFile(filepath.Join(filepath.Dir(path), in.path), root, left)
		switch {
		case errors.Is(err, fs.ErrNotExist) && in.optional:
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("reading cargo's configuration %q: include %q: no such file", path, in.path)
		case err != nil:
			return err
		}
	}
	c.files = append(c.files, f)
	return nil
}

type include struct {
	path     string
	optional bool
}

// includes reads the key include: a path, or a list of paths and of tables
// with path and optional.
func (f *file) includes() ([]include, error) {
	n := f.doc.Root.Child("include")
	if n == nil {
		return nil, nil
	}
	list := n.Items
	if n.Kind != toml.Array && n.Kind != toml.TableArray {
		list = []*toml.Node{n}
	}
	var out []include
	for _, n := range list {
		switch n.Kind {
		case toml.String:
			out = append(out, include{path: n.Text})
		case toml.Table:
			path, optional := n.Child("path"), n.Child("optional")
			if path == nil || path.Kind != toml.String {
				return nil, f.wrong("include.path", cmp.Or(path, n), "a string")
			}
			out = append(out, include{path.Text, optional != nil && optional.Text == "true"})
		default:
			return nil, f.wrong("include", n, "a path or a table with path")
		}
	}
	return out, nil
}

// wrong says that a key has a value of the wrong kind.
func (f *file) wrong(key string, got *toml.Node, want string) error {
	return fmt.Errorf("reading cargo's configuration: %s: %s: got %s, want %s", f.doc.Position(got.Value), key, got.Describe(), want)
}

// lookupenv finds a variable; there is none named "".
func (c *Config) lookupenv(key string) (string, bool) {
	if key == "" || c.src.Lookupenv == nil {
		return "", false
	}
	return c.src.Lookupenv(key)
}

// value finds a key, nil where it is not set.
func (f *file) value(path ...string) (*toml.Node, error) {
	n := f.doc.Root
	for i, key := range path {
		if n.Kind != toml.Table {
			return nil, f.wrong(strings.Join(path[:i], "."), n, "a table")
		}
		if n = n.Child(key); n == nil {
			return nil, nil
		}
	}
	return n, nil
}

// origin names a key of a file, as messages do.
func (f *file) origin(path []string) string {
	text := slices.Clone(path)
	for i, p := range text {
		if strings.HasPrefix(p, "cfg(") {
			text[i] = "'" + p + "'"
		}
	}
	return f.path + ": " + strings.Join(text, ".")
}

// list merges a key that holds a string or a list of strings over all files
// and the environment: lists are joined, the nearest last; of strings the
// nearest counts and is split at blanks; the environment comes after both.
func (c *Config) list(env string, path ...string) ([]Flag, error) {
	var out []Flag
	seen := "" // kind of the value so far
	for _, f := range c.files {
		n, err := f.value(path...)
		if err != nil {
			return nil, err
		}
		if n == nil {
			continue
		}
		flags, err := f.flags(n, path)
		if err != nil {
			return nil, err
		}
		kind := "list"
		if n.Kind == toml.String {
			kind, out = "string", nil
		}
		if seen != "" && seen != kind {
			return nil, fmt.Errorf("reading cargo's configuration: %s: %s: got a %s, but another file has a %s: cargo cannot merge them", f.doc.Position(n.Value), strings.Join(path, "."), kind, seen)
		}
		seen = kind
		out = append(out, flags...)
	}
	if v, ok := c.lookupenv(env); ok {
		out = append(out, words(v, env)...)
	}
	return out, nil
}

// flags returns the flags of one value: a string, which is split at blanks, or a
// list of strings.
func (f *file) flags(n *toml.Node, path []string) ([]Flag, error) {
	switch n.Kind {
	case toml.String:
		return words(n.Text, f.origin(path)), nil
	case toml.Array:
		var flags []Flag
		for _, item := range n.Items {
			if item.Kind != toml.String {
				return nil, f.wrong(strings.Join(path, "."), item, "a string")
			}
			flags = append(flags, Flag{item.Text, f.origin(path)})
		}
		return flags, nil
	}
	return nil, f.wrong(strings.Join(path, "."), n, "a string or a list of strings")
}

func words(text, origin string) []Flag {
	var out []Flag
	for w := range strings.FieldsSeq(text) {
		out = append(out, Flag{w, origin})
	}
	return out
}

// text finds a key that holds one string: the environment's, else the nearest
// file's. root is where a relative path in it starts from.
func (c *Config) text(env string, path ...string) (value, root, origin string, err error) {
	if v, ok := c.lookupenv(env); ok {
		return v, c.src.Dir, env, nil
	}
	for _, f := range slices.Backward(c.files) {
		n, err := f.value(path...)
		switch {
		case err != nil:
			return "", "", "", err
		case n == nil:
			continue
		case n.Kind != toml.String:
			return "", "", "", f.wrong(strings.Join(path, "."), n, "a string")
		}
		return n.Text, f.root, f.origin(path), nil
	}
	return "", "", "", nil
}

// conditions lists the cfg(…) keys of [target], sorted, as cargo does.
func (c *Config) conditions() []string {
	set := map[string]bool{}
	for _, f := range c.files {
		table := f.doc.Root.Child("target")
		if table == nil {
			continue
		}
		for _, n := range table.Children {
			if strings.HasPrefix(n.Key, "cfg(") && strings.HasSuffix(n.Key, ")") {
				set[n.Key] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(set))
}
