package dist

import (
	"fmt"
	"strings"
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

// OneLine replaces each control character of s, so that text from an archive
// cannot move the cursor of a terminal, fake a line or reverse one.
func OneLine(s string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || c >= 0x80 && c < 0xa0 || c == '\u2028' || c == '\u2029' || isBidi(c) {
			return '\ufffd'
		}
		return c
	}, s)
}

// isBidi reports whether c changes the direction of text.
func isBidi(c rune) bool { return c >= '\u202a' && c <= '\u202e' || c >= '\u2066' && c <= '\u2069' }
