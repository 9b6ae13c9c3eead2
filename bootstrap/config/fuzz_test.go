package config

import (
	"errors"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
)

// FuzzLoad feeds bytes as bootstrap.toml: either a Config comes out, which
// can be rendered and read again to the same values, or errors with a place.
func FuzzLoad(f *testing.F) {
	for _, text := range []string{
		"", "change-id = 'ignore'\nprofile = 'dist'", "[rust]\nlld = false\n", "rust = {lld = true, 'channel' = \"beta\"}",
		"[target.x86_64-unknown-linux-gnu]\nllvm-config = '''/x'''\n", "[build.tool.miri]\nfeatures = ['a', ]", "[[rust]]\n[rust.x]",
		"include = ['bootstrap.toml']", "rust.debuginfo-level = 0x1\nbuild.jobs = 1_0", "a = 1979-05-27T07:32:00Z\nb = inf",
		"llvm.build-config = {a = 'b', \"c d\" = \"\\u0041\"}", "target.\"*\".cc = 1\ntarget.*.cc = 2", "[a]\nb = [[[[[", "\xff\xfe", "x = \"\x00\"",
	} {
		f.Add([]byte(text), "rust.lld=true")
	}
	f.Fuzz(func(t *testing.T, data []byte, set string) {
		src := source(bootstrapToml(string(data)), set)
		c, err := Load(src)
		if err != nil {
			var list Errors
			if !errors.As(err, &list) || len(list) == 0 {
				t.Fatalf("got %T %v, want Errors", err, err)
			}
			for _, e := range list {
				if e.Where == (Origin{}) || e.Message == "" {
					t.Errorf("error without place or text: %+v", e)
				}
			}
			return
		}
		_, _ = c.LLD(LLDInput{})
		text := c.TOML(RenderOptions{})
		again, err := Load(source(bootstrapToml(text)))
		if err != nil {
			t.Fatalf("rendered configuration is refused: %v\n%s", err, text)
		}
		if second := again.TOML(RenderOptions{}); second != text {
			t.Errorf("rendered twice:\n%s\nand\n%s", text, second)
		}
	})
}

// FuzzGrammar compares the tree builder with go-toml's decoder: both take the
// same documents, and find the same values of tables in them.
func FuzzGrammar(f *testing.F) {
	for _, text := range []string{
		"a.b = 1\n[a]\n", "[a]\n[a.b]\n[a]", "[a.b]\n[a]\nb.c = 1", "a = {b.c = 1}\n[a.b]", "[[a]]\n[a.b]\n[[a]]\n[a.b]",
		"[a]\nb = 1\nb.c = 2", "a = [{b = 1}]\n[[a]]", "[a.b.c]\n[a]\nb.d = 1", "a.b.c = 1\na.b.d = 2\n[a.b]", "a = 07", "a = 1__0", "a = +0x1",
		"[fruit]\napple.color = 1\n[fruit.apple.taste]", "[[a.b]]\n[a]\n[a.b.c]",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d := parse("f", []byte(text))
		var want map[string]any
		err := toml.Unmarshal([]byte(text), &want)
		if (err != nil) == (len(d.errs) > 0) {
			return
		}
		// go-toml also refuses values that no key takes: dates and numbers
		// out of range. Here these are refused when a key reads them.
		if err != nil && (strings.ContainsAny(text, "0123456789") || strings.Contains(err.Error(), "UTF")) {
			return
		}
		t.Errorf("%q: got %v, go-toml says %v", text, d.errs, err)
	})
}
