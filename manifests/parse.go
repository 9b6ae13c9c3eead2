package manifests

import (
	"errors"
	"fmt"
	"strconv"

	"x.go/bootstrap/toml"
)

// Limits on the text of a manifest. Rust's own have 1 MB, and names of 60 bytes.
const (
	maxManifestSize = toml.MaxSize
	maxNameLength   = 256 // of what users of the format name: packages, targets
	maxFindings     = 1000
)

// ParseChannel reads a channel manifest in any [Dialect]. Its error is [Findings],
// with line and column: those of syntax, or all missing keys and malformed values
// together. All that rustup cannot parse is an error; so is a malformed hash, though
// rustup notices that only when it downloads. Like rustup it ignores unknown keys,
// so that it can read newer manifests.
func ParseChannel(data []byte) (*Channel, error) {
	c, _, err := parseChannel(data)
	return c, err
}

// CheckChannel reads a manifest and judges it: the findings of [ParseChannel]
// or else those of [Channel.Validate], with line and column where the text has
// the key. The channel is nil if the text cannot be read. ignored are the keys that
// no reader of manifests knows: no fault, unless they are misspelt.
func CheckChannel(data []byte) (c *Channel, fs, ignored Findings) {
	c, doc, err := parseChannel(data)
	if err != nil {
		errors.As(err, &fs)
		return nil, fs, nil
	}
	fs = c.Validate()
	for i := range fs {
		if n := doc.Nearest(fs[i].Path); n != nil {
			fs[i].Line, fs[i].Column = lineColumn(doc, n.At)
		}
	}
	return c, fs, unknownKeys(doc)
}

func parseChannel(data []byte) (*Channel, *toml.Document, error) {
	if len(data) > maxManifestSize {
		return nil, nil, Findings{{ID: FindingSize, Got: fmt.Sprintf("%d bytes", len(data)), Want: fmt.Sprintf("at most %d", maxManifestSize)}}
	}
	doc := toml.Parse("", data)
	r := reader{doc: doc}
	for _, e := range doc.Errors {
		r.addAt(FindingSyntax, e.At, e.Key, strconv.Quote(e.Msg), "a channel manifest in TOML")
	}
	if len(r.findings) == 0 {
		if c := r.channel(doc.Root); len(r.findings) == 0 {
			return c, doc, nil
		}
	}
	return nil, nil, r.findings
}

// lineColumn returns line and column of an offset.
func lineColumn(doc *toml.Document, off int) (line, column int) {
	p := doc.Position(off)
	return p.Line, p.Column
}

// reader turns a document into a channel and collects what is wrong on its way.
type reader struct {
	doc      *toml.Document
	findings Findings
}

func (r *reader) addAt(id FindingID, off int, path, got, want string) {
	if len(r.findings) >= maxFindings {
		return
	}
	f := Finding{ID: id, Path: path, Got: got, Want: want}
	f.Line, f.Column = lineColumn(r.doc, off)
	r.findings = append(r.findings, f)
}

// missing reports a key that table t must have.
func (r *reader) missing(t *toml.Node, path, want string) {
	if t == r.doc.Root {
		if len(r.findings) < maxFindings {
			r.findings = append(r.findings, Finding{ID: FindingKeyMissing, Path: path, Got: "nothing", Want: want})
		}
		return
	}
	r.addAt(FindingKeyMissing, t.At, path, "nothing", want)
}

// A where returns a path when it is needed, which for sound manifests is never.
type where func(keys ...string) string

func below(parent ...string) where {
	return func(keys ...string) string { return toml.Path(append(parent[:len(parent):len(parent)], keys...)...) }
}

// get returns the value of a key of t: nil if it is not there or, with a finding,
// if it is of another kind.
func (r *reader) get(t *toml.Node, at where, key string, kind toml.Kind) *toml.Node {
	n := t.Child(key)
	if n == nil || r.is(n, kind, at, key) {
		return n
	}
	return nil
}

// is reports whether n is of a kind, with a finding if not.
func (r *reader) is(n *toml.Node, kind toml.Kind, at where, keys ...string) bool {
	if n.Kind != kind {
		r.addAt(FindingSyntax, n.Value, at(keys...), n.Describe(), kind.String())
	}
	return n.Kind == kind
}

// text returns the string of a key that need not be there.
func (r *reader) text(t *toml.Node, at where, key string) string {
	if n := r.get(t, at, key, toml.String); n != nil {
		return n.Text
	}
	return ""
}

// need returns the string of a key that must be there.
func (r *reader) need(t *toml.Node, at where, key string) string {
	if t.Child(key) == nil {
		r.missing(t, at(key), "a string")
	}
	return r.text(t, at, key)
}

func (r *reader) hash(t *toml.Node, at where, key string) Hash {
	n := r.get(t, at, key, toml.String)
	if n == nil {
		return Hash{}
	}
	h, err := ParseHash(n.Text)
	if err != nil {
		r.addAt(FindingHash, n.At, at(key), fmt.Sprintf("%.100q", n.Text), "64 lower-case hexadecimal digits")
	}
	return h
}

// each goes through the entries of a table of names, without those that are too
// long to be one.
func (r *reader) each(t *toml.Node, at where, key string, visit func(n *toml.Node)) {
	table := r.get(t, at, key, toml.Table)
	if table == nil {
		return
	}
	for _, n := range table.Children {
		if len(n.Key) > maxNameLength {
			r.addAt(FindingSize, n.At, at(key), fmt.Sprintf("a name of %d bytes", len(n.Key)), fmt.Sprintf("at most %d", maxNameLength))
			continue
		}
		visit(n)
	}
}

func (r *reader) channel(root *toml.Node) *Channel {
	top := below()
	c := &Channel{
		Date: r.need(root, top, "date"), Packages: map[string]Package{}, Renames: map[string]string{}, Profiles: map[string][]string{},
	}
	r.version(root, top)
	r.each(root, top, "pkg", func(n *toml.Node) {
		if r.is(n, toml.Table, top, "pkg", n.Key) {
			c.Packages[n.Key] = r.pkg(n, "pkg", n.Key)
		}
	})
	r.each(root, top, "artifacts", func(n *toml.Node) {
		if r.is(n, toml.Table, top, "artifacts", n.Key) {
			r.artifact(c, n)
		}
	})
	r.each(root, top, "renames", func(n *toml.Node) {
		if r.is(n, toml.Table, top, "renames", n.Key) {
			c.Renames[n.Key] = r.need(n, below("renames", n.Key), "to")
		}
	})
	r.each(root, top, "profiles", func(n *toml.Node) { c.Profiles[n.Key] = r.profile(n) })
	return c
}

// version demands the only version of the format that there is.
func (r *reader) version(root *toml.Node, at where) {
	const key = "manifest-version"
	n := r.get(root, at, key, toml.String)
	switch want := strconv.Quote(manifestVersion); {
	case root.Child(key) == nil:
		r.findings = append(r.findings, Finding{ID: FindingManifestVersion, Path: key, Got: "nothing", Want: want})
	case n != nil && n.Text != manifestVersion:
		r.addAt(FindingManifestVersion, n.At, key, fmt.Sprintf("%.100q", n.Text), want)
	}
}

func (r *reader) profile(n *toml.Node) []string {
	at := below("profiles", n.Key)
	if profileRank(n.Key) == len(profileTable) {
		r.addAt(FindingProfileName, n.At, at(), strconv.Quote(n.Key), "minimal, default or complete")
	}
	if !r.is(n, toml.Array, at) {
		return nil
	}
	names := make([]string, 0, len(n.Items))
	for i, item := range n.Items {
		if r.is(item, toml.String, func(...string) string { return toml.Element(at(), i) }) {
			names = append(names, item.Text)
		}
	}
	return names
}

func (r *reader) pkg(n *toml.Node, path ...string) Package {
	at := below(path...)
	p := Package{
		Version: r.need(n, at, "version"), CommitHash: r.text(n, at, "git_commit_hash"), Targets: map[string]PackageTarget{},
	}
	r.each(n, at, "target", func(t *toml.Node) {
		if r.is(t, toml.Table, at, "target", t.Key) {
			p.Targets[t.Key] = r.target(t, below(append(path[:len(path):len(path)], "target", t.Key)...))
		}
	})
	return p
}

func (r *reader) target(n *toml.Node, at where) PackageTarget {
	var t PackageTarget
	for _, f := range Formats() {
		keys := downloadKeys[f]
		t.setDownload(f, Download{r.text(n, at, keys[0]), r.hash(n, at, keys[1])})
	}
	if n.Child("available") == nil {
		r.missing(n, at("available"), "true or false")
	}
	available := r.get(n, at, "available", toml.Bool)
	t.Available = available != nil && available.Text == "true"
	t.Components, t.Extensions = r.refs(n, at, "components"), r.refs(n, at, "extensions")
	return t
}

// tables goes through the tables of an array, however it is written.
func (r *reader) tables(n *toml.Node, at where, visit func(item *toml.Node, at where)) {
	if n.Kind != toml.TableArray && !r.is(n, toml.Array, at) {
		return
	}
	for i, item := range n.Items {
		inside := func(keys ...string) string {
			path := toml.Element(at(), i)
			if len(keys) > 0 {
				path += "." + toml.Path(keys...)
			}
			return path
		}
		if r.is(item, toml.Table, inside) {
			visit(item, inside)
		}
	}
}

func (r *reader) refs(t *toml.Node, at where, key string) []ComponentRef {
	n := t.Child(key)
	if n == nil {
		return nil
	}
	var refs []ComponentRef
	r.tables(n, func(...string) string { return at(key) }, func(item *toml.Node, at where) {
		refs = append(refs, ComponentRef{r.need(item, at, "pkg"), r.need(item, at, "target")})
	})
	return refs
}

func (r *reader) artifact(c *Channel, n *toml.Node) {
	at := below("artifacts", n.Key)
	r.each(n, at, "target", func(t *toml.Node) {
		r.tables(t, func(...string) string { return at("target", t.Key) }, func(item *toml.Node, at where) {
			d := Download{r.text(item, at, "url"), r.hash(item, at, "hash-sha256")}
			if c.Artifacts == nil {
				c.Artifacts = map[string]map[string][]Download{}
			}
			if c.Artifacts[n.Key] == nil {
				c.Artifacts[n.Key] = map[string][]Download{}
			}
			c.Artifacts[n.Key][t.Key] = append(c.Artifacts[n.Key][t.Key], d)
		})
	})
}
