package source

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"x.go/bootstrap/toml"
)

// checksumFile has the digests of a vendored crate.
const checksumFile = ".cargo-checksum.json"

// lockDirs are the workspaces whose crates upstream vendors
// (src/bootstrap/src/core/build_steps/vendor.rs).
var lockDirs = []string{
	".", cargoDir, "src/tools/clippy/clippy_test_deps", "src/tools/rust-analyzer", "compiler/rustc_codegen_cranelift", "compiler/rustc_codegen_gcc",
	"library", "library/stdarch", "src/bootstrap", "src/tools/rustbook", "src/tools/rustc-perf", "src/tools/opt-dist", "src/doc/book/packages/trpl",
}

// isLock reports whether a name is a Cargo.lock whose crates are vendored.
func isLock(name string) bool {
	return path.Base(name) == "Cargo.lock" && slices.Contains(lockDirs, path.Dir(name))
}

// crate is a package by its name and version.
type crate struct{ name, version string }

func (c crate) String() string { return c.name + " " + c.version }

// lockedCrate is a package of a Cargo.lock that is not of the tree itself.
type lockedCrate struct {
	crate
	source   string // "registry+https://…" or "git+https://…#COMMIT"
	checksum string // of the crate's file; "" for git
}

// parseLock reads a Cargo.lock. Packages without a source are the tree's own. Old files
// have the checksums in a table of their own.
func parseLock(name string, text []byte) ([]lockedCrate, error) {
	doc := toml.Parse(name, text)
	if err := doc.Err(); err != nil {
		return nil, err
	}
	field := func(n *toml.Node, key string) string {
		if c := n.Child(key); c != nil && c.Kind == toml.String {
			return c.Text
		}
		return ""
	}
	list := doc.Root.Child("package")
	if list == nil || list.Kind != toml.TableArray {
		return nil, fmt.Errorf("%s: got no [[package]]", name)
	}
	old := map[string]string{}
	if m := doc.Root.Child("metadata"); m != nil {
		for _, c := range m.Children {
			old[c.Key] = c.Text
		}
	}
	var out []lockedCrate
	for _, p := range list.Items {
		c := lockedCrate{crate{field(p, "name"), field(p, "version")}, field(p, "source"), field(p, "checksum")}
		if c.source == "" {
			continue
		}
		if c.checksum == "" {
			c.checksum = old["checksum "+c.name+" "+c.version+" ("+c.source+")"]
		}
		out = append(out, c)
	}
	return out, nil
}

// vendorConfig is the configuration of cargo that takes all sources from the directory
// vendor, as `cargo vendor` prints it.
func vendorConfig(sources map[string]bool) string {
	const to = "vendored-sources"
	var b strings.Builder
	b.WriteString("[source.crates-io]\nreplace-with = \"" + to + "\"\n")
	for _, s := range slices.Sorted(maps.Keys(sources)) {
		url, ok := strings.CutPrefix(s, "git+")
		if !ok {
			continue
		}
		url, _, _ = strings.Cut(url, "#")
		repo, query, _ := strings.Cut(url, "?")
		fmt.Fprintf(&b, "\n[source.%q]\ngit = %q\n", "git+"+url, repo)
		if kind, value, ok := strings.Cut(query, "="); ok && slices.Contains([]string{"branch", "tag", "rev"}, kind) {
			fmt.Fprintf(&b, "%s = %q\n", kind, value)
		}
		b.WriteString("replace-with = \"" + to + "\"\n")
	}
	return b.String() + "\n[source." + to + "]\ndirectory = \"" + vendorDirs[0] + "\"\n"
}

// checksums is the content of [checksumFile].
type checksums struct {
	Files   map[string]string `json:"files"`
	Package *string           `json:"package"` // of the crate's file
}

// vendored is a crate in one of the [vendorDirs].
type vendored struct {
	dir string
	crate
	sums checksums
	err  error // of its description
}

// crates returns the vendored crates, by their directories.
func (l *Listing) crates() map[string]*vendored {
	out := map[string]*vendored{}
	for name := range l.Files {
		if dir := vendorCrate(name); dir != "" && out[dir] == nil {
			out[dir] = &vendored{dir: dir}
		}
	}
	for dir, v := range out {
		v.err = cmp.Or(v.readSums(l, dir), v.readName(l, dir))
	}
	return out
}

func (v *vendored) readSums(l *Listing, dir string) error {
	text, ok := l.Texts[dir+"/"+checksumFile]
	if !ok {
		return errors.New("it has no " + checksumFile + ", without which cargo refuses it")
	}
	if err := json.Unmarshal(text, &v.sums); err != nil {
		return fmt.Errorf("reading %s: %w", checksumFile, err)
	}
	return nil
}

func (v *vendored) readName(l *Listing, dir string) error {
	text, ok := l.Texts[dir+"/Cargo.toml"]
	if !ok {
		return errors.New("it has no Cargo.toml")
	}
	doc := toml.Parse("Cargo.toml", text)
	if err := doc.Err(); err != nil {
		return err
	}
	p := doc.Root.Child("package")
	if p == nil {
		if p = doc.Root.Child("project"); p == nil {
			return errors.New("its Cargo.toml has no [package]")
		}
	}
	for key, to := range map[string]*string{"name": &v.name, "version": &v.version} {
		if c := p.Child(key); c != nil && c.Kind == toml.String {
			*to = c.Text
		}
	}
	if v.version == "" {
		v.version = "0.0.0" // what cargo takes then
	}
	return nil
}
