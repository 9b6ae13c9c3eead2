package toolchain

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"x.go/bootstrap/config"
	"x.go/bootstrap/marks"
	"x.go/dist"
	"x.go/targets"
)

// sysrootOf returns the sysroot of a compiler that does not run here.
func sysrootOf(rustc string) string {
	if real, err := filepath.EvalSymlinks(rustc); err == nil {
		rustc = real
	}
	return filepath.Dir(filepath.Dir(rustc))
}

// withoutCompiler says what a sysroot without a compiler has, for an error.
func withoutCompiler(sysroot string) string {
	libs, err := fs.Glob(os.DirFS(marks.Rustlib(sysroot)), "*/lib/lib*.rlib")
	if err != nil || len(libs) == 0 {
		return ""
	}
	var names []string
	for _, lib := range libs {
		if name := strings.Split(lib, "/")[0]; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return fmt.Sprintf(", which alone tells the host and the release, although there is a standard library for %s: add the compiler that it belongs to", strings.Join(names, ", "))
}

// unrun reports whether an error of running a program says that this machine cannot run
// it: it is for another machine, or its loader or libraries are not here. A script that
// does not run is broken.
func unrun(err error, program string) bool {
	if err == nil {
		return false
	}
	if _, notProgram := marks.ReadPlatform(program); notProgram != nil {
		return false
	}
	if errors.Is(err, syscall.ENOEXEC) || errors.Is(err, fs.ErrNotExist) {
		return true
	}
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return false
	}
	text := err.Error()
	return exit.ExitCode() == 127 || slices.ContainsFunc(loaderMessages, func(m string) bool { return strings.Contains(text, m) })
}

// loaderMessages are what loaders and emulators say of what they cannot start.
var loaderMessages = []string{
	"error while loading shared libraries", "Error loading shared library", "Error relocating", "not found (required by", "Could not open '", "Exec format error", "signal: illegal instruction",
}

// errUnasked stands for a compiler that is not run, though it may run here.
var errUnasked = errors.New("it was not asked")

// Read returns the toolchain of a sysroot as its files tell it: nothing is run.
func Read(sysroot string, given marks.Given) (Toolchain, error) {
	tc, err := Source{Sysroot: sysroot, Given: given}.open()
	if err != nil {
		return tc, err
	}
	facts, err := tc.marks(given)
	tc.know(facts, errUnasked)
	return tc, err
}

// marks reads the facts that the files tell.
func (tc Toolchain) marks(given marks.Given) (marks.Facts, error) {
	rel, err := filepath.Rel(tc.Sysroot, tc.Rustc)
	if err != nil {
		return marks.Facts{}, err
	}
	return marks.Read(tc.Sysroot, filepath.ToSlash(rel), given)
}

// know takes over facts of the files; unrun says why the compiler did not tell them.
func (tc *Toolchain) know(f marks.Facts, unrun error) {
	tc.Host, tc.Version, tc.Spec, tc.Read, tc.Unrun = f.Host, f.Version, f.Spec, f.Known, unrun
}

// learn asks the compiler for its facts, and reads them from its files if it is one of
// another machine or does not run here. If both tell, they must agree.
func (tc *Toolchain) learn(ctx context.Context, given marks.Given) error {
	asked := tc.askAll(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	cannot := unrun(asked, tc.Rustc)
	if asked != nil && !cannot {
		return asked
	}
	platform, err := marks.ReadPlatform(tc.Rustc)
	if err != nil || !cannot && platform.IsHere() { // a script is asked alone
		return tc.compare(given.Host, given.Release)
	}
	if cannot && !platform.IsHere() {
		if tc.emulator = emulator(platform, tc.Sysroot, tc.env); tc.emulator != nil {
			if err := tc.askAll(ctx); err == nil {
				asked = nil
			} else if ctx.Err() != nil {
				return ctx.Err()
			} else {
				asked = fmt.Errorf("%w; %w", asked, err)
			}
		}
	}
	facts, err := tc.marks(given)
	if asked == nil {
		return tc.agree(facts, err, given)
	}
	tc.emulator = nil
	if err != nil {
		return fmt.Errorf("%w; it does not run here to be asked: %w", err, asked)
	}
	tc.know(facts, asked)
	return nil
}

// agree compares what the compiler of another machine said with what its files do.
func (tc *Toolchain) agree(facts marks.Facts, err error, given marks.Given) error {
	if missing, ok := errors.AsType[*marks.MissingError](err); ok && missing != nil {
		return tc.compare(given.Host, given.Release) // only the compiler tells
	}
	if err != nil {
		return err
	}
	by := "emulation"
	said, read := tc.Version, facts.Version
	if read.CommitHash == "" { // the files may have no more of it than the first digits
		said.CommitHash, said.CommitDate = "", ""
	}
	if tc.emulator != nil {
		by = filepath.Base(tc.emulator[0])
	}
	for _, f := range []struct{ fact, asked, read string }{
		{"host", tc.Host.String(), facts.Host.String()},
		{"version", said.String(), read.String()},
	} {
		if f.asked != f.read {
			return fmt.Errorf("comparing the %s of %q: it says %q by %s, but its files say %q: the tree holds parts of two toolchains; give one that is whole", f.fact, tc.Rustc, f.asked, by, f.read)
		}
	}
	for _, k := range facts.Known {
		if k.Fact == "host" || k.Fact == "release" || k.Fact == "commit" {
			k.How += "; the compiler says the same by " + by
			tc.Read = append(tc.Read, k)
		}
	}
	how := "the compiler, by " + by
	linker := "the system's"
	if tc.BakedLLD() {
		linker = "LLD"
	}
	tc.Read = append(tc.Read, marks.Known{Fact: "target spec", Value: tc.Host.String(), How: how}, marks.Known{Fact: "default linker", Value: linker, How: how})
	return nil
}

// compare compares facts that somebody gave with those of the compiler.
func (tc *Toolchain) compare(host targets.Triple, release targets.Release) error {
	if !host.IsZero() && host != tc.Host {
		return fmt.Errorf("comparing the host of %q: got %s by --host, but it says %s", tc.Rustc, host, tc.Host)
	}
	if !release.IsZero() && release != tc.Version.Release {
		return fmt.Errorf("comparing the release of %q: got %s by --release, but it says %s", tc.Rustc, release, tc.Version.Release)
	}
	return nil
}

// emulator returns the words that run a program by QEMU's emulator of user programs, if PATH has
// one. Its loader is that of the system around the sysroot, or of a cross compiler.
func emulator(p marks.Platform, sysroot string, env []string) []string {
	roots := []string{filepath.Dir(sysroot), sysroot}
	for _, v := range env {
		if root, ok := strings.CutPrefix(v, "QEMU_LD_PREFIX="); ok {
			roots = append([]string{root}, roots...)
		}
	}
	return p.Emulation(exec.LookPath, roots...).Words
}

// unrunFindings tells that the compiler was not asked, and how each fact is known.
func (tc Toolchain) unrunFindings() []config.Finding {
	if tc.Unrun == nil {
		return nil
	}
	var list []string
	for _, k := range tc.Read {
		list = append(list, fmt.Sprintf("%s %s (%s)", k.Fact, k.Value, k.How))
	}
	return []config.Finding{{Severity: config.Note, Place: tc.Rustc, Remedy: "compare them with `rustc -vV` on such a machine",
		Reason: fmt.Sprintf("the compiler does not run here (%s), so its facts were read: %s", dist.OneLine(tc.Unrun.Error()), strings.Join(list, "; "))}}
}
