package tests

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/tests/runx"
	"x.go/tests/testenv"
)

// nestedSysroot creates a sysroot with the documentation of the compiler inside that of
// Rust, listed as upstream has it.
func nestedSysroot(t *testing.T, dir string) {
	t.Helper()
	fullSysroot(t, dir)
	for name, text := range map[string]string{
		"share/doc/rust/html/std/index.html": "std", "share/doc/rust/html/rustc/index.html": "book", "share/doc/rust/html/rustc-docs/rustc_ast/index.html": "ast",
		"lib/rustlib/manifest-rust-docs-x86_64-unknown-linux-gnu":  "dir:share/doc/rust/html\n",
		"lib/rustlib/manifest-rustc-docs-x86_64-unknown-linux-gnu": "dir:share/doc/rust/html/rustc-docs\n",
	} {
		path := filepath.Join(dir, name)
		testenv.Must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		testenv.Must(t, os.WriteFile(path, []byte(text), 0o644))
	}
}

// TestNestedDocs removes, with the real rustup, the documentation inside of another one and
// the one around it, in both orders.
func TestNestedDocs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	nestedSysroot(t, filepath.Join(dir, "usr"))
	const gz = `dist.compression-formats=["gz"]`
	said := runx.Must(t, dir, nil, "dist", "--sysroot", "usr", "--set", gz, "rustc", "rust-std", "cargo", "rust-docs", "rustc-docs").Stderr
	if !strings.Contains(said, `rustc-docs has files in ["share/doc/rust/html"]`) {
		t.Errorf("x dist: got %q, want a note on rustc-docs", said)
	}
	if r := runx.X(t, dir, nil, "verify", "--checks", "static", "build/dist"); strings.Contains(r.Stdout, "WARN") || strings.Contains(r.Stdout, "FAIL") {
		t.Errorf("x verify: got %s, want no warning", r.Stdout)
	}
	rustup := func(args ...string) {
		t.Helper()
		cmd := exec.Command(testenv.Need(t, "rustup"), args...)
		cmd.Dir = dir
		cmd.Env = rustupEnv(dir, filepath.Join(dir, "build"))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("rustup %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	rustup("toolchain", "install", "stable", "--profile", "minimal", "--no-self-update")
	homes, err := filepath.Glob(filepath.Join(dir, "*/toolchains/stable-*"))
	if err != nil || len(homes) != 1 {
		t.Fatalf("got toolchains %q, %v; want one", homes, err)
	}
	html := func() []string {
		var names []string
		for name := range testenv.Tree(t, homes[0]) {
			if rest, ok := strings.CutPrefix(name, "share/doc/rust/html/"); ok && strings.HasSuffix(rest, ".html") {
				names = append(names, rest)
			}
		}
		slices.Sort(names)
		return names
	}
	files := map[string]string{"rust-docs": "index.html rustc/index.html std/index.html", "rustc-docs": "rustc-docs/index.html rustc-docs/rustc_ast/index.html"}
	for first, second := range map[string]string{"rust-docs": "rustc-docs", "rustc-docs": "rust-docs"} {
		rustup("component", "add", "rust-docs", "rustc-docs")
		rustup("component", "remove", first)
		if diff := cmp.Diff(strings.Fields(files[second]), html()); diff != "" {
			t.Errorf("without %s (-want +got):\n%s", first, diff)
		}
		rustup("component", "remove", second)
		if left := html(); len(left) > 0 {
			t.Errorf("without both: got %q, want nothing", left)
		}
	}
}

// TestUpstreamDocs: one without the other is listed as upstream has it. x tells of both
// together.
func TestUpstreamDocs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	usr := filepath.Join(dir, "usr")
	nestedSysroot(t, usr)
	for _, args := range [][]string{{"rust-docs", "--set", "build.compiler-docs=false"}, {"rustc-docs"}} {
		said := runx.Must(t, dir, nil, append([]string{"dist", "--sysroot", "usr", "--set", `dist.compression-formats=["gz"]`}, args...)...).Stderr
		if args[0] == "rust-docs" && strings.Contains(said, "rustc-docs has files") {
			t.Errorf("x dist: got %q, want no note", said)
		}
	}
	const want = `"share/doc/rust/html/rustc-docs" of rustc-docs-1.95.0-x86_64-unknown-linux-gnu lies in "share/doc/rust/html", which rust-docs-1.95.0-x86_64-unknown-linux-gnu lists as a whole`
	r := runx.X(t, dir, nil, "verify", "--checks", "static", "build/dist")
	if !strings.Contains(r.Stdout, "WARN set/owner-nested") || !strings.Contains(r.Stdout, want) || strings.Contains(r.Stdout, "FAIL") {
		t.Errorf("x verify: got %s, want a warning and no failure", r.Stdout)
	}
	const note = `rustc-docs has files in ["share/doc/rust/html"]`
	check := func(what string, want bool, set ...string) {
		t.Helper()
		r := runx.X(t, dir, nil, append([]string{"check", "--sysroot", "usr"}, set...)...)
		if strings.Contains(r.Stdout+r.Stderr, note) != want {
			t.Errorf("x check, %s: got %s%s, want the note: %t", what, r.Stdout, r.Stderr, want)
		}
	}
	check("lists", true)
	check("lists, no compiler-docs", false, "--set", "build.compiler-docs=false")
	lists, err := filepath.Glob(filepath.Join(usr, "lib/rustlib/manifest-*"))
	testenv.Must(t, err)
	for _, list := range lists {
		testenv.Must(t, os.Remove(list))
	}
	check("no lists", true)
	testenv.Must(t, os.RemoveAll(filepath.Join(usr, "share/doc/rust/html/rustc-docs")))
	check("no rustc-docs", false)
}
