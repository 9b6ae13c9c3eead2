package verify

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"x.go/dist/sandbox"
)

// treeGroup runs the groups sysroot and link: both need a toolchain's tree.
type treeGroup struct {
	*run
	plans []plan // of trees to unpack from archives
	state *treeState
}

// treeState is what the tests of one tree leave for those of the next.
type treeState struct {
	own     []lender        // compilers of trees that run here
	machine []lender        // compilers of this machine
	asked   bool            // for those
	crossed map[string]bool // builds and targets that a compiler has linked for
}

func newTreeGroup(r *run) treeGroup {
	g := treeGroup{run: r, state: &treeState{crossed: map[string]bool{}}}
	if r.opts.has(Sysroot) || r.opts.has(Link) {
		g.plans = plans(r.in.archives)
	}
	return g
}

// verify tests the trees that the archives are unpacked to, then those given.
func (g treeGroup) verify(ctx context.Context) error {
	for i, p := range g.plans {
		if err := g.unpacked(ctx, i, p); err != nil {
			return err
		}
	}
	for _, dir := range g.in.trees {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return fmt.Errorf("reading operand %q: %w", dir, err)
		}
		if err := g.tree(ctx, &toolchain{label: dir, prefix: abs}, nil); err != nil {
			return err
		}
	}
	return nil
}

// unpacked installs the archives of one plan, and tests the result.
func (g treeGroup) unpacked(ctx context.Context, i int, p plan) error {
	label := p.release + " " + p.host.String()
	s := newSubject(label, treeUnpack)
	built, moved := fmt.Sprintf("built/%d", i), fmt.Sprintf("moved/%d/rust", i)
	for _, dir := range []string{built, filepath.Dir(moved)} {
		if err := g.work.root.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("creating a prefix: %w", err)
		}
	}
	whole := true
	for _, f := range p.files {
		j := slices.IndexFunc(g.packs, func(q pack) bool { return q.path == f.path })
		kept := slices.ContainsFunc(g.plans[i+1:], func(later plan) bool { return slices.Contains(later.files, f) })
		if err := g.work.install(g.packs[j].dir, g.packs[j].Layout, built, kept); err != nil {
			s.failf(treeUnpack, "%s: %v", f.file, err)
		}
		if !g.packs[j].Complete {
			s.failf(treeUnpack, "%s could not be read to its end", f.file)
			whole = false
		}
	}
	if !whole { // what else is wrong with such a tree follows from that
		s.skipf(treeCompiler, "an archive could not be read to its end")
		g.add(s)
		return nil
	}
	// A toolchain that works only where it was first unpacked is broken.
	if err := g.work.root.Rename(built, moved); err != nil {
		return fmt.Errorf("moving a prefix: %w", err)
	}
	prefix := filepath.Join(g.work.dir, filepath.FromSlash(moved))
	return g.tree(ctx, &toolchain{label: label, prefix: prefix, named: p.host, namedRelease: p.release}, s)
}

// tree tests the unpacked tree of t, which has its label, prefix and names. s holds what
// is known of it already; it may be nil.
func (g treeGroup) tree(ctx context.Context, t *toolchain, s *subject) error {
	label, prefix := t.label, t.prefix
	if err := g.needWorkspace(); err != nil {
		return err
	}
	whole := s != nil || !sharesPrefix(prefix)
	if s == nil {
		s = newSubject(label)
	}
	home, err := os.MkdirTemp(g.work.dir, "home-")
	if err != nil {
		return fmt.Errorf("creating a home for the compiler: %w", err)
	}
	t.home, t.search, t.box, t.systemRoot = home, g.opts.SearchPath, g.newBox(prefix, home), g.opts.SystemRoot
	if has := sandbox.Probe(ctx); g.opts.Sandbox == sandbox.Require && !has.Whole() {
		s.failf(treeContained, "this machine has no whole sandbox: %s", strings.Join(has.Missing, "; "))
		g.add(s)
		return nil
	}
	g.report.Sandbox = g.describeSandbox()
	probeErr := t.probe(ctx, s)
	if probeErr == nil || errors.Is(probeErr, errBroken) { // it may have looked for its libraries elsewhere
		t.checkOwn(s, whole)
	}
	if err := g.elsewhere(ctx, t, probeErr); err != nil {
		return err
	}
	if probeErr == nil && t.borrowed == "" {
		t.askDefaults(ctx, home)
	}
	expect := g.expectation(t)
	if probeErr == nil {
		g.report.Compiler, g.report.Expect = t.version, expect
	}
	if g.opts.has(Sysroot) {
		g.progress(Event{Group: Sysroot, Subject: label})
		rows, err := checkTree(ctx, t, s, expect, whole, g.opts.BuildRoots, probeErr)
		if err != nil {
			return err
		}
		g.report.Binaries = append(g.report.Binaries, rows...)
		g.progress(Event{Group: Sysroot, Subject: label, Done: true})
	}
	t.box.report(s)
	if g.opts.has(Sysroot) || s.failed(treeUnpack, treeCompiler, treeRelocated, treeContained) {
		g.add(s)
	}
	if !g.opts.has(Link) {
		return nil
	}
	err = linkGroup{g.run, t, probeErr, expect, g.state.crossed}.verify(ctx)
	if late := newSubject(label + ", linking"); t.box != nil {
		t.box.report(late)
		g.add(late)
	}
	return err
}

// expectation resolves [Auto] for one toolchain. A compiler that did not run, or not
// with its own libraries, could not be asked; what is shipped beside it tells then.
func (g treeGroup) expectation(t *toolchain) Expect {
	if g.opts.Expect == Auto && (t.version == "" || t.borrowed != "") {
		_, err := os.Stat(t.rustLLD())
		_, launcher := os.Stat(t.path("libexec", "rustc"+t.exe)) // it changes the default
		if spec := t.foreign.facts.Spec; err != nil || spec != nil && !spec.BakedLLD() && launcher != nil {
			return ExpectSystem
		}
		return ExpectLLD
	}
	return t.defaultLinker(g.opts.Expect)
}

// sharesPrefix reports whether a tree lies in a prefix with other software, as
// a distribution's in /usr.
func sharesPrefix(prefix string) bool {
	for _, name := range []string{"sh", "env", "cc", "ls"} {
		if _, err := os.Lstat(filepath.Join(prefix, "bin", name)); err == nil {
			return true
		}
	}
	return false
}
