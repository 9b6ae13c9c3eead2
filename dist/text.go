package dist

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// FormatBytes writes a number of bytes for people, in powers of 1024 and
// exactly where a whole number says it: "128 MiB", "1.5 KiB", "17 bytes".
func FormatBytes(n int64) string {
	for _, u := range []struct {
		size int64
		name string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if n >= u.size {
			if n%u.size == 0 {
				return fmt.Sprintf("%d %s", n/u.size, u.name)
			}
			return fmt.Sprintf("%.1f %s", float64(n)/float64(u.size), u.name)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}

// Printable writes each character of s that would move the cursor of a terminal,
// reverse a line or hide itself as an escape: \u001b, or \xff for a byte that is no
// UTF-8. Line breaks and tabs stay. Text of strangers is in names of files,
// manifests, ELF files and what programs print. The escapes are those of JSON, so
// that a JSON text stays one.
func Printable(s string) string { return visible(s, "\n\t") }

// OneLine is [Printable] for text that must not start a line of its own.
func OneLine(s string) string { return visible(s, "") }

// visible escapes what does not print, but for the characters in keep.
func visible(s, keep string) string {
	clean := func(c rune, size int) bool {
		return strings.ContainsRune(keep, c) || prints(c) && (c != utf8.RuneError || size > 1)
	}
	i := 0
	for i < len(s) {
		c, size := utf8.DecodeRuneInString(s[i:])
		if !clean(c, size) {
			break
		}
		i += size
	}
	if i == len(s) {
		return s
	}
	out := append(make([]byte, 0, len(s)+16), s[:i]...)
	for i < len(s) {
		c, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case clean(c, size):
			out = append(out, s[i:i+size]...)
		case c == utf8.RuneError:
			out = fmt.Appendf(out, `\x%02x`, s[i])
		case c > 0xffff:
			high, low := utf16.EncodeRune(c)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, c)
		}
		i += size
	}
	return string(out)
}

// prints reports whether a character is seen where it stands. Of those that format
// text, the two that join letters are part of words.
func prints(c rune) bool {
	const nonJoiner, joiner = '\u200c', '\u200d'
	switch {
	case c == nonJoiner || c == joiner:
		return true
	case c == '\u2028' || c == '\u2029':
		return false
	}
	return !unicode.IsControl(c) && !unicode.Is(unicode.Cf, c)
}
