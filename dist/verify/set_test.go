package verify_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"x.go/dist/verify"
	"x.go/tests/testenv"
)

// Faults that show only between archives. Each starts from the small dist and
// replaces one archive of it.
func TestSetMutants(t *testing.T) {
	testenv.Need(t, "rustc")
	tests := []struct {
		name    string
		archive string // first part of the stem
		ext     string
		mutate  func(m *mutant)
		want    string
	}{
		{"formats differ in content", "rustfmt", "gz", func(m *mutant) { m.text("version", "1", "2") }, "set/formats-agree"},
		{"formats differ in a member", "rustfmt", "xz", func(m *mutant) { m.add("LICENSE-X", 0o644, "") }, "set/formats-agree"},
		{"formats differ in order", "rustfmt", "zst", func(m *mutant) { moveLast(m, "version") }, "set/formats-agree"},
		{"a file of two archives", "rustfmt", "gz", func(m *mutant) {
			m.text(comp+"manifest.in", "file:bin/cargo-fmt\n", "file:bin/cargo-fmt\nfile:share/doc/clippy/README.md\n")
			m.add(comp+"share/doc/clippy/README.md", 0o644, "")
		}, "set/owner-conflict"},
		{"another version", "rustfmt", "gz", func(m *mutant) { m.text("git-commit-hash", "5", "6") }, "set/one-release"},
		{"combined archive of other content", "rust", "gz", func(m *mutant) {
			m.edit(comp+"bin/cargo-fmt", func(r *rawMember) { r.data = r.data[:100] })
		}, "set/combined-parts"},
		{"combined archive with a file more", "rust", "gz", func(m *mutant) {
			m.text(comp+"manifest.in", "file:bin/cargo-fmt\n", "file:bin/cargo-fmt\nfile:bin/new\n")
			m.add(comp+"bin/new", 0o755, "")
		}, "set/combined-parts"},
		{"combined archive with a file less", "rust", "gz", func(m *mutant) {
			m.text(comp+"manifest.in", "file:bin/cargo-fmt\n", "")
			m.drop(comp + "bin/cargo-fmt")
		}, "set/combined-parts"},
		{"combined archive of other modes", "rust", "gz", mode(comp+"bin/cargo-fmt", 0o644), "set/combined-parts"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			from, err := smallDist()
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
				t.Fatal(err)
			}
			archives, err := filepath.Glob(filepath.Join(from, tt.archive+"-[0-9n]*.tar."+tt.ext))
			if err != nil || len(archives) != 1 {
				t.Fatalf("got archives %q, %v; want one", archives, err)
			}
			stem := strings.TrimSuffix(filepath.Base(archives[0]), ".tar."+tt.ext)
			m := mutantOf(t, from, stem, tt.ext)
			tt.mutate(m)
			if err := m.write(dir); err != nil {
				t.Fatal(err)
			}
			report := verifyAll(t, verify.Options{Inputs: []string{dir}, Groups: []verify.Group{verify.Static}})
			if failed := failedNames(report); !slices.Contains(failed, tt.want) {
				t.Errorf("got failures %q, want %s among them", failed, tt.want)
			}
		})
	}
}

// Operands that are nothing to verify.
func TestBadOperands(t *testing.T) {
	empty := t.TempDir()
	text := filepath.Join(empty, "notes.txt")
	if err := os.WriteFile(text, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, in := range [][]string{{}, {filepath.Join(empty, "none")}, {empty}, {text}, {"http://127.0.0.1/dist"}} {
		report := verifyAll(t, verify.Options{Inputs: in})
		if got := failedNames(report); !slices.Contains(got, "input/readable") {
			t.Errorf("%q: got failures %q, want input/readable", in, got)
		}
	}
}
