package optouts_test

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/bootstrap/optouts"
	"x.go/tests/testenv"
)

// lock makes linkme a dependency: a reason that no longer holds.
const lock = "\n-- Cargo.lock --\n[[package]]\nname = \"linkme\"\nversion = \"0.3.28\"\n"

func TestFix(t *testing.T) {
	t.Parallel()
	const lld = `"-Clinker-features=-lld"`
	for _, tt := range []struct{ name, file, before, after string }{
		{"last item", ".cargo/config.toml", "[build]\nrustflags = [\"-C\", \"opt-level=2\", \"-C\", \"linker-features=-lld\"]\n", "[build]\nrustflags = [\"-C\", \"opt-level=2\"]\n"},
		{"first item", ".cargo/config.toml", "[build]\nrustflags = [" + lld + ", '-Copt-level=2']\n", "[build]\nrustflags = ['-Copt-level=2']\n"},
		{"only item, and nothing else in the table", ".cargo/config.toml", "[net]\noffline = true\n\n[build]\nrustflags = [" + lld + "]\n", "[net]\noffline = true\n\n"},
		{"only item, other keys", ".cargo/config.toml", "[build]\njobs = 2\nrustflags = [\n  # why\n  " + lld + ",\n]\n", "[build]\njobs = 2\n"},
		{"lines with comments", ".cargo/config.toml", "[build]\nrustflags = [\n  \"-Copt-level=2\", # kept\n  " + lld + ", # this, too\n  '-C', 'debuginfo=1',\n]\n",
			"[build]\nrustflags = [\n  \"-Copt-level=2\", # kept\n  # this, too\n  '-C', 'debuginfo=1',\n]\n"},
		{"option over two lines", ".cargo/config.toml", "[build]\nrustflags = [\n  \"-C\",\n  \"linker-features=-lld\",\n  \"-g\",\n]\n", "[build]\nrustflags = [\n  \"-g\",\n]\n"},
		{"-z and its value", ".cargo/config.toml", "[build]\nrustflags = [\"-g\", \"-C\", \"link-arg=-z\", \"-C\", \"link-arg=nostart-stop-gc\"]\n", "[build]\nrustflags = [\"-g\"]\n"},
		{"string", ".cargo/config.toml", "[build]\nrustflags = \"-g -C linker-features=-lld -Copt-level=2\"\n", "[build]\nrustflags = \"-g -Copt-level=2\"\n"},
		{"string that is nothing else", ".cargo/config.toml", "[build]\nrustflags = '-Clinker-features=-lld' # why\njobs = 1\n", "[build]\n# why\njobs = 1\n"},
		{"build.rustflags would come into force", ".cargo/config.toml", "[build]\nrustflags = [\"-g\"]\n[target.x86_64-unknown-linux-gnu]\nrustflags = [" + lld + "]\n", ""},
		{"inline table", ".cargo/config.toml", "target.x86_64-unknown-linux-gnu = { rustflags = [" + lld + "] }\n", ""},
		{"CRLF", ".cargo/config.toml", "[build]\r\nrustflags = [\r\n  " + lld + ",\r\n  \"-g\",\r\n]\r\n", "[build]\r\nrustflags = [\r\n  \"-g\",\r\n]\r\n"},
		{"workflow", ".github/workflows/ci.yml", "env:\n  A: -g -Clinker-features=-lld\n  B: -Clinker-features=-lld # why\n  C: \"-C linker-features=-lld\"\nlist:\n  - -Clinker-features=-lld\n  - '-g'\n",
			"env:\n  A: -g\n  B: \"\" # why\n  C: \"\"\nlist:\n  - '-g'\n"},
		{"continued command", "a.sh", "cargo rustc -- \\\n  -C linker-features=-lld \\\n  -g\nRUSTFLAGS='-g -Clinker-features=-lld' cargo build\nRUSTFLAGS=-Clinker-features=-lld cargo build\n", "cargo rustc -- \\\n  -g\nRUSTFLAGS='-g' cargo build\nRUSTFLAGS= cargo build\n"},
		{"lists of Nix and Bazel", "x.nix", "[ \"-C\" \"linker-features=-lld\" \"-g\" ]\n", "[ \"-g\" ]\n"},
		{"flag of Bazel", ".bazelrc", "build --a\nbuild --@rules_rust//:extra_rustc_flags=-Clinker-features=-lld\n", "build --a\n"},
		{"build script", "build.rs", "fn main() {\n    println!(\"cargo::rustc-link-arg=-Wl,-z,nostart-stop-gc\");\n    f();\n}\n", "fn main() {\n    f();\n}\n"},
		{"build script that does more on the line", "build.rs", "fn main() { println!(\"cargo::rustc-link-arg=-Wl,-z,nostart-stop-gc\"); }\n", ""},
		{"documentation", "README.md", "`RUSTFLAGS=-Clinker-features=-lld cargo build`\n", ""},
		{"source code", "src/main.rs", "f(\"-Clinker-features=-lld\");\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := write(t, lock)
			path := filepath.Join(dir, filepath.FromSlash(tt.file))
			testenv.Must(t, os.MkdirAll(filepath.Dir(path), 0o755))
			testenv.Must(t, os.WriteFile(path, []byte(tt.before), 0o640))
			r := run(t, dir, options(t, "1.95.0", ""))
			if len(r.Findings) == 0 {
				t.Fatal("got no finding")
			}
			edits := r.Edits()
			for i := range edits {
				testenv.Must(t, edits[i].Write())
			}
			want := tt.after
			if want == "" {
				want = tt.before
			}
			got, err := os.ReadFile(path)
			testenv.Must(t, err)
			if diff := cmp.Diff(want, string(got)); diff != "" {
				t.Errorf("(-want +got)\n%s%s", diff, summaries(r))
			}
			if again := run(t, dir, options(t, "1.95.0", "")); tt.after != "" && again.Fixable() > 0 {
				t.Errorf("a second time: got\n%s", summaries(again))
			}
			if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o640 {
				t.Errorf("got mode %v, %v, want 0640", info.Mode(), err)
			}
		})
	}
}

// What is needed, or not known to be obsolete, stays.
func TestFixLeaves(t *testing.T) {
	t.Parallel()
	dir := write(t, "-- .cargo/config.toml --\n[build]\nrustflags = [\"-Clinker-features=-lld\"] # GCC LTO\n-- a.sh --\nRUSTFLAGS=\"-Clinker-features=-lld -Clink-self-contained=-linker\"\n")
	if r := run(t, dir, options(t, "1.95.0", "")); len(r.Findings) != 3 || len(r.Edits()) != 0 {
		t.Errorf("got %d edits of\n%s", len(r.Edits()), summaries(r))
	}
}

// A file that changed since it was read, or that a link has taken the place of, is
// left alone, and nothing outside is touched.
func TestFixRefuses(t *testing.T) {
	t.Parallel()
	const text = "[build]\nrustflags = [\"-Clinker-features=-lld\"]\n"
	outside := filepath.Join(t.TempDir(), "config.toml")
	testenv.Must(t, os.WriteFile(outside, []byte(text), 0o644))
	for name, change := range map[string]func(dir, path string) error{
		"changed": func(_, path string) error { return os.WriteFile(path, []byte(text+"# more\n"), 0o644) },
		"link to a file": func(_, path string) error {
			testenv.Must(t, os.Remove(path))
			return os.Symlink(outside, path)
		},
		"link to a directory": func(dir, _ string) error {
			testenv.Must(t, os.RemoveAll(filepath.Join(dir, ".cargo")))
			return os.Symlink(filepath.Dir(outside), filepath.Join(dir, ".cargo"))
		},
	} {
		dir := write(t, "-- .cargo/config.toml --\n"+text+lock)
		edits := run(t, dir, options(t, "1.95.0", "")).Edits()
		if len(edits) != 1 {
			t.Fatalf("%s: got %d edits, want 1", name, len(edits))
		}
		testenv.Must(t, change(dir, filepath.Join(dir, ".cargo", "config.toml")))
		if err := edits[0].Write(); err == nil || !strings.HasPrefix(err.Error(), `fixing ".cargo/config.toml": `) {
			t.Errorf("%s: got error %v", name, err)
		}
	}
	if got, err := os.ReadFile(outside); err != nil || string(got) != text {
		t.Errorf("outside: got %q, %v", got, err)
	}
	if got := testenv.List(t, filepath.Dir(outside)); !slices.Equal(got, []string{"config.toml"}) {
		t.Errorf("outside: got %q", got)
	}
}

// Links are not followed, ignored files and what cargo has built are passed over.
func TestWalk(t *testing.T) {
	t.Parallel()
	const line = "RUSTFLAGS=-Clinker-features=-lld\n"
	dir := write(t, "-- a.sh --\n"+line+"-- .github/x.sh --\n"+line+"-- .git/x.sh --\n"+line+"-- target/CACHEDIR.TAG --\n-- target/x.sh --\n"+line+
		"-- src/target/x.sh --\n"+line+"-- .gitignore --\n/out\n*.gen.sh\n!keep.gen.sh\nlogs/\nb/**/c.sh\n# *.sh\n-- out/x.sh --\n"+line+"-- in/out/x.sh --\n"+line+
		"-- x.gen.sh --\n"+line+"-- keep.gen.sh --\n"+line+"-- in/logs/x.sh --\n"+line+"-- b/1/2/c.sh --\n"+line+"-- sub/.gitignore --\na.sh\n-- sub/a.sh --\n"+line+
		"-- other/a.sh --\n"+line+"-- zero.sh --\n\x00"+line+"-- noending --\n"+line+"-- script --\n#!/bin/sh\n"+line)
	testenv.Must(t, os.Symlink("a.sh", filepath.Join(dir, "link.sh")))
	testenv.Must(t, os.Symlink("..", filepath.Join(dir, "loop")))
	var got []string
	r := run(t, dir, options(t, "1.95.0", ""))
	for _, f := range r.Findings {
		got = append(got, f.File)
	}
	want := []string{".github/x.sh", "a.sh", "in/out/x.sh", "keep.gen.sh", "other/a.sh", "script", "src/target/x.sh"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	o := options(t, "1.95.0", "")
	o.NoIgnore = true
	if r := run(t, dir, o); len(r.Findings) != len(want)+5 {
		t.Errorf("without .gitignore: got %d\n%s", len(r.Findings), summaries(r))
	}
	if _, err := optouts.Run(t.Context(), []string{filepath.Join(dir, "a.sh")}, o); err == nil {
		t.Error("a file in the place of a directory: got no error")
	}
}
