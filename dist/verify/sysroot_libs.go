package verify

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"x.go/dist"
	"x.go/dist/linkage"
	"x.go/dist/loader"
)

// runPath requires a search path that still holds after the tree was moved, and an
// interpreter that other systems have.
func (c *sysrootChecker) runPath(f treeFile) {
	_, bad := loader.Search(f.rel, f.info)
	for _, e := range bad {
		c.s.failf(treeRunPath, "%s has %q in its search path, want $ORIGIN/ and a path inside the tree", f.rel, e)
	}
	if c.whole && !loader.StandardInterpreter(f.info.Interpreter) {
		c.s.failf(treeRunPath, "%s has the interpreter %q, which other systems do not have there", f.rel, f.info.Interpreter)
	}
}

// systemDirs are the directories that the loader searches by default on common
// distributions. Those of multiarch are globs.
var systemDirs = []string{"/lib64", "/usr/lib64", "/lib", "/usr/lib", "/lib/*-linux-*", "/usr/lib/*-linux-*", "/usr/local/lib"}

// tree returns the files that were collected as the dynamic loader sees them.
func (c *sysrootChecker) tree() loader.Tree {
	infos := map[string]linkage.Info{}
	for _, f := range c.files {
		if f.elf {
			infos[f.rel] = f.info
		}
	}
	return elfTree(c.t.prefix, infos)
}

// elfTree returns a tree of ELF files by their slash paths below root.
func elfTree(root string, infos map[string]linkage.Info) loader.Tree {
	t := loader.Tree{Root: root, ELF: func(name string) (linkage.Info, bool) {
		info, ok := infos[name]
		return info, ok
	}}
	for name := range infos {
		if dir := path.Dir(name); loader.IsSystemDir(dir) && !slices.Contains(t.SystemDirs, dir) {
			t.SystemDirs = append(t.SystemDirs, dir)
		}
	}
	slices.Sort(t.SystemDirs)
	return t
}

// libraries looks for the libraries that the files of the host need, as the loader
// does without LD_LIBRARY_PATH: programs first, then what none of them loads.
func (c *sysrootChecker) libraries(hostLibs map[string]bool) {
	tree := c.tree()
	seen := map[loader.Need]bool{}
	loads := map[string]bool{}
	for _, programs := range []bool{true, false} {
		for _, f := range c.files {
			if !f.elf || !c.ofHost(f) || (f.info.Kind != linkage.Shared) != programs || loads[f.rel] {
				continue
			}
			for _, n := range tree.Needs(f.rel) {
				loads[n.At] = true
				if !seen[n] {
					seen[n] = true
					c.needed(tree, n, hostLibs)
				}
			}
		}
	}
}

// ofHost reports whether an ELF file is for the machine of the compiler.
func (c *sysrootChecker) ofHost(f treeFile) bool {
	return !c.forOtherTarget(f.rel) && (c.machine == 0 || f.info.Machine == c.machine)
}

// needed judges one library that a file of the tree needs.
func (c *sysrootChecker) needed(tree loader.Tree, n loader.Need, hostLibs map[string]bool) {
	if n.How == loader.Moves {
		return
	}
	inTree := c.byName[n.Library]
	if n.How == loader.Fixed {
		inTree = []string{path.Dir(n.At)}
	}
	switch why := loader.OfficialDefect(n); {
	case len(inTree) > 0 && !c.whole: // a shared prefix is on the loader's own path
	case len(inTree) > 0 && why != "":
		hostLibs["("+why+")"] = true
	case len(inTree) > 0:
		info, _ := tree.ELF(n.File)
		c.s.failf(treeNeeded, "%s needs %s, which is in %s, but has %s", n.File, n.Library, inTree[0], loader.SearchText(info))
	case loader.Own(n.Library):
		c.s.failf(treeNeeded, "%s needs %s, which is a part of Rust and not in the tree", n.File, n.Library)
	default:
		hostLibs[n.Library] = true
		if !c.t.isForeign && !strings.ContainsRune(n.Library, '/') && !onHost(n.Library) {
			c.s.failf(treeNeeded, "%s needs %s, which is neither in the tree nor on this host", n.File, n.Library)
		}
	}
}

func onHost(lib string) bool {
	return slices.ContainsFunc(systemDirs, func(dir string) bool {
		found, err := filepath.Glob(filepath.Join(dir, globQuote(lib)))
		return err == nil && len(found) > 0
	})
}

// globQuote returns a pattern that matches only name.
func globQuote(name string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(name)
}

// maxScript bounds a linker script; libLLVM's has 42 bytes.
const maxScript = 4 << 10

// linkerScript judges a text in place of a shared library. Archives hold such scripts
// in place of symbolic links (rust-lang/rust#121967).
func (c *sysrootChecker) linkerScript(f treeFile) {
	base := path.Base(f.rel)
	if !strings.HasSuffix(base, ".so") && !strings.Contains(base, ".so.") {
		return
	}
	b, err := dist.ReadFile(f.path, maxScript)
	if err != nil {
		c.s.failf(treeScript, "%s is neither ELF nor a linker script: %v", f.rel, err)
		return
	}
	names, ok := scriptInputs(string(b))
	if !ok {
		c.s.failf(treeScript, "%s is neither ELF nor a linker script: %.60q", f.rel, b)
		return
	}
	for _, n := range names {
		at := path.Join(path.Dir(f.rel), n)
		if path.IsAbs(n) || strings.HasPrefix(at, "../") {
			c.s.failf(treeScript, "%s names %s, want a file beside it", f.rel, n)
		} else if _, err := os.Stat(c.t.path(filepath.FromSlash(at))); err != nil {
			c.s.failf(treeScript, "%s names %s, which is missing", f.rel, n)
		}
	}
}

// scriptInputs reads "INPUT(a b)" or "GROUP(a b)".
func scriptInputs(text string) ([]string, bool) {
	text = strings.TrimSpace(text)
	for _, word := range []string{"INPUT", "GROUP"} {
		rest, ok := strings.CutPrefix(text, word)
		if !ok {
			continue
		}
		rest = strings.TrimSpace(rest)
		if strings.HasPrefix(rest, "(") && strings.HasSuffix(rest, ")") {
			return strings.Fields(strings.ReplaceAll(rest[1:len(rest)-1], ",", " ")), true
		}
	}
	return nil, false
}

// maxBuildPaths bounds the paths named of one file.
const maxBuildPaths = 5

// buildPaths looks for paths of the machine that built the tree, if asked to.
func (c *sysrootChecker) buildPaths(ctx context.Context, roots []string) error {
	if len(roots) == 0 {
		return nil
	}
	c.s.declare(treeBuildPath)
	for _, f := range c.files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !f.elf && !strings.HasSuffix(f.rel, ".rlib") && !strings.HasSuffix(f.rel, ".a") {
			continue
		}
		file, err := os.Open(f.path)
		if err != nil {
			return fmt.Errorf("looking for build paths: %w", err)
		}
		found, err := linkage.BuildPaths(file, roots, maxBuildPaths)
		file.Close()
		if err != nil {
			return err
		}
		if len(found) > 0 {
			c.s.failf(treeBuildPath, "%s holds %s", f.rel, strings.Join(found, ", "))
		}
	}
	return nil
}
