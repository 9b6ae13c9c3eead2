package main

import "strings"

// invocation holds the arguments of rustc that choose the linker.
type invocation struct {
	target string // --target, or ""
	linker string // -C linker, or ""
	flavor string // -C linker-flavor, or ""
}

// The options whose value is the next argument if it is not joined to them (rustc_optgroups
// in `compiler/rustc_session/src/config.rs`). A value may look like an option.
const (
	shortOptions = "ACDFLWZlo"
	longOptions  = " allow cap-lints cfg check-cfg codegen color crate-name crate-type deny diagnostic-width" +
		" edition emit env-set error-format explain extern forbid force-warn json out-dir print" +
		" remap-path-prefix remap-path-scope sysroot target warn "
)

// parse finds the options that matter. For arguments that rustc refuses, its result
// means nothing.
func parse(args []string) invocation {
	var inv invocation
	for i := 0; i < len(args) && args[i] != "--"; i++ {
		name, value, joined := option(args[i])
		if name == "" {
			continue
		}
		if !joined {
			if i++; i == len(args) {
				break
			}
			value = args[i]
		}
		inv.set(name, value)
	}
	return inv
}

// option cuts an argument into an option that takes a value and that value, if it is
// joined. name is "" for every other argument.
func option(arg string) (name, value string, joined bool) {
	if long, ok := strings.CutPrefix(arg, "--"); ok {
		name, value, joined = strings.Cut(long, "=")
		// getopts takes --C for -C.
		if strings.Contains(longOptions, " "+name+" ") || len(name) == 1 && strings.Contains(shortOptions, name) {
			return name, value, joined
		}
		return "", "", false
	}
	if !strings.HasPrefix(arg, "-") {
		return "", "", false
	}
	// Options of one letter may be joined: -gOCx.
	for i := 1; i < len(arg); i++ {
		if strings.IndexByte(shortOptions, arg[i]) >= 0 {
			return arg[i : i+1], arg[i+1:], i+1 < len(arg)
		}
	}
	return "", "", false
}

func (inv *invocation) set(name, value string) {
	switch name {
	case "target":
		inv.target = value
	case "C", "codegen":
		key, value, _ := strings.Cut(value, "=")
		switch key {
		case "linker":
			inv.linker = value
		case "linker-flavor", "linker_flavor":
			inv.flavor = value
		}
	}
}
