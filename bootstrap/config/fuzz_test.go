package config

import (
	"errors"
	"slices"
	"strings"
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

// FuzzMigrate checks that a migrated file is one that the new release takes,
// unless there are findings, and that migrating again changes nothing.
func FuzzMigrate(f *testing.F) {
	for _, text := range []string{
		"rust.use-lld = true\n", "[rust]\nuse-lld = true # x\n", "# a\n[rust]\n# b\ndescription = 'x' # c\n\n[build]\ndocs = true", "llvm = {ccache = 'x'}",
		"build.build = 'a-b'\n[rust]\nsplit-debuginfo = 'off'\n[target.a-b]", "[llvm]\r\nccache = true\r\n", "changelog-seen = 2", "[build.tool.x]\n[llvm]\nccache=true",
		"[rust]\n'use-lld' = '''external'''\n\"description\" = \"\"\"\na\"\"\"", "profile = 'user'\nchange-id = 102579", "[target]\na-b.jemalloc = true\n[rust]\njemalloc = false",
	} {
		f.Add(text)
	}
	from, to := release(f, "1.78.0"), release(f, "1.99.0")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := Migrate([]byte(text), MigrateOptions{From: from, To: to})
		if err != nil || len(m.Undone) > 0 {
			return
		}
		if _, err := Load(Source{Path: bootstrapName, Release: to, ReadFile: func(path string) ([]byte, error) {
			if path == bootstrapName {
				return m.Text, nil
			}
			return nil, errNoFiles
		}}); err != nil {
			t.Fatalf("%q became %q: %v", text, m.Text, err)
		}
		again, err := Migrate(m.Text, MigrateOptions{From: to, To: to})
		if err != nil || string(again.Text) != string(m.Text) {
			t.Fatalf("%q became %q and then %q, %v", text, m.Text, again.Text, err)
		}
		if n := strings.Count(text, "#"); strings.Count(string(m.Text), "#") != n && !hasRemoval(m) {
			t.Errorf("%q became %q: comments were lost", text, m.Text)
		}
	})
}

func hasRemoval(m Migration) bool {
	return slices.ContainsFunc(m.Edits, func(e Edit) bool { return e.To == "" })
}
