package toml

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// byteOrderMark is what some editors put before the first line.
const byteOrderMark = "\ufeff"

// Document is a parsed file, or the text of an option.
type Document struct {
	Name string // of the file, for positions
	Data []byte
	Root *Node // a table, never nil
	// Errors are in the order in which Parse finds them: first all of a part
	// without a mistake of the grammar.
	Errors Errors

	lines []int // offsets of the starts of lines
	runes []int // characters before each block of the text, see [Document.Position]
}

// Position is a place in a file. Line and Column start at 1; Column counts
// characters, not bytes. The zero Position is nowhere.
type Position struct {
	File   string
	Line   int
	Column int
}

// String returns "file:line:column", or the file's name if there is no line.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Error is one mistake in a document.
type Error struct {
	At  int      // offset in bytes
	Pos Position // the same
	Key string   // full key, "" where the grammar is broken
	Msg string
}

// Error returns "file:line:column: key: message".
func (e Error) Error() string {
	if e.Key == "" {
		return e.Pos.String() + ": " + e.Msg
	}
	return e.Pos.String() + ": " + e.Key + ": " + e.Msg
}

// Errors is an error of at least one mistake.
type Errors []Error

// Error returns one line per mistake.
func (es Errors) Error() string {
	lines := make([]string, len(es))
	for i, e := range es {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Err returns the mistakes of the document, nil for none.
func (d *Document) Err() error {
	if len(d.Errors) == 0 {
		return nil
	}
	return d.Errors
}

// start is the offset of the text: after the byte order mark, if there is one.
func (d *Document) start() int {
	if bytes.HasPrefix(d.Data, []byte(byteOrderMark)) {
		return len(byteOrderMark)
	}
	return 0
}

// block is the number of bytes between places whose number of characters is known,
// so that a column costs the same in all of the text.
const block = 1 << 10

// index finds the lines of the text, and how many characters precede each block.
func (d *Document) index() {
	d.lines = []int{d.start()}
	count := 0
	for i, c := range d.Data {
		if i%block == 0 {
			d.runes = append(d.runes, count)
		}
		if utf8.RuneStart(c) {
			count++
		}
		if c == '\n' {
			d.lines = append(d.lines, i+1)
		}
	}
}

// characters returns how many characters start before an offset.
func (d *Document) characters(off int) int {
	if len(d.runes) == 0 {
		return 0
	}
	i := min(off/block, len(d.runes)-1)
	count := d.runes[i]
	for _, c := range d.Data[i*block : off] {
		if utf8.RuneStart(c) {
			count++
		}
	}
	return count
}

// line returns the index of the line that an offset is in.
func (d *Document) line(off int) int {
	if d.lines == nil {
		d.index()
	}
	line, found := slices.BinarySearch(d.lines, max(off, d.lines[0]))
	if !found {
		line--
	}
	return line
}

// Position turns an offset in bytes into a line and a column.
func (d *Document) Position(off int) Position {
	line := d.line(off)
	off = max(min(off, len(d.Data)), d.start())
	return Position{File: d.Name, Line: line + 1, Column: d.characters(off) - d.characters(d.lines[line]) + 1}
}
