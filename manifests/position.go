package manifests

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// joinPath writes a key as TOML does: bare parts as they are, others quoted.
func joinPath(keys ...string) string {
	var e emitter
	for i, k := range keys {
		if i > 0 {
			e.b.WriteByte('.')
		}
		e.key(k)
	}
	return e.b.String()
}

// elemPath writes the key of an element of an array, counted from 0.
func elemPath(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// locate sets line and column of findings that have none: those of the key
// itself or, where the text lacks it, of the nearest table around it. It reads
// the text again, which only a faulty manifest needs.
func locate(data []byte, findings Findings) {
	l := locator{wanted: map[string]int{}, count: map[string]int{}}
	for _, f := range findings {
		for path := f.Path; f.Line == 0 && path != ""; path = parentPath(path) {
			l.wanted[path] = -1
		}
	}
	if len(l.wanted) == 0 {
		return
	}
	l.read(data)
	for i := range findings {
		f := &findings[i]
		for path := f.Path; f.Line == 0 && path != ""; path = parentPath(path) {
			if offset := l.wanted[path]; offset >= 0 {
				f.Line, f.Column = position(data, offset)
			}
		}
	}
}

// parentPath cuts the last part of a path, "" for the last one.
func parentPath(path string) string {
	if strings.HasSuffix(path, "]") {
		return path[:strings.LastIndexByte(path, '[')]
	}
	if strings.HasSuffix(path, `"`) {
		i := len(path) - 2
		for i > 0 && (path[i] != '"' || path[i-1] == '\\') {
			i--
		}
		return strings.TrimSuffix(path[:max(i, 0)], ".")
	}
	return path[:max(strings.LastIndexByte(path, '.'), 0)]
}

// maxPathLen bounds the paths that the locator builds.
const maxPathLen = 1 << 12

// locator finds the offsets of wanted paths, the first place of each.
type locator struct {
	wanted map[string]int // path to offset, -1 for not found yet
	count  map[string]int // elements seen of each array of tables
	parser unstable.Parser
}

func (l *locator) read(data []byte) {
	l.parser.Reset(data)
	table := ""
	for l.parser.NextExpression() {
		switch n := l.parser.Expression(); n.Kind {
		case unstable.Table:
			table = l.keys("", n.Key())
		case unstable.ArrayTable:
			path := l.keys("", n.Key())
			i := l.count[path]
			l.count[path]++
			table = elemPath(path, i)
			l.note(table, n.Key())
		case unstable.KeyValue:
			l.keyValue(table, n)
		}
	}
}

func (l *locator) keyValue(table string, n *unstable.Node) {
	path := l.keys(table, n.Key())
	l.value(path, n.Key(), n.Value())
}

// value goes into inline tables and arrays, whose elements have the place of
// the key that holds them.
func (l *locator) value(path string, key unstable.Iterator, v *unstable.Node) {
	it := v.Children()
	switch v.Kind {
	case unstable.InlineTable:
		for it.Next() {
			l.keyValue(path, it.Node())
		}
	case unstable.Array:
		for i := 0; it.Next(); i++ {
			elem := elemPath(path, i)
			l.note(elem, key)
			l.value(elem, key, it.Node())
		}
	}
}

// keys appends the parts of a dotted key to path and notes each.
func (l *locator) keys(path string, it unstable.Iterator) string {
	start := it
	for it.Next() {
		// A header names the last element of an array of tables by the array.
		if n := l.count[path]; n > 0 {
			path = elemPath(path, n-1)
		}
		if path != "" {
			path += "."
		}
		path += joinPath(string(it.Node().Data))
		if len(path) > maxPathLen {
			return "?" // no path that anything asks for
		}
		l.note(path, start)
	}
	return path
}

// note stores where path is: at the first part of its key.
func (l *locator) note(path string, key unstable.Iterator) {
	if offset, ok := l.wanted[path]; ok && offset < 0 && key.Next() {
		l.wanted[path] = int(key.Node().Raw.Offset)
	}
}

// position returns line and column of an offset, in bytes, counted from 1.
func position(data []byte, offset int) (line, column int) {
	before := data[:min(offset, len(data))]
	return 1 + bytes.Count(before, []byte("\n")), len(before) - bytes.LastIndexByte(before, '\n')
}
