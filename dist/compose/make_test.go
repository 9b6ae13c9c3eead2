package compose_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist"
	"x.go/dist/compose"
	"x.go/tests/testenv"
)

// own is a component that Rust does not have.
func own(stem, component string, files ...string) made {
	return made{stem: stem, component: component, files: files, version: "2.3", commit: "-"}
}

// The real rustup installs a channel made of two machines' archives, with components of
// one's own for a host, for a target that is none, and of data alone.
func TestMakeForRustup(t *testing.T) {
	t.Parallel()
	src := made{stem: "rust-src-1.95.0", component: "rust-src", files: []string{"lib/rustlib/src/rust/lib.rs"}}
	const board = "riscv32-acme-none-elf"
	linux := write(t, rustc(host), std(host), tool("cargo", "cargo"), tool("clippy", "clippy-preview"), src,
		own("acme-sdk-2.3-"+host, "acme-sdk", "bin/sdk"), own("acme-data-7-tables-1.0", "acme-data-7-tables", "share/acme/data"))
	other := write(t, rustc("aarch64-unknown-linux-gnu"), std("aarch64-unknown-linux-gnu"), std(board), src,
		own("acme-board-preview-2.3-"+board, "acme-board-preview-"+board, "lib/rustlib/"+board+"/acme/x.ld"))
	out, d := makeChannel(t, compose.MakeOptions{}, linux, other)
	if want := []string{"stable", "1.95.0", "1.95"}; !cmp.Equal(want, d.Names) {
		t.Errorf("got names %q, want %q", d.Names, want)
	}
	for _, name := range d.Names {
		parse(t, out, name)
	}
	r := newRustup(t, out)
	r.install("1.95.0", "default")
	tc := "1.95.0-" + host
	for _, c := range []string{"acme-sdk", "acme-data-7-tables", "rust-src"} {
		r.run("component", "add", "--toolchain", tc, c)
	}
	r.run("component", "add", "--toolchain", tc, "--target", board, "acme-board-preview")
	r.run("target", "add", "--toolchain", tc, board)
	want := []string{"acme-board-preview-" + board, "acme-data-7-tables", "acme-sdk-" + host, "cargo-" + host, "clippy-preview-" + host, "rust-src", "rust-std-" + board, "rust-std-" + host, "rustc-" + host}
	if diff := cmp.Diff(want, r.has("1.95.0")); diff != "" {
		t.Errorf("installed (-want +got):\n%s", diff)
	}
	r.run("component", "remove", "--toolchain", tc, "acme-data-7-tables")
	r.run("target", "remove", "--toolchain", tc, board)
}

// Versions that rustup cannot name are published under a name that it takes.
func TestMakeNames(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		version, text string
		names         []string
		note          bool
	}{
		{"nightly", "1.97.0-nightly (59807616e 2026-04-14)", []string{"nightly"}, false},
		{"1.98.0-dev", "1.98.0-dev", []string{"nightly"}, true},
		{"1.88.0.0", "1.88.0.0", []string{"stable", "1.88.0", "1.88"}, true},
		{"1.88.0.0", "1.88.0-nightly (59807616e 2026-04-14) (1.88.0.0)", []string{"stable", "1.88.0", "1.88"}, true},
	} {
		commit := ""
		if !strings.Contains(test.text, "(") {
			commit = "-"
		}
		dir := write(t,
			made{stem: "rustc-" + test.version + "-" + host, component: "rustc", files: []string{"bin/rustc"}, version: test.text, commit: commit},
			made{stem: "rust-std-" + test.version + "-" + host, component: "rust-std-" + host, files: []string{"lib/std"}, version: test.text, commit: commit})
		out, d := makeChannel(t, compose.MakeOptions{Today: "2026-05-05"}, dir)
		if !cmp.Equal(test.names, d.Names) || (len(d.Notes) > 0) != test.note {
			t.Errorf("%s: got names %q, notes %q; want %q", test.text, d.Names, d.Notes, test.names)
		}
		if got := parse(t, out, test.names[0]).Packages["rustc"].Version; got != test.text {
			t.Errorf("%s: got version %q", test.text, got)
		}
		r := newRustup(t, out)
		r.install(test.names[0], "minimal")
	}
}

// What rustup would trip over is refused, and all of it is named.
func TestMakeRefuses(t *testing.T) {
	t.Parallel()
	with := func(m made, change func(*made)) made { change(&m); return m }
	for name, test := range map[string]struct {
		dirs []string
		want string
	}{
		"no host":          {[]string{write(t, std(host))}, "no archive of rustc"},
		"other bytes":      {[]string{write(t, rustc(host)), write(t, with(rustc(host), func(m *made) { m.files = []string{"bin/rustc", "bin/rustdoc"} }))}, "want one file for one name"},
		"other commit":     {[]string{write(t, rustc(host), with(std(host), func(m *made) { m.commit = strings.Repeat("1", 40) }))}, "want one release and one commit"},
		"other version":    {[]string{write(t, rustc(host), with(std(host), func(m *made) { m.version = "1.95.1" }))}, "want one release and one commit"},
		"no such host":     {[]string{write(t, rustc(host), std(host), made{stem: "cargo-1.95.0-riscv64gc-unknown-linux-gnu", component: "cargo", files: []string{"bin/cargo"}})}, "component-unlisted"},
		"two of one":       {[]string{write(t, rustc(host), own("acme-1.0-"+host, "acme", "bin/a"), own("acme-2.0-"+host, "acme", "bin/a"))}, "leave one out"},
		"collision":        {[]string{write(t, rustc(host), own("acme-1.0-"+host, "acme", "bin/rustc"))}, `"bin/rustc" belongs to`},
		"below a file":     {[]string{write(t, rustc(host), own("acme-1.0", "acme", "bin/rustc/x"))}, "which is a file of"},
		"rustup's records": {[]string{write(t, rustc(host), own("acme-1.0-"+host, "acme", "lib/rustlib/manifest-rustc"))}, "where rustup keeps its own records"},
		"below a record":   {[]string{write(t, rustc(host), own("acme-1.0", "acme", "lib/rustlib/components/x"))}, "where rustup keeps its own records"},
		"host against any": {[]string{write(t, rustc(host), own("acme-1.0", "acme", "bin/rustc"))}, `"bin/rustc" belongs to`},
		"two targets": {[]string{write(t, rustc(host), with(std("a-b-c"), func(m *made) { m.files = []string{"lib/x"} }), with(std("a-b-d"), func(m *made) { m.files = []string{"lib/x"} }))},
			`"lib/x" belongs to`},
		"two boards":     {[]string{write(t, rustc(host), own("acme-1.0-a-b-c", "acme", "lib/x"), own("acme-1.0-a-b-d", "acme", "lib/x"))}, `"lib/x" belongs to`},
		"other name":     {[]string{write(t, rustc(host), own("acme-1.0-"+host, "emca", "lib/x"))}, `rustup looks for "acme"`},
		"nothing at all": {[]string{t.TempDir()}, "it has no .tar.gz"},
	} {
		_, err := compose.Make(t.Context(), test.dirs, compose.MakeOptions{})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
	// These are right as rustup has them.
	docs := func(target string) made {
		return made{stem: "rust-docs-1.95.0-" + target, component: "rust-docs", files: []string{"share/doc/rust/html/index.html"}}
	}
	mingw := made{stem: "rust-mingw-1.95.0-x86_64-pc-windows-gnu", component: "rust-mingw", files: []string{"lib/rustlib/x86_64-pc-windows-gnu/lib/self-contained/crt2.o"}}
	dir := write(t, rustc(host), std(host), docs(host), docs("aarch64-apple-darwin"), std("x86_64-unknown-linux-musl"), std("x86_64-pc-windows-gnu"), mingw)
	if _, err := compose.Make(t.Context(), []string{dir}, compose.MakeOptions{}); err != nil {
		t.Error(err)
	}
}

// Nothing of the user's in the output directory is lost, and what is there stays.
func TestWriteIntoUsed(t *testing.T) {
	t.Parallel()
	dir := write(t, rustc(host), std(host))
	out, d := makeChannel(t, compose.MakeOptions{}, dir)
	testenv.Must(t, os.WriteFile(filepath.Join(out, "notes.txt"), []byte("mine"), 0o644))
	root, err := dist.OpenDir(out)
	testenv.Must(t, err)
	defer root.Close()
	w, err := d.Write(t.Context(), root, nil)
	if err != nil || w.Copied != 0 || w.Kept != 2 || w.Bytes == 0 {
		t.Errorf("got %+v, %v; want 2 kept, with their size", w, err)
	}
	at := filepath.Join(out, "rustc-1.95.0-"+host+".tar.gz")
	testenv.Must(t, os.WriteFile(at, []byte("another"), 0o644))
	if _, err := d.Write(t.Context(), root, nil); err == nil || !strings.Contains(err.Error(), "another file is there") {
		t.Errorf("got %v, want an error for a file in the way", err)
	}
	if data, err := os.ReadFile(at); err != nil || string(data) != "another" {
		t.Errorf("got %q, %v; want the file as it was", data, err)
	}
	parse(t, out, "stable") // the old channel stays until a new one is whole
	// What the replaced channel has may be replaced.
	again, err := compose.Make(t.Context(), []string{write(t, rustc(host), std(host), tool("cargo", "cargo"))}, compose.MakeOptions{Name: "stable"})
	testenv.Must(t, err)
	testenv.Must(t, os.Remove(at))
	writeDraft(t, again, out)
	if _, ok := parse(t, out, "stable").Packages["cargo"]; !ok {
		t.Error("the channel has no cargo")
	}
}
