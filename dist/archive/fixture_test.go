package archive

import (
	"io"
	"strings"
	"testing"
	"testing/fstest"

	"x.go/dist"
	"x.go/tests/testenv"
)

// Short names for what nearly every test does.
var (
	must     = testenv.Must
	list     = testenv.List
	tree     = testenv.Tree
	digests  = testenv.Contents
	diskTree = testenv.WriteTree
)

// imageOf is an image of files with their names as content: those in bin are
// executable, a name that ends in "/" is a directory.
func imageOf(t testing.TB, names ...string) dist.Image {
	t.Helper()
	files := fstest.MapFS{}
	for _, name := range names {
		dir, ok := strings.CutSuffix(name, "/")
		switch {
		case ok:
			files[dir] = &fstest.MapFile{Mode: dist.ModeDir}
		case strings.HasPrefix(name, "bin/"), strings.HasPrefix(name, "libexec/"):
			files[name] = &fstest.MapFile{Data: []byte(name + "\n"), Mode: dist.ModeExec}
		default:
			files[name] = &fstest.MapFile{Data: []byte(name + "\n"), Mode: dist.ModeFile}
		}
	}
	var img dist.Image
	must(t, img.AddFS("", files, nil))
	return img
}

// samplePackage is a small combined package with a bulk directory.
func samplePackage(t testing.TB) dist.Package {
	t.Helper()
	return dist.Package{
		Name:    "rust-1.95.0-x86_64-unknown-linux-gnu",
		Product: "Rust", SuccessMessage: "rust installed.",
		Components: []dist.Component{
			{Name: "rustc", Image: imageOf(t, "bin/rustc", "bin/rust-gdb", "lib/librustc_driver.so", "lib/rustlib/etc/lldb_commands",
				"libexec/helper", "share/man/man1/rustc.1", "share/doc/rust/README.md", "etc/schema.json")},
			{Name: "rust-std-x86_64-unknown-linux-gnu", Image: imageOf(t, "lib/rustlib/x86_64-unknown-linux-gnu/lib/libstd.rlib",
				"lib/rustlib/x86_64-unknown-linux-gnu/lib/self-contained/")},
			{Name: "rust-docs", BulkDirs: []string{"share/doc/rust/html"},
				Image: imageOf(t, "share/doc/rust/html/index.html", "share/doc/rust/html/std/index.html", "share/doc/rust/html/empty/")},
		},
		Overlay: imageOf(t, "version", "git-commit-hash", "LICENSE-MIT", "README.md"),
	}
}

// content returns the content of an entry.
func content(t testing.TB, img dist.Image, name string) string {
	t.Helper()
	e, ok := img.Lookup(name)
	if !ok {
		t.Fatalf("no entry %q", name)
	}
	r, err := e.Open()
	must(t, err)
	defer r.Close()
	data, err := io.ReadAll(r)
	must(t, err)
	return string(data)
}

// names lists an image as image takes it.
func names(img dist.Image) []string {
	var out []string
	for e := range img.Entries() {
		switch {
		case e.IsDir():
			out = append(out, e.Name+"/")
		case e.IsExec():
			out = append(out, e.Name+"*")
		case e.Link != "":
			out = append(out, e.Name+" -> "+e.Link)
		default:
			out = append(out, e.Name)
		}
	}
	return out
}
