package explain

import (
	"path"
	"path/filepath"

	"x.go/bootstrap"
	"x.go/targets"
)

// launcherArgs returns what the launcher before bin/rustc adds to rustc's
// arguments, as package launcher does: nil if there is no launcher, or if this
// link is not its concern.
func launcherArgs(built bootstrap.LLD, q targets.Query) []string {
	if q.CustomTarget || q.Target.Triple != q.Compiler.Host {
		return nil
	}
	switch built.Launcher {
	case bootstrap.LauncherSystem:
		return []string{"-Clinker-features=-lld"}
	case bootstrap.LauncherLLD:
		if targets.Decide(q).Flavor.UsesCC() {
			gccLd := path.Join(filepath.ToSlash(q.World.Sysroot), "lib/rustlib", q.Compiler.Host.String(), "bin/gcc-ld")
			return []string{"-Clink-arg=-B" + gccLd, "-Clink-arg=-fuse-ld=lld"}
		}
	}
	return nil
}

// explainAsBuilt answers like [targets.Explain] about a toolchain as x built
// it, which may run the system's linker in gcc-ld. The arguments of the query
// are those that rustc gets, with [launcherArgs]. notes tell what that changes.
func explainAsBuilt(built bootstrap.LLD, q targets.Query) (e targets.Explanation, notes []string) {
	e = targets.Explain(q)
	if e.LLD == "toolchain" && e.Decision.Flavor.UsesCC() && built.Wrapper == bootstrap.WrapperShim {
		e.LLD, e.Ways = "", nil
		notes = append(notes, "gcc-ld of this toolchain runs the system's linker instead of LLD (lld.baked-default)")
	}
	return e, notes
}
