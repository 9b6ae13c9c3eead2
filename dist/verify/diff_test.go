package verify_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"x.go/dist/verify"
	"x.go/tests/testenv"
)

func diff(t *testing.T, opts verify.DiffOptions) verify.Comparison {
	t.Helper()
	opts.TempDir = t.TempDir()
	c, err := verify.Diff(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Each change of an archive is named by its kind.
func TestDiffArchives(t *testing.T) {
	tests := []struct {
		name   string
		ext    string // of B; A is gz
		mutate func(m *mutant)
		opts   verify.DiffOptions
		want   verify.Sameness
		kinds  []string
		text   string // in the first difference's B
	}{
		{name: "nothing", mutate: func(*mutant) {}, want: verify.SameBytes},
		{name: "format", ext: "xz", mutate: func(*mutant) {}, want: verify.SameContent, kinds: []string{"container"}, text: "xz: streams 1"},
		{name: "gzip header", mutate: func(m *mutant) { m.packed = func(b []byte) []byte { b[4] = 7; return b } }, want: verify.SameContent, kinds: []string{"container"}, text: "time 7"},
		{name: "owner", mutate: func(m *mutant) { m.members[2].Uname = "me" }, want: verify.SameContent, kinds: []string{"tar"}, text: `header field uname ("", "me")`},
		{name: "time", mutate: touch("version"), want: verify.Differs, kinds: []string{"time"}},
		{name: "order", mutate: func(m *mutant) { moveLast(m, "version") }, want: verify.Differs, kinds: []string{"order"}},
		{name: "mode", mutate: mode(comp+"bin/cargo-fmt", 0o644), want: verify.Differs, kinds: []string{"mode"}},
		{name: "new file", mutate: func(m *mutant) { m.add(comp+"bin/new", 0o755, "") }, want: verify.Differs, kinds: []string{"only-in-b"}},
		{name: "lost file", mutate: func(m *mutant) { m.drop(comp + "bin/cargo-fmt") }, want: verify.Differs, kinds: []string{"only-in-a"}},
		{name: "file became a folder", mutate: func(m *mutant) { m.drop("version"); m.addDir("version") }, want: verify.Differs, kinds: []string{"kind", "mode"}},
		{
			name: "content of a text", mutate: func(m *mutant) { m.text("version", "1", "2") }, want: verify.Differs, kinds: []string{"content"},
		},
		{
			name: "content of a program", want: verify.Differs, kinds: []string{"content"}, text: "first in .comment at byte",
			mutate: func(m *mutant) {
				m.edit(comp+"bin/cargo-fmt", func(r *rawMember) {
					r.data = bytes.Replace(r.data, []byte("Linker: LLD 22.1.0"), []byte("Linker: LLD 22.1.1"), 1)
				})
			},
		},
		{
			name: "linker of a program", want: verify.Differs, kinds: []string{"content", "linker"},
			mutate: func(m *mutant) {
				m.edit(comp+"bin/cargo-fmt", func(r *rawMember) {
					r.data = bytes.Replace(r.data, []byte("Linker: LLD 22.1.0"), []byte("Linker: Wild 0.1.0"), 1)
				})
			},
		},
		{
			name: "RUNPATH of a program", want: verify.Differs, kinds: []string{"content", "runpath"},
			mutate: func(m *mutant) {
				m.edit(comp+"bin/cargo-fmt", func(r *rawMember) {
					r.data = bytes.ReplaceAll(r.data, []byte("$ORIGIN/../lib\x00"), []byte("$ORIGIN/../LIB\x00"))
				})
			},
		},
		{name: "size within the budget", opts: verify.DiffOptions{Budget: 50, IgnoreContent: true}, mutate: func(m *mutant) {
			m.text("version", "1", "11")
		}, want: verify.AllowedOnly},
		{name: "size over the budget", opts: verify.DiffOptions{Budget: 50, IgnoreContent: true}, mutate: func(m *mutant) {
			m.text("version", "1", strings.Repeat("1", 100))
		}, want: verify.Differs, kinds: []string{"size"}},
		{name: "allowed", opts: verify.DiffOptions{Allow: []verify.Allowance{{Kind: "size", Pattern: "version", Reason: "it may"}}}, mutate: func(m *mutant) {
			m.text("version", "1", "11")
		}, want: verify.AllowedOnly, kinds: []string{"size"}},
		{name: "cut short", mutate: cut, want: verify.Differs, kinds: []string{"unreadable"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, b := newMutant(t, "gz"), newMutant(t, defaultTo(tt.ext, "gz"))
			tt.mutate(b)
			left, right := t.TempDir(), t.TempDir()
			if err := a.write(left); err != nil {
				t.Fatal(err)
			}
			if err := b.write(right); err != nil {
				t.Fatal(err)
			}
			opts := tt.opts
			opts.A, opts.B = filepath.Join(left, a.file), filepath.Join(right, b.file)
			c := diff(t, opts)
			var kinds []string
			for _, d := range c.Differences {
				kinds = append(kinds, d.Kind)
			}
			if c.Sameness != tt.want {
				t.Errorf("got %q, want %q; differences %+v", c.Sameness, tt.want, c.Differences)
			}
			for _, k := range tt.kinds {
				if !slices.Contains(kinds, k) {
					t.Errorf("got kinds %q, want %s among them", kinds, k)
				}
			}
			if tt.text != "" && (len(c.Differences) == 0 || !strings.Contains(c.Differences[0].B, tt.text)) {
				t.Errorf("got %+v, want %q in the first", c.Differences, tt.text)
			}
		})
	}
}

func TestDiffFolders(t *testing.T) {
	testenv.Need(t, "rustc")
	from, err := smallDist()
	if err != nil {
		t.Fatal(err)
	}
	if c := diff(t, verify.DiffOptions{A: from, B: from}); c.Sameness != verify.SameBytes || c.Compared != 18 {
		t.Errorf("itself: got %q of %d archives, want same bytes of 18", c.Sameness, c.Compared)
	}
	other := t.TempDir()
	if err := os.CopyFS(other, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	gone, err := filepath.Glob(filepath.Join(other, "cargo-*.tar.xz"))
	if err != nil || len(gone) != 1 || os.Remove(gone[0]) != nil {
		t.Fatal("no archive to remove")
	}
	c := diff(t, verify.DiffOptions{A: from, B: other})
	if len(c.Differences) != 1 || c.Differences[0].Kind != "only-in-a" || c.Same() {
		t.Errorf("got %+v, want one archive only in A", c.Differences)
	}
}

// Names that hold a hash or a release are matched, and told.
func TestDiffTrees(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	write := func(root, name, text string) {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(a, "lib/librustc_driver-6108105cd7e839cf.so", "same")
	write(b, "lib/librustc_driver-b5a965480ee51f9a.so", "same")
	write(a, "lib/libLLVM.so.22.1-rust-1.95.0-stable", "one")
	write(b, "lib/libLLVM.so.23.1-rust-1.97.0-nightly", "two")
	write(a, "lib/rustlib/x", "")
	write(b, "lib/rustlib/x", "")
	if err := os.Symlink("x", filepath.Join(a, "lib/rustlib/l")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("y", filepath.Join(b, "lib/rustlib/l")); err != nil {
		t.Fatal(err)
	}
	c := diff(t, verify.DiffOptions{A: a, B: b})
	var got []string
	for _, d := range c.Differences {
		got = append(got, d.Kind+" "+d.Path)
	}
	want := []string{
		"name lib/libLLVM.so.22.1-rust-1.95.0-stable", "content lib/libLLVM.so.22.1-rust-1.95.0-stable",
		"name lib/librustc_driver-6108105cd7e839cf.so", "link lib/rustlib/l",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("differences (-want +got):\n%s", d)
	}
	var text bytes.Buffer
	if err := c.WriteText(&text); err != nil || !strings.HasSuffix(text.String(), "\ndifferent\n") {
		t.Errorf("got text %q, %v; want it to end in the verdict", text.String(), err)
	}
	if c := diff(t, verify.DiffOptions{A: a, B: a}); c.Sameness != verify.SameBytes {
		t.Errorf("itself: got %q", c.Sameness)
	}
	if _, err := verify.Diff(t.Context(), verify.DiffOptions{A: a, B: filepath.Join(b, "none"), TempDir: t.TempDir()}); err == nil {
		t.Error("a missing operand: got no error")
	}
}

func TestParseAllow(t *testing.T) {
	got, err := verify.ParseAllow([]byte("# intro\n\nonly-in-b share/** # new docs\n* bin/cargo # rewritten\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []verify.Allowance{
		{Kind: "only-in-b", Pattern: "share/**", Reason: "new docs", Line: 3},
		{Kind: "*", Pattern: "bin/cargo", Reason: "rewritten", Line: 4},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("allowances (-want +got):\n%s", d)
	}
	_, err = verify.ParseAllow([]byte("size x\nsizes x # y\nsize # z\nmode [ # bad\nsize **/**/**/**/**/x # slow\n"))
	if err == nil {
		t.Fatal("got no error")
	}
	for _, want := range []string{"line 1: no reason", `line 2: got kind "sizes"`, "line 3: got 1 words", "line 4: malformed glob", "line 5: malformed glob"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
}

func FuzzParseAllow(f *testing.F) {
	f.Add([]byte("only-in-b share/** # new docs\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		allow, err := verify.ParseAllow(b)
		if err != nil && allow != nil {
			t.Error("got both allowances and an error")
		}
		for _, a := range allow {
			if a.Reason == "" || a.Pattern == "" {
				t.Errorf("got %+v without a reason or a pattern", a)
			}
		}
	})
}
