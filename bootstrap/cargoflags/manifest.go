package cargoflags

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"x.go/bootstrap/toml"
)

// Package is what the manifest of the current directory says, as far as it bears on
// rustc's flags. The zero Package has no manifest.
type Package struct {
	Name  string // of the package; "" for a workspace alone
	Root  string // directory of the workspace, where cargo starts rustc; "" for no manifest
	Links string // the library that its build script links
	// BuildScript says that it has one, and Script is its path.
	BuildScript bool
	Script      string

	rustflags *value // of profile.dev, nil for none
	feature   bool   // cargo-features has profile-rustflags
}

// Package reads Cargo.toml of the current directory, or of the nearest one above it,
// and that of its workspace.
func (c *Config) Package() (Package, error) {
	var p Package
	path, m, err := c.manifest(c.src.Dir)
	if err != nil || m == nil {
		return p, err
	}
	dir := filepath.Dir(path)
	p.Root = dir
	if pkg := m.table["package"]; pkg != nil && pkg.kind == toml.Table {
		p.Name, p.Links = stringOf(pkg, "name"), stringOf(pkg, "links")
		p.Script = c.buildScript(dir, pkg)
		p.BuildScript = p.Script != ""
	}
	root, rootDir, err := c.workspace(m, dir)
	if err != nil {
		return p, err
	}
	p.Root = rootDir
	for _, v := range []*value{m, root} {
		if list := v.table["cargo-features"]; list != nil && len(list.items) > 0 && !c.allowsUnstable() {
			return p, failure("%s: cargo-features: only a nightly cargo takes it", list.position())
		}
	}
	if list := root.table["cargo-features"]; list != nil {
		p.feature = slices.ContainsFunc(list.items, func(v *value) bool { return v.text == "profile-rustflags" })
	}
	if profile := at(root, "profile", "dev"); profile != nil && profile.kind == toml.Table {
		p.rustflags = profile.table["rustflags"]
	}
	return p, nil
}

// manifest finds and reads Cargo.toml in a directory or above it; nil for none.
func (c *Config) manifest(dir string) (path string, m *value, err error) {
	for ; ; dir = filepath.Dir(dir) {
		path = filepath.Join(dir, "Cargo.toml")
		data, err := c.src.ReadFile(path)
		if err == nil {
			doc := toml.Parse(path, data)
			if err := doc.Err(); err != nil {
				return "", nil, failure("%w", err)
			}
			return path, tree(doc, doc.Root), nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", nil, failure("%q: %w", path, err)
		}
		if dir == filepath.Dir(dir) {
			return "", nil, nil
		}
	}
}

// tree converts a manifest, which may hold floats and dates.
func tree(doc *toml.Document, n *toml.Node) *value {
	v := &value{kind: n.Kind, text: n.Text, doc: doc, off: n.Value}
	if n.Kind == toml.Table {
		v.table = map[string]*value{}
		for _, c := range n.Children {
			v.table[c.Key] = tree(doc, c)
		}
	}
	for _, item := range n.Items {
		v.items = append(v.items, tree(doc, item))
	}
	return v
}

// at finds a value below v, nil for none.
func at(v *value, path ...string) *value {
	for _, key := range path {
		if v == nil || v.kind != toml.Table {
			return nil
		}
		v = v.table[key]
	}
	return v
}

func stringOf(v *value, key string) string {
	if s := at(v, key); s != nil && s.kind == toml.String {
		return s.text
	}
	return ""
}

// buildScript is package.build, else build.rs where there is one.
func (c *Config) buildScript(dir string, pkg *value) string {
	script := filepath.Join(dir, "build.rs")
	switch build := pkg.table["build"]; {
	case build == nil:
		if !c.exists(script) {
			return ""
		}
	case build.kind == toml.String:
		script = filepath.Join(dir, build.text)
	case build.kind == toml.Bool && build.text == "false":
		return ""
	}
	return script
}

// workspace finds the manifest of the workspace: the package's own, the one that
// package.workspace names, or the nearest one above that has [workspace].
func (c *Config) workspace(m *value, dir string) (root *value, rootDir string, err error) {
	if m.table["workspace"] != nil {
		return m, dir, nil
	}
	if named := stringOf(at(m, "package"), "workspace"); named != "" {
		path, found, err := c.manifest(filepath.Join(dir, named))
		if err != nil || found == nil {
			return m, dir, err
		}
		return found, filepath.Dir(path), nil
	}
	for above := filepath.Dir(dir); above != filepath.Dir(above); above = filepath.Dir(above) {
		path, found, err := c.manifest(above)
		if err != nil || found == nil {
			return m, dir, err
		}
		above = filepath.Dir(path)
		if found.table["workspace"] != nil && !excludes(found, above, dir) {
			return found, above, nil
		}
		if above == filepath.Dir(above) {
			break
		}
	}
	return m, dir, nil
}

// excludes reports whether workspace.exclude has a package's directory.
func excludes(root *value, rootDir, dir string) bool {
	list := at(root, "workspace", "exclude")
	if list == nil {
		return false
	}
	return slices.ContainsFunc(list.items, func(v *value) bool {
		path := filepath.Join(rootDir, v.text)
		return dir == path || strings.HasPrefix(dir, path+string(filepath.Separator))
	})
}

// profileFlags are those of profile.dev in configuration, else in the manifest.
// Only a nightly cargo takes them.
func (c *Config) profileFlags(p Package) ([]Flag, error) {
	k := keyOf("profile.dev.rustflags")
	flags, set, err := c.list(k)
	if err != nil {
		return nil, err
	}
	if v, _ := c.find(k); v != nil && v.kind != toml.Array {
		return nil, v.wrong(k.String(), "a list of strings")
	}
	if !set {
		if p.rustflags == nil {
			return nil, nil
		}
		if p.rustflags.kind != toml.Array {
			return nil, p.rustflags.wrong(k.String(), "a list of strings")
		}
		for _, item := range p.rustflags.items {
			flags = append(flags, Flag{item.text, item.doc.Name + ": " + k.String()})
		}
	}
	if !c.unstable["profile-rustflags"] && !(p.feature && c.allowsUnstable()) {
		return nil, failure("profile.dev.rustflags: cargo takes it only with -Zprofile-rustflags, or with cargo-features = [\"profile-rustflags\"], and only a nightly one does")
	}
	return flags, nil
}
