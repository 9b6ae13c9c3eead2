package lld

import (
	"path"
	"path/filepath"
	"strings"

	"x.go/targets"
	"x.go/targets/link"
)

// LauncherArgs returns what the launcher before bin/rustc adds to rustc's
// arguments, as command launcher does: nil if there is no launcher, or if it does
// not change this link.
func (o Outcome) LauncherArgs(q link.Query) []string {
	if q.CustomTarget || q.Target.Triple != q.Compiler.Host {
		return nil
	}
	switch o.Launcher {
	case LauncherSystem:
		return []string{"-Clinker-features=-lld"}
	case LauncherLLD:
		if link.Decide(q).Flavor.UsesCC() {
			gccLD := path.Join(filepath.ToSlash(q.World.Sysroot), "lib/rustlib", q.Compiler.Host.String(), "bin/gcc-ld")
			return []string{"-Clink-arg=-B" + gccLD, "-Clink-arg=-fuse-ld=lld"}
		}
	}
	return nil
}

// Explain answers like [link.Explain] about a toolchain with this outcome, which
// may run the system's linker in gcc-ld. The arguments of the query are those of
// rustc, with [Outcome.LauncherArgs]. The notes tell what the outcome changes.
func (o Outcome) Explain(q link.Query) (e link.Explanation, notes []string) {
	e = link.Explain(q)
	if e.LLD != "toolchain" || !e.Decision.Flavor.UsesCC() || o.Wrapper != WrapperShim {
		return e, nil
	}
	if usersOwn(e.Decision.LLDArgs) {
		e.LLD = "system"
		return e, []string{"gcc-ld of this toolchain obeys your own -fuse-ld=lld: it runs the system's ld.lld, and fails where there is none"}
	}
	e.LLD, e.Ways = "", nil
	if e.Decision.Flavor.Kind() == targets.KindGNU {
		e.Ways = []link.Way{{Turns: "on", Flags: []string{"-Clink-arg=-fuse-ld=lld"}, Stable: true}}
	}
	return e, []string{"gcc-ld of this toolchain runs the system's linker instead of LLD (lld.baked-default)"}
}

// usersOwn reports whether the last -fuse-ld is the user's, as the program in gcc-ld
// judges it: rustc's own stands behind the -B for that directory.
func usersOwn(args []string) bool {
	own := false
	for i, arg := range args {
		if strings.HasPrefix(arg, "-fuse-ld=") {
			own = i == 0 || !strings.HasPrefix(args[i-1], "-B") || path.Base(args[i-1]) != "gcc-ld"
		}
	}
	return own
}
