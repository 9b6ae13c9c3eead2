package migrate

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/bootstrap/config"
	"x.go/targets"
)

func releaseOf(t testing.TB, text string) targets.Release {
	t.Helper()
	r, err := targets.ParseRelease(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func linuxHost(t testing.TB) targets.Triple {
	t.Helper()
	triple, err := targets.ParseTriple("x86_64-unknown-linux-gnu")
	if err != nil {
		t.Fatal(err)
	}
	return triple
}

func migrate(t testing.TB, text, from, to string) Result {
	t.Helper()
	m, err := Run([]byte(text), Options{From: releaseOf(t, from), To: releaseOf(t, to), Host: linuxHost(t)})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMigrateText(t *testing.T) {
	for _, row := range []struct{ name, from, to, text, want string }{
		{"rename keeps comment and layout", "1.88.0", "1.95.0",
			"[rust]\n# fast links\n  use-lld   =  'self-contained' # why\nlld = false\n",
			"[rust]\n# fast links\n  bootstrap-override-lld   =  'self-contained' # why\nlld = false\n"},
		{"rename of a dotted and of an inline key", "1.88.0", "1.95.0",
			"rust.use-lld = true\n", "rust.bootstrap-override-lld = true\n"},
		{"rename in an inline table", "1.88.0", "1.95.0",
			"rust = { use-lld = true, lld = false }\n", "rust = { bootstrap-override-lld = true, lld = false }\n"},
		{"rename of a quoted key", "1.88.0", "1.95.0", "[rust]\n\"use-lld\" = true\n", "[rust]\nbootstrap-override-lld = true\n"},
		{"not yet", "1.88.0", "1.91.0", "[rust]\nuse-lld = true\n", "[rust]\nuse-lld = true\n"},
		{"move into an existing section", "1.88.0", "1.95.0",
			"[build]\ndocs = false # no docs\n\n[rust]\nlld = false\n# shown by rustc -V\ndescription = \"Distro 1\" # ours\nrpath = false\n",
			"[build]\ndocs = false # no docs\n# shown by rustc -V\ndescription = \"Distro 1\" # ours\n\n[rust]\nlld = false\nrpath = false\n"},
		{"move into a new section", "1.88.0", "1.95.0",
			"[llvm]\nccache = true\nninja = true", "[llvm]\nninja = true\n\n[build]\nccache = true\n"},
		{"move in a file with CRLF", "1.88.0", "1.95.0",
			"[llvm]\r\nccache = true # c\r\nninja = true\r\n", "[llvm]\r\nninja = true\r\n\r\n[build]\r\nccache = true # c\r\n"},
		{"move of a dotted key", "1.88.0", "1.95.0",
			"rust.description = 'x'\nrust.lld = false\n", "build.description = 'x'\nrust.lld = false\n"},
		{"removal takes its comment along", "1.78.0", "1.95.0",
			"changelog-seen = 2\n\n[dist]\n# old\nmissing-tools = true\nsrc-tarball = true\n", "\n[dist]\nsrc-tarball = true\n"},
		{"the comment at the top is the file's", "1.78.0", "1.95.0", "# ours\nchangelog-seen = 2\n", "# ours\n"},
		{"two keys into one new section", "1.86.0", "1.95.0",
			"[llvm]\nccache = true # c\n\n[rust]\n# d\ndescription = 'x'\n",
			"[llvm]\n\n[rust]\n\n[build]\n# d\ndescription = 'x'\nccache = true # c\n"},
		{"split-debuginfo needs the build triple", "1.78.0", "1.95.0",
			"[build]\nbuild = 'x86_64-unknown-linux-gnu'\n[rust]\nsplit-debuginfo = 'off'\n",
			"[build]\nbuild = 'x86_64-unknown-linux-gnu'\n[rust]\n\n[target.x86_64-unknown-linux-gnu]\nsplit-debuginfo = 'off'\n"},
		{"profile", "1.77.0", "1.95.0", "profile = \"codegen\" # c\n", "profile = \"compiler\" # c\n"},
		{"change-id", "1.88.0", "1.92.0", "change-id = 138986\n", "change-id = 147157\n"},
		{"nothing to do", "1.95.0", "1.97.0", "[rust]\nlld = false\n", "[rust]\nlld = false\n"},
		{"jemalloc", "1.95.0", "1.99.0", "[rust]\njemalloc = true\n[target.a-b]\njemalloc = false\ncc = 'x'\n",
			"[rust]\noverride-allocator = \"jemalloc\"\n[target.a-b]\ncc = 'x'\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := migrate(t, row.text, row.from, row.to)
			if diff := cmp.Diff(row.want, string(m.Text)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if len(m.Undone) > 0 {
				t.Errorf("undone: %v", m.Undone)
			}
			if (len(m.Edits) == 0) != (row.text == row.want) {
				t.Errorf("got edits %v", m.Edits)
			}
			if _, err := (Options{Name: config.BootstrapFile, Host: linuxHost(t)}).load(m.Text, releaseOf(t, row.to)); err != nil {
				t.Errorf("the new file is refused: %v", err)
			}
		})
	}
}

func TestMigrateUndone(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{"rust = { description = 'x' }\n", "bootstrap.toml:1:10: rust.description: moved in 1.87 (rust-lang/rust#137723), but it stands within {…}; write the section as a table and run this again"},
		{"[rust]\nsplit-debuginfo = 'off'\n", "bootstrap.toml:2:1: rust.split-debuginfo: moved in 1.79 (rust-lang/rust#121754), but the file does not say which triple it is for; write it as target.*.split-debuginfo with the triple of build.build"},
	} {
		m := migrate(t, row.text, "1.78.0", "1.95.0")
		if string(m.Text) != row.text {
			t.Errorf("the file was changed: %q", m.Text)
		}
		if len(m.Undone) != 1 {
			t.Fatalf("got %d findings, want 1: %v", len(m.Undone), m.Undone)
		}
		f := m.Undone[0]
		if got := f.Place + ": " + f.Key + ": " + f.Reason + "; " + f.Remedy; got != row.want {
			t.Errorf("got  %s\nwant %s", got, row.want)
		}
	}
	// A key that both names set is left to its author.
	m, err := Run([]byte("[build]\ndescription = 'a'\n[rust]\ndescription = 'b'\n"), Options{From: releaseOf(t, "1.88.0"), To: releaseOf(t, "1.95.0")})
	if err != nil || len(m.Undone) != 1 {
		t.Errorf("got %v, %v; want one finding", m.Undone, err)
	}
}

func TestMigrateChanges(t *testing.T) {
	if got := migrate(t, "", "1.91.0", "1.92.0").Changes; len(got) != 2 || got[0].ID != 147046 || got[1].ID != 147157 {
		t.Errorf("changes from 1.91 to 1.92: got %v, want 147046 and 147157", got)
	}
}

func TestMigrateRefuses(t *testing.T) {
	_, err := Run([]byte("rust.ldd = 1\n"), Options{From: releaseOf(t, "1.90.0"), To: releaseOf(t, "1.95.0")})
	if err == nil || !strings.Contains(err.Error(), "bootstrap.toml:1:6: rust.ldd") {
		t.Errorf("got %v, want the place of rust.ldd", err)
	}
	if _, err := Run(nil, Options{From: releaseOf(t, "1.95.0"), To: releaseOf(t, "1.90.0")}); err == nil {
		t.Error("going back in time: got no error")
	}
}

// TestByteOrderMark migrates a file as Windows editors write it.
func TestByteOrderMark(t *testing.T) {
	const mark = "\ufeff"
	got := migrate(t, mark+"[rust]\nuse-lld = true\n", "1.89.0", "1.96.0")
	if diff := cmp.Diff(mark+"[rust]\nbootstrap-override-lld = true\n", string(got.Text)); diff != "" {
		t.Errorf("migrated (-want +got):\n%s", diff)
	}
}
