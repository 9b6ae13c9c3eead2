package migrate

import (
	"slices"
	"strings"
	"testing"

	"x.go/bootstrap/config"
)

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
	from, to := releaseOf(f, "1.78.0"), releaseOf(f, "1.99.0")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := Run([]byte(text), Options{From: from, To: to})
		if err != nil || len(m.Undone) > 0 {
			return
		}
		if _, err := (Options{Name: config.BootstrapFile}).load(m.Text, to); err != nil {
			t.Fatalf("%q became %q: %v", text, m.Text, err)
		}
		again, err := Run(m.Text, Options{From: to, To: to})
		if err != nil || string(again.Text) != string(m.Text) {
			t.Fatalf("%q became %q and then %q, %v", text, m.Text, again.Text, err)
		}
		if n := strings.Count(text, "#"); strings.Count(string(m.Text), "#") != n && !hasRemoval(m) {
			t.Errorf("%q became %q: comments were lost", text, m.Text)
		}
	})
}

func hasRemoval(m Result) bool {
	return slices.ContainsFunc(m.Edits, func(e Edit) bool { return e.To == "" })
}
