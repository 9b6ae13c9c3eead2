package check

import (
	"os"
	"path/filepath"
	"testing"
)

func TestHostFiles(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("12345"), 0o644); err != nil {
		t.Fatal(err)
	}
	var files hostFiles
	for _, d := range []string{dir, filepath.Join(dir, "a"), filepath.Join(dir, "a/b/c")} {
		if err := files.Writable(d); err != nil {
			t.Errorf("Writable(%q): got %v, want nil", d, err)
		}
		if n, err := files.Free(d); err != nil || n <= 0 {
			t.Errorf("Free(%q): got %d, %v, want some bytes", d, n, err)
		}
	}
	if err := files.Writable(filepath.Join(file, "below")); err == nil {
		t.Error("Writable below a file: got nil, want an error")
	}
	if _, err := os.Lstat(filepath.Join(dir, "a")); !os.IsNotExist(err) {
		t.Errorf("asking created a directory: %v", err)
	}
	if os.Getuid() != 0 { // root may write everywhere
		if err := os.Chmod(dir, 0o555); err != nil {
			t.Fatal(err)
		}
		if err := files.Writable(filepath.Join(dir, "a")); err == nil {
			t.Error("Writable in a read-only directory: got nil, want an error")
		}
	}
}

func TestInputSize(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "sys[root]") // no pattern
	for name, size := range map[string]int{
		"bin/rustc": 10, "lib/librustc_driver.so": 100, "lib/rustlib/a-b/lib/libstd-1.rlib": 1000,
		"lib/rustlib/a-b/bin/rust-lld": 10000, "lib/rustlib/src/rust/file.rs": 7,
	} {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, make([]byte, size), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := inputSize(dir); got != 11110 {
		t.Errorf("got %d, want 11110", got)
	}
	if err := os.MkdirAll(filepath.Join(dir, "share/doc/rust/html"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got := inputSize(dir); got != 11110+docsSize {
		t.Errorf("with documentation: got %d, want %d", got, 11110+docsSize)
	}
	for name, want := range map[string]bool{"a-b": true, "a-c": false} {
		if got := hasStd(dir, triple(name)); got != want {
			t.Errorf("hasStd(%s): got %t, want %t", name, got, want)
		}
	}
}

func TestCanBuild(t *testing.T) {
	for name, want := range map[string]bool{"x86_64-unknown-linux-gnu": true, "aarch64-apple-darwin": true, "hexagon-unknown-linux-musl": false, "a-b": false} {
		if err := canBuild(triple(name)); (err == nil) != want {
			t.Errorf("%s: got %v, want an error: %t", name, err, !want)
		}
	}
}
