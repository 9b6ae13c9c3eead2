package marks

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"x.go/targets"
)

// CompilerIn returns the path of the compiler of a sysroot, <sysroot>/bin/rustc. That is
// rustc.exe on Windows, whatever system x runs on. It may be missing.
func CompilerIn(sysroot string) string {
	rustc := filepath.Join(sysroot, "bin", "rustc")
	if _, err := os.Stat(rustc); err != nil {
		if _, err := os.Stat(rustc + ".exe"); err == nil {
			return rustc + ".exe"
		}
	}
	return rustc
}

// libdirs are the places of rustlib in a sysroot: x.py's, and those by install.libdir of
// distributions, as patterns.
var libdirs = []string{"lib", "lib64", "lib32", "libx32", "lib/*-*"}

// Libdir returns the directory of a sysroot that has rustlib, as a slash path: "lib",
// unless there is no target in lib/rustlib and another directory of libraries has it, or
// one of the patterns more.
func Libdir(sysroot string, more ...string) string {
	root := os.DirFS(sysroot)
	for _, pattern := range append(libdirs[:len(libdirs):len(libdirs)], more...) {
		dirs, err := fs.Glob(root, pattern)
		if err != nil {
			continue
		}
		for _, dir := range dirs {
			if hasTargets(root, path.Join(dir, "rustlib")) {
				return dir
			}
		}
	}
	return "lib"
}

// Libdirs returns what [Libdir] wants beside the usual ones.
func (g Given) Libdirs() []string {
	if g.Libdir == "" || !fs.ValidPath(g.Libdir) {
		return nil
	}
	return []string{escaped(g.Libdir)}
}

// hasTargets reports whether a rustlib has the directory of a target.
func hasTargets(root fs.FS, rustlib string) bool {
	entries, err := fs.ReadDir(root, rustlib)
	if err != nil {
		return false
	}
	for _, e := range entries {
		if _, err := targets.ParseTriple(e.Name()); err != nil {
			continue
		}
		for _, sub := range []string{"lib", "bin"} {
			if fi, err := fs.Stat(root, path.Join(rustlib, e.Name(), sub)); err == nil && fi.IsDir() {
				return true
			}
		}
	}
	return false
}

// Rustlib returns the path of rustlib in a sysroot; see [Libdir].
func Rustlib(sysroot string) string {
	return filepath.Join(sysroot, filepath.FromSlash(Libdir(sysroot)), "rustlib")
}
