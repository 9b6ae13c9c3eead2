package doctor

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// plain removes escape sequences of terminals (ECMA-48): colours, and the links and
// titles that end with a bell or a string terminator.
func plain(text []byte) []byte {
	if bytes.IndexByte(text, 0x1b) < 0 {
		return text
	}
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] != 0x1b {
			out = append(out, text[i])
			continue
		}
		i += escapeLength(text[i:]) - 1
	}
	return out
}

// escapeLength is the length of the escape sequence that b starts with.
func escapeLength(b []byte) int {
	if len(b) < 2 {
		return len(b)
	}
	switch b[1] {
	case '[':
		for i := 2; i < len(b); i++ {
			if b[i] >= 0x40 && b[i] <= 0x7e {
				return i + 1
			}
		}
		return len(b)
	case ']':
		for i := 2; i < len(b); i++ {
			switch {
			case b[i] == 0x07:
				return i + 1
			case b[i] == 0x1b && i+1 < len(b) && b[i+1] == '\\':
				return i + 2
			}
		}
		return len(b)
	case '(', ')':
		return min(3, len(b))
	}
	return 2
}

// jsonTexts returns the text in a line that is one JSON object, as cargo and rustc
// print with --message-format=json and collectors of logs store: what is rendered for
// people, or else every string. It does not check the JSON: a line that was cut off
// gives what it has. ok is false for other lines.
func jsonTexts(text []byte) (inner []byte, ok bool) {
	start := bytes.IndexByte(text, '{')
	if start < 0 || start > maxPrefix || !bytes.HasPrefix(bytes.TrimLeft(text[start+1:], " "), []byte{'"'}) {
		return nil, false
	}
	if i := bytes.Index(text, renderedKey); i >= 0 {
		return unescape(text[i+len(renderedKey):], true), true
	}
	return unescape(text[start:], false), true
}

// maxPrefix is the longest text before a JSON object, such as a time.
const maxPrefix = 100

var renderedKey = []byte(`"rendered":"`)

// unescape reads JSON's escapes, to the end of the string or of b.
func unescape(b []byte, one bool) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] == '"' {
			if one {
				break
			}
			out = append(out, '\n') // keeps the strings apart
			continue
		}
		if b[i] != '\\' || i+1 == len(b) {
			out = append(out, b[i])
			continue
		}
		i++
		switch b[i] {
		case 'n':
			out = append(out, '\n')
		case 't':
			out = append(out, '\t')
		case 'r', 'b', 'f':
		case 'u':
			c, size := hexRune(b[i+1:])
			i += size
			out = utf8.AppendRune(out, c)
		default:
			out = append(out, b[i])
		}
	}
	return out
}

// hexRune reads the digits of \uXXXX.
func hexRune(b []byte) (rune, int) {
	var c rune
	for i := range 4 {
		if i == len(b) {
			return utf8.RuneError, i
		}
		digit := strings.IndexByte("0123456789abcdef", b[i]|0x20)
		if digit < 0 {
			return utf8.RuneError, i
		}
		c = c<<4 | rune(digit)
	}
	return c, 4
}

// shorten cuts text to at most n bytes, at a character.
func shorten(text string, n int) string {
	if len(text) <= n {
		return text
	}
	const dots = "…"
	n -= len(dots)
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n] + dots
}
