package toolchain

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"x.go/bootstrap/config"
	"x.go/bootstrap/marks"
	"x.go/dist"
	"x.go/manifests"
	"x.go/targets"
)

// Toolchain is what a finished sysroot says of itself. Every fact in it was
// asked of the compiler, or read from the files if it does not run here.
type Toolchain struct {
	Rustc   string         // the compiler inside the sysroot, <Sysroot>/bin/rustc
	Sysroot string         // absolute, symbolic links resolved
	Host    targets.Triple // the triple the compiler runs on
	// Version is what the compiler says of itself.
	Version manifests.Version
	// Spec is the compiler's own description of Host.
	Spec *targets.Spec
	// printed is what the compiler takes for its sysroot, as it printed it; "" if it
	// did not.
	printed string
	env     []string
	// Read are the facts that were read from the files, each with how it is known; none
	// of a compiler of this machine that runs.
	Read []marks.Known
	// Unrun says why the compiler does not run here; nil if it does.
	Unrun error
	// libdir is the directory of rustlib: "lib", or another by install.libdir.
	libdir string
	// emulator are the words before a program of the toolchain that run it here.
	emulator []string
}

// ErrNoToolchain is returned if nothing says where the input toolchain is.
var ErrNoToolchain = errors.New("no toolchain: give one with --sysroot DIR, set build.rustc in bootstrap.toml, or put rustc on PATH")

// Source says where to look for the input toolchain: the first
// non-empty field wins, and if all are empty, rustc is looked up on PATH.
type Source struct {
	Sysroot string   // --sysroot
	Rustc   string   // build.rustc
	Env     []string // environment of the compiler, as in [exec.Cmd]; PATH in it is not searched
	// Given are facts that a compiler must have, and that are missing of one that does not
	// run here.
	Given marks.Given
}

// SourceError says that there is no compiler where a [Source] says, or none that
// answers.
type SourceError struct{ Err error }

// Error implements [error].
func (e *SourceError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *SourceError) Unwrap() error { return e.Err }

// Find asks the compiler that src leads to for its facts. The error is a
// [SourceError], or that of ctx.
func Find(ctx context.Context, src Source) (Toolchain, error) {
	tc, err := find(ctx, src)
	if err != nil && ctx.Err() == nil {
		err = &SourceError{err}
	}
	return tc, err
}

func find(ctx context.Context, src Source) (Toolchain, error) {
	rustc, err := src.compiler()
	if err != nil {
		return Toolchain{}, err
	}
	if src.Sysroot == "" {
		// A rustup proxy or a distribution's wrapper is followed to the
		// compiler that it runs.
		out, err := ask(ctx, src.Env, nil, rustc, "--print", "sysroot")
		src.Sysroot = strings.TrimSpace(string(out))
		if unrun(err, rustc) {
			src.Sysroot, err = sysrootOf(rustc), nil
		}
		if err != nil {
			return Toolchain{}, err
		}
	}
	tc, err := src.open()
	if err != nil {
		return Toolchain{}, err
	}
	return tc, tc.learn(ctx, src.Given)
}

// open finds the compiler in the sysroot, and asks nothing.
func (src Source) open() (Toolchain, error) {
	sysroot, err := resolveSysroot(src.Sysroot)
	if err != nil {
		return Toolchain{}, err
	}
	if sysroot, err = pickHost(sysroot, src.Given.Host); err != nil {
		return Toolchain{}, err
	}
	tc := Toolchain{Sysroot: sysroot, Rustc: marks.CompilerIn(sysroot), env: src.Env, libdir: marks.Libdir(sysroot, src.Given.Libdirs()...)}
	return tc, tc.checkCompiler()
}

// askAll asks the compiler for its version and its description of the host: both
// at once, because nearly all the time goes into starting it.
func (tc *Toolchain) askAll(ctx context.Context) error {
	var versionErr, specErr error
	var wg sync.WaitGroup
	wg.Go(func() { versionErr = tc.askVersion(ctx) })
	wg.Go(func() { specErr = tc.askSpec(ctx) })
	wg.Wait()
	return cmp.Or(versionErr, specErr)
}

// compiler returns the program to ask first.
func (src Source) compiler() (string, error) {
	if src.Sysroot != "" {
		return marks.CompilerIn(src.Sysroot), nil
	}
	if src.Rustc != "" {
		return src.Rustc, nil
	}
	rustc, err := exec.LookPath("rustc")
	if err != nil {
		return "", ErrNoToolchain
	}
	return rustc, nil
}

func resolveSysroot(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("resolving sysroot %q: %w", dir, err)
	}
	real, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return "", fmt.Errorf("opening sysroot %q: %w", dir, dist.WithoutPath(err))
	}
	if fi, err := os.Stat(real); err != nil {
		return "", fmt.Errorf("opening sysroot %q: %w", dir, dist.WithoutPath(err))
	} else if !fi.IsDir() {
		return "", fmt.Errorf("opening sysroot %q: not a directory", dir)
	}
	return real, nil
}

// checkCompiler reports the usual mistakes more clearly than exec does: there is no
// compiler, or it cannot be executed.
func (tc *Toolchain) checkCompiler() error {
	fi, err := os.Stat(tc.Rustc)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("opening sysroot %q: no compiler at %q%s: a sysroot is the directory that holds bin/rustc and lib/rustlib", tc.Sysroot, tc.Rustc, withoutCompiler(tc.Sysroot))
	case err != nil:
		return fmt.Errorf("opening sysroot %q: %w", tc.Sysroot, err)
	case !fi.Mode().IsRegular() || fi.Mode()&0o111 == 0:
		return fmt.Errorf("opening sysroot %q: %q is not an executable file (mode %v)", tc.Sysroot, tc.Rustc, fi.Mode())
	}
	return nil
}

// Command returns the command that asks the compiler, by its emulator if it needs one.
func (tc Toolchain) Command(ctx context.Context, args ...string) *exec.Cmd {
	return command(ctx, tc.emulator, tc.Rustc, args)
}

// command returns the command that runs a program. What the program leaves behind, with
// its output still open, does not keep x waiting for long.
func command(ctx context.Context, emulator []string, program string, args []string) *exec.Cmd {
	words := slices.Concat(emulator, []string{program}, args)
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// ask runs a program of the toolchain and returns what it printed.
func (tc Toolchain) ask(ctx context.Context, program string, args ...string) ([]byte, error) {
	if tc.Unrun != nil {
		return nil, tc.Unrun
	}
	return ask(ctx, tc.env, tc.emulator, program, args...)
}

func ask(ctx context.Context, env, emulator []string, rustc string, args ...string) ([]byte, error) {
	cmd := command(ctx, emulator, rustc, args)
	cmd.Env = append(slices.Clip(env), "LC_ALL=C", "RUSTC_BOOTSTRAP=1")
	stdout, stderr, err := Output(cmd)
	if err == nil {
		return stdout, nil
	}
	if start, ok := errors.AsType[*fs.PathError](err); ok && ctx.Err() == nil {
		err = start.Err // without the name of the system call
	}
	if errors.Is(err, syscall.ENOEXEC) {
		platform, broken := marks.ReadPlatform(rustc)
		if broken != nil {
			return nil, fmt.Errorf("running %q: %w: %v", rustc, err, broken)
		}
		return nil, fmt.Errorf("running %q: it is built for another machine, %s: %w", rustc, platform, err)
	}
	if line, _, _ := strings.Cut(strings.TrimSpace(string(stderr)), "\n"); line != "" {
		return nil, fmt.Errorf("running %q %s: %w: %s", rustc, strings.Join(args, " "), err, dist.OneLine(line))
	}
	return nil, fmt.Errorf("running %q %s: %w", rustc, strings.Join(args, " "), err)
}

// Output runs a command that asks a compiler, and returns what it printed. More than
// 4 MiB are an error: then it returns nothing of it.
func Output(cmd *exec.Cmd) (stdout, stderr []byte, err error) {
	var out, errs answer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	if out.tooLong || errs.tooLong {
		return nil, nil, fmt.Errorf("it printed more than %s", dist.FormatBytes(maxAnswer))
	}
	return out.text.Bytes(), errs.text.Bytes(), err
}

// maxAnswer bounds what a compiler prints, in bytes. A target spec has 3 KB.
const maxAnswer = 4 << 20

// answer is what a program of the toolchain prints. Too much of it ends the program.
type answer struct {
	text    bytes.Buffer
	tooLong bool
}

// Write implements [io.Writer].
func (a *answer) Write(p []byte) (int, error) {
	if a.tooLong = a.tooLong || a.text.Len()+len(p) > maxAnswer; a.tooLong {
		return 0, errors.New("the answer is too long")
	}
	return a.text.Write(p)
}

// askVersion reads `rustc -vV`.
func (tc *Toolchain) askVersion(ctx context.Context) error {
	out, err := tc.ask(ctx, tc.Rustc, "-vV")
	if err != nil {
		return err
	}
	r, err := manifests.ParseRustc(string(out))
	if err != nil {
		return fmt.Errorf("reading `%s -vV`: %w", tc.Rustc, err)
	}
	tc.Host, tc.Version = r.Host, r.Version
	return nil
}

// askSpec asks the compiler for its sysroot and the description of its host. The description
// does not depend on the code generator, and with the dummy one
// (rust-lang/rust#146596) LLVM is not started, which is a fifth of the time.
// Compilers before 1.92 have no such thing and are asked once more.
func (tc *Toolchain) askSpec(ctx context.Context) error {
	question := []string{"-Zunstable-options", "--print", "sysroot", "--print", "target-spec-json"}
	out, err := tc.ask(ctx, tc.Rustc, append(question, "-Zcodegen-backend=dummy")...)
	if err != nil && ctx.Err() == nil {
		out, err = tc.ask(ctx, tc.Rustc, question...)
	}
	if err != nil {
		return err
	}
	start := bytes.LastIndex(out, []byte("\n{")) + 1 // the name of a sysroot may hold a brace
	if !bytes.HasPrefix(out[start:], []byte("{")) {  // a wrapper that answers one question at a time
		if out, err = tc.ask(ctx, tc.Rustc, "-Zunstable-options", "--print", "target-spec-json"); err != nil {
			return err
		}
		start = 0
	}
	spec, err := targets.ParseSpec(out[start:])
	if err != nil {
		return fmt.Errorf("reading the target spec of %q: %w", tc.Rustc, err)
	}
	tc.Spec, tc.printed = spec, strings.TrimSpace(string(out[:start]))
	return nil
}

// Findings returns what is odd about a compiler.
func (tc Toolchain) Findings() []config.Finding {
	var out []config.Finding
	if tc.libdir != "" && tc.libdir != "lib" {
		out = append(out, config.Finding{Severity: config.Note, Place: tc.Path("lib/rustlib"), Remedy: "install the archives with --libdir " + tc.libdir,
			Reason: fmt.Sprintf("it is in %q, and archives have it in lib, as x.py's: a compiler that was built with install.libdir finds it only there", tc.libdir)})
	}
	if tc.printed == "" || tc.emulator != nil { // an emulator may show another root
		return append(out, tc.unrunFindings()...)
	}
	if real, err := filepath.EvalSymlinks(tc.printed); err == nil && real == tc.Sysroot {
		return out
	}
	return append(out, config.Finding{Severity: config.Warning, Place: tc.Rustc, Remedy: "give that as --sysroot, or correct the toolchain",
		Reason: fmt.Sprintf("its own sysroot is another, %q by --print sysroot: it loads its libraries from there, and what it says of itself is true of that toolchain", tc.printed)})
}

// BakedLLD reports whether the compiler was built to link its host with
// self-contained LLD by default (rust-lang/rust#140525).
func (tc Toolchain) BakedLLD() bool { return tc.Spec.BakedLLD() }

// BuiltBy returns the build record of a sysroot that x built to link in another way
// than its compiler was built to. ok is false for every other toolchain.
func (tc Toolchain) BuiltBy() (r manifests.BuildRecord, ok bool, err error) {
	path := tc.Path(manifests.BuildRecordInstalled)
	data, err := dist.ReadFile(path, manifests.MaxBuildRecord)
	if errors.Is(err, fs.ErrNotExist) {
		return manifests.BuildRecord{}, false, nil
	}
	if err != nil {
		return manifests.BuildRecord{}, false, err
	}
	if r, err = manifests.ParseBuildRecord(data); err != nil {
		return manifests.BuildRecord{}, false, fmt.Errorf("reading %q: %w", path, err)
	}
	return r, true, nil
}
