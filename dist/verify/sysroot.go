package verify

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"x.go/dist/linkage"
	"x.go/manifests"
)

// treeFile is one file of a tree under test.
type treeFile struct {
	rel  string // slash path below the prefix
	path string
	mode fs.FileMode
	size int64
	elf  bool
	info linkage.Info
}

// sysrootChecker checks the tree of a toolchain that was probed.
type sysrootChecker struct {
	t       *toolchain
	s       *subject
	whole   bool // every file of the prefix belongs to the toolchain
	files   []treeFile
	byName  map[string][]string // base name to directories, of shared libraries
	machine elf.Machine         // of bin/rustc
}

// checkTree judges the files of a tree and returns the rows of its binaries.
func checkTree(ctx context.Context, t *toolchain, s *subject, expect Expect, whole bool, roots []string, probeErr error) ([]Binary, error) {
	c := &sysrootChecker{t: t, s: s, whole: whole, byName: map[string][]string{}}
	for _, name := range []string{treeGCCLD, treeELF, treeMachine, treeNeeded, treeRunPath, treeScript, treeCtors, treeLinkerFacts, treeMode, treeSymlink} {
		s.declare(name)
	}
	if err := c.collect(ctx); err != nil {
		return nil, err
	}
	c.gccLD(expect)
	if probeErr == nil || t.isForeign {
		c.rustLLD(expect)
	}
	if probeErr == nil {
		c.wrappers(ctx, expect)
	}
	hostLibs := map[string]bool{} // for the note; known defects, too
	var rows []Binary
	for _, f := range c.files {
		c.modes(f)
		if !f.elf {
			c.linkerScript(f)
			continue
		}
		rows = append(rows, binaryRow(f.rel, f.path, f.info))
		c.binary(f)
	}
	c.libraries(hostLibs)
	if len(hostLibs) > 0 {
		s.notef(treeNeeded, "of the host: %s", strings.Join(slices.Sorted(maps.Keys(hostLibs)), " "))
	}
	c.inventory()
	return rows, c.buildPaths(ctx, roots)
}

// rustPrograms are the programs of a toolchain in a bin directory that it shares
// with others, as a distribution's /usr/bin.
var rustPrograms = []string{"cargo", "cargo-*", "clippy-driver", "miri", "rls", "rust-analyzer", "rust-demangler", "rust-gdb", "rust-gdbgui", "rust-lldb", "rustc", "rustdoc", "rustfmt"}

// rustLibraries are the libraries of a toolchain in a lib directory that it shares.
var rustLibraries = []string{"librustc_driver-*", "libLLVM*-rust-*", "libstd-*.so", "libtest-*.so", "libproc_macro-*.so"}

// owned reports whether a file of the prefix is the toolchain's.
func (c *sysrootChecker) owned(rel string) bool {
	if c.whole || strings.HasPrefix(rel, "lib/rustlib/") {
		return true
	}
	dir, base := path.Split(rel)
	patterns := map[string][]string{"bin/": rustPrograms, "lib/": rustLibraries, "libexec/": {"rust-*", "cargo-*"}}[dir]
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(p, base)
		return err == nil && ok
	})
}

// collect lists the files of the tree. Documents are left out.
func (c *sysrootChecker) collect(ctx context.Context) error {
	for _, top := range []string{"bin", "lib", "libexec", "etc"} {
		err := filepath.WalkDir(c.t.path(top), func(p string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(c.t.prefix, p)
			if err != nil {
				return err
			}
			rel = filepath.ToSlash(rel)
			if d.IsDir() && !c.whole && top != "etc" && !enters(rel) {
				return fs.SkipDir
			}
			if d.IsDir() || !c.owned(rel) {
				return ctx.Err()
			}
			return c.file(rel, p, d)
		})
		if err != nil {
			return fmt.Errorf("reading the tree: %w", err)
		}
	}
	if i := slices.IndexFunc(c.files, func(f treeFile) bool { return f.rel == "bin/rustc" && f.elf }); i >= 0 {
		c.machine = c.files[i].info.Machine
	}
	return nil
}

// enters reports whether a directory of a shared prefix holds files of a toolchain.
func enters(rel string) bool {
	return rel == "bin" || rel == "lib" || rel == "libexec" || rel == "lib/rustlib" || strings.HasPrefix(rel, "lib/rustlib/")
}

// file takes one file. It follows a symbolic link.
func (c *sysrootChecker) file(rel, p string, d fs.DirEntry) error {
	if d.Type()&fs.ModeSymlink != 0 {
		real, err := filepath.EvalSymlinks(p)
		if err != nil {
			c.s.failf(treeSymlink, "%s leads nowhere: %v", rel, err)
			return nil
		}
		if out, err := filepath.Rel(c.t.prefix, real); c.whole && (err != nil || !filepath.IsLocal(out)) {
			c.s.failf(treeSymlink, "%s leads outside the tree, to %s", rel, real)
		}
	} else if !d.Type().IsRegular() {
		c.s.failf(treeELF, "%s is %s, want a regular file", rel, d.Type())
		return nil
	}
	info, err := os.Stat(p)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return nil
	}
	f := treeFile{rel: rel, path: p, mode: info.Mode(), size: info.Size()}
	f.info, err = linkage.ReadFile(p)
	switch {
	case err == nil:
		f.elf = true
		if f.info.Kind == linkage.Shared {
			c.byName[path.Base(rel)] = append(c.byName[path.Base(rel)], path.Dir(rel))
		}
	case !errors.Is(err, linkage.ErrNotELF):
		c.s.failf(treeELF, "%s: %v", rel, err)
	}
	c.files = append(c.files, f)
	return nil
}

// gccLD judges the names and kinds of the files in gcc-ld, where rustc has the C
// driver look for a linker.
func (c *sysrootChecker) gccLD(expect Expect) {
	entries, err := os.ReadDir(c.t.gccLD())
	if errors.Is(err, fs.ErrNotExist) {
		if expect == ExpectLLD {
			c.s.failf(treeGCCLD, "the directory gcc-ld is missing")
		} else {
			c.s.notef(treeGCCLD, "not shipped")
		}
		return
	}
	if err != nil {
		c.s.failf(treeGCCLD, "%v", err)
		return
	}
	programs := manifests.GCCLDPrograms()
	for i := range programs {
		programs[i] += c.t.exe
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
		if !slices.Contains(programs, e.Name()) {
			c.s.failf(treeGCCLD, "gcc-ld/%s has a name that no driver looks for with -fuse-ld=lld", e.Name())
		} else if !isExecutable(filepath.Join(c.t.gccLD(), e.Name())) {
			c.s.failf(treeGCCLD, "gcc-ld/%s is not an executable file", e.Name())
		}
	}
	required := programs
	if expect != ExpectLLD {
		required = programs[:1] // the one that a default link may ask for
	}
	for _, n := range required {
		if !slices.Contains(names, n) {
			c.s.failf(treeGCCLD, "gcc-ld/%s is missing", n)
		}
	}
}

// rustLLD requires LLD where it is expected.
func (c *sysrootChecker) rustLLD(expect Expect) {
	c.s.declare(treeRustLLD)
	_, err := os.Stat(c.t.rustLLD())
	shipped := err == nil
	if expect == ExpectLLD && !shipped {
		c.s.failf(treeRustLLD, "rust-lld is missing")
	}
	if !shipped {
		c.s.notef(treeRustLLD, "not shipped")
	}
}

// wrappers runs each wrapper. Here, one that does not reach its linker says why; in a
// failed link, only the C driver speaks.
func (c *sysrootChecker) wrappers(ctx context.Context, expect Expect) {
	for _, name := range manifests.GCCLDPrograms() {
		if !isExecutable(c.t.wrapperPath(name)) {
			continue // found by gccLD
		}
		r := c.t.own(ctx, c.t.home, c.t.wrapperPath(name), "--version")
		answer := strings.TrimSpace(firstLine(r.output))
		switch why := c.t.cannotRun(r); {
		case why != "":
			c.s.skipf(treeWrapper, "gcc-ld/%s: %s", name, why)
		case expect == ExpectSystem && c.t.idleShim:
			c.s.skipf(treeWrapper, "gcc-ld/ld.lld runs the system linker, and this machine has none: no ld in %s", c.t.search)
		case !r.ok() && (expect == ExpectLLD || name == "ld.lld"):
			c.s.failf(treeWrapper, "running gcc-ld/%s --version: %s", name, r.why())
		case expect == ExpectLLD && witnessLinker(answer) != linkage.LLD:
			c.s.failf(treeWrapper, "gcc-ld/%s answers %.200q, want LLD", name, answer)
		case expect == ExpectSystem && name == "ld.lld" && witnessLinker(answer) == linkage.LLD:
			c.s.failf(treeWrapper, "gcc-ld/%s answers %.200q, want the system linker", name, answer)
		case name == "ld.lld":
			c.s.notef(treeWrapper, "%.200s", answer)
		}
	}
}

// modes requires that programs are executable and that only the owner may write.
func (c *sysrootChecker) modes(f treeFile) {
	if isProgram(f.rel) && f.mode&0o111 == 0 {
		c.s.failf(treeMode, "%s has mode %04o, want it executable", f.rel, f.mode.Perm())
	}
	if f.mode&0o022 != 0 {
		c.s.failf(treeMode, "%s has mode %04o: others may write", f.rel, f.mode.Perm())
	}
}

// binary judges one ELF file.
func (c *sysrootChecker) binary(f treeFile) {
	if len(f.info.LostConstructors()) > 0 {
		c.s.failf(treeCtors, "%s has %s", f.rel, strings.Join(f.info.LostConstructors(), " and "))
	}
	if f.info.Doubt != "" {
		c.s.failf(treeLinkerFacts, "%s: %s", f.rel, f.info.Doubt)
	}
	if c.forOtherTarget(f.rel) {
		return
	}
	if c.machine != 0 && f.info.Machine != c.machine {
		c.s.failf(treeMachine, "%s is for %s, bin/rustc for %s", f.rel, machineName(f.info.Machine), machineName(c.machine))
		return
	}
	c.runPath(f)
}

// forOtherTarget reports whether a path is below lib/rustlib/<target> for a
// target other than the host.
func (c *sysrootChecker) forOtherTarget(rel string) bool {
	parts := strings.Split(rel, "/")
	return len(parts) > 3 && parts[0] == "lib" && parts[1] == "rustlib" && !c.t.host.IsZero() && parts[2] != c.t.host.String()
}
