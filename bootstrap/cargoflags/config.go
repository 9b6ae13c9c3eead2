package cargoflags

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Source is everything that the flags are made from.
type Source struct {
	Dir       string // the current folder, absolute
	CargoHome string // $CARGO_HOME or ~/.cargo, absolute; "" for none
	// Lookupenv returns a variable and whether it is set. May be nil.
	Lookupenv func(key string) (string, bool)
	// ReadFile reads a file; it returns an error that is fs.ErrNotExist if
	// there is none. nil means that no file exists.
	ReadFile func(path string) ([]byte, error)
}

// Config is cargo's configuration as far as it bears on rustc's flags. The
// zero Config is empty.
type Config struct {
	src   Source
	files []file // the ones that count least come first
}

// file is one config.toml, after the files that it includes.
type file struct {
	path string
	root string // where relative programs start from: above .cargo
	keys map[string]any
}

// maxIncludes bounds the files that one file may lead to.
const maxIncludes = 100

// Load reads .cargo/config.toml of the current folder and of all folders above
// it, and that of CargoHome. A nearer file counts more.
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

// loadDir reads the file of one .cargo folder. The name without .toml is the
// old one; cargo prefers it where both are there.
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
	f := file{path: path, root: root}
	if err := toml.Unmarshal(data, &f.keys); err != nil {
		if e, ok := errors.AsType[*toml.DecodeError](err); ok {
			line, column := e.Position()
			return fmt.Errorf("reading cargo's configuration: %s:%d:%d: %w", path, line, column, err)
		}
		return fmt.Errorf("reading cargo's configuration %q: %w", path, err)
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
	list, ok := f.keys["include"].([]any)
	if one := f.keys["include"]; !ok && one != nil {
		list = []any{one}
	}
	var out []include
	for _, v := range list {
		switch v := v.(type) {
		case string:
			out = append(out, include{path: v})
		case map[string]any:
			path, isText := v["path"].(string)
			optional, _ := v["optional"].(bool)
			if !isText {
				return nil, f.wrong("include.path", v["path"], "a string")
			}
			out = append(out, include{path, optional})
		default:
			return nil, f.wrong("include", v, "a path or a table with path")
		}
	}
	return out, nil
}

func (f *file) wrong(key string, got any, want string) error {
	return fmt.Errorf("reading cargo's configuration %q: %s: got %v, want %s", f.path, key, got, want)
}

// lookupenv finds a variable; there is none named "".
func (c *Config) lookupenv(key string) (string, bool) {
	if key == "" || c.src.Lookupenv == nil {
		return "", false
	}
	return c.src.Lookupenv(key)
}

// value finds a key, nil where it is not set.
func (f *file) value(path ...string) (any, error) {
	var v any = f.keys
	for i, key := range path {
		table, ok := v.(map[string]any)
		if !ok {
			return nil, f.wrong(strings.Join(path[:i], "."), v, "a table")
		}
		if v = table[key]; v == nil {
			return nil, nil
		}
	}
	return v, nil
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
		v, err := f.value(path...)
		if err != nil {
			return nil, err
		}
		var flags []Flag
		kind := "list"
		switch v := v.(type) {
		case nil:
			continue
		case string:
			kind, out = "string", nil
			flags = words(v, f.origin(path))
		case []any:
			for _, e := range v {
				s, ok := e.(string)
				if !ok {
					return nil, f.wrong(strings.Join(path, "."), e, "a string")
				}
				flags = append(flags, Flag{s, f.origin(path)})
			}
		default:
			return nil, f.wrong(strings.Join(path, "."), v, "a string or a list of strings")
		}
		if seen != "" && seen != kind {
			return nil, fmt.Errorf("reading cargo's configuration %q: %s: got a %s, but another file has a %s: cargo cannot merge them", f.path, strings.Join(path, "."), kind, seen)
		}
		seen = kind
		out = append(out, flags...)
	}
	if v, ok := c.lookupenv(env); ok {
		out = append(out, words(v, env)...)
	}
	return out, nil
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
		v, err := f.value(path...)
		if err != nil {
			return "", "", "", err
		}
		switch v := v.(type) {
		case nil:
			continue
		case string:
			return v, f.root, f.origin(path), nil
		default:
			return "", "", "", f.wrong(strings.Join(path, "."), v, "a string")
		}
	}
	return "", "", "", nil
}

// conditions lists the cfg(…) keys of [target], sorted, as cargo goes through
// them.
func (c *Config) conditions() []string {
	set := map[string]bool{}
	for _, f := range c.files {
		table, _ := f.keys["target"].(map[string]any)
		for key := range table {
			if strings.HasPrefix(key, "cfg(") && strings.HasSuffix(key, ")") {
				set[key] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(set))
}
