package inventory_test

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"x.go/bootstrap/inventory"
	"x.go/bootstrap/marks"
	"x.go/dist/inspect"
	"x.go/dist/linkage"
	"x.go/tests/testenv"
)

// inRoot is the first argument of this program as [enter].
const inRoot = "in-root"

// enter runs a program in the root args[0], with /proc and the directories before "--".
func enter(args []string) {
	root, rest := args[0], args[1:]
	at := slices.Index(rest, "--")
	for _, dir := range append([]string{"/proc"}, rest[:at]...) {
		must(os.MkdirAll(root+dir, 0o755))
		must(syscall.Mount(dir, root+dir, "", syscall.MS_BIND|syscall.MS_REC, ""))
	}
	must(syscall.Chroot(root))
	must(os.Chdir("/work"))
	err := syscall.Exec(rest[at+1], rest[at+1:], []string{"PATH=/usr/bin:/bin", "RUSTC_BOOTSTRAP=1", "TMPDIR=/work"})
	fmt.Fprintln(os.Stderr, "starting the program:", err) // it, or its loader, is not there
	os.Exit(98)
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "entering the root:", err)
		os.Exit(99)
	}
}

// root is a directory that a program takes for /.
type root struct {
	t     *testing.T
	dir   string
	binds []string // directories of the machine in it
}

// newRoot puts the files of a step into an empty root, and of the machine's libraries
// those that the step names, each where the machine has it.
func newRoot(t *testing.T, sysroot string, step inventory.Step) root {
	t.Helper()
	r := root{t: t, dir: t.TempDir()}
	for _, dir := range []string{"work", "tmp"} {
		testenv.Must(t, os.MkdirAll(filepath.Join(r.dir, dir), 0o777))
	}
	named := map[string]bool{}
	for _, l := range step.System.Libraries {
		named[l.Name] = true
	}
	for _, name := range step.Files {
		from := filepath.Join(sysroot, name)
		place(t, from, filepath.Join(r.dir, "s", name))
		r.libraries(from, named)
	}
	for _, name := range step.System.Interpreters {
		r.machine(name)
	}
	return r
}

// libraries puts in what a file needs of the machine.
func (r root) libraries(file string, named map[string]bool) {
	f, err := inspect.Read(file, inspect.Options{})
	if err != nil {
		return // metadata
	}
	for _, l := range f.Needed {
		if l.How != inspect.BySystem {
			continue
		}
		if named != nil && l.By == "" && !named[l.Name] {
			r.t.Errorf("%s needs %q, which the step does not name", file, l.Name)
			continue
		}
		if _, err := os.Stat(filepath.Join(r.dir, l.Path)); err != nil {
			r.machine(l.Path)
			r.libraries(l.Path, nil)
		}
	}
}

// machine puts in a file of the machine.
func (r root) machine(name string) {
	real, err := filepath.EvalSymlinks(name)
	testenv.Must(r.t, err)
	place(r.t, real, filepath.Join(r.dir, name))
}

// place links or copies a file.
func place(t *testing.T, from, to string) {
	t.Helper()
	testenv.Must(t, os.MkdirAll(filepath.Dir(to), 0o755))
	if os.Link(from, to) == nil {
		return
	}
	in, err := os.Open(from)
	testenv.Must(t, err)
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	testenv.Must(t, err)
	_, err = io.Copy(out, in)
	testenv.Must(t, err)
	testenv.Must(t, out.Close())
}

// run runs a program in the root, and returns what it printed.
func (r root) run(args ...string) (string, error) {
	r.t.Helper()
	self, err := os.Executable()
	testenv.Must(r.t, err)
	cmd := exec.Command(self, slices.Concat([]string{inRoot, r.dir}, r.binds, []string{"--"}, args)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if _, isPath := err.(*fs.PathError); isPath || cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == 99 {
		testenv.Missing(r.t, "namespaces of users and mounts: %v: %s", err, out)
	}
	return string(out), err
}

func stepOf(t *testing.T, inv *inventory.Inventory, name, target string) inventory.Step {
	t.Helper()
	for _, s := range inv.Steps {
		if s.Step == name && s.Target.String() == target {
			return s
		}
	}
	t.Fatalf("no step %s for %s", name, target)
	return inventory.Step{}
}

const hello = "//! Greets.\nfn main() { println!(\"hello\") }\n"

// TestEmptyRoot compiles, documents and links in roots that have what the inventory says,
// and wants each to fail without any of the files.
func TestEmptyRoot(t *testing.T) {
	t.Parallel()
	sysroot := testenv.Sysroot(t, "stable")
	inv, err := inventory.Read(t.Context(), []string{sysroot}, marks.Given{})
	testenv.Must(t, err)
	for _, tt := range []struct {
		step string
		args []string
	}{
		{"compile", []string{"/s/bin/rustc", "--emit=metadata,obj", "a.rs"}},
		{"document", []string{"/s/bin/rustdoc", "-o", "doc", "a.rs"}},
		{"link", []string{"/s/bin/rustc", "a.rs"}},
	} {
		t.Run(tt.step, func(t *testing.T) {
			step := stepOf(t, inv, tt.step, inv.Host.String())
			if len(step.Missing) > 0 {
				t.Fatalf("got missing %v", step.Missing)
			}
			r := newRoot(t, sysroot, step)
			if len(step.System.Programs) > 0 { // cc brings files of its own
				testenv.Need(t, "cc")
				r.withMachine()
			}
			testenv.Must(t, os.WriteFile(filepath.Join(r.dir, "work/a.rs"), []byte(hello), 0o644))
			if out, err := r.run(tt.args...); err != nil {
				t.Fatalf("got %v: %s", err, out)
			}
			var linked []linkage.Evidence
			if step.Linker != nil && step.Linker.LLD == "toolchain" {
				f, err := inspect.Read(filepath.Join(r.dir, "work/a"), inspect.Options{})
				if err != nil || f.Linker.String() != "LLD" {
					t.Errorf("got linker %v, %v, want LLD", f.Linker, err)
				}
				linked = f.Evidence
			}
			for _, name := range sample(step.Files) {
				at := filepath.Join(r.dir, "s", name)
				testenv.Must(t, os.Rename(at, at+".away"))
				if _, err := r.run(tt.args...); err == nil && !r.otherLinker(linked) {
					t.Errorf("%s works without %q, so it is superfluous", tt.step, name)
				}
				testenv.Must(t, os.Rename(at+".away", at))
			}
		})
	}
}

// otherLinker reports whether the program was linked by another linker than one of that
// evidence: cc finds one of the machine, if it has LLD.
func (r *root) otherLinker(evidence []linkage.Evidence) bool {
	f, err := inspect.Read(filepath.Join(r.dir, "work/a"), inspect.Options{})
	return err == nil && evidence != nil && !slices.Equal(f.Evidence, evidence)
}

// withMachine shows all of the machine's programs and libraries in the root.
func (r *root) withMachine() {
	for _, dir := range []string{"/usr", "/etc", "/bin", "/lib", "/lib64"} {
		at := filepath.Join(r.dir, dir)
		testenv.Must(r.t, os.RemoveAll(at))
		if to, err := os.Readlink(dir); err == nil {
			testenv.Must(r.t, os.Symlink(to, at))
		} else if _, err := os.Stat(dir); err == nil {
			r.binds = append(r.binds, dir)
		}
	}
}

// sample takes programs and libraries, and of the crates a few.
func sample(files []string) []string {
	var out []string
	for _, name := range files {
		few := slices.ContainsFunc([]string{"/libstd-", "/libcore-", "/libcfg_if-", "/libunwind-"}, func(s string) bool { return strings.Contains(name, s) })
		if crate := strings.HasSuffix(name, ".rmeta") || strings.HasSuffix(name, ".rlib"); !crate || few {
			out = append(out, name)
		}
	}
	return out
}

// TestWithoutC links a program for a target whose linker is the toolchain's own LLD in a
// root without any program of the machine.
func TestWithoutC(t *testing.T) {
	t.Parallel()
	sysroot := testenv.Sysroot(t, "stable")
	const target = "x86_64-unknown-none"
	tree := t.TempDir()
	for _, dir := range []string{"bin", "lib"} {
		testenv.Must(t, filepath.WalkDir(filepath.Join(sysroot, dir), func(p string, e fs.DirEntry, err error) error {
			rel, relErr := filepath.Rel(sysroot, p)
			if err == nil && relErr == nil && e.Type().IsRegular() && !strings.Contains(rel, "manifest-") {
				place(t, p, filepath.Join(tree, rel))
			}
			return err
		}))
	}
	src := t.TempDir()
	core := "#![feature(no_core, lang_items)]\n#![no_core]\n#[lang = \"pointee_sized\"] pub trait PointeeSized {}\n" +
		"#[lang = \"meta_sized\"] pub trait MetaSized: PointeeSized {}\n#[lang = \"sized\"] pub trait Sized: MetaSized {}\n"
	testenv.Must(t, os.WriteFile(filepath.Join(src, "core.rs"), []byte(core), 0o644))
	lib := filepath.Join(tree, "lib/rustlib", target, "lib")
	testenv.Must(t, os.MkdirAll(lib, 0o755))
	cmd := exec.Command(filepath.Join(sysroot, "bin/rustc"), "--target", target, "--crate-type=rlib", "--crate-name=core", "-Cextra-filename=-0123456789abcdef",
		"-Cpanic=abort", "--out-dir", lib, filepath.Join(src, "core.rs"))
	cmd.Env = append(os.Environ(), "RUSTC_BOOTSTRAP=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		testenv.Missing(t, "a compiler with these language items: %v: %s", err, out)
	}
	inv, err := inventory.Read(t.Context(), []string{tree}, marks.Given{})
	testenv.Must(t, err)
	step := stepOf(t, inv, "link", target)
	if step.Linker == nil || step.Linker.Program != "rust-lld" || !step.Linker.Own || len(step.System.Programs) > 0 {
		t.Fatalf("got linker %v, programs %v, want rust-lld alone", step.Linker, step.System.Programs)
	}
	r := newRoot(t, tree, step)
	program := "#![feature(no_core)]\n#![no_core]\n#![no_main]\nextern crate core;\n#[no_mangle] pub extern \"C\" fn _start() -> ! { loop {} }\n"
	testenv.Must(t, os.WriteFile(filepath.Join(r.dir, "work/a.rs"), []byte(program), 0o644))
	if out, err := r.run("/s/bin/rustc", "--target", target, "a.rs"); err != nil {
		t.Errorf("got %v: %s", err, out)
	}
}
