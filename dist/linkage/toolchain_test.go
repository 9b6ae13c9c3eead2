package linkage_test

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"x.go/dist/linkage"
	"x.go/tests/testenv"
)

// link compiles Rust source with the rustc on PATH and reads the result.
func link(t *testing.T, source string, flags ...string) linkage.Info {
	t.Helper()
	rustc := testenv.Need(t, "rustc")
	testenv.Need(t, "gcc")
	dir := t.TempDir()
	in, out := filepath.Join(dir, "main.rs"), filepath.Join(dir, "main")
	if err := os.WriteFile(in, []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), rustc, append([]string{in, "-o", out}, flags...)...)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, text)
	}
	info, err := linkage.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func TestRealLinks(t *testing.T) {
	const hello = `fn main() { println!("hello"); }`
	tests := []struct {
		name  string
		flags []string
		want  linkage.Linker
		kind  linkage.Kind
	}{
		{"default", nil, linkage.LLD, linkage.PIE},
		{"opted out", []string{"-Clinker-features=-lld"}, linkage.BFD, linkage.PIE},
		{"opted out by the driver", []string{"-Clink-arg=-fuse-ld=bfd"}, linkage.BFD, linkage.PIE},
		{"stripped", []string{"-Cstrip=symbols"}, linkage.LLD, linkage.PIE},
		{"stripped, opted out", []string{"-Cstrip=symbols", "-Clinker-features=-lld"}, linkage.BFD, linkage.PIE},
		{"not position independent", []string{"-Crelocation-model=static"}, linkage.LLD, linkage.Executable},
		{"static", []string{"-Ctarget-feature=+crt-static"}, linkage.LLD, linkage.StaticPIE},
		{"static, opted out", []string{"-Ctarget-feature=+crt-static", "-Clinker-features=-lld"}, linkage.BFD, linkage.StaticPIE},
		{"cdylib", []string{"--crate-type=cdylib"}, linkage.LLD, linkage.Shared},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			info := link(t, hello, tt.flags...)
			if info.Linker != tt.want || info.Kind != tt.kind || info.Doubt != "" {
				t.Errorf("got %s %s (doubt %q), want %s %s; evidence %v", info.Linker, info.Kind, info.Doubt, tt.want, tt.kind, info.Evidence)
			}
			if !slices.ContainsFunc(info.Producers, func(p string) bool { return strings.HasPrefix(p, "rustc version ") }) {
				t.Errorf("got producers %q, want rustc among them", info.Producers)
			}
		})
	}
}

// A constructor registered the old way is silently lost under LLD, and folded
// into .init_array by GNU ld.
func TestLostConstructors(t *testing.T) {
	const source = `
extern "C" fn up() {}
#[used] #[unsafe(link_section = ".ctors")] static UP: extern "C" fn() = up;
fn main() {}`
	if got := link(t, source).LostConstructors(); !slices.Equal(got, []string{".ctors"}) {
		t.Errorf("LLD: got %q, want .ctors", got)
	}
	if got := link(t, source, "-Clinker-features=-lld").LostConstructors(); got != nil {
		t.Errorf("GNU ld: got %q, want none", got)
	}
}

// Whatever a C compiler asks of a linker, and whatever is stripped from the result, the
// answer is right or it is that nobody knows; there are no doubts about real links.
func TestEveryLinker(t *testing.T) {
	gcc := testenv.Need(t, "gcc")
	objcopy := testenv.Need(t, "objcopy")
	dir := t.TempDir()
	source := filepath.Join(dir, "main.c")
	if err := os.WriteFile(source, []byte("#include <stdio.h>\nint main(void) { puts(\"linked\"); return 0; }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	options := []string{"", "-Wl,-z,norelro", "-Wl,-z,now", "-no-pie", "-static", "-s", "-Wl,--hash-style=sysv", "-Wl,--hash-style=both", "-shared -fPIC", "-shared -fPIC -Wl,-z,norelro -s"}
	for word, want := range map[string]linkage.Linker{"bfd": linkage.BFD, "gold": linkage.Gold, "mold": linkage.Mold, "lld": linkage.LLD} {
		t.Run(word, func(t *testing.T) {
			t.Parallel()
			testenv.Need(t, map[string]string{"bfd": "ld.bfd", "gold": "ld.gold", "mold": "mold", "lld": "ld.lld"}[word])
			for i, option := range options {
				out := filepath.Join(dir, word+strings.Repeat("i", i))
				args := append(strings.Fields(option), "-fuse-ld="+word, source, "-o", out)
				if text, err := exec.CommandContext(t.Context(), gcc, args...).CombinedOutput(); err != nil {
					t.Fatalf("gcc %v: %v\n%s", args, err, text)
				}
				info, err := linkage.ReadFile(out)
				if err != nil || info.Linker != want || info.Doubt != "" {
					t.Errorf("%q: got %s (doubt %q), %v, want %s; evidence %v", option, info.Linker, info.Doubt, err, want, info.Evidence)
				}
				if text, err := exec.CommandContext(t.Context(), objcopy, "--remove-section=.comment", out).CombinedOutput(); err != nil {
					t.Fatalf("objcopy: %v\n%s", err, text)
				}
				info, err = linkage.ReadFile(out)
				unsure := info.Layout == linkage.Unknown && option == "-static"
				if err != nil || info.Doubt != "" || info.Layout != want && !unsure || info.Linker != want && info.Linker != linkage.Unknown {
					t.Errorf("%q without .comment: got %s, laid out as by %s (doubt %q), %v, want %s; evidence %v", option, info.Linker, info.Layout, info.Doubt, err, want, info.Evidence)
				}
			}
		})
	}
}

// The shipped toolchain itself: its facts are known from readelf.
func TestShippedFiles(t *testing.T) {
	rustc := testenv.Need(t, "rustc")
	out, err := exec.CommandContext(t.Context(), rustc, "--print", "sysroot").Output()
	if err != nil {
		t.Fatal(err)
	}
	sysroot := strings.TrimSpace(string(out))
	files, err := filepath.Glob(filepath.Join(sysroot, "lib/rustlib/*/bin/rust-lld"))
	if err != nil || len(files) == 0 {
		testenv.Missing(t, "rust-lld in %s", sysroot)
	}
	info, err := linkage.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(info.RunPath, []string{"$ORIGIN/../../../", "$ORIGIN/../lib"}) {
		t.Errorf("got RUNPATH %q", info.RunPath)
	}
	if !slices.ContainsFunc(info.Needed, func(n string) bool { return strings.HasPrefix(n, "libLLVM.so.") }) {
		t.Errorf("got NEEDED %q, want libLLVM among them", info.Needed)
	}
	if info.Linker != linkage.LLD || info.Kind != linkage.PIE || info.Class != elf.ELFCLASS64 || info.Interpreter == "" {
		t.Errorf("got %s %s %s with interpreter %q, want a 64-bit PIE linked by LLD", info.Linker, info.Class, info.Kind, info.Interpreter)
	}
	if linkage.CompareGlibc(info.GlibcFloor, "2.2.5") < 0 || linkage.CompareGlibc(info.GlibcFloor, "2.17") > 0 {
		t.Errorf("got glibc floor %q, want 2.2.5 to 2.17", info.GlibcFloor)
	}
}
