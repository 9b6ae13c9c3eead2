package verify_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"x.go/dist/verify"
	"x.go/tests/testenv"
)

// linkTree makes a tree of hard links to the toolchain's programs and
// libraries. A test must replace files in it, never write into one.
func linkTree(t testing.TB, c compiler) string {
	t.Helper()
	dir, err := scratch()
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.MkdirTemp(dir, "tree-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(root) })
	for _, top := range []string{"bin", "lib", "libexec"} {
		err := filepath.WalkDir(filepath.Join(c.sysroot, top), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(c.sysroot, path)
			if err != nil {
				return err
			}
			to := filepath.Join(root, rel)
			switch {
			case d.IsDir():
				return os.MkdirAll(to, 0o755)
			case os.Link(path, to) == nil:
				return nil
			}
			b, err := os.ReadFile(path) // another file system
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			return os.WriteFile(to, b, info.Mode())
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// tree is a linked toolchain with the operations that break it.
type tree struct {
	t    testing.TB
	root string
	host string
}

func (tr tree) path(name string) string {
	name = strings.ReplaceAll(name, "HOST", tr.host)
	return filepath.Join(tr.root, filepath.FromSlash(name))
}

func (tr tree) must(err error) {
	tr.t.Helper()
	if err != nil {
		tr.t.Fatal(err)
	}
}

// forget removes the records of who installed the tree: they list what a test takes
// away.
func (tr tree) forget() {
	for _, records := range []string{"components", "manifest-*", "rust-installer-version", "multirust-*"} {
		tr.remove("lib/rustlib/" + records)
	}
}

func (tr tree) remove(name string) {
	tr.t.Helper()
	matches, err := filepath.Glob(tr.path(name))
	tr.must(err)
	if len(matches) == 0 {
		tr.t.Fatalf("nothing matches %s", name)
	}
	for _, m := range matches {
		tr.must(os.RemoveAll(m))
	}
}

func (tr tree) rename(from, to string) {
	tr.t.Helper()
	tr.must(os.Rename(tr.path(from), tr.path(to)))
}

// replace puts new content in the place of a file, keeping its mode.
func (tr tree) replace(name string, edit func([]byte) []byte) {
	tr.t.Helper()
	matches, err := filepath.Glob(tr.path(name))
	tr.must(err)
	if len(matches) != 1 {
		tr.t.Fatalf("got %d files for %s, want 1", len(matches), name)
	}
	path := matches[0]
	info, err := os.Stat(path)
	tr.must(err)
	b, err := os.ReadFile(path)
	tr.must(err)
	tr.must(os.Remove(path))
	tr.must(os.WriteFile(path, edit(b), info.Mode()))
}

func failedNames(r verify.Report) []string {
	var names []string
	for _, c := range r.Failed() {
		names = append(names, c.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

const gccLD = "lib/rustlib/HOST/bin/gcc-ld"

// Each way in which a toolchain's LLD can be broken must turn the result red,
// although rustc itself may exit 0.
func TestBrokenTrees(t *testing.T) {
	rustc := testenv.Need(t, "rustc")
	testenv.Need(t, "cc")
	c, err := thisCompiler()
	if err != nil {
		t.Fatalf("asking %s: %v", rustc, err)
	}
	tests := []struct {
		name    string
		breakIt func(tr tree)
		opts    verify.Options
		want    []string // among the failed checks
	}{
		{
			name:    "no gcc-ld",
			breakIt: func(tr tree) { tr.remove(gccLD) },
			want:    []string{"sysroot/gcc-ld", "link/default/links", "link/cargo/links"},
		},
		{
			name:    "empty gcc-ld",
			breakIt: func(tr tree) { tr.remove(gccLD + "/*") },
			want:    []string{"sysroot/gcc-ld", "link/default/links"},
		},
		{
			name: "names of 2021, as Debian's 1.95 has them",
			breakIt: func(tr tree) {
				tr.rename(gccLD+"/ld.lld", gccLD+"/ld")
				tr.rename(gccLD+"/ld64.lld", gccLD+"/ld64")
			},
			want: []string{"sysroot/gcc-ld", "link/default/links"},
		},
		{
			name:    "no rust-lld",
			breakIt: func(tr tree) { tr.remove("lib/rustlib/HOST/bin/rust-lld") },
			want:    []string{"sysroot/rust-lld", "sysroot/wrapper-reaches-lld", "link/default/links"},
		},
		{
			name:    "no libLLVM",
			breakIt: func(tr tree) { tr.remove("lib/libLLVM.so.*") },
			want:    []string{"sysroot/compiler-runs", "sysroot/needed-libraries", "sysroot/linker-script", "sysroot/installed-files"},
		},
		{
			name: "RUNPATH of rust-lld stripped",
			breakIt: func(tr tree) {
				tr.replace("lib/rustlib/HOST/bin/rust-lld", func(b []byte) []byte {
					return bytes.ReplaceAll(b, []byte("$ORIGIN/../../../:$ORIGIN/../lib\x00"), append(make([]byte, 32), 0))
				})
			},
			want: []string{"sysroot/needed-libraries", "sysroot/wrapper-reaches-lld", "link/default/links"},
		},
		{
			name: "wrapper not executable",
			breakIt: func(tr tree) {
				tr.replace(gccLD+"/ld.lld", func(b []byte) []byte { return b })
				tr.must(os.Chmod(tr.path(gccLD+"/ld.lld"), 0o644))
			},
			want: []string{"sysroot/gcc-ld", "sysroot/mode", "link/default/links"},
		},
		{
			name: "ld.lld is a script that runs the system linker",
			breakIt: func(tr tree) {
				tr.replace(gccLD+"/ld.lld", func([]byte) []byte { return []byte("#!/bin/sh\nexec ld \"$@\"\n") })
			},
			opts: verify.Options{Expect: verify.ExpectLLD},
			want: []string{"sysroot/wrapper-reaches-lld", "link/default/linker", "link/cargo/linker"},
		},
		{
			name:    "no standard library",
			breakIt: func(tr tree) { tr.remove("lib/rustlib/HOST/lib/libstd-*") },
			want:    []string{"sysroot/installed-files", "link/default/links"},
		},
		{
			name:    "cargo is cut short",
			breakIt: func(tr tree) { tr.replace("bin/cargo", func(b []byte) []byte { return b[:len(b)/2] }) },
			want:    []string{"link/cargo/links"},
		},
		{
			name: "RUNPATH leads outside",
			breakIt: func(tr tree) {
				tr.replace("lib/rustlib/HOST/bin/rust-lld", func(b []byte) []byte {
					return bytes.ReplaceAll(b, []byte("$ORIGIN/../../../:$ORIGIN/../lib\x00"), []byte("/checkout/obj/build/x:/home/x/li\x00"))
				})
			},
			opts: verify.Options{BuildRoots: []string{"/checkout/obj/build/"}},
			want: []string{"sysroot/build-path", "sysroot/needed-libraries", "sysroot/runpath"},
		},
		{
			name: "a program for another machine, a file writable by all, and a link that leads outside",
			breakIt: func(tr tree) {
				tr.replace("bin/cargo-fmt", func(b []byte) []byte { b[18] = 0xb7; return b }) // EM_AARCH64
				tr.replace("bin/rust-gdb", func(b []byte) []byte { return b })
				tr.must(os.Chmod(tr.path("bin/rust-gdb"), 0o777))
				tr.must(os.Symlink("/etc/hosts", tr.path("lib/hosts")))
			},
			want: []string{"sysroot/machine", "sysroot/mode", "sysroot/symlink"},
		},
		{
			name: "a shared library that is cut short, and a link that leads nowhere",
			breakIt: func(tr tree) {
				tr.replace("lib/rustlib/HOST/lib/libstd-*.so", func(b []byte) []byte { return b[:4096] })
				tr.must(os.Symlink("nowhere", tr.path("lib/libnone.so")))
			},
			want: []string{"sysroot/elf-readable", "sysroot/symlink"},
		},
		{
			name:    "LLD where the system linker is expected",
			breakIt: func(tree) {},
			opts:    verify.Options{Expect: verify.ExpectSystem},
			want:    []string{"sysroot/wrapper-reaches-lld", "link/default/linker", "link/cargo/linker"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tr := tree{t, linkTree(t, c), c.host.String()}
			tt.breakIt(tr)
			opts := tt.opts
			opts.Inputs, opts.Groups = []string{tr.root}, []verify.Group{verify.Sysroot}
			for _, leg := range []string{"default", "cargo"} {
				if slices.ContainsFunc(tt.want, func(check string) bool { return strings.HasPrefix(check, "link/"+leg+"/") }) {
					opts.Groups, opts.Legs = []verify.Group{verify.Sysroot, verify.Link}, append(opts.Legs, leg)
				}
			}
			report := verifyAll(t, opts)
			if got := report.Status(); got != verify.Fail {
				t.Errorf("got %s, want FAIL", got)
			}
			failed := failedNames(report)
			for _, name := range tt.want {
				if !slices.Contains(failed, name) {
					t.Errorf("got failures %q, want %s among them", failed, name)
				}
			}
		})
	}
}

// An old C driver makes rustc link without LLD and exit 0.
func TestOldDriver(t *testing.T) {
	t.Parallel()
	cc := testenv.Need(t, "cc")
	testenv.Need(t, "rustc")
	c, err := thisCompiler()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	script := "#!/bin/sh\nfor a in \"$@\"; do [ \"$a\" = -fuse-ld=lld ] && { echo \"gcc: error: unrecognized command line option '-fuse-ld=lld'\" >&2; exit 1; }; done\nexec " + cc + " \"$@\"\n"
	if err := os.WriteFile(filepath.Join(bin, "cc"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	report := verifyAll(t, verify.Options{
		Inputs: []string{c.sysroot}, Groups: []verify.Group{verify.Link}, Legs: []string{"default"},
		SearchPath: bin + ":" + os.Getenv("PATH"),
	})
	failed := failedNames(report)
	if slices.Contains(failed, "link/default/links") || !slices.Contains(failed, "link/default/linker") {
		t.Errorf("got failures %q, want link/default/linker and not link/default/links", failed)
	}
}

// A machine without a C compiler can say nothing about linking: a skip with
// its reason, and never a pass.
func TestNoCompilerOfC(t *testing.T) {
	t.Parallel()
	testenv.Need(t, "rustc")
	c, err := thisCompiler()
	if err != nil {
		t.Fatal(err)
	}
	report := verifyAll(t, verify.Options{Inputs: []string{c.sysroot}, Groups: []verify.Group{verify.Link}, SearchPath: t.TempDir()})
	if got := report.Status(); got != verify.Skip {
		t.Errorf("got %s, want SKIP; failures %q", got, failedNames(report))
	}
	for _, c := range report.Checks {
		if c.Status == verify.Skip && !strings.Contains(c.Detail, "no cc in") {
			t.Errorf("%s: got reason %q, want that there is no cc", c.Name, c.Detail)
		}
	}
}

// The toolchain as rustup installed it is sound. Package tests verifies whole
// archives of it, with all legs.
func TestGoodTree(t *testing.T) {
	t.Parallel()
	testenv.Need(t, "rustc")
	testenv.Need(t, "cc")
	c, err := thisCompiler()
	if err != nil {
		t.Fatal(err)
	}
	report := verifyAll(t, verify.Options{
		Inputs: []string{c.sysroot}, Groups: []verify.Group{verify.Sysroot, verify.Link}, Legs: []string{"default", "cdylib", "cargo"},
	})
	if report.Status() != verify.Pass || report.Expect != verify.ExpectLLD {
		t.Errorf("got %s expecting %s, want PASS expecting lld; failures %q", report.Status(), report.Expect, failedNames(report))
	}
	if len(report.Binaries) < 10 {
		t.Errorf("got %d binaries, want at least the 10 programs and libraries of the minimal profile", len(report.Binaries))
	}
}

// A toolchain whose gcc-ld/ld.lld runs the system linker is a sound one with
// rust.lld = false: nothing links with LLD, and that is found without being
// told what to expect. Package tests verifies archives of one with all legs.
func TestSystemLinkerTree(t *testing.T) {
	t.Parallel()
	testenv.Need(t, "rustc")
	testenv.Need(t, "cc")
	c, err := thisCompiler()
	if err != nil {
		t.Fatal(err)
	}
	tr := tree{t, linkTree(t, c), c.host.String()}
	tr.remove(gccLD + "/*")
	tr.remove("lib/rustlib/HOST/bin/rust-lld")
	tr.must(os.WriteFile(tr.path(gccLD+"/ld.lld"), []byte("#!/bin/sh\nexec ld \"$@\"\n"), 0o755))
	tr.forget()
	report := verifyAll(t, verify.Options{
		Inputs: []string{tr.root}, Groups: []verify.Group{verify.Sysroot, verify.Link}, Legs: []string{"default", "opt-out", "system-lld", "lto"},
	})
	if report.Status() != verify.Pass || report.Expect != verify.ExpectSystem {
		t.Errorf("got %s expecting %s, want PASS expecting system; failures %q", report.Status(), report.Expect, failedNames(report))
	}
	for _, b := range report.Binaries {
		if b.Leg != "" && b.Linker == "LLD" {
			t.Errorf("leg %s made %s with LLD", b.Leg, b.Path)
		}
	}
}

// The same toolchain on a machine without binutils is neither sound nor broken:
// nobody can tell what its shim would have run.
func TestSystemLinkerTreeWithoutBinutils(t *testing.T) {
	t.Parallel()
	testenv.Need(t, "rustc")
	c, err := thisCompiler()
	if err != nil {
		t.Fatal(err)
	}
	tr := tree{t, linkTree(t, c), c.host.String()}
	tr.remove(gccLD + "/*")
	tr.remove("lib/rustlib/HOST/bin/rust-lld")
	shim := "#!/bin/sh\necho 'lld-wrapper: could not find the system linker: no ld in COMPILER_PATH or PATH; install binutils' >&2\nexit 1\n"
	tr.must(os.WriteFile(tr.path(gccLD+"/ld.lld"), []byte(shim), 0o755))
	tr.forget()
	for expect, want := range map[verify.Expect]verify.Status{
		verify.Auto: verify.Skip, verify.ExpectSystem: verify.Skip, verify.ExpectLLD: verify.Fail,
	} {
		report := verifyAll(t, verify.Options{
			Inputs: []string{tr.root}, Expect: expect, Groups: []verify.Group{verify.Sysroot, verify.Link}, SearchPath: t.TempDir(),
		})
		if got := report.Status(); got != want {
			t.Errorf("expecting %s: got %s, want %s; failures %q", expect, got, want, failedNames(report))
		}
	}
}

// A standard library of another target is tried: one that the compiler cannot
// use fails, and one that nothing here can link for is skipped.
func TestCrossTargets(t *testing.T) {
	t.Parallel()
	testenv.Need(t, "rustc")
	c, err := thisCompiler()
	if err != nil {
		t.Fatal(err)
	}
	tr := tree{t, linkTree(t, c), c.host.String()}
	for _, target := range []string{"wasm32-unknown-unknown", "riscv64gc-unknown-linux-gnu"} {
		dir := tr.path("lib/rustlib/" + target + "/lib")
		tr.must(os.MkdirAll(dir, 0o755))
		tr.must(os.WriteFile(filepath.Join(dir, "libstd-0123456789abcdef.rlib"), []byte("!<arch>\n"), 0o644))
	}
	report := verifyAll(t, verify.Options{Inputs: []string{tr.root}, Groups: []verify.Group{verify.Link}, Legs: []string{"cross"}, SearchPath: t.TempDir()})
	got := map[string]verify.Status{}
	for _, check := range report.Checks {
		if check.Name == "link/cross/links" {
			got[check.Subject] = check.Status
		}
	}
	want := map[string]verify.Status{"wasm32-unknown-unknown": verify.Fail, "riscv64gc-unknown-linux-gnu": verify.Skip}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("outcomes (-want +got):\n%s", d)
	}
}

// A launcher in the place of rustc is the other way to make a compiler whose
// default is LLD use the system linker; nothing of LLD need be shipped then.
func TestLauncherTree(t *testing.T) {
	t.Parallel()
	testenv.Need(t, "rustc")
	testenv.Need(t, "cc")
	c, err := thisCompiler()
	if err != nil {
		t.Fatal(err)
	}
	tr := tree{t, linkTree(t, c), c.host.String()}
	tr.remove(gccLD)
	tr.remove("lib/rustlib/HOST/bin/rust-lld")
	tr.forget()
	tr.rename("bin/rustc", "libexec/rustc")
	launcher := "#!/bin/sh\nexec \"$(dirname \"$0\")/../libexec/rustc\" -Clinker-features=-lld \"$@\"\n"
	tr.must(os.WriteFile(tr.path("bin/rustc"), []byte(launcher), 0o755))
	report := verifyAll(t, verify.Options{
		Inputs: []string{tr.root}, Groups: []verify.Group{verify.Sysroot, verify.Link}, Legs: []string{"default", "opt-out", "cargo"},
	})
	if report.Status() != verify.Pass || report.Expect != verify.ExpectSystem {
		t.Errorf("got %s expecting %s, want PASS expecting system; failures %q", report.Status(), report.Expect, failedNames(report))
	}
}
