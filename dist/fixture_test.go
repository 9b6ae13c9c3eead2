package dist

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// image makes an image of files with their names as content. A name that ends in
// "*" is executable, one that ends in "/" a directory.
func image(t testing.TB, names ...string) Image {
	t.Helper()
	var img Image
	for _, name := range names {
		switch {
		case strings.HasSuffix(name, "/"):
			must(t, img.AddDir(strings.TrimSuffix(name, "/")))
		case strings.HasSuffix(name, "*"):
			name = strings.TrimSuffix(name, "*")
			must(t, img.AddBytes(name, []byte(name+"\n"), ModeExec))
		default:
			must(t, img.AddBytes(name, []byte(name+"\n"), ModeFile))
		}
	}
	return img
}

// names lists an image as image takes it.
func names(img Image) []string {
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

// samplePackage is a small combined package with a bulk directory.
func samplePackage(t testing.TB) Package {
	t.Helper()
	return Package{
		Name:    "rust-1.95.0-x86_64-unknown-linux-gnu",
		Product: "Rust", SuccessMessage: "rust installed.",
		Components: []Component{
			{Name: "rustc", Image: image(t, "bin/rustc*", "bin/rust-gdb*", "lib/librustc_driver.so", "lib/rustlib/etc/lldb_commands",
				"libexec/helper*", "share/man/man1/rustc.1", "share/doc/rust/README.md", "etc/schema.json")},
			{Name: "rust-std-x86_64-unknown-linux-gnu", Image: image(t, "lib/rustlib/x86_64-unknown-linux-gnu/lib/libstd.rlib",
				"lib/rustlib/x86_64-unknown-linux-gnu/lib/self-contained/")},
			{Name: "rust-docs", BulkDirs: []string{"share/doc/rust/html"},
				Image: image(t, "share/doc/rust/html/index.html", "share/doc/rust/html/std/index.html", "share/doc/rust/html/empty/")},
		},
		Overlay: image(t, "version", "git-commit-hash", "LICENSE-MIT", "README.md"),
	}
}

// tree returns the files below dir with their modes and content, directories
// with a slash.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		info, err := d.Info()
		if err != nil {
			return err
		}
		if d.IsDir() {
			out[rel+"/"] = info.Mode().String()
			return nil
		}
		data, err := os.ReadFile(path)
		out[rel] = info.Mode().String() + " " + string(data)
		return err
	}))
	return out
}
