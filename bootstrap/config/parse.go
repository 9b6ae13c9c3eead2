package config

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2/unstable"
)

const (
	// maxFileSize is 30 times upstream's annotated example.
	maxFileSize = 2 << 20
	// maxDepth bounds the nesting of arrays and tables; the schema needs 4.
	maxDepth = 64
	// maxSyntaxErrors bounds what one broken file can report: after a few the
	// rest is noise.
	maxSyntaxErrors = 10
	// byteOrderMark is what some editors put before the first line.
	byteOrderMark = "\ufeff"
)

// nodeKind is what a TOML node is.
type nodeKind uint8

const (
	tableNode nodeKind = iota
	stringNode
	boolNode
	intNode
	floatNode
	dateNode
	arrayNode
	tableArrayNode
)

// String returns the kind with its article, for "got …, want …".
func (k nodeKind) String() string {
	return [...]string{"a table", "a string", "a boolean", "an integer", "a float", "a date", "an array", "an array of tables"}[k]
}

// defined is how a table came to be, which decides who may add to it.
type defined uint8

const (
	byParent defined = iota // [a.b] makes a
	byHeader                // [a]
	byDots                  // a.b = 1 makes a
	byValue                 // a = {…}
)

// node is a key with its value: a table with children, or a leaf. Offsets are
// bytes from the start of the document; at is that of the key, val of the
// value.
type node struct {
	key      string
	kind     nodeKind
	def      defined
	at       int
	val      int
	start    int // start and end of the whole "key = value", for leaves
	end      int
	inline   bool   // a leaf within {…}
	text     string // the string, or the raw text of a bool, number or date
	items    []*node
	children []*node
	index    map[string]*node
}

func (n *node) child(key string) *node { return n.index[key] }

func (n *node) add(c *node) *node {
	if n.index == nil {
		n.index = make(map[string]*node)
	}
	n.index[c.key] = c
	n.children = append(n.children, c)
	return c
}

// document is a parsed file, or the text of an option.
type document struct {
	name  string
	data  []byte
	root  *node
	errs  []syntaxError
	lines []int // offsets of the starts of lines
}

type syntaxError struct {
	at  int
	key string
	msg string
}

// parse builds the tree of a TOML document. It checks what the grammar cannot:
// duplicate keys and tables. After a syntax error it goes on at the next line
// that looks like a key or a table, so that one run shows all mistakes.
func parse(name string, data []byte) *document {
	d := &document{name: name, data: data, root: &node{def: byHeader}}
	if len(data) > maxFileSize {
		d.errs = append(d.errs, syntaxError{msg: fmt.Sprintf("got a file of %d bytes, the limit is %d", len(data), maxFileSize)})
		return d
	}
	b := &builder{doc: d, table: d.root}
	for start := d.start(); start >= 0 && len(d.errs) < maxSyntaxErrors; {
		start = b.run(start)
	}
	return d
}

// start is the offset of the text: behind the byte order mark, if there is one.
func (d *document) start() int {
	if bytes.HasPrefix(d.data, []byte(byteOrderMark)) {
		return len(byteOrderMark)
	}
	return 0
}

// position turns an offset into a line and a column.
func (d *document) position(off int) Position {
	if d.lines == nil {
		d.lines = append(d.lines, d.start())
		for i, c := range d.data {
			if c == '\n' {
				d.lines = append(d.lines, i+1)
			}
		}
	}
	off = max(min(off, len(d.data)), d.start())
	lo, hi := 0, len(d.lines)
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; d.lines[mid] <= off {
			lo = mid
		} else {
			hi = mid
		}
	}
	return Position{File: d.name, Line: lo + 1, Column: utf8.RuneCount(d.data[d.lines[lo]:off]) + 1}
}

// builder adds the expressions of a document to its tree.
type builder struct {
	doc    *document
	parser unstable.Parser
	base   int // offset of the parser's input in the document
	table  *node
	path   string
}

// run parses from start to the end of the document or to the first syntax
// error; in that case it returns where to go on, else -1.
func (b *builder) run(start int) int {
	data := b.doc.data[start:len(b.doc.data):len(b.doc.data)]
	b.base = start
	b.parser.Reset(data)
	for b.parser.NextExpression() {
		switch e := b.parser.Expression(); e.Kind {
		case unstable.Table, unstable.ArrayTable:
			b.header(e)
		case unstable.KeyValue:
			b.keyValue(b.table, b.path, e, 0)
		}
	}
	err := b.parser.Error()
	if err == nil {
		return -1
	}
	at, msg := len(b.doc.data), err.Error()
	var perr *unstable.ParserError
	if errors.As(err, &perr) {
		msg = perr.Message
		if off := cap(data) - cap(perr.Highlight); len(perr.Highlight) > 0 && off >= 0 && off <= len(data) {
			at = start + off
		}
	}
	b.doc.errs = append(b.doc.errs, syntaxError{at: at, msg: msg})
	if first := bytes.LastIndexByte(b.doc.data[:at], '\n') + 1; bytes.HasPrefix(bytes.TrimSpace(b.doc.data[first:]), []byte("[")) {
		b.table, b.path = &node{def: byHeader}, "" // the keys of a broken header are nobody's
	}
	return b.resume(at)
}

// resume finds the next line after off that starts a key or a table.
func (b *builder) resume(off int) int {
	for {
		nl := bytes.IndexByte(b.doc.data[min(off, len(b.doc.data)):], '\n')
		if nl < 0 {
			return -1
		}
		off += nl + 1
		line, _, _ := bytes.Cut(b.doc.data[off:], []byte("\n"))
		line = bytes.TrimSpace(line)
		if len(line) > 1 && line[0] == '[' && (line[1] == '[' || !notBare(rune(line[1])) || line[1] == '"' || line[1] == '\'') {
			return off
		}
		key, _, found := bytes.Cut(line, []byte("="))
		if found && len(key) > 0 && strings.IndexFunc(string(bytes.TrimSpace(key)), notBare) < 0 {
			return off
		}
	}
}

func notBare(r rune) bool {
	return r != '.' && r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}

func (b *builder) fail(at int, key, format string, args ...any) {
	b.doc.errs = append(b.doc.errs, syntaxError{at: at, key: key, msg: fmt.Sprintf(format, args...)})
}

func (b *builder) offset(n *unstable.Node) int { return b.base + int(n.Raw.Offset) }

// line names the line of an offset, for "first set on line 3".
func (b *builder) line(off int) int { return b.doc.position(off).Line }

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// header opens the table of [a.b] or [[a.b]].
func (b *builder) header(e *unstable.Node) {
	// A header that is refused still takes its keys, into a table of nobody,
	// so that they are not read as keys of the table above.
	t, path := b.doc.root, ""
	b.table, b.path = &node{def: byHeader}, ""
	for it := e.Key(); it.Next(); {
		k := it.Node()
		key, at, last := string(k.Data), b.offset(k), it.IsLast()
		if last && e.Kind == unstable.Table {
			// A comment at the line's end is a sibling too, but only with KeepComments.
			t = b.openTable(t, join(path, key), key, at)
		} else if last {
			t = b.openArray(t, join(path, key), key, at)
		} else {
			t = b.through(t, join(path, key), key, at)
		}
		if t == nil {
			return
		}
		path = join(path, key)
	}
	b.table, b.path = t, path
}

// through walks from t into a table that a longer header names.
func (b *builder) through(t *node, path, key string, at int) *node {
	switch c := t.child(key); {
	case c == nil:
		return t.add(&node{key: key, at: at, val: at, def: byParent})
	case c.kind == tableNode && c.def != byValue:
		return c
	case c.kind == tableArrayNode:
		return c.items[len(c.items)-1]
	default:
		b.fail(at, path, "cannot add to what was set to %s on line %d", c.kind, b.line(c.at))
		return nil
	}
}

func (b *builder) openTable(t *node, path, key string, at int) *node {
	c := t.child(key)
	if c == nil {
		return t.add(&node{key: key, at: at, val: at, def: byHeader})
	}
	if c.kind != tableNode || c.def != byParent {
		b.fail(at, path, "defined twice, first on line %d", b.line(c.at))
		return nil
	}
	c.def, c.at, c.val = byHeader, at, at
	return c
}

func (b *builder) openArray(t *node, path, key string, at int) *node {
	c := t.child(key)
	if c == nil {
		c = t.add(&node{key: key, at: at, val: at, kind: tableArrayNode})
	}
	if c.kind != tableArrayNode {
		b.fail(at, path, "defined twice, first on line %d", b.line(c.at))
		return nil
	}
	item := &node{key: key, at: at, val: at, def: byHeader}
	c.items = append(c.items, item)
	return item
}

// keyValue adds "a.b = value" to table t.
func (b *builder) keyValue(t *node, path string, e *unstable.Node, depth int) {
	for it := e.Key(); it.Next(); {
		k := it.Node()
		key, at := string(k.Data), b.offset(k)
		path = join(path, key)
		c := t.child(key)
		if it.IsLast() {
			if c != nil {
				b.fail(at, path, "set twice, first on line %d", b.line(c.at))
				return
			}
			leaf := b.value(e.Value(), path, depth+1)
			leaf.key, leaf.at = key, at
			leaf.start, leaf.end = b.offset(e), b.offset(e)+int(e.Raw.Length)
			leaf.inline = depth > 0
			leaf.val = b.valueStart(at + int(k.Raw.Length))
			t.add(leaf)
			return
		}
		switch {
		case c == nil:
			t = t.add(&node{key: key, at: at, val: at, def: byDots})
		case c.kind == tableNode && c.def == byDots:
			t = c
		default:
			b.fail(at, path, "cannot add to what was set on line %d", b.line(c.at))
			return
		}
	}
}

// valueStart skips blanks and the "=" after a key.
func (b *builder) valueStart(off int) int {
	for off < len(b.doc.data) && strings.IndexByte(" \t=", b.doc.data[off]) >= 0 {
		off++
	}
	return off
}

// value turns a value into a node without key.
func (b *builder) value(v *unstable.Node, path string, depth int) *node {
	n := &node{text: string(v.Data), def: byValue}
	if v.Raw.Length > 0 {
		n.val = b.offset(v)
	}
	switch v.Kind {
	case unstable.String:
		n.kind = stringNode
	case unstable.Bool:
		n.kind = boolNode
	case unstable.Integer:
		n.kind = intNode
	case unstable.Float:
		n.kind = floatNode
	case unstable.Array:
		n.kind = arrayNode
	case unstable.InlineTable:
		n.kind = tableNode
	default:
		n.kind = dateNode
	}
	if depth > maxDepth {
		b.fail(n.val, path, "nested more than %d deep", maxDepth)
		return n
	}
	for it := v.Children(); it.Next(); {
		switch {
		case v.Kind == unstable.Array:
			n.items = append(n.items, b.value(it.Node(), path, depth+1))
		case v.Kind == unstable.InlineTable:
			b.keyValue(n, path, it.Node(), depth+1)
		}
	}
	closeTables(n)
	return n
}

// closeTables marks the tables that dotted keys made inside an inline table:
// nothing outside may add to them.
func closeTables(n *node) {
	for _, c := range n.children {
		if c.def == byDots {
			c.def = byValue
			closeTables(c)
		}
	}
}
