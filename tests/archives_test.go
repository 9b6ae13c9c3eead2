package tests

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/dist/xz"
)

// TestArchiveDigests pins the bytes of archives: a change of the code that is not
// meant to change them must not. The digests are those that sha256sum prints, in
// testdata/archives.sha256. After a change that is meant to, or an update of a
// compressor, write them anew with
//
//	go test ./tests -run TestArchiveDigests -update
func TestArchiveDigests(t *testing.T) {
	t.Parallel()
	pkgs := goldenPackages(t)
	modTime := time.Unix(1776124800, 0)
	all := []archive.Format{archive.GZ, archive.XZ, archive.Zst}
	runs := []struct {
		name   string
		writer archive.Writer
	}{
		{"fast", archive.Writer{Formats: all, Order: archive.KindOrder, ModTime: modTime}},
		{"fast, reversed order", archive.Writer{Formats: all}},
		{"best, with a filter", archive.Writer{Formats: all, Profile: archive.Best, Order: archive.KindOrder, ModTime: modTime, BCJ: xz.BCJX86}},
	}
	var got strings.Builder
	for _, r := range runs {
		artifacts, err := r.writer.Write(t.Context(), t.TempDir(), pkgs...)
		if err != nil {
			t.Fatalf("%s: %v", r.name, err)
		}
		fmt.Fprintf(&got, "# %s\n", r.name)
		for _, a := range artifacts {
			fmt.Fprintf(&got, "%s  %s\n", a.SHA256, a.Name)
		}
	}
	golden := filepath.Join("testdata", "archives.sha256")
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// goldenPackages are the archives of a small toolchain: two components and the
// combined one, with content that is the same everywhere.
func goldenPackages(t *testing.T) []dist.Package {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	words := make([]string, 300)
	for i := range words {
		words[i] = fmt.Sprintf("word%x", random.Uint32())
	}
	text := func(n int) []byte {
		var b strings.Builder
		for b.Len() < n {
			b.WriteString(words[random.IntN(len(words))] + " ")
		}
		return []byte(b.String()[:n])
	}
	// code has calls with absolute targets, as a branch filter likes them.
	code := func(n int) []byte {
		var b []byte
		for len(b) < n {
			b = append(b, 0xe8, byte(random.IntN(256)), byte(random.IntN(4)), 0, 0)
			b = append(b, text(3+random.IntN(20))...)
		}
		return b[:n]
	}
	root := t.TempDir()
	for _, name := range []string{"html/index.html", "html/std/a.html", "html/std/b.html", "html/" + strings.Repeat("deep/", 20) + "c.html"} {
		path := filepath.Join(root, name)
		check(os.MkdirAll(filepath.Dir(path), 0o700))
		check(os.WriteFile(path, text(5000), 0o600))
	}
	check(os.Mkdir(filepath.Join(root, "html/empty"), 0o777))

	var rustc, docs, overlay dist.Image
	check(rustc.AddBytes("bin/rustc", code(200_000), dist.ModeExec))
	check(rustc.AddBytes("bin/rustdoc", code(90_000), 0o700))
	check(rustc.AddBytes("lib/librustc_driver.so", code(600_000), dist.ModeFile))
	check(rustc.AddBytes("lib/rustlib/libcore.rlib", code(100_000), dist.ModeFile))
	check(rustc.AddBytes("share/doc/"+strings.Repeat("é", 60)+".md", text(700), dist.ModeFile))
	check(rustc.AddBytes("lib/none", nil, dist.ModeFile))
	check(docs.AddTree("share/doc/rust/html", filepath.Join(root, "html"), nil))
	check(overlay.AddBytes("version", []byte("1.95.0"), dist.ModeFile))
	check(overlay.AddBytes("README.md", text(300), dist.ModeFile))
	components := []dist.Component{
		{Name: "rustc", Image: rustc},
		{Name: "rust-docs", Image: docs, BulkDirs: []string{"share/doc/rust/html"}},
	}
	pkgs := []dist.Package{{
		Name: "rust-1.95.0-x86_64-unknown-linux-gnu", Components: components, Overlay: overlay,
		Product: "Rust", SuccessMessage: "rust installed.",
	}}
	for _, c := range components {
		pkgs = append(pkgs, dist.Package{Name: c.Name + "-1.95.0-x86_64-unknown-linux-gnu", Components: []dist.Component{c}, Overlay: overlay})
	}
	return pkgs
}
