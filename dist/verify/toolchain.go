package verify

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"x.go/dist/linkage"
	"x.go/dist/loader"
	"x.go/manifests"
	"x.go/targets"
)

// toolchain is a compiler under test, and what it says of itself.
type toolchain struct {
	label  string // subject of its checks
	prefix string
	home   string // writable directory beside it
	search string
	// wholePath, if set, is PATH instead of the tree's bin and search.
	wholePath string
	host      targets.Triple
	version   string // first line of rustc -vV
	release   string // "1.95.0"
	cargo     bool   // has its own cargo
	targets   []targets.Triple
	// asksLLD: a default link passes -fuse-ld=lld or runs an lld.
	asksLLD bool
	// wrapper is what gcc-ld/ld.lld answers to --version: "LLD 22.1.2 (...)",
	// "GNU ld (...) 2.40", or empty.
	wrapper string
	// idleShim: gcc-ld/ld.lld is x's shim for the system linker, and this machine
	// has no linker that it could run.
	idleShim bool
	box      *box // of its programs
	// borrowed says why the compiler that runs is not, or not only, the tree's; empty
	// if it is.
	borrowed string
	cc       string // C compiler of the machine; empty if none
	ccError  error
}

func (t *toolchain) env() []string {
	env := cleanEnv(t.prefix, t.home, t.search)
	if t.wholePath != "" {
		env = append(env, "PATH="+t.wholePath) // the last one counts
	}
	return env
}

func (t *toolchain) path(elem ...string) string {
	return filepath.Join(append([]string{t.prefix}, elem...)...)
}

// gccLD is a path in the directory that rustc passes to the C driver.
func (t *toolchain) gccLD(elem ...string) string {
	return t.path(append([]string{"lib", "rustlib", t.host.String(), "bin", "gcc-ld"}, elem...)...)
}

func (t *toolchain) rustLLD() string {
	return t.path("lib", "rustlib", t.host.String(), "bin", "rust-lld")
}

// rustc runs the compiler in dir.
func (t *toolchain) rustc(ctx context.Context, dir string, args ...string) result {
	return command{path: t.path("bin", "rustc"), args: args, dir: dir, env: t.env(), box: t.box}.run(ctx)
}

// probe asks the compiler about itself. A compiler that does not run is a
// failed check; one for another machine is a skip, with errForeign.
func (t *toolchain) probe(ctx context.Context, s *subject) error {
	s.declare(treeCompiler)
	if err := runsHere(t.path("bin", "rustc")); err != nil {
		if errors.Is(err, errForeign) {
			s.skipf(treeCompiler, "%v", err)
		} else {
			s.failf(treeCompiler, "%v", err)
		}
		return err
	}
	r := t.rustc(ctx, t.home, "-vV")
	if !r.ok() {
		s.failf(treeCompiler, "running rustc -vV: %s", r.why())
		return r.err
	}
	says, err := manifests.ParseRustc(r.output)
	if err != nil {
		s.failf(treeCompiler, "running rustc -vV: %v", err)
		return err
	}
	t.host, t.version, t.release = says.Host, says.Line, says.Version.Release.String()
	s.notef(treeCompiler, "%s", t.version)
	t.checkSysroot(ctx, s)
	t.readTree()
	t.cc, t.ccError = lookPath("cc", t.search)
	return nil
}

// checkSysroot requires the compiler to look for its libraries where it was moved
// to.
func (t *toolchain) checkSysroot(ctx context.Context, s *subject) {
	s.declare(treeRelocated)
	r := t.rustc(ctx, t.home, "--print", "sysroot")
	if !r.ok() {
		s.failf(treeRelocated, "running rustc --print sysroot: %s", r.why())
		return
	}
	got, want := strings.TrimSpace(r.output), t.prefix
	if real, err := filepath.EvalSymlinks(want); err == nil {
		want = real
	}
	if real, err := filepath.EvalSymlinks(got); err == nil {
		got = real
	}
	if got != want {
		s.failf(treeRelocated, "got sysroot %q, want %q", got, want)
		t.borrowed = fmt.Sprintf("its sysroot is %q, not that of the archives", got)
	}
}

// checkOwn finds out whether the compiler that ran has its own libraries from the
// tree. If the search path does not lead to them, it started with those of the host,
// which are another toolchain's.
func (t *toolchain) checkOwn(s *subject, whole bool) {
	program := "bin/rustc"
	if _, err := os.Stat(t.path("libexec", "rustc")); err == nil {
		program = "libexec/rustc" // behind a launcher
	}
	tree := loader.Tree{Root: t.prefix, SystemDirs: []string{"lib", "lib64"}, ELF: func(name string) (linkage.Info, bool) {
		info, err := linkage.ReadFile(t.path(filepath.FromSlash(name)))
		return info, err == nil
	}}
	for _, n := range tree.Needs(program) {
		if loader.Own(n.Library) && n.How != loader.Moves && (whole || n.How != loader.Fixed) {
			t.borrowed = fmt.Sprintf("it takes %s from the host: the search path of %s does not lead to one in the archives", n.Library, n.File)
			s.failf(treeRelocated, "%s", t.borrowed)
			return
		}
	}
}

// readTree finds out which parts are beside the compiler: cargo, and the targets
// with a standard library.
func (t *toolchain) readTree() {
	t.cargo = isExecutable(t.path("bin", "cargo"))
	dirs, err := filepath.Glob(t.path("lib", "rustlib", "*", "lib"))
	if err != nil {
		return
	}
	for _, d := range dirs {
		libs, err := filepath.Glob(filepath.Join(d, "libstd-*.rlib"))
		if err != nil || len(libs) == 0 {
			continue
		}
		if triple, err := targets.ParseTriple(filepath.Base(filepath.Dir(d))); err == nil {
			t.targets = append(t.targets, triple)
		}
	}
}

// askDefaults finds out which linker a default link asks for, and which one
// answers. It links one program with --print link-args: rustc prints them even if
// the link fails.
func (t *toolchain) askDefaults(ctx context.Context, dir string) {
	if r := (command{path: t.gccLD("ld.lld"), args: []string{"--version"}, dir: dir, env: t.env(), box: t.box}).run(ctx); r.ok() {
		t.wrapper = strings.TrimSpace(firstLine(r.output))
	} else if _, err := lookPath("ld", t.search); err != nil {
		t.idleShim = strings.Contains(r.output, shimWithoutLinker)
	}
	source := filepath.Join(dir, "defaults.rs")
	if err := os.WriteFile(source, []byte("fn main() {}\n"), 0o644); err != nil {
		return
	}
	r := t.rustc(ctx, dir, source, "-o", filepath.Join(dir, "defaults"), "--print", "link-args")
	t.asksLLD = strings.Contains(r.output, "-fuse-ld=lld") || strings.Contains(r.output, "-flavor")
	if !t.asksLLD && !r.ok() {
		t.asksLLD = t.specAsksLLD(ctx, dir) // it failed before it had the arguments
	}
}

// specAsksLLD asks the compiler for its own target's specification.
func (t *toolchain) specAsksLLD(ctx context.Context, dir string) bool {
	r := command{
		path: t.path("bin", "rustc"), args: []string{"-Zunstable-options", "--print", "target-spec-json"},
		dir: dir, env: append(t.env(), "RUSTC_BOOTSTRAP=1"), box: t.box,
	}.run(ctx)
	if !r.ok() {
		return false
	}
	spec, err := targets.ParseSpec([]byte(r.output))
	return err == nil && spec.BakedLLD()
}

// shimWithoutLinker is what the programs of bootstrap/programs/lldwrapper say if they
// stand for the system linker and find none.
const shimWithoutLinker = "could not find the system linker"

// defaultLinker resolves [Auto]: LLD if a default link asks for it and what
// answers in gcc-ld is not known to be another linker.
func (t *toolchain) defaultLinker(e Expect) Expect {
	if e != Auto {
		return e
	}
	if !t.asksLLD || t.idleShim || t.wrapper != "" && witnessLinker(t.wrapper) != linkage.LLD {
		return ExpectSystem
	}
	return ExpectLLD
}

// machines maps GOARCH to the ELF machine of its native programs.
var machines = map[string]elf.Machine{
	"386": elf.EM_386, "amd64": elf.EM_X86_64, "arm": elf.EM_ARM, "arm64": elf.EM_AARCH64, "loong64": elf.EM_LOONGARCH,
	"ppc64": elf.EM_PPC64, "ppc64le": elf.EM_PPC64, "riscv64": elf.EM_RISCV, "s390x": elf.EM_S390,
}

// runsHere returns an error if path is missing, is no program, or is for another
// machine. It takes a script for a program that runs: a launcher may be one.
func runsHere(path string) error {
	info, err := linkage.ReadFile(path)
	if errors.Is(err, linkage.ErrNotELF) {
		if runtime.GOOS == "linux" && isExecutable(path) {
			return nil
		}
		return fmt.Errorf("%q: %w", path, errForeign)
	}
	if err != nil {
		return err
	}
	if info.Machine != machines[runtime.GOARCH] || runtime.GOOS != "linux" {
		return fmt.Errorf("it is built for %s, this is %s/%s: %w", info.Machine, runtime.GOOS, runtime.GOARCH, errForeign)
	}
	if !isExecutable(path) {
		return fmt.Errorf("%q is not executable", path)
	}
	return nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
