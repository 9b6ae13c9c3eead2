package link

import (
	"slices"
	"strings"

	"x.go/targets"
)

// crateType is a set of kinds of output.
type crateType byte

const (
	crateBin crateType = 1 << iota
	crateRlib
	crateStaticlib
	crateDylib
	crateCdylib
	crateProcMacro
)

var crateTypes = map[string]crateType{
	"bin": crateBin, "lib": crateRlib, "rlib": crateRlib, "staticlib": crateStaticlib,
	"dylib": crateDylib, "cdylib": crateCdylib, "proc-macro": crateProcMacro,
}

// outputs lists the crate types asked for, without those that the target does
// not support: rustc drops these with a warning (invalid_output_for_target in
// rustc_session).
func (s *session) outputs() crateType {
	test := s.inv.has("--test")
	if test && !s.q.Target.Executables {
		return 0
	}
	if test {
		return crateBin // whatever the crate is
	}
	if len(s.inv.CrateTypes) == 0 {
		if s.q.Target.Executables {
			return crateBin
		}
		return crateStaticlib
	}
	var out crateType
	for _, list := range s.inv.CrateTypes {
		for name := range strings.SplitSeq(list, ",") {
			if c := crateTypes[name]; s.supports(c) {
				out |= c
			}
		}
	}
	return out
}

// checkOutputs does the checks between reading the options and linking.
func (s *session) checkOutputs() *diagnostic {
	if s.onlyPrints() {
		return nil
	}
	outputs := s.outputs()
	if outputs&crateBin != 0 && outputs != crateBin {
		return errMixedTypes()
	}
	if !s.emits("link", "obj", "asm", "llvm-ir", "llvm-bc") {
		return nil
	}
	if s.q.Target.NeedsCPU && s.opts.targetCPU == "" {
		return errNeedsCPU()
	}
	// A lone rlib keeps its code for a later -Clto.
	if !s.opts.lto || outputs == crateRlib {
		return nil
	}
	switch {
	case outputs&crateDylib != 0:
		return errLTO("lto cannot be used for `dylib` crate type without `-Zdylib-lto`")
	case outputs&crateRlib != 0:
		return errLTO("lto can only be run for executables, cdylibs and static library outputs")
	case s.opts.preferDynamic:
		return errLTO("cannot prefer dynamic linking when performing LTO")
	}
	return nil
}

// linksSomething reports whether a linker writes any output of the command line.
// None writes rlibs and staticlibs, or anything with an --emit that lacks link.
func (s *session) linksSomething() bool {
	if s.opts.noLink || !s.emits("link") || s.onlyPrints() {
		return false
	}
	return s.outputs()&^(crateRlib|crateStaticlib) != 0
}

func (s *session) supports(c crateType) bool {
	target := s.q.Target
	static := target.CrtStatic(s.opts.crtStatic) && !target.CrtStaticDylibs
	switch c {
	case crateBin:
		return target.Executables
	case crateCdylib:
		return target.DynamicLinking && !static
	case crateDylib:
		return target.DynamicLinking && !static && !target.OnlyCdylib
	case crateProcMacro:
		// proc-macro crates never link the C runtime statically where
		// that can be chosen.
		static = static && (!target.CrtStaticRespected || s.opts.crtStatic == targets.Yes)
		return target.DynamicLinking && !static && !target.OnlyCdylib
	}
	return true
}

// emits reports whether an output of one of the kinds is asked for.
func (s *session) emits(kinds ...string) bool {
	if len(s.inv.Emit) == 0 {
		return true
	}
	for _, list := range s.inv.Emit {
		for item := range strings.SplitSeq(list, ",") {
			if kind, _, _ := strings.Cut(item, "="); slices.Contains(kinds, kind) {
				return true
			}
		}
	}
	return false
}

// onlyPrints reports whether rustc prints something and ends: --print asks for
// more than facts about this compilation's linking, or another option for a text.
func (s *session) onlyPrints() bool {
	return s.inv.explains() || s.inv.listsLints() || slices.ContainsFunc(s.inv.Print, func(p string) bool {
		kind, _, _ := strings.Cut(p, "=")
		return kind != "link-args" && kind != "native-static-libs"
	})
}
