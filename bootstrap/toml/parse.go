package toml

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

const (
	// MaxSize bounds a document in bytes: four times Rust's channel manifest.
	MaxSize = 4 << 20
	// maxDepth bounds the nesting of arrays and tables, and the parts of a key;
	// the files that we read need 6.
	maxDepth = 64
	// maxSyntaxErrors bounds the broken places of the grammar that one document
	// reports: after a few the rest is noise.
	maxSyntaxErrors = 10
	// maxErrors bounds all that one document reports.
	maxErrors = 128
)

// Parse builds the tree of a TOML document. It also checks what the grammar cannot:
// duplicate keys and tables, numbers and dates. After a mistake it continues at the
// next line that looks like a key or a table. The name is for positions.
func Parse(name string, data []byte) *Document {
	d := &Document{Name: name, Data: data, Root: &Node{Form: ByHeader}}
	b := &builder{doc: d, table: d.Root}
	if len(data) > MaxSize {
		d.Data = nil
		b.fail(0, nil, "", "got %d bytes, the limit is %d", len(data), MaxSize)
		return d
	}
	for start := d.start(); start >= 0 && len(d.Errors) < maxSyntaxErrors; {
		start = b.run(start)
	}
	return d
}

// builder adds the expressions of a document to its tree.
type builder struct {
	doc    *Document
	parser unstable.Parser
	base   int // offset of the parser's input in the document
	table  *Node
}

// run parses from start to the end of the document, or to the first broken place.
// Then it returns where to continue, otherwise -1.
func (b *builder) run(start int) int {
	data := b.doc.Data[start:len(b.doc.Data):len(b.doc.Data)]
	b.base = start
	b.parser.Reset(data)
	for b.parser.NextExpression() {
		switch e := b.parser.Expression(); e.Kind {
		case unstable.Table, unstable.ArrayTable:
			b.header(e)
		case unstable.KeyValue:
			b.keyValue(b.table, e, 0)
		}
	}
	err := b.parser.Error()
	if err == nil {
		return -1
	}
	at, msg := len(b.doc.Data), err.Error()
	var perr *unstable.ParserError
	if errors.As(err, &perr) {
		msg = perr.Message
		if off := cap(data) - cap(perr.Highlight); len(perr.Highlight) > 0 && off >= 0 && off <= len(data) {
			at = start + off
		}
	}
	b.fail(at, nil, "", "%s", msg)
	if first := bytes.LastIndexByte(b.doc.Data[:at], '\n') + 1; bytes.HasPrefix(bytes.TrimSpace(b.doc.Data[first:]), []byte("[")) {
		b.table = nobody()
	}
	return b.resume(at)
}

// nobody takes the keys below a broken or refused header, so that they do not
// become keys of the table above.
func nobody() *Node { return &Node{Form: ByHeader} }

// resume finds the next line after off that starts a key or a table.
func (b *builder) resume(off int) int {
	for {
		nl := bytes.IndexByte(b.doc.Data[min(off, len(b.doc.Data)):], '\n')
		if nl < 0 {
			return -1
		}
		off += nl + 1
		line, _, _ := bytes.Cut(b.doc.Data[off:], []byte("\n"))
		line = bytes.TrimSpace(line)
		if len(line) > 1 && line[0] == '[' && (dotted(line[1]) || strings.IndexByte(`["'`, line[1]) >= 0) {
			return off
		}
		key, _, found := bytes.Cut(line, []byte("="))
		if found && len(key) > 0 && !slices.ContainsFunc(bytes.TrimSpace(key), func(c byte) bool { return !dotted(c) }) {
			return off
		}
	}
}

// dotted reports whether a dotted key can have the byte without quotes.
func dotted(c byte) bool { return c == '.' || IsBare(c) }

// fail notes what is wrong with key in t, or with the grammar at a place.
func (b *builder) fail(at int, t *Node, key, format string, args ...any) {
	if len(b.doc.Errors) >= maxErrors {
		return
	}
	e := Error{At: at, Pos: b.doc.Position(at), Msg: fmt.Sprintf(format, args...)}
	if t != nil {
		e.Key = t.path(key)
	}
	b.doc.Errors = append(b.doc.Errors, e)
}

func (b *builder) offset(n *unstable.Node) int { return b.base + int(n.Raw.Offset) }

// line names the line of an offset, for "first set on line 3".
func (b *builder) line(off int) int { return b.doc.line(off) + 1 }

// tooDeep reports whether a key has too many parts.
func (b *builder) tooDeep(parts, at int, t *Node, key string) bool {
	if parts > maxDepth {
		b.fail(at, t, key, "nested more than %d deep", maxDepth)
	}
	return parts > maxDepth
}

// header opens the table of [a.b] or [[a.b]].
func (b *builder) header(e *unstable.Node) {
	t := b.doc.Root
	b.table = nobody()
	parts := 0
	for it := e.Key(); it.Next(); {
		k := it.Node()
		key, at, last := string(k.Data), b.offset(k), it.IsLast()
		if parts++; b.tooDeep(parts, at, t, key) {
			return
		}
		switch {
		case last && e.Kind == unstable.Table:
			// A comment at the line's end is a sibling too, but only with KeepComments.
			t = b.openTable(t, key, at)
		case last:
			t = b.openArray(t, key, at)
		default:
			t = b.through(t, key, at)
		}
		if t == nil {
			return
		}
	}
	b.table = t
}

// through walks from t into a table that a longer header names.
func (b *builder) through(t *Node, key string, at int) *Node {
	switch c := t.Child(key); {
	case c == nil:
		return t.add(&Node{Key: key, At: at, Value: at, Form: ByParent})
	case c.Kind == Table && c.Form != ByValue:
		return c
	case c.Kind == TableArray:
		return c.Items[len(c.Items)-1]
	default:
		b.fail(at, t, key, "cannot add to what was set to %s on line %d", c.Kind, b.line(c.At))
		return nil
	}
}

func (b *builder) openTable(t *Node, key string, at int) *Node {
	c := t.Child(key)
	if c == nil {
		return t.add(&Node{Key: key, At: at, Value: at, Form: ByHeader})
	}
	if c.Kind != Table || c.Form != ByParent {
		b.fail(at, t, key, "defined twice, first on line %d", b.line(c.At))
		return nil
	}
	c.Form, c.At, c.Value = ByHeader, at, at
	return c
}

func (b *builder) openArray(t *Node, key string, at int) *Node {
	c := t.Child(key)
	if c == nil {
		c = t.add(&Node{Key: key, At: at, Value: at, Kind: TableArray})
	}
	if c.Kind != TableArray {
		b.fail(at, t, key, "defined twice, first on line %d", b.line(c.At))
		return nil
	}
	item := &Node{Key: key, At: at, Value: at, Form: ByHeader, parent: t}
	c.Items = append(c.Items, item)
	return item
}

// keyValue adds "a.b = value" to table t.
func (b *builder) keyValue(t *Node, e *unstable.Node, depth int) {
	parts := 0
	for it := e.Key(); it.Next(); {
		k := it.Node()
		key, at := string(k.Data), b.offset(k)
		c := t.Child(key)
		switch parts++; {
		case b.tooDeep(parts, at, t, key):
			return
		case it.IsLast() && c != nil:
			b.fail(at, t, key, "set twice, first on line %d", b.line(c.At))
			return
		case it.IsLast():
			leaf := &Node{
				Key: key, At: at, Start: b.offset(e), End: b.offset(e) + int(e.Raw.Length), Inline: depth > 0, parent: t,
			}
			if b.fill(leaf, e.Value(), depth+1) {
				leaf.Value = b.valueStart(at + int(k.Raw.Length))
				t.add(leaf)
			}
			return
		case c == nil:
			t = t.add(&Node{Key: key, At: at, Value: at, Form: ByDots})
		case c.Kind == Table && c.Form == ByDots:
			t = c
		default:
			b.fail(at, t, key, "cannot add to what was set on line %d", b.line(c.At))
			return
		}
	}
}

// valueStart skips blanks and the "=" after a key.
func (b *builder) valueStart(off int) int {
	for off < len(b.doc.Data) && strings.IndexByte(" \t=", b.doc.Data[off]) >= 0 {
		off++
	}
	return off
}

// kinds are those of go-toml; what is not here is a date of some form.
var kinds = map[unstable.Kind]Kind{
	unstable.String: String, unstable.Bool: Bool, unstable.Integer: Integer, unstable.Float: Float,
	unstable.Array: Array, unstable.InlineTable: Table,
}

// fill gives a node its value, and reports whether it is one.
func (b *builder) fill(n *Node, v *unstable.Node, depth int) bool {
	n.Text, n.Form = string(v.Data), ByValue
	if v.Raw.Length > 0 {
		n.Value = b.offset(v)
	}
	kind, ok := kinds[v.Kind]
	if !ok {
		kind = Date
	}
	n.Kind = kind
	switch {
	case depth > maxDepth:
		b.fail(n.Value, n.parent, n.Key, "nested more than %d deep", maxDepth)
		return false
	case !n.sound():
		b.fail(max(n.Value, n.At), n.parent, n.Key, "got %.60q, want %s as TOML writes it", n.Text, kind)
		return false
	}
	for it := v.Children(); it.Next(); {
		switch v.Kind {
		case unstable.Array:
			item := &Node{Key: n.Key, At: n.At, parent: n.parent}
			if !b.fill(item, it.Node(), depth+1) {
				return false
			}
			n.Items = append(n.Items, item)
		case unstable.InlineTable:
			b.keyValue(n, it.Node(), depth+1)
		}
	}
	closeTables(n)
	return true
}

// sound reports whether a number or a date is one: go-toml's parser leaves the rules
// of their digits to its decoder.
func (n *Node) sound() bool {
	switch n.Kind {
	case Integer:
		_, err := ParseInteger(n.Text)
		return err == nil
	case Float, Date:
		var into map[string]any
		return toml.Unmarshal([]byte("a="+n.Text), &into) == nil
	}
	return true
}

// closeTables marks the tables that dotted keys created inside an inline table:
// nothing outside may add to them.
func closeTables(n *Node) {
	for _, c := range n.Children {
		if c.Form == ByDots {
			c.Form = ByValue
			closeTables(c)
		}
	}
}
