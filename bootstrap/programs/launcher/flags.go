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

// flags returns the options that change the linker; none for other targets than the
// host. The toolchain's default is about its host only, and a stable rustc refuses the
// first option for most other targets.
func (o override) flags(inv invocation) []string {
	switch {
	case inv.target != "" && inv.target != o.host:
		return nil
	case o.linker == "system":
		return []string{"-Clinker-features=-lld"}
	case o.linker == "lld" && inv.driverLinks():
		// What rustc itself passes if LLD is its default. The option that turns
		// that on is unstable.
		return []string{"-Clink-arg=-B" + o.root + "/lib/rustlib/" + o.host + "/bin/gcc-ld", "-Clink-arg=-fuse-ld=lld"}
	}
	return nil
}

// driverLinks reports whether rustc links through a C compiler, which knows -fuse-ld,
// and not with a linker that the user names. It judges the name as rustc does.
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
