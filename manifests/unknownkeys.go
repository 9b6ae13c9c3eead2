package manifests

import (
	"fmt"
	"slices"

	"x.go/bootstrap/toml"
)

// unknownKeys returns the keys of a manifest that no reader knows, in their order.
// rustup ignores them, and so they may be misspelt ones.
func unknownKeys(doc *toml.Document) Findings {
	u := unknown{doc: doc}
	u.table(doc.Root, []string{"manifest-version", "date", "pkg", "artifacts", "renames", "profiles"})
	u.each(doc.Root, nil, "pkg", func(n *toml.Node, path []string) {
		u.table(n, []string{"version", "git_commit_hash", "target"}, path...)
		u.each(n, path, "target", u.target)
	})
	u.each(doc.Root, nil, "artifacts", func(n *toml.Node, path []string) {
		u.table(n, []string{"target"}, path...)
		u.each(n, path, "target", func(t *toml.Node, path []string) {
			u.items(t, []string{"url", "hash-sha256"}, path)
		})
	})
	u.each(doc.Root, nil, "renames", func(n *toml.Node, path []string) { u.table(n, []string{"to"}, path...) })
	return u.findings
}

type unknown struct {
	doc      *toml.Document
	findings Findings
}

// each goes through the tables in a table of names.
func (u *unknown) each(parent *toml.Node, path []string, key string, visit func(n *toml.Node, path []string)) {
	table := parent.Child(key)
	if table == nil || table.Kind != toml.Table {
		return
	}
	for _, n := range table.Children {
		visit(n, append(slices.Clone(path), key, n.Key))
	}
}

// table notes the keys of a table that are not known.
func (u *unknown) table(n *toml.Node, known []string, path ...string) {
	if n.Kind != toml.Table {
		return
	}
	for _, child := range n.Children {
		if slices.Contains(known, child.Key) || len(u.findings) >= maxFindings {
			continue
		}
		f := Finding{ID: FindingKeyUnknown, Path: fmt.Sprintf("%.300s", toml.Path(append(slices.Clone(path), child.Key)...)), Got: "a key that no reader knows", Want: "one that is known"}
		f.Line, f.Column = lineColumn(u.doc, child.At)
		u.findings = append(u.findings, f)
	}
}

// items notes the unknown keys of the tables in an array.
func (u *unknown) items(n *toml.Node, known []string, path []string) {
	if n == nil {
		return
	}
	for _, item := range n.Items {
		u.table(item, known, path...)
	}
}

// target notes the unknown keys of a package for a target.
func (u *unknown) target(n *toml.Node, path []string) {
	known := []string{"available", "components", "extensions"}
	for _, keys := range downloadKeys {
		known = append(known, keys[0], keys[1])
	}
	u.table(n, known, path...)
	// rustup writes is_extension into the manifests that it keeps.
	for _, list := range []string{"components", "extensions"} {
		u.items(n.Child(list), []string{"pkg", "target", "is_extension"}, append(slices.Clone(path), list))
	}
}
