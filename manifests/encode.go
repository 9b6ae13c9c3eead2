package manifests

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"strconv"

	"x.go/bootstrap/toml"
)

// Dialect is a way to write a channel manifest. All are TOML with the same meaning
// to rustup; they differ in layout and in what they keep.
type Dialect uint8

const (
	// DialectDist is what build-manifest writes with toml 0.7 (1.88 or later):
	// everything, and an empty line before each header.
	DialectDist Dialect = iota
	// DialectDist05 is what build-manifest wrote with toml 0.5 (1.86 and
	// before): no empty line before a header that is the first thing in its
	// parent table.
	DialectDist05
	// DialectInstalled is what rustup writes to
	// lib/rustlib/multirust-channel-manifest.toml: is_extension is there, but
	// artifacts and commit hashes, which rustup does not use, are lost.
	DialectInstalled
)

// Encode returns the manifest in TOML. All tables are sorted, so the bytes depend
// on the channel and the dialect alone.
func (c *Channel) Encode(d Dialect) []byte {
	e := emitter{installed: d == DialectInstalled, tight: d == DialectDist05}
	e.b.Grow(c.sizeHint())
	e.pair("manifest-version", manifestVersion)
	e.pair("date", c.Date)
	for i, name := range slices.Sorted(maps.Keys(c.Packages)) {
		e.pkg(i == 0, name, c.Packages[name])
	}
	if !e.installed {
		e.artifacts(c.Artifacts)
	}
	e.renames(c.Renames)
	e.profiles(c.Profiles)
	return e.b.Bytes()
}

// manifestVersion is the only version that rustup reads.
const manifestVersion = "2"

// sizeHint estimates the length of the text from above for real channels.
func (c *Channel) sizeHint() int {
	n := 1 << 12
	for _, p := range c.Packages {
		for _, t := range p.Targets {
			n += 700 + 200*(len(t.Components)+len(t.Extensions))
		}
	}
	return n
}

// emitter writes TOML as Rust's toml crate does.
type emitter struct {
	b                bytes.Buffer
	installed, tight bool
}

// header writes a table's header; first says that nothing of its parent table
// has been written.
func (e *emitter) header(first, array bool, keys ...string) {
	if !first || !e.tight {
		e.b.WriteByte('\n')
	}
	open, end := "[", "]\n"
	if array {
		open, end = "[[", "]]\n"
	}
	e.b.WriteString(open)
	for i, k := range keys {
		if i > 0 {
			e.b.WriteByte('.')
		}
		e.key(k)
	}
	e.b.WriteString(end)
}

func (e *emitter) key(k string) { e.b.Write(toml.AppendKey(e.b.AvailableBuffer(), k)) }

func (e *emitter) pair(key, value string) {
	e.b.WriteString(key)
	e.b.WriteString(" = ")
	e.str(value)
	e.b.WriteByte('\n')
}

func (e *emitter) flag(key string, value bool) {
	e.b.WriteString(key)
	e.b.WriteString(" = ")
	e.b.WriteString(strconv.FormatBool(value))
	e.b.WriteByte('\n')
}

// str writes a basic string.
func (e *emitter) str(s string) { e.b.Write(toml.AppendString(e.b.AvailableBuffer(), s)) }

func (e *emitter) pkg(first bool, name string, p Package) {
	e.header(first, false, "pkg", name)
	e.pair("version", p.Version)
	if !e.installed && p.CommitHash != "" {
		e.pair("git_commit_hash", p.CommitHash)
	}
	for i, target := range slices.Sorted(maps.Keys(p.Targets)) {
		e.target(i == 0, name, target, p.Targets[target])
	}
}

// downloadKeys name the two keys of each format.
var downloadKeys = map[Format][2]string{GZ: {"url", "hash"}, XZ: {"xz_url", "xz_hash"}, Zst: {"zst_url", "zst_hash"}}

func (e *emitter) target(first bool, pkg, target string, t PackageTarget) {
	e.header(first, false, "pkg", pkg, "target", target)
	e.flag("available", t.Available)
	for f, d := range t.Downloads() {
		keys := downloadKeys[f]
		if d.URL != "" {
			e.pair(keys[0], d.URL)
		}
		if !d.Hash.IsZero() {
			e.pair(keys[1], d.Hash.String())
		}
	}
	lists := []struct {
		key       string
		refs      []ComponentRef
		extension bool
	}{{"components", t.Components, false}, {"extensions", t.Extensions, true}}
	for _, l := range lists {
		if e.installed && len(l.refs) == 0 {
			e.b.WriteString(l.key + " = []\n")
		}
	}
	for _, l := range lists {
		for _, ref := range l.refs {
			e.header(false, true, "pkg", pkg, "target", target, l.key)
			e.pair("pkg", ref.Package)
			e.pair("target", ref.Target)
			if e.installed {
				e.flag("is_extension", l.extension)
			}
		}
	}
}

func (e *emitter) artifacts(artifacts map[string]map[string][]Download) {
	for _, kind := range slices.Sorted(maps.Keys(artifacts)) {
		first := true
		for _, target := range slices.Sorted(maps.Keys(artifacts[kind])) {
			for _, d := range artifacts[kind][target] {
				e.header(first, true, "artifacts", kind, "target", target)
				e.pair("url", d.URL)
				e.pair("hash-sha256", d.Hash.String())
				first = false
			}
		}
	}
}

func (e *emitter) renames(renames map[string]string) {
	for i, from := range slices.Sorted(maps.Keys(renames)) {
		e.header(i == 0, false, "renames", from)
		e.pair("to", renames[from])
	}
}

func (e *emitter) profiles(profiles map[string][]string) {
	if len(profiles) == 0 {
		return
	}
	e.header(false, false, "profiles")
	names := slices.Sorted(maps.Keys(profiles))
	if e.installed {
		slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(profileRank(a), profileRank(b)) })
	}
	for _, name := range names {
		e.key(name)
		e.b.WriteString(" = [")
		for i, pkg := range profiles[name] {
			if i > 0 {
				e.b.WriteString(", ")
			}
			e.str(pkg)
		}
		e.b.WriteString("]\n")
	}
}

// profileRank orders profiles as rustup does, from small to large; names that
// rustup does not know come last.
func profileRank(name string) int {
	for i, row := range profileTable {
		if row.name == name {
			return i
		}
	}
	return len(profileTable)
}
