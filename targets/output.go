package targets

import (
	"slices"
	"strings"
)

type crateType byte

const (
	_ crateType = iota
	crateBin
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

// linksSomething reports whether any output of the command line is made by a
// linker: rlibs and staticlibs are not, nor is anything with an --emit that
// lacks link, nor a crate type that the target does not support and rustc
// drops with a warning (invalid_output_for_target in rustc_session).
func (s *session) linksSomething() bool {
	if s.opts.NoLink || !s.emitsLink() || s.onlyPrints() {
		return false
	}
	if len(s.inv.CrateTypes) == 0 {
		return s.q.Target.Executables
	}
	for _, list := range s.inv.CrateTypes {
		for name := range strings.SplitSeq(list, ",") {
			if s.links(crateTypes[name]) {
				return true
			}
		}
	}
	return false
}

func (s *session) links(c crateType) bool {
	target := s.q.Target
	static := target.CrtStatic(s.opts.CrtStatic) && !target.CrtStaticDylibs
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
		static = static && (!target.CrtStaticRespected || s.opts.CrtStatic == Yes)
		return target.DynamicLinking && !static && !target.OnlyCdylib
	}
	return false
}

func (s *session) emitsLink() bool {
	if len(s.inv.Emit) == 0 {
		return true
	}
	for _, list := range s.inv.Emit {
		for item := range strings.SplitSeq(list, ",") {
			if kind, _, _ := strings.Cut(item, "="); kind == "link" {
				return true
			}
		}
	}
	return false
}

// onlyPrints reports whether --print asks for something else than facts about
// this compilation's linking: then rustc prints and ends.
func (s *session) onlyPrints() bool {
	return slices.ContainsFunc(s.inv.Print, func(p string) bool {
		kind, _, _ := strings.Cut(p, "=")
		return kind != "link-args" && kind != "native-static-libs"
	})
}
