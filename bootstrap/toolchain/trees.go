package toolchain

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"x.go/bootstrap/builddir"
	"x.go/bootstrap/marks"
	"x.go/targets"
)

// Trees say where to look for the toolchains of several hosts.
type Trees struct {
	// Sysroots are those of --sysroot: each is a toolchain, or a build directory of x.py
	// with several. If there are none, one toolchain is found as Source says, or those of
	// Hosts in BuildDir.
	Sysroots []string
	Source   Source // of which Sysroot and Given.Host do not count
	// Hosts are those that are wanted; none are all that are there.
	Hosts []targets.Triple
	// Named says that --host names Hosts: a compiler whose files do not tell its host may
	// then be for one of them. Else build.host names them.
	Named bool
	// BuildDir is the build directory, which x.py may have, too.
	BuildDir string
}

// Found are the toolchains of several hosts, all of one release.
type Found struct {
	Toolchains []Toolchain // sorted by host
	// Left are toolchains whose hosts are not wanted.
	Left []Toolchain
	// Missing are the hosts that are wanted and have no toolchain.
	Missing []targets.Triple
}

// FindAll finds toolchains. Two of one host, or of different releases, are an error, as
// is none. The error is a [SourceError], or that of ctx.
func FindAll(ctx context.Context, src Trees) (Found, error) {
	found, err := src.find(ctx)
	if err == nil {
		err = agreed(found.Toolchains)
	}
	if _, is := errors.AsType[*SourceError](err); err != nil && !is && ctx.Err() == nil {
		err = &SourceError{err}
	}
	return found, err
}

func (src Trees) find(ctx context.Context) (Found, error) {
	roots, err := src.roots()
	if err != nil {
		return Found{}, err
	}
	all, errs := make([]Toolchain, len(roots)), make([]error, len(roots))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, r := range roots {
		g.Go(func() error {
			all[i], errs[i] = src.learn(ctx, r, len(roots) == 1)
			return nil
		})
	}
	_ = g.Wait()
	if len(errs) == 1 && errs[0] != nil {
		return Found{}, errs[0]
	}
	if err := errors.Join(errs...); err != nil {
		return Found{}, err
	}
	slices.SortStableFunc(all, func(a, b Toolchain) int { return strings.Compare(a.Host.String(), b.Host.String()) })
	return src.pick(all)
}

// root is a place of a toolchain.
type root struct {
	dir  string         // "" for what the Source says
	host targets.Triple // by its directory in a build directory; zero for others
}

// roots returns the places to look at.
func (src Trees) roots() ([]root, error) {
	var out []root
	for _, dir := range src.Sysroots {
		trees := hostTrees(dir)
		if len(trees) == 0 {
			out = append(out, root{dir: dir})
			continue
		}
		for _, h := range sorted(trees) {
			if len(src.Hosts) == 0 || slices.Contains(src.Hosts, h) {
				out = append(out, root{trees[h], h})
			}
		}
		if len(out) == 0 && len(src.Sysroots) == 1 {
			return nil, fmt.Errorf("opening build directory %q: it has no toolchain for %s, but for %s", dir, triples(src.Hosts), triples(sorted(trees)))
		}
	}
	if len(src.Sysroots) > 0 {
		return out, nil
	}
	trees, rest := src.built(), len(src.Hosts) == 0
	for _, h := range src.Hosts {
		if dir, ok := trees[h]; ok && (src.Named || len(src.Hosts) > 1) {
			out = append(out, root{dir, h})
		} else {
			rest = true
		}
	}
	if rest {
		out = append(out, root{})
	}
	return out, nil
}

// built returns the toolchains that x.py has built in the build directory. Those that x
// assembled there are not among them.
func (src Trees) built() map[targets.Triple]string {
	if src.BuildDir == "" {
		return nil
	}
	trees := hostTrees(src.BuildDir)
	own, err := builddir.Claimed(src.BuildDir)
	maps.DeleteFunc(trees, func(h targets.Triple, _ string) bool { return err == nil && slices.Contains(own, h.String()+"/stage2") })
	return trees
}

// learn finds the toolchain of a place. alone says that there is no other.
func (src Trees) learn(ctx context.Context, r root, alone bool) (Toolchain, error) {
	s := src.Source
	s.Sysroot, s.Given.Host = r.dir, targets.Triple{}
	if r.dir == "" && !alone && s.Rustc == "" {
		if _, err := s.compiler(); err != nil { // only the build directory has toolchains
			return Toolchain{}, nil
		}
	}
	if alone && src.Named && len(src.Hosts) == 1 {
		s.Given.Host = src.Hosts[0]
	}
	tc, err := Find(ctx, s)
	if !r.host.IsZero() {
		return r.named(ctx, s, tc, err)
	}
	if missing, ok := errors.AsType[*marks.MissingError](err); !ok || missing == nil || !src.Named || !s.Given.Host.IsZero() {
		return tc, err
	}
	var fit []Toolchain
	for _, h := range src.Hosts {
		s.Given.Host = h
		if tc, err := Find(ctx, s); err == nil {
			fit = append(fit, tc)
		}
	}
	if len(fit) != 1 {
		return tc, err
	}
	return fit[0], nil
}

// named compares the host of a toolchain with the name of its directory, which says it
// where nothing else does.
func (r root) named(ctx context.Context, s Source, tc Toolchain, err error) (Toolchain, error) {
	if missing, ok := errors.AsType[*marks.MissingError](err); ok && missing != nil && s.Given.Host.IsZero() {
		s.Given.Host = r.host
		if tc, err = Find(ctx, s); err == nil {
			for i := range tc.Read {
				if tc.Read[i].Fact == "host" {
					tc.Read[i].How = "the name of the directory"
				}
			}
		}
	}
	if err == nil && tc.Host != r.host {
		err = fmt.Errorf("comparing the host of %q: got %s by the name of the directory, but the compiler is for %s", r.dir, r.host, tc.Host)
	}
	return tc, err
}

// pick returns the toolchains of the hosts that are wanted.
func (src Trees) pick(all []Toolchain) (Found, error) {
	var out Found
	for _, tc := range all {
		switch {
		case tc.Host.IsZero(): // there is none
		case len(src.Hosts) > 0 && !slices.Contains(src.Hosts, tc.Host):
			out.Left = append(out.Left, tc)
		default:
			out.Toolchains = append(out.Toolchains, tc)
		}
	}
	for i := 1; i < len(out.Toolchains); i++ {
		if a, b := out.Toolchains[i-1], out.Toolchains[i]; a.Host == b.Host && a.Sysroot != b.Sysroot {
			return out, fmt.Errorf("finding the toolchains: %q and %q are both for %s: name one of them", a.Sysroot, b.Sysroot, a.Host)
		}
	}
	out.Toolchains = slices.CompactFunc(out.Toolchains, func(a, b Toolchain) bool { return a.Sysroot == b.Sysroot })
	for _, h := range src.Hosts {
		if !slices.ContainsFunc(out.Toolchains, func(tc Toolchain) bool { return tc.Host == h }) {
			out.Missing = append(out.Missing, h)
		}
	}
	if len(out.Toolchains) > 0 {
		return out, nil
	}
	if len(out.Left) == 0 {
		return out, ErrNoToolchain
	}
	var have []string
	for _, tc := range out.Left {
		have = append(have, fmt.Sprintf("%q for %s", tc.Sysroot, tc.Host))
	}
	by := "build.host"
	if src.Named {
		by = "--host"
	}
	return out, fmt.Errorf("finding the toolchains: %s names %s, and there is only %s: give the other with --sysroot, or name the host that is there with --host",
		by, triples(src.Hosts), strings.Join(have, ", "))
}

// agreed returns an error for toolchains of different releases: one channel holds one.
// What the files of one that does not run here do not tell of its version, another tells.
func agreed(all []Toolchain) error {
	if len(all) < 2 {
		return nil
	}
	full := slices.MaxFunc(all, func(a, b Toolchain) int { return len(a.Version.String()) - len(b.Version.String()) })
	for i := range all {
		tc := &all[i]
		v, want := tc.Version, full.Version
		if tc.Unrun != nil && v.CommitHash == "" && v.Release == want.Release && want.CommitHash != "" {
			v.CommitHash, v.CommitDate = want.CommitHash, want.CommitDate
			tc.Read = append(slices.Clip(tc.Read), marks.Known{Fact: "commit", Value: v.CommitHash + " " + v.CommitDate, How: "that of " + full.Sysroot})
		}
		if tc.Unrun != nil && v.Description == "" {
			v.Description = want.Description
		}
		if v != want {
			return fmt.Errorf("comparing the releases: %q is rustc %s, and %q is rustc %s: one channel holds one release; package each alone, with another build directory, or leave one out with --host", tc.Sysroot, tc.Version, full.Sysroot, want)
		}
		tc.Version = v
	}
	return nil
}

func sorted(trees map[targets.Triple]string) []targets.Triple {
	return slices.SortedFunc(maps.Keys(trees), func(a, b targets.Triple) int { return strings.Compare(a.String(), b.String()) })
}

func triples(list []targets.Triple) string {
	var names []string
	for _, t := range list {
		names = append(names, t.String())
	}
	return strings.Join(names, ", ")
}

// hostTrees returns the toolchains in a build directory of x.py, by their hosts: those of
// <dir>/<host>/stage2. There are none in a sysroot.
func hostTrees(dir string) map[targets.Triple]string {
	out := map[targets.Triple]string{}
	if _, err := os.Stat(marks.CompilerIn(dir)); err == nil {
		return out
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return out
	}
	for _, e := range entries {
		t, err := targets.ParseTriple(e.Name())
		tree := filepath.Join(dir, e.Name(), "stage2")
		if _, missing := os.Stat(marks.CompilerIn(tree)); err == nil && missing == nil {
			out[t] = tree
		}
	}
	return out
}

// pickHost returns the toolchain of a host in a build directory; a sysroot is itself.
func pickHost(dir string, host targets.Triple) (string, error) {
	trees := hostTrees(dir)
	if tree, ok := trees[host]; ok {
		return tree, nil
	}
	names := triples(sorted(trees))
	switch {
	case len(trees) == 0:
		return dir, nil
	case !host.IsZero():
		return "", fmt.Errorf("opening build directory %q: it has no toolchain for %s, but for %s", dir, host, names)
	case len(trees) > 1:
		return "", fmt.Errorf("opening build directory %q: it has toolchains for %s: name one with --host", dir, names)
	}
	return trees[sorted(trees)[0]], nil
}
