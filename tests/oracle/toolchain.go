// Package oracle asks real compilers which linker they start. It runs rustc
// with a stand-in for every linker, which notes its arguments, and returns the
// answers in the form of targets/link/testdata. It also reads those recordings
// ([Recordings]) and asks the model, package link, the same questions. The tests
// of this package compare both; other tests run the same checks by name.
//
// A compiler is run from a copy of its toolchain (hard links where the file
// system has them) in which rust-lld is a stand-in too and the standard
// library is replaced by a core crate of a few lines. So every target can be
// linked for, with no library of it installed.
package oracle

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"x.go/manifests"
	"x.go/targets"
	"x.go/tests/testenv"
)

// noteVar names the file that a stand-in appends its arguments to. Its
// presence in the environment turns a test binary into a stand-in.
const noteVar = "X_ORACLE_NOTE"

// Main runs the tests of a package that uses a [Toolchain]. The test binary
// is also the stand-in for linkers, so TestMain of such a package must call it:
//
//	func TestMain(m *testing.M) { oracle.Main(m) }
func Main(m *testing.M) {
	if path := os.Getenv(noteVar); path != "" {
		if err := note(path, os.Args); err != nil {
			fmt.Fprintln(os.Stderr, "stand-in:", err)
			os.Exit(3)
		}
		os.Exit(0)
	}
	os.Exit(testenv.Main(m))
}

// note appends one command line, NUL between arguments and a newline at the
// end. Arguments hold neither.
func note(path string, argv []string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(strings.Join(argv, "\x00") + "\n")
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	// For AIX rustc puts the linker's output into an archive.
	if i := slices.Index(argv, "-o"); i >= 0 && i+1 < len(argv) {
		return os.WriteFile(argv[i+1], []byte("stand-in\n"), 0o755)
	}
	return nil
}

// Toolchain is a compiler that can be asked. Its methods may be used by
// several goroutines.
type Toolchain struct {
	Name    string // stable, nightly
	Release targets.Release
	Commit  string
	Host    targets.Triple
	Sysroot string // as installed
	Rustc   string // as installed
	Specs   []byte // --print all-target-specs-json

	dir    string // holds tc/NAME, nogccld/NAME, bare, fake, work
	mu     sync.Mutex
	built  map[string]*stub
	bySpec map[string]*targets.Spec
}

type stub struct {
	once sync.Once
	err  error
}

// Find finds the toolchain of a channel through rustup's rustc proxy, to be run
// as it is installed. A machine without it ends the test by
// [testenv.Missing].
func Find(t testing.TB, channel string) *Toolchain {
	t.Helper()
	proxy := testenv.Need(t, "rustc")
	out, err := exec.Command(proxy, "+"+channel, "--print", "sysroot").Output()
	if err != nil {
		testenv.Missing(t, "toolchain %q: %v", channel, err)
	}
	sysroot := strings.TrimSpace(string(out))
	tc := &Toolchain{Name: channel, Sysroot: sysroot, Rustc: filepath.Join(sysroot, "bin", "rustc")}
	if err := tc.ask(); err != nil {
		t.Fatal(err)
	}
	return tc
}

// Open finds a toolchain and copies what is needed of it to record cases.
func Open(t testing.TB, channel string) *Toolchain {
	t.Helper()
	tc := Find(t, channel)
	tc.dir, tc.built = t.TempDir(), map[string]*stub{}
	if err := tc.open(); err != nil {
		t.Fatal(err)
	}
	return tc
}

// ask reads the compiler's version and targets.
func (tc *Toolchain) ask() error {
	version, err := exec.Command(tc.Rustc, "-vV").Output()
	if err != nil {
		return fmt.Errorf("asking %q for its version: %w", tc.Rustc, err)
	}
	says, err := manifests.ParseRustc(string(version))
	if err != nil {
		return fmt.Errorf("asking %q for its version: %w", tc.Rustc, err)
	}
	tc.Release, tc.Host, tc.Commit = says.Version.Release, says.Host, says.Version.CommitHash
	cmd := exec.Command(tc.Rustc, "-Zunstable-options", "--print", "all-target-specs-json")
	cmd.Env = append(os.Environ(), "RUSTC_BOOTSTRAP=1")
	if tc.Specs, err = cmd.Output(); err != nil {
		return fmt.Errorf("asking %q for its targets: %w", tc.Rustc, err)
	}
	return nil
}

// Compiler describes the toolchain to the model.
func (tc *Toolchain) Compiler() targets.Compiler {
	return targets.Compiler{Release: tc.Release, Host: tc.Host, LLDDefault: targets.DefaultLLD(tc.Release, tc.Host)}
}

func (tc *Toolchain) open() error {
	for _, root := range []string{tc.root("tc"), tc.root("nogccld")} {
		if err := tc.copyCompiler(tc.Sysroot, root); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Join(tc.tools("tc"), "gcc-ld"), 0o755); err != nil {
		return err
	}
	if err := os.MkdirAll(tc.work(), 0o755); err != nil {
		return err
	}
	return tc.makeFakes()
}

func (tc *Toolchain) root(kind string) string  { return filepath.Join(tc.dir, kind, tc.Name) }
func (tc *Toolchain) bare() string             { return filepath.Join(tc.dir, "bare") }
func (tc *Toolchain) fake() string             { return filepath.Join(tc.dir, "fake") }
func (tc *Toolchain) work() string             { return filepath.Join(tc.dir, "work") }
func (tc *Toolchain) tools(kind string) string { return tc.lib(tc.root(kind), tc.Host.String(), "bin") }

func (tc *Toolchain) lib(root, target, sub string) string {
	return filepath.Join(root, "lib", "rustlib", target, sub)
}

// copyCompiler links the compiler's own files. rustc takes the directory of
// its driver library, links resolved, for its sysroot: so a symlink will not do.
func (tc *Toolchain) copyCompiler(from, to string) error {
	files, err := filepath.Glob(filepath.Join(from, "lib", "*.so*"))
	if err != nil {
		return err
	}
	for _, f := range append(files, tc.Rustc) {
		rel, err := filepath.Rel(from, f)
		if err != nil {
			return err
		}
		if err := linkOrCopy(f, filepath.Join(to, rel)); err != nil {
			return err
		}
	}
	return nil
}

func linkOrCopy(from, to string) (err error) {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if os.Link(from, to) == nil {
		return nil
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	_, err = io.Copy(out, in)
	return err
}

// makeFakes puts a stand-in under every name that a target's spec or a case
// gives to a linker, and in place of the sysroots' rust-lld.
func (tc *Toolchain) makeFakes() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	names := map[string]bool{}
	for _, n := range append(linkerNames, "lld", "link.exe", "bpf-linker", "rust-ptx-linker", "dsymutil") {
		names[filepath.Base(n)] = true
	}
	specs, err := tc.specs()
	if err != nil {
		return err
	}
	for _, s := range specs {
		if s.Linker != "" {
			names[s.Linker] = true
		}
	}
	if err := os.MkdirAll(tc.fake(), 0o755); err != nil {
		return err
	}
	for n := range names {
		if err := os.Symlink(self, filepath.Join(tc.fake(), n)); err != nil {
			return err
		}
	}
	for _, kind := range []string{"tc", "nogccld"} {
		if err := os.MkdirAll(tc.tools(kind), 0o755); err != nil {
			return err
		}
		if err := os.Symlink(self, filepath.Join(tc.tools(kind), "rust-lld")); err != nil {
			return err
		}
	}
	return nil
}

// stubs stand in for the standard library: enough for a crate of one function.
var stubs = []struct{ name, source string }{
	{"core", `#![feature(no_core, lang_items)]
#![no_core]
#![allow(internal_features)]
#[lang = "pointee_sized"] pub trait PointeeSized {}
#[lang = "meta_sized"] pub trait MetaSized: PointeeSized {}
#[lang = "sized"] pub trait Sized: MetaSized {}
#[lang = "copy"] pub trait Copy {}
#[lang = "legacy_receiver"] pub trait LegacyReceiver {}
pub mod prelude {
    pub mod v1 { pub use crate::{Copy, Sized}; }
    pub mod rust_2015 { pub use super::v1::*; }
    pub mod rust_2018 { pub use super::v1::*; }
    pub mod rust_2021 { pub use super::v1::*; }
    pub mod rust_2024 { pub use super::v1::*; }
}
`},
	{"compiler_builtins", `#![feature(no_core, compiler_builtins)]
#![no_core]
#![compiler_builtins]
#![allow(internal_features)]
`},
}

// program is what every case compiles.
const program = "#![no_std]\n#![no_main]\n#[no_mangle]\npub extern \"C\" fn main() {}\n"

// prepare builds the stubs for a target, once, and puts them in all sysroots.
func (tc *Toolchain) prepare(target *targets.Spec) error {
	name := target.Triple.String()
	tc.mu.Lock()
	s := tc.built[name]
	if s == nil {
		s = &stub{}
		tc.built[name] = s
	}
	tc.mu.Unlock()
	s.once.Do(func() { s.err = tc.build(target) })
	return s.err
}

func (tc *Toolchain) build(target *targets.Spec) error {
	name := target.Triple.String()
	first := tc.lib(tc.root("tc"), name, "lib")
	if err := os.MkdirAll(first, 0o755); err != nil {
		return err
	}
	for _, stub := range stubs {
		source := filepath.Join(first, stub.name+".rs")
		if err := os.WriteFile(source, []byte(stub.source), 0o644); err != nil {
			return err
		}
		rlib := filepath.Join(first, "lib"+stub.name+".rlib")
		args := []string{"--crate-name", stub.name, "--crate-type", "rlib", "--edition=2021", "-Awarnings", "--target", name, "-o", rlib, source}
		if target.NeedsCPU {
			args = append(args, "-Ctarget-cpu="+anyCPU[target.Arch])
		}
		cmd := exec.Command(filepath.Join(tc.root("tc"), "bin", "rustc"), args...)
		cmd.Env = append(os.Environ(), "RUSTC_BOOTSTRAP=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			if bytes.Contains(out, []byte("default layout")) {
				return fmt.Errorf("building %s for %s: %w", stub.name, name, ErrNoBackend)
			}
			return fmt.Errorf("building %s for %s: %w\n%s", stub.name, name, err, out)
		}
		for _, root := range []string{tc.root("nogccld"), tc.bare()} {
			to := filepath.Join(tc.lib(root, name, "lib"), filepath.Base(rlib))
			if err := linkOrCopy(rlib, to); err != nil && !errors.Is(err, fs.ErrExist) {
				return err
			}
		}
	}
	return nil
}

// ErrNoBackend says that this compiler's LLVM cannot generate code for a target,
// so that its cases cannot be recorded.
var ErrNoBackend = errors.New("LLVM has no such backend")

// anyCPU names a processor for targets that have no default one.
var anyCPU = map[string]string{"amdgpu": "gfx900", "avr": "atmega328p"}
