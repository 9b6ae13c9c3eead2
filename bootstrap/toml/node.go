package toml

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Kind is what a node holds.
type Kind uint8

// The kinds.
const (
	Table Kind = iota
	String
	Bool
	Integer
	Float
	Date // with or without a time, or a time alone
	Array
	TableArray // [[a]]
)

// String returns the kind with its article, for "got …, want …".
func (k Kind) String() string {
	return [...]string{"a table", "a string", "a boolean", "an integer", "a float", "a date", "an array", "an array of tables"}[k]
}

// Form says what created a table, which decides what may add to it.
type Form uint8

// The forms.
const (
	ByParent Form = iota // [a.b] creates a
	ByHeader             // [a]
	ByDots               // a.b = 1 creates a
	ByValue              // a = {…}
)

// Node is a key with its value: a table with children, or a leaf. Offsets are
// bytes from the start of the document.
type Node struct {
	Key   string
	Kind  Kind
	Form  Form
	At    int // of the key
	Value int // of the value
	// Start and End are those of the whole "key = value", for leaves.
	Start, End int
	Inline     bool    // a leaf within {…}
	Text       string  // the string, or the text of a bool, number or date as it is written
	Items      []*Node // of an array, or the tables of [[a]]
	Children   []*Node // of a table, in the order of the text

	parent *Node
	names  map[string]*Node
}

// Child returns the child with a key, nil if there is none.
func (n *Node) Child(key string) *Node { return n.names[key] }

// Describe names the value for "got …": `string "x"`, "integer 3", "a table".
func (n *Node) Describe() string {
	switch n.Kind {
	case String:
		return fmt.Sprintf("string %.60q", n.Text)
	case Bool:
		return "boolean " + n.Text
	case Integer:
		return "integer " + n.Text
	case Float:
		return "float " + n.Text
	}
	return n.Kind.String()
}

func (n *Node) add(c *Node) *Node {
	if n.names == nil {
		n.names = make(map[string]*Node)
	}
	n.names[c.Key] = c
	n.Children = append(n.Children, c)
	c.parent = n
	return c
}

// path returns the full key of key in n. Only messages need it: for every key it
// could take the square of the text's length.
func (n *Node) path(key string) string {
	parts := []string{key}
	for ; n != nil && n.parent != nil; n = n.parent {
		parts = append(parts, n.Key)
	}
	slices.Reverse(parts)
	return strings.Join(parts, ".")
}

// ParseInteger reads a TOML integer as it is written: with underscores, in four
// bases.
func ParseInteger(text string) (int64, error) {
	digits := strings.TrimLeft(text, "+-")
	if strings.HasPrefix(digits, "_") || strings.HasSuffix(digits, "_") || strings.Contains(digits, "__") {
		return 0, fmt.Errorf("reading integer %q: an underscore needs a digit on both sides", text)
	}
	base := 10
	if len(digits) > 1 && digits[0] == '0' {
		base = map[byte]int{'x': 16, 'o': 8, 'b': 2}[digits[1]]
		if base == 0 {
			return 0, fmt.Errorf("reading integer %q: leading zero", text)
		}
		if digits != text || strings.HasPrefix(digits[2:], "_") {
			return 0, fmt.Errorf("reading integer %q: a sign or underscore cannot stand there", text)
		}
		digits = digits[2:]
	}
	digits = strings.ReplaceAll(digits, "_", "")
	if text != "" && text[0] == '-' {
		digits = "-" + digits
	}
	return strconv.ParseInt(digits, base, 64)
}
