package verify_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/dist/sandbox"
	"x.go/dist/verify"
	"x.go/tests/testenv"
)

// linkELF links a small ELF file that needs the given libraries.
func linkELF(t *testing.T, dir, name string, needed ...string) string {
	t.Helper()
	cc := testenv.Need(t, "gcc")
	run := func(args ...string) {
		if out, err := exec.Command(cc, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s %q: %v\n%s", cc, args, err, out)
		}
	}
	source, out := filepath.Join(dir, "empty.c"), filepath.Join(dir, name)
	testenv.Must(t, os.WriteFile(source, []byte("void _start(void) {}\n"), 0o644))
	args := []string{"-nostdlib", "-fPIC", source, "-o", out, "-Wl,--no-as-needed"}
	for _, n := range needed {
		stub := filepath.Join(t.TempDir(), n)
		run("-nostdlib", "-shared", source, "-o", stub, "-Wl,-soname,"+n)
		args = append(args, stub)
	}
	if strings.Contains(name, ".so") {
		args = append(args, "-shared", "-Wl,-soname,"+name)
	}
	run(args...)
	return out
}

// TestOwnLibraries judges archives by what their programs need, without unpacking
// them.
func TestOwnLibraries(t *testing.T) {
	const driver, llvm = "librustc_driver-0a1b.so", "libLLVM.so.22.1-rust-1.95.0-stable"
	files := t.TempDir()
	rustc := linkELF(t, files, "rustc", driver, "libc.so.6")
	library := linkELF(t, files, driver, llvm, "libLLVM.so.22.1", "libc.so.6")
	ownLLVM := linkELF(t, files, llvm, "libc.so.6")
	padding := filepath.Join(files, "padding")
	testenv.Must(t, os.WriteFile(padding, make([]byte, 7<<20), 0o644))
	// As a linker script could lay it out, beyond what is kept: nothing can be said.
	far := linkELF(t, files, "far", driver)
	for _, tt := range []struct {
		name  string
		files map[string]string // in the archive, from the disk
		want  string            // finding or note
		fails bool
	}{
		{"complete", map[string]string{"bin/rustc": rustc, "lib/" + driver: library, "lib/" + llvm: ownLLVM}, "the system has to bring libLLVM.so.22.1", false},
		{"in another directory", map[string]string{"bin/rustc": rustc, "lib/x86_64-linux-gnu/" + driver: library, "lib64/" + llvm: ownLLVM}, "the system has to bring libLLVM.so.22.1", false},
		{"no compiler library", map[string]string{"bin/rustc": rustc}, "bin/rustc needs " + driver + ", which is in none of the archives", true},
		{"no LLVM", map[string]string{"bin/rustc": rustc, "lib/" + driver: library}, "lib/" + driver + " needs " + llvm + ", which is in none of the archives", true},
		{"a tool without it", map[string]string{"bin/rustc": ownLLVM, "bin/rustdoc": far}, "bin/rustdoc needs " + driver + ", which is in none of the archives", true},
		{"headers moved by BOLT", map[string]string{"bin/rustc": rustc, "lib/" + driver: headersBehind(t, library)}, "", false},
		{"of another target", map[string]string{"bin/rustc": ownLLVM, "lib/rustlib/aarch64-unknown-linux-gnu/lib/libtest-1.so": far}, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var image dist.Image
			for name, from := range tt.files {
				testenv.Must(t, image.AddFile(name, from))
			}
			testenv.Must(t, image.AddFile("lib/rustlib/etc/padding", padding))
			dir := writeArchive(t, image)
			r := verifyAll(t, verify.Options{Inputs: []string{dir}, Groups: []verify.Group{verify.Static}})
			for _, c := range r.Checks {
				if c.Name != "set/own-libraries" {
					continue
				}
				if (c.Status == verify.Fail) != tt.fails || c.Detail != tt.want {
					t.Errorf("got %s %q, want %q (fails: %t)", c.Status, c.Detail, tt.want, tt.fails)
				}
				return
			}
			t.Error("got no check set/own-libraries")
		})
	}
}

// headersBehind copies a 64-bit library with its program headers behind 8 MiB.
func headersBehind(t *testing.T, library string) string {
	t.Helper()
	b, err := os.ReadFile(library)
	testenv.Must(t, err)
	const behind = 8 << 20
	start, size, count := binary.LittleEndian.Uint64(b[32:]), binary.LittleEndian.Uint16(b[54:]), binary.LittleEndian.Uint16(b[56:])
	headers := slices.Clone(b[start : start+uint64(size)*uint64(count)])
	clear(b[start : start+uint64(len(headers))])
	binary.LittleEndian.PutUint64(b[32:], behind)
	b = append(append(b, make([]byte, behind-len(b))...), headers...)
	path := filepath.Join(t.TempDir(), "behind.so")
	testenv.Must(t, os.WriteFile(path, b, 0o755))
	return path
}

// writeArchive writes the archive of a compiler and returns its directory.
func writeArchive(t *testing.T, image dist.Image) string {
	t.Helper()
	var overlay dist.Image
	testenv.Must(t, overlay.AddBytes("version", []byte("1.95.0"), dist.ModeFile))
	pkg := dist.Package{Name: "rustc-1.95.0-x86_64-unknown-linux-gnu", Components: []dist.Component{{Name: "rustc", Image: image}}, Overlay: overlay}
	dir := t.TempDir()
	_, err := archive.Writer{Formats: []archive.Format{archive.GZ}}.Write(t.Context(), dir, pkg)
	testenv.Must(t, err)
	return dir
}

// TestBorrowedCompiler has a compiler that runs with the libraries of another
// toolchain, as one without a RUNPATH does where the other is installed: no link
// with it says anything about the tree.
func TestBorrowedCompiler(t *testing.T) {
	t.Parallel()
	testenv.Need(t, "rustc")
	c, err := thisCompiler()
	testenv.Must(t, err)
	tr := tree{t, linkTree(t, c), c.host.String()}
	const runPath = "$ORIGIN/../lib\x00"
	link := fmt.Sprintf("/tmp/x%08d", os.Getpid()) // as long as the RUNPATH
	testenv.Must(t, os.Symlink(filepath.Join(c.sysroot, "lib"), link))
	t.Cleanup(func() { os.Remove(link) })
	tr.replace("bin/rustc", func(b []byte) []byte {
		return []byte(strings.Replace(string(b), runPath, link+"\x00", 1))
	})
	opts := verify.Options{Inputs: []string{tr.root}, Groups: []verify.Group{verify.Link}, Legs: []string{"default", "cdylib"}}
	// In a sandbox it may not read the other toolchain where that is in a home.
	if got := failedNames(verifyAll(t, opts)); !slices.Contains(got, "sysroot/relocated") {
		t.Errorf("got failures %q, want sysroot/relocated among them", got)
	}
	opts.Sandbox = sandbox.Off
	r := verifyAll(t, opts)
	if got := failedNames(r); len(got) != 1 || got[0] != "sysroot/relocated" {
		t.Errorf("got failures %q, want sysroot/relocated", got)
	}
	links := 0
	for _, c := range r.Checks {
		if !strings.HasPrefix(c.Name, "link/") {
			continue
		}
		links++
		if c.Status != verify.Skip || !strings.Contains(c.Detail, "librustc_driver-") {
			t.Errorf("%s: got %s %q, want a skip that names the library", c.Name, c.Status, c.Detail)
		}
	}
	if links == 0 {
		t.Error("got no word on the links")
	}
}
