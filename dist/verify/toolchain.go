package verify

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"x.go/bootstrap/marks"
	"x.go/dist/linkage"
	"x.go/dist/loader"
	"x.go/manifests"
	"x.go/targets"
)

// toolchain is a compiler under test, and what it says of itself.
type toolchain struct {
	label  string // subject of its checks
	prefix string
	// named and namedRelease are what the names of its archives say; zero for a tree.
	named        targets.Triple
	namedRelease string
	// systemRoot is the root of a system for the machine of the tree; empty if there is none.
	systemRoot string
	compiler   string // bin/rustc, or bin/rustc.exe
	exe        string // ".exe" of a host that has it
	// isForeign: its programs are for another machine. foreign says what is known then.
	isForeign bool
	foreign   foreign
	home      string // writable directory beside it
	search    string
	// wholePath, if set, is PATH instead of the tree's bin and search.
	wholePath string
	host      targets.Triple
	version   string // first line of rustc -vV
	release   string // "1.95.0"
	says      manifests.Rustc
	cargo     bool // has its own cargo
	targets   []targets.Triple
	// asksLLD: a default link passes -fuse-ld=lld or runs an lld.
	asksLLD bool
	// wrapper is what gcc-ld/ld.lld answers to --version: "LLD 22.1.2 (...)",
	// "GNU ld (...) 2.40", or empty.
	wrapper string
	// idleShim: gcc-ld/ld.lld is x's shim for the system linker, and this machine
	// has no linker that it could run.
	idleShim bool
	more     []string // of the environment
	box      *box     // of its programs
	// borrowed says why the compiler that runs is not, or not only, the tree's; empty
	// if it is.
	borrowed string
	cc       string // C compiler of the machine; empty if none
	ccError  error
}

func (t *toolchain) env() []string {
	env := cleanEnv(t.prefix, t.home, t.search)
	env = append(env, t.more...)
	if t.wholePath != "" {
		env = append(env, "PATH="+t.wholePath) // the last one counts
	}
	return env
}

func (t *toolchain) path(elem ...string) string {
	return filepath.Join(append([]string{t.prefix}, elem...)...)
}

// gccLD is the directory that rustc passes to the C driver.
func (t *toolchain) gccLD() string {
	return t.path("lib", "rustlib", t.host.String(), "bin", "gcc-ld")
}

// wrapperPath is the path of a program in gcc-ld.
func (t *toolchain) wrapperPath(name string) string { return filepath.Join(t.gccLD(), name+t.exe) }

func (t *toolchain) rustLLD() string {
	return t.path("lib", "rustlib", t.host.String(), "bin", "rust-lld"+t.exe)
}

// rustc runs the compiler in dir, or the one that links in its place.
func (t *toolchain) rustc(ctx context.Context, dir string, args ...string) result {
	l := t.foreign.lender
	if l == nil {
		return t.own(ctx, dir, t.compiler, args...)
	}
	args = append([]string{"--sysroot", t.prefix}, args...)
	if !slices.Contains(args, "--target") {
		args = append(args, "--target", t.host.String())
	}
	return command{path: l.rustc, args: args, dir: dir, env: t.env(), box: t.box}.run(ctx)
}

// own runs a program of the tree, or one that its compiler has linked, in dir.
func (t *toolchain) own(ctx context.Context, dir, path string, args ...string) result {
	e := t.emulation(path)
	words, env := slices.Concat(e.Words, []string{path}, args), t.env()
	if e.Root != "" {
		env = append(env, "QEMU_LD_PREFIX="+e.Root) // for what the kernel starts by QEMU
	}
	return command{path: words[0], args: words[1:], dir: dir, env: env, box: t.box}.run(ctx)
}

// probe asks the compiler about itself. A compiler that does not run is a
// failed check; one for another machine is a skip, with errForeign.
func (t *toolchain) probe(ctx context.Context, s *subject) error {
	s.declare(treeCompiler)
	t.compiler = marks.CompilerIn(t.prefix)
	t.exe = filepath.Ext(t.compiler) // of rustc.exe
	if err := runsHere(t.compiler); errors.Is(err, errForeign) {
		t.isForeign = true
		t.readFacts(s)
		if why := t.emulate(ctx); why != "" {
			s.skipf(treeCompiler, "%v: %s", err, why)
			return fmt.Errorf("%w: %s", err, why)
		}
	} else if err != nil {
		s.failf(treeCompiler, "%v", err)
		return err
	}
	r := t.rustc(ctx, t.home, "-vV")
	if why := t.cannotRun(r); why != "" {
		s.skipf(treeCompiler, "%s", why)
		return fmt.Errorf("%w: %s", errForeign, why)
	}
	if !r.ok() {
		s.failf(treeCompiler, "running rustc -vV: %s", r.why())
		return r.err
	}
	says, err := manifests.ParseRustc(r.output)
	if err != nil {
		s.failf(treeCompiler, "running rustc -vV: %v", err)
		return err
	}
	t.says, t.host, t.version, t.release = says, says.Host, says.Line, says.Version.Release.String()
	s.notef(treeCompiler, "%s", t.version)
	if t.isForeign {
		s.notef(treeCompiler, "%s, by %s", t.version, t.foreign.runs)
		t.compareFacts(s, says)
	}
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
	program := "bin/rustc" + t.exe
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
	t.targets = nil
	t.cargo = isExecutable(t.path("bin", "cargo"+t.exe))
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
	if r := t.own(ctx, dir, t.wrapperPath("ld.lld"), "--version"); r.ok() {
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
	unstable := *t
	unstable.more = []string{"RUSTC_BOOTSTRAP=1"}
	r := unstable.rustc(ctx, dir, "-Zunstable-options", "--print", "target-spec-json")
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

// runsHere returns an error if path is missing, is no program, or is for another
// machine. It takes a script for a program that runs: a launcher may be one.
func runsHere(path string) error {
	if _, err := os.Stat(path); err != nil {
		return err
	}
	here := fmt.Sprintf("%s/%s", runtime.GOOS, runtime.GOARCH)
	p, err := marks.ReadPlatform(path)
	_, elfErr := linkage.ReadFile(path)
	switch {
	case err == nil && (!p.IsHere() || runtime.GOOS != "linux"):
		return fmt.Errorf("it is built for %s, this is %s: %w", p, here, errForeign)
	case err != nil && elfErr == nil: // of a machine that no host of Rust has
		return fmt.Errorf("%w; this is %s: %w", err, here, errForeign)
	case err != nil && !errors.Is(elfErr, linkage.ErrNotELF):
		return elfErr
	case err != nil && runtime.GOOS != "linux":
		return fmt.Errorf("%q: %w", path, errForeign)
	case !isExecutable(path):
		return fmt.Errorf("%q is not executable", path)
	}
	return nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
