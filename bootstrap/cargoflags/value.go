package cargoflags

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"x.go/bootstrap/toml"
)

// rank orders the kinds of places that can set a value: a higher one counts more.
type rank uint8

const (
	inFile rank = iota
	inEnvironment
	onCommandLine
)

// definition is where a value was set.
type definition struct {
	rank rank
	path string // the file; "" for a variable and for an argument KEY=VALUE
}

// root is where relative programs start from: two levels above the file that names
// them, which is above .cargo only where the file lies in .cargo.
func (d definition) root(dir string) string {
	if d.path == "" {
		return dir
	}
	return parent(parent(d.path))
}

// value is cargo's ConfigValue: a part of the merged configuration.
type value struct {
	kind  toml.Kind // Table, Array, String, Bool or Integer
	text  string    // of all but tables and arrays
	items []*value
	table map[string]*value
	def   definition

	doc *toml.Document // nil for a variable
	off int
}

// position is where the value stands, for messages.
func (v *value) position() string {
	if v.doc == nil {
		return "the environment"
	}
	return v.doc.Position(v.off).String()
}

// describe names the value for "got …".
func (v *value) describe() string {
	n := toml.Node{Kind: v.kind, Text: v.text}
	return n.Describe()
}

// wrong says that a key has a value of the wrong kind.
func (v *value) wrong(key, want string) error {
	return failure("%s: %s: got %s, want %s", v.position(), key, v.describe(), want)
}

// failure is an error with which cargo stops.
func failure(format string, args ...any) error {
	return fmt.Errorf("reading cargo's configuration: "+format, args...)
}

// newValue converts a parsed text. TOML's floats and dates are errors in cargo's
// configuration, wherever they stand.
func newValue(doc *toml.Document, n *toml.Node, def definition) (*value, error) {
	v := &value{kind: n.Kind, text: n.Text, def: def, doc: doc, off: n.Value}
	switch n.Kind {
	case toml.Table:
		v.table = make(map[string]*value, len(n.Children))
		for _, c := range n.Children {
			child, err := newValue(doc, c, def)
			if err != nil {
				return nil, err
			}
			v.table[c.Key] = child
		}
	case toml.Array, toml.TableArray:
		v.kind = toml.Array
		for _, c := range n.Items {
			item, err := newValue(doc, c, def)
			if err != nil {
				return nil, err
			}
			v.items = append(v.items, item)
		}
	case toml.Float, toml.Date:
		return nil, v.wrong(n.Key, "no float and no date: cargo's configuration has none")
	}
	return v, nil
}

// merge adds from to v: ConfigValue::merge. Tables and lists are joined. Of other
// values the one of a higher rank stays; of equal ranks from's with force, else v's.
// Without force the items of from come first.
func (v *value) merge(from *value, force bool, path ...string) error {
	switch {
	case v.kind == toml.Array && from.kind == toml.Array:
		if force {
			v.items = append(slices.Clip(v.items), from.items...)
		} else {
			v.items = append(slices.Clip(from.items), v.items...)
		}
		sortItems(v.items)
	case v.kind == toml.Table && from.kind == toml.Table:
		for _, key := range slices.Sorted(maps.Keys(from.table)) {
			old := v.table[key]
			if old == nil {
				v.table[key] = from.table[key]
				continue
			}
			if err := old.merge(from.table[key], force, append(slices.Clip(path), key)...); err != nil {
				return err
			}
		}
	case v.kind == toml.Array || v.kind == toml.Table || from.kind == toml.Array || from.kind == toml.Table:
		return failure("%s: %s: got %s, but %s has %s: cargo cannot merge them",
			from.position(), strings.Join(path, "."), from.describe(), v.position(), v.describe())
	case force || from.def.rank > v.def.rank:
		*v = *from
	}
	return nil
}

// sortItems sorts a list by the ranks of what set its items.
func sortItems(items []*value) {
	slices.SortStableFunc(items, func(a, b *value) int { return int(a.def.rank) - int(b.def.rank) })
}
