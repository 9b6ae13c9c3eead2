package toml_test

import (
	"testing"

	"x.go/bootstrap/toml"
)

func TestRefuse11(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a = {\n b = 1 }":       "f:1:6: expected a table key, found a newline",
		"a = { b = 1, }":        "f:1:14: expected a table key, found a right brace",
		`a = "\x41"`:            "f:1:7: invalid escape character in string: `x`",
		"a = \"\"\"\n\\e\"\"\"": "f:2:2: invalid escape character in string: `e`",
		// What TOML 1.0 has, too.
		"a = { b = [\n1,\n] }\nc = [ # [\n1, ]\n[d]\n[[e]]\nf = '{'\n": "",
		"a = { b = '''\n''', c = \"\"\"\n\\\n\"\"\" }\n":               "",
		`a = '\x'` + "\n" + `b = "\\x"` + "\n":                         "",
		`'{' = { "}" = "\"{" }` + "\n\nb = \"\"\"\"x\"\"\"\"\"\n\n":    "",
	} {
		d := toml.Parse("f", []byte(text))
		d.Refuse11()
		got := ""
		if err := d.Err(); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
