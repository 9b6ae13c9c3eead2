package dist

import "testing"

func TestPrintable(t *testing.T) {
	for _, tt := range []struct{ in, text, line string }{
		{"lib/rustlib: Füße, 錆, \u200c\u200d", "lib/rustlib: Füße, 錆, \u200c\u200d", "lib/rustlib: Füße, 錆, \u200c\u200d"},
		{"a\nb\tc", "a\nb\tc", `a\u000ab\u0009c`},
		{"a\rb", `a\u000db`, `a\u000db`},
		{"\x1b]0;title\a", `\u001b]0;title\u0007`, `\u001b]0;title\u0007`},
		{"\u009b2J\x7f", `\u009b2J\u007f`, `\u009b2J\u007f`},
		{"\u202egnp.exe\u2066", `\u202egnp.exe\u2066`, `\u202egnp.exe\u2066`},
		{"\ufeff\u2028\u200f\u061c", `\ufeff\u2028\u200f\u061c`, `\ufeff\u2028\u200f\u061c`},
		{"\U000e0041", `\udb40\udc41`, `\udb40\udc41`}, // a tag character, as JSON writes it
		{"x\xff\xc3", `x\xff\xc3`, `x\xff\xc3`},
		{"\ufffd", "\ufffd", "\ufffd"},
		{"", "", ""},
	} {
		if got := Printable(tt.in); got != tt.text {
			t.Errorf("Printable(%q): got %q, want %q", tt.in, got, tt.text)
		}
		if got := OneLine(tt.in); got != tt.line {
			t.Errorf("OneLine(%q): got %q, want %q", tt.in, got, tt.line)
		}
	}
}
