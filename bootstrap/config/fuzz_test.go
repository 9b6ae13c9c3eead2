package config

import (
	"errors"
	"testing"
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
		c.Notices()
		c.WithoutEffect()
		for _, k := range Schema() {
			_, _ = c.Explain(k.ID())
		}
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
