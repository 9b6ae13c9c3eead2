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
)

// origins resolves the search path of a file to directories below the prefix. ok
// is false for an entry that leads outside.
func origins(f treeFile) (dirs []string, bad []string) {
	entries := f.info.RunPath
	if len(entries) == 0 {
		entries = f.info.RPath
	}
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e, "$ORIGIN")
		if !ok {
			rest, ok = strings.CutPrefix(e, "${ORIGIN}")
		}
		if !ok || rest != "" && rest[0] != '/' {
			bad = append(bad, e)
			continue
		}
		dir := path.Join(path.Dir(f.rel), rest)
		if dir == ".." || strings.HasPrefix(dir, "../") {
			bad = append(bad, e)
			continue
		}
		dirs = append(dirs, dir)
	}
	return dirs, bad
}

// runPath requires a search path that still holds after the tree was moved.
func (c *sysrootChecker) runPath(f treeFile) {
	_, bad := origins(f)
	for _, e := range bad {
		c.s.failf(treeRunPath, "%s has %q in its search path, want $ORIGIN/ and a path inside the tree", f.rel, e)
	}
}

// systemDirs are the directories that the loader searches by default on common
// distributions. Those of multiarch are globs.
var systemDirs = []string{"/lib64", "/usr/lib64", "/lib", "/usr/lib", "/lib/*-linux-*", "/usr/lib/*-linux-*", "/usr/local/lib"}

// needed looks for a library as the loader does without LD_LIBRARY_PATH: by the
// file's own RUNPATH in the tree, else on the host.
func (c *sysrootChecker) needed(f treeFile, lib string, hostLibs map[string]bool) {
	dirs, _ := origins(f)
	for _, dir := range dirs {
		if _, err := os.Stat(c.t.path(filepath.FromSlash(dir), lib)); err == nil {
			return
		}
	}
	if inTree := c.byName[lib]; len(inTree) > 0 {
		if !c.whole {
			return // a shared prefix is on the loader's own path
		}
		if why := knownDefect(f.rel, lib); why != "" {
			hostLibs[why] = true
			return
		}
		c.s.failf(treeNeeded, "%s needs %s, which is in %s, but its RUNPATH %q does not lead there", f.rel, lib, inTree[0], f.info.RunPath)
		return
	}
	hostLibs[lib] = true
	if c.foreign || strings.ContainsRune(lib, '/') || onHost(lib) {
		return
	}
	c.s.failf(treeNeeded, "%s needs %s, which is neither in the tree nor on this host", f.rel, lib)
}

// knownDefects are faults of the official toolchains. A repackager cannot repair
// them, and no compilation for Linux runs into them. The report names them, but they
// do not fail it.
var knownDefects = []struct{ program, library, why string }{
	// Its RUNPATH is $ORIGIN/../lib, where only the component llvm-tools puts
	// libLLVM: seen in 1.95.0 and 1.97.0-nightly, rust-objcopy does not start
	// without it. rustc runs it only to strip for Apple and AIX targets.
	{"rust-objcopy", "libLLVM", "(rust-objcopy does not find libLLVM without llvm-tools: official builds are so)"},
}

func knownDefect(rel, lib string) string {
	for _, d := range knownDefects {
		if path.Base(rel) == d.program && strings.HasPrefix(lib, d.library) {
			return d.why
		}
	}
	return ""
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
