package verify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"x.go/bootstrap/marks"
	"x.go/dist/loader"
	"x.go/manifests"
	"x.go/targets"
)

// foreign is what is known of a compiler for another machine, and what runs it or stands
// in for it here.
type foreign struct {
	facts    marks.Facts // zero if they could not be read
	root     string      // of the system whose libraries its programs have; "" for none
	runs     string      // what runs its programs, "qemu-s390x-static"; "" if nothing does
	byKernel bool        // the kernel does so by itself, also for those that its programs start
	// lender links in its place; nil if there is none.
	lender *lender
	// unlent says why there is none.
	unlent string
}

// lender is a compiler of this machine and of the same build, which links for another
// one with the standard library of the archives.
type lender struct {
	rustc   string
	sysroot string
	label   string // for a reader
	says    manifests.Rustc
}

// readFacts reads what the files of a compiler for another machine say of it. A tree that
// disagrees with the names of its archives, or with itself, fails; what the files do not
// tell is skipped.
func (t *toolchain) readFacts(s *subject) {
	s.declare(treeFacts)
	program, err := filepath.Rel(t.prefix, t.compiler)
	if err != nil {
		s.failf(treeFacts, "%v", err)
		return
	}
	facts, err := marks.Read(t.prefix, filepath.ToSlash(program), marks.Given{})
	if missing, ok := errors.AsType[*marks.MissingError](err); ok {
		s.skipf(treeFacts, "the files do not tell all: %s", missing.Msg)
	} else if err != nil {
		s.failf(treeFacts, "%v", err)
	}
	t.host = facts.Host
	if t.host.IsZero() {
		t.host = t.named
	}
	if err != nil {
		return
	}
	t.foreign.facts = facts
	if !t.named.IsZero() && facts.Host != t.named {
		s.failf(treeFacts, "by its files the compiler is for %s, but its archive says %s", facts.Host, t.named)
	}
	if want, err := targets.ParseRelease(t.namedRelease); err == nil && facts.Version.Release != want {
		s.failf(treeFacts, "by its files the compiler is of release %s, but its archive says %s", facts.Version.Release, want)
	}
	s.notef(treeFacts, "rustc %s for %s", facts.Version, facts.Host)
}

// compareFacts compares what the compiler says with what its files do.
func (t *toolchain) compareFacts(s *subject, says manifests.Rustc) {
	facts := t.foreign.facts
	if facts.Host.IsZero() {
		return
	}
	if got, want := withoutUnread(says.Version, facts.Version).String(), facts.Version.String(); got != want || says.Host != facts.Host {
		s.failf(treeFacts, "by %s the compiler says %q for %s, but its files %q for %s", t.foreign.runs, got, says.Host, want, facts.Host)
	}
}

// withoutUnread returns what a compiler says without what its files do not tell: the
// full hash of the commit, which may be cut off.
func withoutUnread(says, read manifests.Version) manifests.Version {
	if read.CommitHash == "" {
		says.CommitHash, says.CommitDate = "", ""
	}
	return says
}

// emulate finds out what runs the programs of the tree here: the kernel, if an emulator
// is registered with it, or QEMU. why says what is missing.
func (t *toolchain) emulate(ctx context.Context) (why string) {
	t.box = t.box.reading(t.systemRoot)
	e := t.emulation(t.compiler)
	t.foreign.root = e.Root
	t.foreign.byKernel = true
	if t.own(ctx, t.home, t.compiler, "-vV").ok() {
		t.foreign.runs = "the kernel's emulator"
		return ""
	}
	t.foreign.byKernel = false
	if e.Missing != "" {
		return e.Missing
	}
	t.foreign.runs = filepath.Base(e.Words[0])
	return ""
}

// emulation returns what runs a program, of the tree or linked with it. It has no words if
// the kernel does.
func (t *toolchain) emulation(program string) marks.Emulation {
	if !t.isForeign {
		return marks.Emulation{}
	}
	platform, err := marks.ReadPlatform(program)
	if err != nil {
		return marks.Emulation{Missing: err.Error()}
	}
	e := platform.Emulation(func(name string) (string, error) { return lookPath(name, t.search) }, t.systemRoot)
	if t.foreign.byKernel {
		e.Words = nil
	}
	return e
}

// crossDir creates a directory in which cc is the C compiler for the machine of the tree,
// and puts it before the search path: so its rustc links by default as it does at home.
func (t *toolchain) crossDir() error {
	driver, why := crossDriver(t.host, t.search)
	if why != "" {
		t.ccError = errors.New(why)
		return nil
	}
	dir := filepath.Join(t.home, "cross")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return fmt.Errorf("creating a directory for the C compiler: %w", err)
	}
	t.cc, t.ccError, t.search = filepath.Join(dir, "cc"), nil, dir+":"+t.search
	return os.Symlink(driver, t.cc)
}

// tryCross links an empty C program: without the C library of the other machine nothing
// can be linked.
func (t *toolchain) tryCross(ctx context.Context) error {
	if t.cc == "" || t.ccError != nil {
		return nil
	}
	source := filepath.Join(t.home, "cross.c")
	if err := os.WriteFile(source, []byte("int main(void) { return 0; }\n"), 0o644); err != nil {
		return err
	}
	r := command{path: t.cc, args: []string{source, "-o", filepath.Join(t.home, "cross.out")}, dir: t.home, env: t.env(), box: t.box}.run(ctx)
	if !r.ok() {
		t.ccError = fmt.Errorf("the C compiler for %s links nothing: install its C library (Debian: libc6-dev-…-cross): %s", t.host, r.why())
	}
	return nil
}

// qemuError matches what QEMU says of itself.
var qemuError = regexp.MustCompile(`(?m)^qemu(-[\w-]+)?: `)

// missingLibrary matches what loaders say of a library that they do not find: those of
// glibc and of musl.
var missingLibrary = regexp.MustCompile(`(?:error while loading shared libraries: |Error loading shared library )([^\s:]+):`)

// cannotRun returns why a program of the tree could not run here, if the fault is not the
// tree's: a library of the system, or an emulator that is missing or fails. It is "" for
// programs of this machine.
func (t *toolchain) cannotRun(r result, own ...string) string {
	if !t.isForeign || r.ok() {
		return ""
	}
	emulator := cmp.Or(t.foreign.runs, "QEMU")
	if m := missingLibrary.FindStringSubmatch(r.output); m != nil {
		if loader.Own(m[1]) || slices.Contains(own, m[1]) {
			return ""
		}
		where := "set QEMU_LD_PREFIX to the root of a system of that machine"
		if t.foreign.root != "" {
			where = fmt.Sprintf("put it into the system at %q, or %s", t.foreign.root, where)
		}
		return fmt.Sprintf("%s does not find %q, which the system has to bring: %s", emulator, m[1], where)
	}
	lower := strings.ToLower(r.output)
	switch {
	case errors.Is(r.err, errTooLong):
		return fmt.Sprintf("%s is too slow: %v", emulator, r.err)
	case !t.foreign.byKernel && (errors.Is(r.err, syscall.ENOEXEC) || strings.Contains(lower, "exec format error") || strings.Contains(lower, "cannot execute")):
		return fmt.Sprintf("a program of the archives starts another one, which %s does not run: register it with the kernel (binfmt_misc; Debian: packages qemu-user-static and binfmt-support)", emulator)
	case qemuError.MatchString(r.output) || strings.Contains(lower, "illegal instruction") || strings.Contains(r.err.Error(), "signal: "):
		return fmt.Sprintf("%s fails: %s", emulator, r.why())
	}
	return ""
}

// elsewhere prepares links with a tree for another machine, and remembers the compilers
// that run here.
func (g treeGroup) elsewhere(ctx context.Context, t *toolchain, probeErr error) error {
	if !t.isForeign {
		if probeErr == nil && t.borrowed == "" {
			g.state.own = append(g.state.own, lender{t.compiler, t.prefix, "the compiler of the archives for " + t.host.String(), t.says})
		}
		return nil
	}
	t.readTree()
	if err := t.crossDir(); err != nil {
		return err
	}
	if err := t.tryCross(ctx); err != nil {
		return err
	}
	if probeErr != nil {
		g.borrow(ctx, t)
	}
	g.report.Foreign = append(g.report.Foreign, t.describe(probeErr))
	return nil
}

// runsNone returns why this machine does not run a program that was linked with the tree;
// "" if it does.
func (t *toolchain) runsNone(program string) string {
	if t.foreign.byKernel {
		return ""
	}
	return t.emulation(program).Missing
}

// unbuilt is the outcome of a leg whose compiler failed.
func (t *toolchain) unbuilt(r result) built {
	if why := t.cannotRun(r); why != "" {
		return built{skipped: why}
	}
	if l := t.foreign.lender; l != nil && strings.Contains(r.output, "E0514") {
		return built{skipped: fmt.Sprintf("%s refuses the standard library of the archives, which another build has compiled: %s", l.label, r.why())}
	}
	return built{failure: r.why()}
}

// borrow finds a compiler that links in the place of one that does not run here.
func (g treeGroup) borrow(ctx context.Context, t *toolchain) {
	facts := t.foreign.facts
	if facts.Host.IsZero() {
		t.foreign.unlent = "its files do not tell of which build it is"
		return
	}
	var have []string
	all := g.allLenders(ctx)
	for _, same := range []func(lender) bool{
		func(l lender) bool { return l.says.Version == facts.Version },
		func(l lender) bool {
			return withoutUnread(l.says.Version, facts.Version).String() == facts.Version.String()
		},
	} {
		if i := slices.IndexFunc(all, same); i >= 0 {
			t.foreign.lender, t.box = &all[i], t.box.reading(all[i].sysroot)
			return
		}
	}
	for _, l := range all {
		have = append(have, l.says.Version.String())
	}
	t.foreign.unlent = fmt.Sprintf("this machine has no rustc %s, which could link with the standard library of the archives", facts.Version)
	if len(have) > 0 {
		t.foreign.unlent += ", but " + strings.Join(slices.Compact(have), ", ")
	}
}

// allLenders returns the compilers that run here: those of other trees of this run first.
func (g treeGroup) allLenders(ctx context.Context) []lender {
	if g.opts.Compilers != nil && !g.state.asked {
		g.state.asked = true
		for _, rustc := range g.opts.Compilers(ctx) {
			r := command{path: rustc, args: []string{"-vV"}, dir: g.work.dir, env: cleanEnv(filepath.Dir(filepath.Dir(rustc)), g.work.dir, g.opts.SearchPath)}.run(ctx)
			if says, err := manifests.ParseRustc(r.output); r.ok() && err == nil {
				g.state.machine = append(g.state.machine, lender{rustc, filepath.Dir(filepath.Dir(rustc)), "this machine's rustc " + says.Version.String(), says})
			}
		}
	}
	return slices.Concat(g.state.own, g.state.machine)
}

// describe is the row of the report.
func (t *toolchain) describe(probeErr error) Foreign {
	f := Foreign{Subject: t.label, Host: t.host.String(), Facts: t.foreign.facts.Known}
	if probeErr == nil {
		f.Runs, f.Root = t.foreign.runs, t.foreign.root
	}
	if !t.foreign.facts.Host.IsZero() {
		f.Version = t.foreign.facts.Version.String()
	}
	if t.foreign.lender != nil && t.ccError == nil {
		f.LinkedBy = t.foreign.lender.label
	}
	return f
}
