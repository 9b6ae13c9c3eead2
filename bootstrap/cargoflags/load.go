package cargoflags

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"x.go/bootstrap/toml"
	"x.go/targets"
)

// Source is all that the flags depend on.
type Source struct {
	Dir       string // the current directory, absolute
	CargoHome string // $CARGO_HOME or ~/.cargo, absolute; "" for none
	// Env is the environment, as in [os/exec.Cmd].
	Env []string
	// Args are the values of cargo's --config: KEY=VALUE, or files.
	Args []string
	// Release is cargo's own, which decides what is stable. The zero Release is
	// the newest stable one whose rules this package knows.
	Release targets.Release
	// ReadFile reads a file; it returns an error that is fs.ErrNotExist if
	// there is none. nil means that no file exists.
	ReadFile func(path string) ([]byte, error)
	// RealPath returns an absolute path without symbolic links, as realpath does.
	// nil means that there are none.
	RealPath func(path string) (string, error)
}

// Config is cargo's configuration as far as it affects rustc's flags. The zero
// Config is empty.
type Config struct {
	src      Source
	env      map[string]string
	root     *value // nil for no file
	notes    []string
	unstable map[string]bool // flags of [unstable]
}

// Releases of cargo that changed a rule.
var (
	newest        = since("1.95.0")     // stands for [Source.Release] where that is not given
	configInclude = since("1.94.0-dev") // reads include (rust-lang/cargo#16284)
	jsonSpecGate  = since("1.95.0-dev") // wants -Zjson-target-spec for a target's file (rust-lang/cargo#16557)
	cleanIncludes = since("1.97.0-dev") // takes the dots out of paths in include
	envValueRoot  = since("1.97.0-dev") // env.NAME.value is relative to where it is set, not its table
)

func since(version string) targets.Release {
	r, err := targets.ParseRelease(version)
	if err != nil {
		panic("cargoflags: " + err.Error())
	}
	return r
}

// Load reads .cargo/config.toml of the current directory and of all directories
// above it, that of CargoHome, and what --config adds.
func Load(src Source) (Config, error) {
	if src.ReadFile == nil {
		src.ReadFile = func(string) ([]byte, error) { return nil, fs.ErrNotExist }
	}
	if src.RealPath == nil {
		src.RealPath = func(path string) (string, error) { return path, nil }
	}
	if src.Release.IsZero() {
		src.Release = newest
	}
	c := Config{src: src, env: map[string]string{}, root: &value{table: map[string]*value{}}}
	for _, setting := range src.Env {
		if k, v, ok := strings.Cut(setting, "="); ok {
			c.env[k] = v
		}
	}
	for _, dir := range c.directories() {
		if err := c.loadDir(dir); err != nil {
			return Config{}, err
		}
	}
	if err := c.loadArgs(); err != nil {
		return Config{}, err
	}
	if err := c.readUnstable(); err != nil {
		return Config{}, err
	}
	return c, nil
}

// directories lists where configuration files are looked for, the nearest first.
func (c *Config) directories() []string {
	var out, seen []string
	for dir := c.src.Dir; dir != ""; dir = filepath.Dir(dir) {
		at := filepath.Join(dir, ".cargo")
		out, seen = append(out, at), append(seen, at, c.realPath(at))
		if dir == filepath.Dir(dir) {
			break
		}
	}
	if home := c.src.CargoHome; home != "" && !slices.Contains(seen, home) && !slices.Contains(seen, c.realPath(home)) {
		out = append(out, home)
	}
	return out
}

// realPath is path itself where there is no such file.
func (c *Config) realPath(path string) string {
	if real, err := c.src.RealPath(path); err == nil {
		return real
	}
	return path
}

// loadDir reads the file of one .cargo directory. The name without .toml is the
// old one; cargo prefers it where both exist.
func (c *Config) loadDir(dir string) error {
	for _, name := range []string{"config", "config.toml"} {
		path := filepath.Join(dir, name)
		v, err := c.loadFile(path, inFile, map[string]bool{})
		if errors.Is(err, errNoFile) {
			continue
		}
		if err != nil {
			return err
		}
		if name == "config" && c.exists(path+".toml") && c.realPath(path) != c.realPath(path+".toml") {
			c.note("%s and %[1]s.toml both exist: cargo reads the first", path)
		}
		return c.root.merge(v, false)
	}
	return nil
}

func (c *Config) exists(path string) bool {
	_, err := c.src.ReadFile(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// errNoFile says that the file itself is not there, as opposed to one that it
// includes.
var errNoFile = errors.New("no such file")

// loadFile reads one file, merged over what it includes. seen holds the files read
// for the outermost one: cargo reads none of them twice.
func (c *Config) loadFile(path string, r rank, seen map[string]bool) (*value, error) {
	if seen[path] {
		return nil, failure("%q is included twice, or includes itself: cargo stops there", path)
	}
	seen[path] = true
	data, err := c.src.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errNoFile
	case err != nil:
		return nil, failure("%q: %w", path, err)
	case !utf8.Valid(data):
		return nil, failure("%q: got bytes that are no UTF-8", path)
	}
	doc := toml.Parse(path, data)
	if err := doc.Err(); err != nil {
		return nil, failure("%w", err)
	}
	v, err := newValue(doc, doc.Root, definition{r, path})
	if err != nil {
		return nil, err
	}
	return c.withIncludes(v, r, seen)
}

// withIncludes merges v over the files of its key include, in their order.
func (c *Config) withIncludes(v *value, r rank, seen map[string]bool) (*value, error) {
	list := v.table["include"]
	delete(v.table, "include")
	if list == nil {
		return v, nil
	}
	if c.src.Release.Compare(configInclude) < 0 {
		c.note("%s: include is left out: cargo %s reads it only with -Zconfig-include", list.position(), c.src.Release)
		return v, nil
	}
	includes, err := readIncludes(list)
	if err != nil {
		return nil, err
	}
	root := &value{table: map[string]*value{}, def: v.def, doc: v.doc}
	dir := c.src.Dir
	if v.def.path != "" {
		dir = parent(v.def.path)
	}
	for _, in := range includes {
		part, err := c.loadFile(c.includePath(dir, in.path), r, seen)
		switch {
		case errors.Is(err, errNoFile) && in.optional:
			continue
		case errors.Is(err, errNoFile):
			return nil, failure("%s: include %q: no such file", list.position(), in.path)
		case err != nil:
			return nil, err
		}
		if err := root.merge(part, true); err != nil {
			return nil, err
		}
	}
	return root, root.merge(v, true)
}

// includePath is relative to the including file. cargo 1.97 takes out the dots
// before it compares paths; to find the root of relative programs it matters too.
func (c *Config) includePath(dir, path string) string {
	joined := join(dir, path)
	if c.src.Release.Compare(cleanIncludes) >= 0 {
		return filepath.Clean(joined)
	}
	return joined
}

type include struct {
	path     string
	optional bool
}

// readIncludes reads the key include: a list of paths and of tables with path and
// optional. Paths end in .toml and have no patterns.
func readIncludes(list *value) ([]include, error) {
	if list.kind != toml.Array {
		return nil, list.wrong("include", "a list of paths, or of tables with path")
	}
	var out []include
	for _, v := range list.items {
		in := include{path: v.text}
		switch v.kind {
		case toml.String:
		case toml.Table:
			path, optional := v.table["path"], v.table["optional"]
			if path == nil {
				return nil, v.wrong("include.path", "a string")
			}
			if path.kind != toml.String {
				return nil, path.wrong("include.path", "a string")
			}
			if optional != nil && optional.kind != toml.Bool {
				return nil, optional.wrong("include.optional", "a boolean")
			}
			in = include{path.text, optional != nil && optional.text == "true"}
		default:
			return nil, v.wrong("include", "a path or a table with path")
		}
		if name := in.path[strings.LastIndexByte(in.path, '/')+1:]; !strings.HasSuffix(name, ".toml") || name == ".toml" {
			return nil, failure("%s: include: got %q, want a path that ends in .toml", v.position(), in.path)
		}
		if strings.ContainsAny(in.path, "*?[]{}") {
			return nil, failure("%s: include: got %q, want a path without patterns and braces", v.position(), in.path)
		}
		out = append(out, in)
	}
	return out, nil
}

// loadArgs merges the values of --config over the files: each is a file, or one
// dotted key with a value.
func (c *Config) loadArgs() error {
	seen := map[string]bool{}
	all := &value{table: map[string]*value{}, def: definition{rank: onCommandLine}}
	for _, arg := range c.src.Args {
		v, err := c.loadFile(join(c.src.Dir, arg), onCommandLine, seen)
		if arg == "" || errors.Is(err, errNoFile) {
			v, err = c.loadSetting(arg)
		}
		if err != nil {
			return err
		}
		if err := all.merge(v, true); err != nil {
			return err
		}
	}
	return c.root.merge(all, true)
}

// loadSetting reads KEY=VALUE.
func (c *Config) loadSetting(arg string) (*value, error) {
	doc := toml.Parse("--config", []byte(arg))
	if err := doc.Err(); err != nil {
		return nil, failure("--config %q: neither a file nor KEY=VALUE in TOML: %w", arg, err)
	}
	n, text := doc.Root, strings.TrimSpace(arg)
	for n.Kind == toml.Table && len(n.Children) == 1 && (n == doc.Root || n.Form == toml.ByDots) {
		n = n.Children[0]
	}
	// Blanks may stand around it, no comments.
	if n == doc.Root || n.Kind == toml.Table || n.Kind == toml.TableArray || n.End-n.Start != len(text) {
		return nil, failure("--config %q: want one dotted key with a value that is no table, such as build.jobs=2", arg)
	}
	v, err := newValue(doc, doc.Root, definition{rank: onCommandLine})
	if err != nil {
		return nil, err
	}
	return c.withIncludes(v, onCommandLine, map[string]bool{})
}

// join is the path that cargo makes of a directory and a path in it: unlike
// [filepath.Join] it keeps dots.
func join(dir, path string) string {
	switch {
	case filepath.IsAbs(path):
		return path
	case strings.HasSuffix(dir, "/"):
		return dir + path
	}
	return dir + string(filepath.Separator) + path
}

// parent is the directory of a path, by its text alone.
func parent(path string) string {
	i := strings.LastIndexByte(strings.TrimRight(filepath.ToSlash(path), "/"), '/')
	if i <= 0 {
		return string(filepath.Separator)
	}
	return path[:i]
}
