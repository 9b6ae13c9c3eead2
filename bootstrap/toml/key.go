package toml

import (
	"strconv"
	"strings"
)

// AppendString appends a basic string, as Rust's toml crate writes it.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := range len(s) {
		esc := escape(s[i])
		if esc == "" {
			continue
		}
		dst = append(append(dst, s[start:i]...), esc...)
		start = i + 1
	}
	return append(append(dst, s[start:]...), '"')
}

// escape returns how a byte is written in a basic string, "" for as it is.
func escape(c byte) string {
	const hexDigits = "0123456789ABCDEF"
	switch {
	case c == '"':
		return `\"`
	case c == '\\':
		return `\\`
	case c == '\b':
		return `\b`
	case c == '\t':
		return `\t`
	case c == '\n':
		return `\n`
	case c == '\f':
		return `\f`
	case c == '\r':
		return `\r`
	case c < ' ' || c == 0x7f:
		return `\u00` + hexDigits[c>>4:c>>4+1] + hexDigits[c&15:c&15+1]
	}
	return ""
}

// AppendKey appends one key, quoted only where it must be.
func AppendKey(dst []byte, key string) []byte {
	if IsBareKey(key) {
		return append(dst, key...)
	}
	return AppendString(dst, key)
}

// IsBareKey reports whether a key can stand without quotes.
func IsBareKey(key string) bool {
	for i := range len(key) {
		if !IsBare(key[i]) {
			return false
		}
	}
	return key != ""
}

// IsBare reports whether a key can have the byte without quotes.
func IsBare(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
}

// Path writes a dotted key: pkg.rust.target."*".
func Path(keys ...string) string {
	var out []byte
	for i, k := range keys {
		if i > 0 {
			out = append(out, '.')
		}
		out = AppendKey(out, k)
	}
	return string(out)
}

// Element writes the path of an element of an array, counted from 0.
func Element(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// Nearest finds the node of a path that [Path] and [Element] wrote. Where the text
// does not have it, Nearest returns the nearest table or array around it, nil for
// the document itself.
func (d *Document) Nearest(path string) *Node {
	at := d.Root
	for path != "" {
		var next *Node
		if rest, ok := strings.CutPrefix(path, "["); ok {
			number, more, _ := strings.Cut(rest, "]")
			if i, err := strconv.Atoi(number); err == nil && i >= 0 && i < len(at.Items) {
				next = at.Items[i]
			}
			path = more
		} else {
			key, rest := cutKey(strings.TrimPrefix(path, "."))
			next, path = at.Child(key), rest
		}
		if next == nil {
			break
		}
		at = next
	}
	if at == d.Root {
		return nil
	}
	return at
}

// cutKey cuts the first key from a path.
func cutKey(path string) (key, rest string) {
	if strings.HasPrefix(path, `"`) {
		if quoted, err := strconv.QuotedPrefix(path); err == nil {
			key, _ = strconv.Unquote(quoted) // the escapes that AppendString writes are Go's too
			return key, path[len(quoted):]
		}
	}
	end := strings.IndexAny(path, ".[")
	if end < 0 {
		end = len(path)
	}
	return path[:end], path[end:]
}
