package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"x.go/targets"
)

// walker takes the keys of one document into its loader.
type walker struct {
	loader  *loader
	doc     *document
	file    File
	anyFile bool // --set takes keys of both files
	origin  Origin
	include *node
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func (w *walker) document() {
	w.table(w.doc.root, "", "")
	for _, e := range w.doc.errs {
		w.fail(e.at, e.key, e.msg, "")
	}
}

func (w *walker) at(off int) Origin {
	o := w.origin
	if w.doc.name != "" {
		o.Pos = w.doc.position(off)
	}
	return o
}

func (w *walker) fail(off int, key, msg, hint string) {
	w.loader.fail(&Error{Where: w.at(off), Key: key, Message: msg, Hint: hint})
}

// key finds the row of a pattern such as "target.*.cc" among the keys that
// this document may have.
func (w *walker) key(id string) (Key, bool) {
	i, ok := schema.byID[id]
	if !ok || !w.anyFile && schema.keys[i].File != w.file {
		return Key{}, false
	}
	return schema.keys[i], true
}

// isTable reports whether a pattern is a section or holds one.
func (w *walker) isTable(section string) bool {
	for _, t := range tables {
		if (w.anyFile || t.file == w.file) && (t.section == section || strings.HasPrefix(t.section, section+".")) {
			return true
		}
	}
	return false
}

// table takes the keys of a table. Section is its name with "*" for the names
// that users choose, path its real name.
func (w *walker) table(n *node, section, path string) {
	for _, c := range n.children {
		id, full := join(section, c.key), join(path, c.key)
		// A quoted key can hold what means something else in a full name.
		plain := c.key != "" && !strings.ContainsAny(c.key, ".*")
		if k, ok := w.key(id); ok && plain {
			w.leaf(k, full, c)
			continue
		}
		switch {
		case w.isTable(join(section, "*")):
			w.named(c, join(section, "*"), full)
		case plain && w.isTable(id):
			w.section(c, id, full)
		default:
			w.unknown(section, id, full, c)
		}
	}
}

func (w *walker) section(c *node, section, path string) {
	if c.kind != tableNode {
		w.fail(c.val, path, fmt.Sprintf("got %s, want a table", describe(c)), "")
		return
	}
	w.table(c, section, path)
}

// named takes [target.TRIPLE] or [build.tool.NAME].
func (w *walker) named(c *node, section, path string) {
	if c.key == "" || c.key == "*" {
		w.fail(c.at, path, fmt.Sprintf("got %q, want a name", c.key), "")
		return
	}
	if strings.HasPrefix(section, "target.") {
		if _, err := targets.ParseTriple(c.key); err != nil {
			w.fail(c.at, path, err.Error(), "a section is called [target.<triple>]")
			return
		}
	}
	w.section(c, section, path)
}

func (w *walker) leaf(k Key, id string, c *node) {
	if id == "include" && c.kind == arrayNode {
		w.include = c
	}
	if w.loader.minor < k.Since && !w.tooNew(k, id, c) {
		return
	}
	v, at, msg := decode(k, c)
	if msg != "" {
		if k.ID() == "include" {
			w.include = nil
		}
		w.fail(at.val, id, msg, "")
		return
	}
	w.take(id, v, c)
}

// tooNew handles a key that came after the release the file is read for, and
// reports whether to take it all the same. Upstream refuses all of them; the
// releases of keys that do nothing here are not sure enough for that.
func (w *walker) tooNew(k Key, id string, c *node) bool {
	msg := fmt.Sprintf("it came with %s, this file is read as of %s", k.Since, w.loader.minor)
	switch {
	case w.origin.Kind == OriginProfile:
		return false // the profile of that release did not have it
	case k.Effect != "":
		w.fail(c.at, id, fmt.Sprintf("unknown field `%s`: %s", k.Name, msg), "remove it")
		return false
	}
	w.loader.note(Finding{Severity: Warning, Place: w.at(c.at).String(), Key: id, Reason: msg, Remedy: "remove it"})
	return true
}

func (w *walker) take(id string, v any, c *node) {
	s := w.loader.settings
	s[id] = append(s[id], Setting{v, w.at(c.at)})
}

// unknown reports a key that the schema does not have, with the remedy if one
// can be guessed.
func (w *walker) unknown(section, id, full string, c *node) {
	if i, ok := schema.removed[id]; ok && !strings.Contains(c.key, ".") && (w.anyFile || w.file == Bootstrap) {
		w.removed(removedKeys[i], full, c)
		return
	}
	w.fail(c.at, full, fmt.Sprintf("unknown field `%s`", c.key), w.hint(section, c))
}

// removed handles a key that releases of before its removal still take.
func (w *walker) removed(k Key, full string, c *node) {
	if w.loader.minor < k.Removed {
		v, at, msg := decode(k, c)
		switch {
		case msg != "":
			w.fail(at.val, full, msg, "")
		case k.ReplacedBy != "" && !strings.Contains(k.ReplacedBy, "*") && k.ReplacedBy != "change-id":
			w.take(k.ReplacedBy, v, c)
		}
		return
	}
	hint := "remove it"
	if k.ReplacedBy != "" {
		hint = fmt.Sprintf("write %s instead", strings.ReplaceAll(k.ReplacedBy, "*", "<triple>"))
	}
	w.fail(c.at, full, fmt.Sprintf("unknown field `%s`: removed in %s (rust-lang/rust#%d)", k.Name, k.Removed, k.ChangeID), hint)
}
