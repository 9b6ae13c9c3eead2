package optouts

import (
	"bytes"
	"encoding/json"
	"os"
	"path"
	"slices"
	"strings"

	"x.go/bootstrap/toml"
)

// maxLock bounds Cargo.lock, Cargo.toml and flake.lock, in bytes.
const maxLock = 16 << 20

// crates are what a directory's package depends on, as far as it is a known reason
// for an option.
type crates struct {
	versions map[string][]string
	overlay  int64
}

// dependencies reads what the packages of a tree depend on, once for each directory.
type dependencies struct {
	root *os.Root
	seen map[string]*crates
}

// of returns the dependencies of the directory of a slash path: those of the nearest
// Cargo.lock, in it or above it, and of the Cargo.toml files on the way; and those of
// the directory that was named, for what lies beside it, such as .github.
func (d *dependencies) of(dir string) *crates {
	if c, ok := d.seen[dir]; ok {
		return c
	}
	c := &crates{versions: map[string][]string{}}
	if dir != "." {
		above := d.of(path.Dir(dir))
		for name, v := range above.versions {
			c.versions[name] = v
		}
		c.overlay = above.overlay
	}
	d.seen[dir] = c
	if data, err := readBounded(d.root, path.Join(dir, "Cargo.lock"), maxLock, nil); err == nil {
		c.versions = lockVersions(data)
	} else if data, err := readBounded(d.root, path.Join(dir, "Cargo.toml"), maxLock, nil); err == nil {
		for name, v := range manifestVersions(data) {
			if len(c.versions[name]) == 0 {
				c.versions[name] = v
			}
		}
	}
	if data, err := readBounded(d.root, path.Join(dir, "flake.lock"), maxLock, nil); err == nil {
		if at := overlayTime(data); at > 0 {
			c.overlay = at
		}
	}
	return c
}

// knownCrates are those that a cause names.
func knownCrates(name string) bool {
	return slices.ContainsFunc(causes, func(c cause) bool { return slices.Contains(c.crates, name) })
}

// lockVersions reads the packages of a Cargo.lock, which cargo writes one key a line.
func lockVersions(data []byte) map[string][]string {
	out := map[string][]string{}
	name := ""
	for line := range bytes.Lines(data) {
		key, value, _ := strings.Cut(strings.TrimSpace(string(line)), " = ")
		value = strings.Trim(value, `"`)
		switch key {
		case "name":
			name = value
		case "version":
			if knownCrates(name) && !slices.Contains(out[name], value) && len(out[name]) < 16 {
				out[name] = append(out[name], value)
			}
			name = ""
		}
	}
	return out
}

// manifestVersions reads the dependencies of a Cargo.toml, where there is no lock
// file: the oldest version that each allows.
func manifestVersions(data []byte) map[string][]string {
	out := map[string][]string{}
	var visit func(n *toml.Node, depth int)
	visit = func(n *toml.Node, depth int) {
		for _, c := range n.Children {
			if c.Kind != toml.Table || depth > 4 {
				continue
			}
			if !strings.HasSuffix(c.Key, "dependencies") {
				visit(c, depth+1)
				continue
			}
			for _, dep := range c.Children {
				addDependency(out, dep)
			}
		}
	}
	visit(toml.Parse("Cargo.toml", data).Root, 0)
	return out
}

func addDependency(out map[string][]string, dep *toml.Node) {
	name, version := dep.Key, dep.Text
	if p := dep.Child("package"); p != nil {
		name = p.Text
	}
	if v := dep.Child("version"); v != nil {
		version = v.Text
	}
	if dep.Kind != toml.String && dep.Kind != toml.Table {
		return
	}
	if knownCrates(name) && version != "" {
		out[name] = append(out[name], strings.TrimLeft(version, "=^~>< "))
	}
}

// overlayTime returns when the rust-overlay that a flake.lock pins was made, 0 where
// it pins none.
func overlayTime(data []byte) int64 {
	var lock struct {
		Nodes map[string]struct {
			Locked struct {
				LastModified int64  `json:"lastModified"`
				Repo         string `json:"repo"`
			} `json:"locked"`
		} `json:"nodes"`
	}
	if json.Unmarshal(data, &lock) != nil {
		return 0
	}
	var at int64
	for name, n := range lock.Nodes {
		if n.Locked.Repo == "rust-overlay" || strings.HasPrefix(name, "rust-overlay") {
			at = max(at, n.Locked.LastModified)
		}
	}
	return at
}
