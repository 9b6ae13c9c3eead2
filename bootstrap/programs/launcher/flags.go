package main

import (
	"strings"

	"x.go/bootstrap/programs/process"
)

// override is a choice of linker for programs of one target.
type override struct {
	linker string // "system" or "lld"
	host   string
	root   string // of the toolchain
}

// flags returns the options that change the linker, or none where that is not ours to
// do. The toolchain's own choice is about programs for its host; a stable rustc refuses
// the first option for most other targets.
func (o override) flags(inv invocation) []string {
	switch {
	case inv.target != "" && inv.target != o.host:
		return nil
	case o.linker == "system":
		return []string{"-Clinker-features=-lld"}
	case o.linker == "lld" && inv.driverLinks():
		// What rustc passes itself where LLD is its default. The option that
		// asks for that is unstable.
		return []string{"-Clink-arg=-B" + o.root + "/lib/rustlib/" + o.host + "/bin/gcc-ld", "-Clink-arg=-fuse-ld=lld"}
	}
	return nil
}

// driverLinks reports whether rustc has a C compiler link, which knows -fuse-ld: not so
// if the user names a linker itself. It judges the name as rustc does.
func (inv invocation) driverLinks() bool {
	if inv.flavor != "" {
		return inv.flavor == "gcc" || strings.HasSuffix(inv.flavor, "-cc")
	}
	_, name := process.Split(inv.linker)
	name = strings.TrimSuffix(name, ".exe")
	first, _, _ := strings.Cut(name, ".") // ld.gold
	return first != "ld" && first != "lld" &&
		!strings.HasSuffix(first, "-ld") && !strings.HasSuffix(first, "-lld") && !strings.HasPrefix(first, "lld-")
}
