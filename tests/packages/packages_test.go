package packages

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist/linkage"
	"x.go/tests/runx"
	"x.go/tests/testenv"
)

// staged is what x install --layout --json tells.
type staged struct {
	Packages []struct {
		Name, List string
		Files      []struct{ Path, Link string }
	}
}

// stage stages the compiler and its library, or tells what would be staged.
func stage(t *testing.T, dir string, args ...string) staged {
	t.Helper()
	args = append([]string{"install", "--quiet", "--json", "--sysroot", runx.SlimSysroot(t), "--build-dir", "build"}, args...)
	var s staged
	testenv.Must(t, json.Unmarshal([]byte(runx.Must(t, dir, nil, append(args, "rustc", "rust-std")...).Stdout), &s))
	return s
}

// archives packs what stage stages, and returns the directory.
func archives(t *testing.T, dir string) string {
	t.Helper()
	runx.Must(t, dir, nil, "dist", "--quiet", "--sysroot", runx.SlimSysroot(t), "--build-dir", "packed", "--set", `dist.compression-formats=["zst"]`, "rustc", "rust-std")
	return "packed/dist"
}

// run runs a program in dir.
func run(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(testenv.Need(t, name), args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
}

// paths are all files of the packages, sorted.
func (s staged) paths() []string {
	var out []string
	for _, p := range s.Packages {
		for _, f := range p.Files {
			out = append(out, f.Path)
		}
	}
	slices.Sort(out)
	return out
}

// installed are the files below a root, sorted, without the database of the packages.
func installed(t *testing.T, root string) []string {
	t.Helper()
	var out []string
	testenv.Must(t, filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if name := strings.TrimPrefix(path, root); !strings.HasPrefix(name, "/var/") {
			out = append(out, name)
		}
		return nil
	}))
	slices.Sort(out)
	return out
}

// compile builds a program with the compiler of a root and runs it. It returns what the
// compiler said if that failed.
func compile(t *testing.T, root, libraries string) (linkage.Info, string) {
	t.Helper()
	dir := t.TempDir()
	testenv.Must(t, os.WriteFile(filepath.Join(dir, "hello.rs"), []byte(`fn main() { println!("hello"); }`), 0o644))
	cmd := exec.Command(filepath.Join(root, "usr/bin/rustc"), "hello.rs")
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + dir, "LD_LIBRARY_PATH=" + filepath.Join(root, libraries)}
	if out, err := cmd.CombinedOutput(); err != nil {
		return linkage.Info{}, fmt.Sprintf("%v\n%s", err, out)
	}
	out, err := exec.Command(filepath.Join(dir, "hello")).Output()
	if err != nil || string(out) != "hello\n" {
		t.Errorf("the program: got %q and error %v", out, err)
	}
	info, err := linkage.ReadFile(filepath.Join(dir, "hello"))
	testenv.Must(t, err)
	return info, ""
}

const host = "x86_64-unknown-linux-gnu"

// addLLD puts the distribution's LLD into a root, which the packages of Rust only link
// to.
func addLLD(t *testing.T, root string, names ...string) {
	t.Helper()
	for _, name := range names {
		testenv.Must(t, os.Symlink(filepath.Join(runx.SlimSysroot(t), "lib/rustlib", host, "bin/rust-lld"), filepath.Join(root, "usr/bin", name)))
	}
}

// linksWithLLD requires that the compiler of a root links with the root's LLD.
func linksWithLLD(t *testing.T, root, libraries string) {
	t.Helper()
	info, failed := compile(t, root, libraries)
	if failed != "" {
		t.Fatalf("rustc in %s: %s", root, failed)
	}
	if info.Linker != linkage.LLD {
		t.Errorf("got a program that LLD has not linked: %+v", info)
	}
}

// TestDeb builds packages with debhelper from the staged tree and its lists.
func TestDeb(t *testing.T) {
	testenv.Long(t, "it packs a compiler")
	for _, name := range []string{"dh_install", "dh_missing", "dh_gencontrol", "dh_builddeb", "dpkg-deb", "dpkg"} {
		testenv.Need(t, name)
	}
	dir := t.TempDir()
	s := stage(t, dir, "--layout", "debian", "--destdir", "debian/tmp", "--lists", "debian", archives(t, dir))
	if diff := cmp.Diff(stage(t, dir, "--layout", "debian", "--destdir", "debian/tmp", "--dry-run"), s); diff != "" {
		t.Errorf("files (-of the toolchain +of archives):\n%s", diff)
	}
	var control strings.Builder
	control.WriteString("Source: rustc\nMaintainer: A <a@example.org>\nBuild-Depends: debhelper-compat (= 13)\n")
	for _, p := range s.Packages {
		fmt.Fprintf(&control, "\nPackage: %s\nArchitecture: any\nDescription: %s\n", p.Name, p.Name)
	}
	for name, text := range map[string]string{
		"control":   control.String(),
		"changelog": "rustc (1.95.0-1) unstable; urgency=low\n\n  * Test.\n\n -- A <a@example.org>  Mon, 01 Jan 2024 00:00:00 +0000\n",
	} {
		testenv.Must(t, os.WriteFile(filepath.Join(dir, "debian", name), []byte(text), 0o644))
	}
	run(t, dir, "dh_install")
	run(t, dir, "dh_missing", "--fail-missing")
	run(t, dir, "dh_gencontrol")
	testenv.Must(t, os.Mkdir(filepath.Join(dir, "out"), 0o755)) // else it is the name of a package
	run(t, dir, "dh_builddeb", "--destdir=out", "--", "-Znone")

	root := filepath.Join(dir, "root")
	for _, d := range []string{"info", "updates"} {
		testenv.Must(t, os.MkdirAll(filepath.Join(root, "var/lib/dpkg", d), 0o755))
	}
	testenv.Must(t, os.WriteFile(filepath.Join(root, "var/lib/dpkg/status"), nil, 0o644))
	debs, err := filepath.Glob(filepath.Join(dir, "out/*.deb"))
	testenv.Must(t, err)
	if len(debs) != len(s.Packages) {
		t.Errorf("got packages %q, want %d", debs, len(s.Packages))
	}
	run(t, dir, "dpkg", append([]string{"--root=" + root, "--log=/dev/null", "--force-not-root,bad-path,depends,unsafe-io", "-i"}, debs...)...)
	if diff := cmp.Diff(s.paths(), installed(t, root)); diff != "" {
		t.Errorf("files (-staged +installed):\n%s", diff)
	}
	const libraries = "usr/lib/x86_64-linux-gnu"
	addLLD(t, root, "lld-21")
	linksWithLLD(t, root, libraries)

	// With the names that Debian's packages have, gcc finds no linker.
	gccLD := filepath.Join(root, "usr/lib/rustlib", host, "bin/gcc-ld")
	testenv.Must(t, os.RemoveAll(gccLD))
	testenv.Must(t, os.Mkdir(gccLD, 0o755))
	for _, name := range []string{"ld", "ld64"} {
		testenv.Must(t, os.Symlink("../../../../../bin/rust-lld", filepath.Join(gccLD, name)))
	}
	if _, failed := compile(t, root, libraries); !strings.Contains(failed, "ld") {
		t.Errorf("with the names of 2021: got %q, want a failure", failed)
	}
}

// TestRPM builds packages with rpmbuild, which fails on a file that no list has.
func TestRPM(t *testing.T) {
	testenv.Long(t, "it packs a compiler")
	for _, name := range []string{"rpmbuild", "rpm", "rpm2cpio", "cpio"} {
		testenv.Need(t, name)
	}
	x, err := exec.LookPath("x")
	testenv.Must(t, err)
	dir := t.TempDir()
	s := stage(t, dir, "--layout", "fedora", "--destdir", "unused", "--dry-run")
	var spec strings.Builder
	spec.WriteString(`%global debug_package %{nil}
%global __os_install_post %{nil}
%global _build_id_links none
%global _binary_payload w0.ufdio
Name: rust
Version: 1.95.0
Release: 1
Summary: Rust
License: MIT
AutoReqProv: no
%description
Rust
%install
`)
	fmt.Fprintf(&spec, "cd '%s'\n'%s' install --quiet --layout fedora --destdir %%{buildroot} --lists '%s' --sysroot '%s' rustc rust-std\n", dir, x, dir, runx.SlimSysroot(t))
	for _, p := range s.Packages {
		if p.Name != "rust" {
			fmt.Fprintf(&spec, "%%package -n %s\nSummary: %s\nAutoReqProv: no\n%%description -n %s\nRust\n", p.Name, p.Name, p.Name)
		}
		fmt.Fprintf(&spec, "%%files -n %s -f %s\n", p.Name, filepath.Join(dir, p.List))
	}
	testenv.Must(t, os.WriteFile(filepath.Join(dir, "rust.spec"), []byte(spec.String()), 0o644))
	run(t, dir, "rpmbuild", "-bb", "--define", "_topdir "+filepath.Join(dir, "top"), "rust.spec")

	rpms, err := filepath.Glob(filepath.Join(dir, "top/RPMS/*/*.rpm"))
	testenv.Must(t, err)
	if len(rpms) != len(s.Packages) {
		t.Errorf("got packages %q, want %d", rpms, len(s.Packages))
	}
	root := filepath.Join(dir, "root")
	testenv.Must(t, os.Mkdir(root, 0o755))
	if os.Getuid() == 0 { // it has to change its root
		run(t, dir, "rpm", append([]string{"--root", root, "--nodeps", "--dbpath", "/var/lib/rpm", "-i"}, rpms...)...)
	} else {
		for _, file := range rpms {
			run(t, root, "sh", "-c", `rpm2cpio "$1" | cpio -idm --quiet`, "sh", file)
		}
	}
	if diff := cmp.Diff(s.paths(), installed(t, root)); diff != "" {
		t.Errorf("files (-staged +installed):\n%s", diff)
	}
	addLLD(t, root, "ld.lld")
	linksWithLLD(t, root, "usr/lib64")
}
