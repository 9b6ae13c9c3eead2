package verify_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/dist/verify"
	"x.go/manifests"
	"x.go/tests/testenv"
)

const (
	armHost    = "aarch64-unknown-linux-gnu"
	armVersion = "1.95.0 (59807616e 2026-04-14)"
)

// armRustc says what rustc does, and "compiles" a program that prints what is expected of
// one for hello. As a script, it is a compiler of this machine.
const armRustc = `
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(int n, char **args) {
	const char *out = "rust_out";
	for (int i = 1; i < n; i++) {
		if (!strcmp(args[i], "-vV")) {
			puts("rustc %[1]s\nbinary: rustc\ncommit-hash: %[3]s\ncommit-date: 2026-04-14\nhost: %[2]s\nrelease: 1.95.0\nLLVM version: 22.1.2");
			return 0;
		}
		if (!strcmp(args[i], "sysroot")) {
			char self[4096];
			int len = readlink("/proc/self/exe", self, sizeof self - 1);
			if (len < 10) return 1;
			self[len - 10] = 0; /* /bin/rustc */
			puts(self);
			return 0;
		}
		if (!strcmp(args[i], "-o")) out = args[i + 1];
	}
	FILE *f = fopen("program.c", "w");
	if (!f) return 1;
	fputs("#include <stdio.h>\nint main(void) { puts(\"linked and run\"); return 0; }\n", f);
	fclose(f);
	execlp("cc", "cc", "program.c", "-o", out, (char *)0);
	return 1;
}
`

const armHash = "59807616e1fa2540724bfbac14d7976d7e4a3860"

// armTree makes a toolchain for aarch64.
func armTree(t *testing.T) string {
	t.Helper()
	testenv.Need(t, "aarch64-linux-gnu-ld")
	root := t.TempDir()
	for _, dir := range []string{"bin", "lib/rustlib/" + armHost + "/lib"} {
		testenv.Must(t, os.MkdirAll(filepath.Join(root, dir), 0o755))
	}
	cmd := exec.Command(testenv.Need(t, "aarch64-linux-gnu-gcc"), "-x", "c", "-static", "-O1", "-s", "-o", filepath.Join(root, "bin/rustc"), "-")
	cmd.Stdin = strings.NewReader(fmt.Sprintf(armRustc, armVersion, armHost, armHash))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return root
}

// pathOf returns a search path of links to programs; more are "name -> program".
func pathOf(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range append(names, "sh", "as", "ld") {
		name, program, ok := strings.Cut(name, " -> ")
		if !ok {
			program = testenv.Need(t, name)
		}
		testenv.Must(t, os.Symlink(program, filepath.Join(dir, name)))
	}
	return dir
}

// outcomes returns the status of each check of a tree's compiler and links, and the
// reasons of what was skipped.
func outcomes(r verify.Report) (map[string]verify.Status, string) {
	got, why := map[string]verify.Status{}, ""
	for _, c := range r.Checks {
		if strings.HasPrefix(c.Name, "link/") || c.Name == "sysroot/compiler-runs" || c.Name == "sysroot/compiler-facts" || c.Status == verify.Fail {
			got[c.Name] = c.Status
		}
		if c.Status != verify.Pass {
			why += c.Detail + "\n"
		}
	}
	return got, why
}

// TestForeign verifies a toolchain of another machine with what a machine may have: all, no
// emulator, a compiler of its own, no cross compiler. What cannot be run is skipped with a
// reason, and nothing fails.
func TestForeign(t *testing.T) {
	t.Parallel()
	root := armTree(t)
	qemu, gcc := testenv.Need(t, "qemu-aarch64-static"), testenv.Need(t, "aarch64-linux-gnu-gcc")
	own := func(version string) func(context.Context) []string {
		sysroot := testenv.WriteTree(t, "bin/rustc*")
		script := fmt.Sprintf(`#!/bin/sh
for a do
	case $a in -vV) printf 'rustc %s\nbinary: rustc\ncommit-hash: %s\ncommit-date: 2026-04-14\nhost: x86_64-unknown-linux-gnu\nrelease: 1.95.0\n'; exit;; esac
done
case "$*" in *"--sysroot %s"*"--target %s"*) ;; *) exit 1;; esac
while [ "$1" != -o ]; do shift; done
printf '#include <stdio.h>\nint main(void) { puts("linked and run"); return 0; }\n' >program.c
exec cc program.c -o "$2"
`, version, armHash, root, armHost)
		testenv.Must(t, os.WriteFile(filepath.Join(sysroot, "bin/rustc"), []byte(script), 0o755))
		testenv.Must(t, os.Chmod(filepath.Join(sysroot, "bin/rustc"), 0o755))
		return func(context.Context) []string { return []string{filepath.Join(sysroot, "bin/rustc")} }
	}
	const runs, facts, links, linker, product = "sysroot/compiler-runs", "sysroot/compiler-facts", "link/default/links", "link/default/linker", "link/default/runs"
	for _, tt := range []struct {
		name    string
		path    []string
		own     func(context.Context) []string
		want    map[string]verify.Status
		reasons []string
		by      verify.Foreign
	}{
		{
			"all", []string{"qemu-aarch64-static", "aarch64-linux-gnu-gcc"}, nil,
			map[string]verify.Status{runs: verify.Pass, facts: verify.Pass, links: verify.Pass, linker: verify.Pass, product: verify.Pass},
			nil, verify.Foreign{Runs: "qemu-aarch64-static"},
		},
		{
			"QEMU by its other name", []string{"qemu-aarch64 -> " + qemu, "aarch64-linux-gnu-gcc -> " + gcc}, nil,
			map[string]verify.Status{runs: verify.Pass, facts: verify.Pass, links: verify.Pass, linker: verify.Pass, product: verify.Pass},
			nil, verify.Foreign{Runs: "qemu-aarch64"},
		},
		{
			"no C compiler", []string{"qemu-aarch64-static"}, nil,
			map[string]verify.Status{runs: verify.Pass, facts: verify.Pass, links: verify.Skip},
			[]string{"no aarch64-linux-gnu-gcc in", "install package gcc-aarch64-linux-gnu"}, verify.Foreign{Runs: "qemu-aarch64-static"},
		},
		{
			"nothing", nil, nil,
			map[string]verify.Status{runs: verify.Skip, facts: verify.Pass, links: verify.Skip},
			[]string{"no qemu-aarch64 and no qemu-aarch64-static in PATH", "this machine has no rustc 1.95.0 (59807616e 2026-04-14)"}, verify.Foreign{},
		},
		{
			"an own compiler", []string{"aarch64-linux-gnu-gcc"}, own(armVersion),
			map[string]verify.Status{runs: verify.Skip, facts: verify.Pass, links: verify.Pass, linker: verify.Skip, product: verify.Skip},
			[]string{"no qemu-aarch64", "linked by GNU ld"}, verify.Foreign{LinkedBy: "this machine's rustc " + armVersion},
		},
		{
			"an own compiler of another build", []string{"aarch64-linux-gnu-gcc"}, own("1.95.0 (59807616e 2026-04-14) (of ours)"),
			map[string]verify.Status{runs: verify.Skip, facts: verify.Pass, links: verify.Skip},
			[]string{"but 1.95.0 (59807616e 2026-04-14) (of ours)"}, verify.Foreign{},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			report := verifyAll(t, verify.Options{
				Inputs: []string{root}, Groups: []verify.Group{verify.Sysroot, verify.Link}, Legs: []string{"default"},
				SearchPath: pathOf(t, tt.path...), Compilers: tt.own,
			})
			got, why := outcomes(report)
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("outcomes (-want +got):\n%s", d)
			}
			for _, want := range tt.reasons {
				if !strings.Contains(why, want) {
					t.Errorf("got no reason %q in\n%s", want, why)
				}
			}
			if len(report.Foreign) != 1 {
				t.Fatalf("got %d compilers for other machines, want 1", len(report.Foreign))
			}
			f := report.Foreign[0]
			if len(f.Facts) == 0 {
				t.Error("got no facts")
			}
			tt.by.Subject, tt.by.Host, tt.by.Version, f.Facts, f.Root = root, armHost, armVersion, nil, ""
			if d := cmp.Diff(tt.by, f); d != "" {
				t.Errorf("compiler (-want +got):\n%s", d)
			}
			var page strings.Builder
			testenv.Must(t, report.WriteHTML(&page))
			if !strings.Contains(page.String(), "Compiler for") {
				t.Error("the page says nothing of the compiler")
			}
		})
	}
}

// TestForeignFormats skips compilers for systems that nothing here emulates.
func TestForeignFormats(t *testing.T) {
	t.Parallel()
	pe := make([]byte, 0x90)
	copy(pe, "MZ")
	pe[0x3c] = 0x80
	copy(pe[0x80:], "PE\x00\x00\x64\x86")
	for _, tt := range []struct{ name, host, program string }{
		{"rustc.exe", "x86_64-pc-windows-msvc", string(pe)},
		{"rustc", "aarch64-apple-darwin", "\xcf\xfa\xed\xfe\x0c\x00\x00\x01" + strings.Repeat("\x00", 56)},
	} {
		exe := strings.TrimPrefix(tt.name, "rustc")
		files := []string{"lib/rustlib/" + tt.host + "/bin/rust-lld" + exe + "*"}
		for _, name := range manifests.GCCLDPrograms() {
			files = append(files, "lib/rustlib/"+tt.host+"/bin/gcc-ld/"+name+exe+"*")
		}
		root := testenv.WriteTree(t, files...)
		testenv.Must(t, os.Mkdir(filepath.Join(root, "bin"), 0o755))
		testenv.Must(t, os.WriteFile(filepath.Join(root, "bin", tt.name), []byte(tt.program+"rustc"+armVersion), 0o755))
		report := verifyAll(t, verify.Options{Inputs: []string{root}, Groups: []verify.Group{verify.Sysroot, verify.Link}, Legs: []string{"default"}, SearchPath: pathOf(t)})
		got, why := outcomes(report)
		if want := (map[string]verify.Status{"sysroot/compiler-runs": verify.Skip, "sysroot/compiler-facts": verify.Pass, "link/default/links": verify.Skip}); !cmp.Equal(want, got) {
			t.Errorf("%s (-want +got):\n%s\n%s", tt.host, cmp.Diff(want, got), why)
		}
	}
}

// TestForeignArchives gives verify archives of two hosts, of which one is named for another
// machine than its compiler is for. A standard library that both need is in both trees.
func TestForeignArchives(t *testing.T) {
	t.Parallel()
	root := armTree(t)
	var packages []dist.Package
	for _, host := range []string{armHost, "s390x-unknown-linux-gnu"} {
		c := dist.Component{Name: "rustc"}
		testenv.Must(t, c.Image.AddFile("bin/rustc", filepath.Join(root, "bin/rustc")))
		std := dist.Component{Name: "rust-std-" + host}
		testenv.Must(t, std.Image.AddBytes("lib/rustlib/"+host+"/lib/libstd-1.rlib", []byte("!<arch>\n"), dist.ModeFile))
		for name, c := range map[string]dist.Component{"rustc": c, "rust-std": std} {
			p := dist.Package{Name: name + "-1.95.0-" + host, Components: []dist.Component{c}, Product: "Rust", SuccessMessage: "done."}
			testenv.Must(t, p.Overlay.AddBytes("version", []byte(armVersion), dist.ModeFile))
			packages = append(packages, p)
		}
	}
	dir := t.TempDir()
	_, err := archive.Writer{Formats: []manifests.Format{manifests.GZ}}.Write(t.Context(), dir, packages...)
	testenv.Must(t, err)
	report := verifyAll(t, verify.Options{Inputs: []string{dir}, Groups: []verify.Group{verify.Sysroot, verify.Link}, SearchPath: pathOf(t, "qemu-aarch64-static", "aarch64-linux-gnu-gcc")})
	var wrong, crossed []string
	for _, c := range report.Checks {
		if c.Name == "sysroot/compiler-facts" && c.Status == verify.Fail {
			wrong = append(wrong, c.Detail)
		}
		if c.Name == "link/cross/links" {
			crossed = append(crossed, c.Subject)
		}
	}
	if want := []string{"by its files the compiler is for aarch64-unknown-linux-gnu, but its archive says s390x-unknown-linux-gnu"}; !slices.Equal(wrong, want) {
		t.Errorf("got failures of facts %q, want %q", wrong, want)
	}
	if want := []string{"s390x-unknown-linux-gnu"}; !slices.Equal(crossed, want) {
		t.Errorf("got links for other targets %q, want %q: each std is in each tree, and linked with once", crossed, want)
	}
}
