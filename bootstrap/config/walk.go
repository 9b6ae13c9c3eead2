package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"x.go/bootstrap/toml"
	"x.go/targets"
)

// walker takes the keys of one document into its loader.
type walker struct {
	loader  *loader
	doc     *toml.Document
	file    File
	anyFile bool // --set takes keys of both files
	origin  Origin
	include *toml.Node
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func (w *walker) document() {
	w.table(w.doc.Root, "", "")
	if w.file == Bootstrap {
		w.doc.Refuse11() // x.py reads with version 0.5 of Rust's toml crate
	}
	for _, e := range w.doc.Errors {
		w.loader.fail(&Error{Where: w.at(e.At), Key: e.Key, Message: e.Msg})
	}
}

func (w *walker) at(off int) Origin {
	o := w.origin
	if w.doc.Name != "" {
		o.Pos = w.doc.Position(off)
	}
	return o
}

// fail records a mistake. Of a release from before the first that this package
// knows, only a broken file is one: its keys cannot be judged.
func (w *walker) fail(off int, key, msg, hint string) {
	if key != "" && w.file == Bootstrap && !w.judges() {
		w.loader.note(Finding{Severity: Warning, Place: w.at(off).String(), Key: key, Remedy: hint,
			Reason: fmt.Sprintf("%s (today; keys of %s cannot be judged)", msg, w.loader.minor)})
		return
	}
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
func (w *walker) table(n *toml.Node, section, path string) {
	for _, c := range n.Children {
		id, full := JoinKey(section, c.Key), JoinKey(path, c.Key)
		// A quoted key can hold what means something else in a full name.
		plain := c.Key != "" && !strings.ContainsAny(c.Key, ".*")
		if k, ok := w.key(id); ok && plain {
			w.leaf(k, full, c)
			continue
		}
		switch {
		case w.isTable(JoinKey(section, "*")):
			w.named(c, JoinKey(section, "*"), full)
		case plain && w.isTable(id):
			w.section(c, id, full)
		default:
			w.unknown(section, id, JoinKey(path, shown(c.Key)), c)
		}
	}
}

func (w *walker) section(c *toml.Node, section, path string) {
	if since := schema.since[section]; w.loader.minor < since && !w.tooNew(Key{Name: c.Key, Since: since}, path, c) {
		return
	}
	if c.Kind != toml.Table {
		w.fail(c.Value, path, fmt.Sprintf("got %s, want a table", c.Describe()), "")
		return
	}
	w.table(c, section, path)
}

// maxName bounds a name that users choose, for it is part of the full names of all
// keys below it.
const maxName = 256

// named takes [target.TRIPLE], [build.tool.NAME] or [component.NAME].
func (w *walker) named(c *toml.Node, section, path string) {
	if c.Key == "" || c.Key == "*" || len(c.Key) > maxName {
		w.fail(c.At, path, fmt.Sprintf("got %.60q, want a name", c.Key), "")
		return
	}
	if strings.HasPrefix(section, "target.") {
		if _, err := targets.ParseTriple(c.Key); err != nil {
			w.fail(c.At, path, err.Error(), "a section is called [target.<triple>]")
			return
		}
	}
	if strings.HasPrefix(section, componentPrefix) && c.Kind == toml.Table && len(c.Children) == 0 {
		w.fail(c.At, path, "got no key, want targets", componentHint)
		return
	}
	w.section(c, section, path)
}

func (w *walker) leaf(k Key, id string, c *toml.Node) {
	if id == "include" && c.Kind == toml.Array {
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
		w.fail(at.Value, id, msg, "")
		return
	}
	if msg, hint := refused(k, v, w.loader.minor); msg != "" {
		w.fail(c.Value, id, msg, hint)
		return
	}
	if k.ID() == "target.*.default-linker" && w.loader.minor < 92 {
		return // x.py parsed it and forgot it
	}
	w.loader.settings[id] = append(w.loader.settings[id], setting{v, w.at(c.At), written(k, c)})
}

// tooNew handles a key that came after the release the file is read for, and
// reports whether to take it all the same. Upstream refuses all of them; the
// releases of keys that do nothing here are not always sure enough for that.
func (w *walker) tooNew(k Key, id string, c *toml.Node) bool {
	msg := fmt.Sprintf("it came with %s, this file is read as of %s", k.Since, w.loader.minor)
	switch {
	case w.origin.Kind == OriginProfile:
		return false // the profile of that release did not have it
	case k.Effect != "" || w.loader.minor.lacks(k.Since):
		w.fail(c.At, id, fmt.Sprintf("unknown field `%s`: %s", k.Name, msg), "remove it")
		return false
	}
	w.loader.note(Finding{Severity: Warning, Place: w.at(c.At).String(), Key: id, Reason: msg, Remedy: "remove it"})
	return true
}

// shown is a key for a message, in which it must not start a line of its own.
func shown(key string) string {
	if strings.ContainsFunc(key, unicode.IsControl) {
		return toml.Path(key)
	}
	return key
}

// unknown reports a key that the schema does not have, with the remedy if one
// can be guessed.
func (w *walker) unknown(section, id, full string, c *toml.Node) {
	if i, ok := schema.removed[id]; ok && !strings.Contains(c.Key, ".") && (w.anyFile || w.file == Bootstrap) {
		w.removed(removedKeys[i], full, c)
		return
	}
	msg := fmt.Sprintf("unknown field `%s`", shown(c.Key))
	if w.file == Bootstrap && !w.judges() {
		w.fail(c.At, full, msg, "")
		return
	}
	if l := w.loader; w.file == Bootstrap && len(l.unknown) < maxUnknown {
		l.unknown = append(l.unknown, &Error{Where: w.at(c.At), Key: full, Message: msg, Hint: w.hint(section, c)})
		return
	}
	w.fail(c.At, full, msg, w.hint(section, c))
}

// judges reports whether the keys of the release are known.
func (w *walker) judges() bool { return w.loader.minor >= FirstKnown }

// removed handles a key that releases of before its removal still take.
func (w *walker) removed(k Key, full string, c *toml.Node) {
	if w.loader.minor < k.Removed {
		v, at, msg := decode(k, c)
		switch {
		case msg != "":
			w.fail(at.Value, full, msg, "")
		case k.ReplacedBy != "" && !strings.Contains(k.ReplacedBy, "*") && k.ReplacedBy != "change-id":
			w.loader.settings[k.ReplacedBy] = append(w.loader.settings[k.ReplacedBy], setting{Value: v, Origin: w.at(c.At)})
		}
		return
	}
	hint := "remove it"
	if k.ReplacedBy != "" {
		hint = fmt.Sprintf("write %s instead", strings.ReplaceAll(k.ReplacedBy, "*", "<triple>"))
	}
	w.fail(c.At, full, fmt.Sprintf("unknown field `%s`: removed in %s (rust-lang/rust#%d)", k.Name, k.Removed, k.ChangeID), hint)
}
