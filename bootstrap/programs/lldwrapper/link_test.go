package main

import (
	"bytes"
	"debug/elf"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/bootstrap/programs"
	"x.go/tests/testenv"
)

func importedLibraries(t testing.TB, path string) []string {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	libs, err := f.ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	return libs
}

// comment returns the section in which compilers and LLD leave their versions.
func comment(t testing.TB, path string) string {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data, err := f.Section(".comment").Data()
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// gccLD writes a gcc-ld directory with the program under all four names, and beside it
// the compiler's rust-lld, which finds its libraries from where it really is.
func gccLD(t testing.TB, program string) string {
	t.Helper()
	root := t.TempDir()
	symlink(t, filepath.Join(original(t), "../rust-lld"), root+"/bin/rust-lld")
	for _, f := range flavors {
		install(t, program, root+"/bin/gcc-ld/"+f.name)
	}
	return root + "/bin/gcc-ld"
}

// environment is all that a C driver gets to know.
func environment() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TMPDIR=" + os.TempDir()}
}

const hello = "#include <stdio.h>\nint main(void) { puts(\"hello\"); return 0; }\n"

func TestLinkWithLLD(t *testing.T) {
	each(t, func(t *testing.T, in *implementation) {
		gcc := testenv.Need(t, "gcc")
		dir := t.TempDir()
		write(t, dir+"/a.c", hello, 0o644)
		theirs := filepath.Join(dir, "theirs")
		for _, tt := range []struct{ out, gccLD string }{{theirs, original(t)}, {dir + "/ours", gccLD(t, in.wrapper(t, lld...))}} {
			r := run(t, environment(), gcc, "-B"+tt.gccLD, "-fuse-ld=lld", dir+"/a.c", "-o", tt.out, "-Wl,-v")
			if r.Code != 0 || !strings.HasPrefix(r.Out, "LLD ") {
				t.Fatalf("gcc: %+v", r)
			}
		}
		if got := comment(t, dir+"/ours"); !strings.Contains(got, "Linker: LLD ") {
			t.Errorf("got .comment %q, want LLD in it", got)
		}
		if !bytes.Equal(read(t, theirs), read(t, dir+"/ours")) {
			t.Error("output differs from that of the original wrapper")
		}
		if r := run(t, nil, dir+"/ours"); r.Out != "hello\n" {
			t.Errorf("the program says %+v", r)
		}
	})
}

// With mode system each driver must link as it does without -fuse-ld=lld.
func TestLinkWithSystemLinker(t *testing.T) {
	each(t, func(t *testing.T, in *implementation) {
		shim := gccLD(t, in.wrapper(t, system...))
		for _, tt := range []struct {
			name    string
			command []string
			byPath  bool
			foreign bool
		}{
			{name: "gcc", command: []string{"gcc"}},
			{name: "gcc by its path", command: []string{"gcc"}, byPath: true},
			{name: "gcc with a target in its name", command: []string{"x86_64-linux-gnu-gcc"}},
			{name: "g++", command: []string{"g++"}},
			{name: "gcc static", command: []string{"gcc", "-static"}},
			{name: "gcc LTO", command: []string{"gcc", "-flto", "-O2"}},
			{name: "gcc stripped, sections collected", command: []string{"gcc", "-s", "-Wl,--gc-sections", "-Wl,-z,relro,-z,now"}},
			{name: "clang", command: []string{"clang"}},
			{name: "cross gcc", command: []string{"aarch64-linux-gnu-gcc"}, foreign: true},
			{name: "cross clang", command: []string{"clang", "--target=aarch64-linux-gnu"}, foreign: true},
		} {
			t.Run(tt.name, func(t *testing.T) {
				if strings.HasPrefix(tt.command[0], "x86_64") && runtime.GOARCH != "amd64" {
					t.Log("not this machine's compiler")
					return
				}
				if program := testenv.Need(t, tt.command[0]); tt.byPath {
					tt.command[0] = program
				}
				dir := t.TempDir()
				write(t, dir+"/a.c", hello, 0o644)
				link := func(out string, more ...string) result {
					return run(t, environment(), slices.Concat(tt.command, []string{dir + "/a.c", "-o", out, "-Wl,-v"}, more)...)
				}
				plain := link(dir + "/plain")
				if plain.Code != 0 {
					testenv.Missing(t, "what %q needs to link: %+v", tt.command, plain)
				}
				shimmed := link(dir+"/shimmed", "-B"+shim, "-fuse-ld=lld")
				if shimmed.Code != 0 {
					t.Fatalf("got %+v", shimmed)
				}
				if diff := cmp.Diff(plain.Out, shimmed.Out); diff != "" {
					t.Errorf("linker version (-plain +shimmed):\n%s", diff)
				}
				if got := comment(t, dir+"/shimmed"); strings.Contains(got, "LLD") {
					t.Errorf("got .comment %q, want no LLD", got)
				}
				if !bytes.Equal(read(t, dir+"/plain"), read(t, dir+"/shimmed")) {
					t.Error("output differs from that of the plain link")
				}
				if tt.foreign {
					return
				}
				if r := run(t, nil, dir+"/shimmed"); r.Out != "hello\n" {
					t.Errorf("the program says %+v", r)
				}
			})
		}
	})
}

// farm writes a sysroot for --sysroot with the program in its gcc-ld. The rest is the
// compiler's by symlinks. rustc passes the gcc-ld of --sysroot first, then its own.
func farm(t testing.TB, program string) string {
	t.Helper()
	theirs := original(t)
	host := filepath.Base(filepath.Join(theirs, "../.."))
	root := t.TempDir()
	symlink(t, filepath.Join(theirs, "../../lib"), filepath.Join(root, "lib/rustlib", host, "lib"))
	symlink(t, filepath.Dir(gccLD(t, program)), filepath.Join(root, "lib/rustlib", host, "bin"))
	return root
}

// The default link of a compiler that was built to use LLD, in a rust.lld = false
// sysroot: bit for bit what -Clinker-features=-lld gives. It takes long, so it runs with
// the program that a toolchain of this machine gets.
func TestRustcWithSystemLinker(t *testing.T) {
	in := ours()
	rustc := testenv.Need(t, "rustc")
	testenv.Need(t, "cc")
	sysroot := farm(t, in.wrapper(t, system...))
	dir := t.TempDir()
	write(t, dir+"/a.rs", "fn main() { println!(\"hello\"); }\n", 0o644)
	write(t, dir+"/m.rs", "extern crate proc_macro;\n#[proc_macro]\npub fn m(t: proc_macro::TokenStream) -> proc_macro::TokenStream { t }\n", 0o644)
	for _, tt := range []struct{ name, source, flags string }{
		{"program", "a.rs", ""},
		{"optimized", "a.rs", "-Copt-level=3 -Cstrip=symbols"},
		{"static", "a.rs", "-Ctarget-feature=+crt-static"},
		{"cdylib", "a.rs", "--crate-type=cdylib"},
		{"proc macro", "m.rs", "--crate-type=proc-macro"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			compile := func(out string, more ...string) string {
				path := filepath.Join(dir, out)
				argv := slices.Concat([]string{rustc, "--sysroot=" + sysroot, dir + "/" + tt.source, "-o", path}, strings.Fields(tt.flags), more)
				if r := run(t, os.Environ(), argv...); r.Code != 0 {
					t.Fatalf("%q: %+v", argv, r)
				}
				return path
			}
			opposite, got := compile("off", "-Clinker-features=-lld"), compile("default")
			if text := comment(t, got); strings.Contains(text, "LLD") {
				t.Errorf("got .comment %q, want no LLD", text)
			}
			if !bytes.Equal(read(t, opposite), read(t, got)) {
				t.Error("output differs from that with -Clinker-features=-lld")
			}
		})
	}
	sysroot = farm(t, in.wrapper(t, lld...))
	if r := run(t, os.Environ(), rustc, "--sysroot="+sysroot, dir+"/a.rs", "-o", dir+"/lld"); r.Code != 0 {
		t.Fatalf("rustc: %+v", r)
	}
	if text := comment(t, dir+"/lld"); !strings.Contains(text, "Linker: LLD") {
		t.Errorf("mode lld: got .comment %q, want LLD in it", text)
	}
}

// A site wrapper in the manner of EasyBuild's and Nix's adds a run path, to LLD as
// to the system linker.
func TestLinkWithSiteWrapper(t *testing.T) {
	each(t, func(t *testing.T, in *implementation) {
		gcc := testenv.Need(t, "gcc")
		dir := t.TempDir()
		write(t, dir+"/a.c", hello, 0o644)
		write(t, dir+"/site", "#!/bin/sh\nexec \"$@\" -rpath /site/lib --enable-new-dtags\n", 0o755)
		for mode, want := range map[string]bool{"lld": true, "system": false} {
			program := in.wrapper(t, programs.Setting{Name: "mode", Value: mode}, programs.Setting{Name: "site", Value: dir + "/site"})
			out := dir + "/" + mode + ".out"
			if r := run(t, environment(), gcc, "-B"+gccLD(t, program), "-fuse-ld=lld", dir+"/a.c", "-o", out); r.Code != 0 {
				t.Fatalf("mode %s: %+v", mode, r)
			}
			f, err := elf.Open(out)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			runPath, err := f.DynString(elf.DT_RUNPATH)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"/site/lib"}, runPath); diff != "" {
				t.Errorf("mode %s: RUNPATH (-want +got):\n%s", mode, diff)
			}
			if got := strings.Contains(comment(t, out), "LLD"); got != want {
				t.Errorf("mode %s: LLD in .comment: got %v, want %v", mode, got, want)
			}
		}
	})
}
