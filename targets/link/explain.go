package link

import (
	"fmt"
	"slices"
	"strings"

	"x.go/targets"
)

// Explanation says why rustc decides as it does, and what would change it. All
// of it comes from [Decide], asked again and again, so the two cannot disagree.
type Explanation struct {
	Target   targets.Triple   `json:"target"`
	Compiler targets.Compiler `json:"compiler"`
	Decision Decision         `json:"decision"`
	// LLD says whether LLD links: "toolchain" for the one in the sysroot,
	// "system" for one that the C compiler must find, "" for none.
	LLD      string    `json:"lld"`
	Steps    []Step    `json:"steps"`    // rules about the linker, in order; none has won where rustc stops
	Ways     []Way     `json:"ways"`     // what would turn LLD off, or on
	Warnings []Warning `json:"warnings"` // what the user may not expect
}

// Step is one rule about which linker runs.
type Step struct {
	Rule  Rule   `json:"rule"`
	State string `json:"state"` // "won", "lost", or "idle" where it has nothing to say
	Text  string `json:"text"`
}

// Way is a set of flags that would turn LLD off or on.
type Way struct {
	Turns string   `json:"turns"` // "off" or "on"
	Flags []string `json:"flags"`
	// Stable says that this compiler takes the flags as they are. Otherwise it
	// wants -Zunstable-options too, and Refusal is its message without that.
	Stable  bool   `json:"stable"`
	Refusal string `json:"refusal,omitempty"`
}

// Warning is something that rustc does not say.
type Warning struct {
	ID   string `json:"id"` // stable name, such as "linker-name-drops-lld"
	Text string `json:"text"`
}

// Explain answers like [Decide] and says why.
func Explain(q Query) Explanation {
	var s session
	d := s.decide(&q)
	out := s.out
	if d != nil {
		out = d.decision()
	}
	return Explanation{
		Target:   q.Target.Triple,
		Compiler: q.Compiler,
		Decision: out,
		LLD:      lldSource(out),
		Steps:    s.steps(out),
		Ways:     ways(q, out),
		Warnings: s.warnings(out),
	}
}

func lldSource(d Decision) string {
	named, _ := d.NamedLinker()
	switch {
	case !d.UsesLLD():
		return ""
	case strings.Contains(named, "/"):
		return "system"
	case slices.ContainsFunc(d.LLDArgs, isGccLd), fileStem(d.Linker) == "rust-lld":
		return "toolchain"
	}
	return "system"
}

func isGccLd(arg string) bool {
	return strings.HasPrefix(arg, "-B") && strings.HasSuffix(arg, "/bin/gcc-ld")
}

// steps lists the four rules that choose the linker.
func (s *session) steps(d Decision) []Step {
	target, o := s.q.Target, &s.opts
	state := func(r Rule, given bool) string {
		switch {
		case d.Rule == r:
			return "won"
		case given && d.Linked:
			return "lost"
		}
		return "idle"
	}
	say := func(given bool, format, otherwise string, args ...any) string {
		if !given {
			return otherwise
		}
		return fmt.Sprintf(format, args...)
	}
	flavor, named, own := !o.linkerFlavor.isZero(), o.linkerGiven, target.Linker != ""
	return []Step{
		{RuleFlavorOption, state(RuleFlavorOption, flavor), say(flavor,
			"-Clinker-flavor=%s makes the target's flavor %s into %s", "-Clinker-flavor is not given",
			o.linkerFlavor, target.Flavor, o.linkerFlavor.apply(target.Flavor))},
		{RuleLinkerOption, state(RuleLinkerOption, named), say(named,
			"-Clinker=%s: %s", "-Clinker is not given", o.linker, hintText(o.linker))},
		{RuleTargetLinker, state(RuleTargetLinker, own), say(own,
			"the target's spec names %s", "the target's spec names no linker", target.Linker)},
		{RuleTargetFlavor, state(RuleTargetFlavor, true), fmt.Sprintf(
			"the default program of flavor %s is %s", target.Flavor, defaultProgram(target.Flavor, s.q.hostCC()))},
	}
}

// hintText says what rustc reads out of a linker's name.
func hintText(program string) string {
	cc, lld, bitcode := stemHints(program)
	switch {
	case bitcode:
		return "its name says llvm-bitcode-linker"
	case cc == on:
		return "its name says a C compiler without LLD"
	case cc == off && lld == on:
		return "its name says LLD, called directly"
	case cc == off:
		return "its name says a linker other than LLD, called directly"
	}
	return "its name says nothing, the target's flavor stays"
}

// candidates are flags that turn LLD off or on somewhere.
var candidates = []struct {
	turns string
	flags []string
}{
	{"off", []string{"-Clinker-features=-lld"}},
	{"off", []string{"-Clink-arg=-fuse-ld=bfd"}},
	{"off", []string{"-Clinker=gcc"}},
	{"off", []string{"-Clinker-flavor=gnu-cc"}},
	{"on", []string{"-Clinker-features=+lld", "-Clink-self-contained=+linker"}},
	{"on", []string{"-Clinker-features=+lld"}},
	{"on", []string{"-Clink-arg=-fuse-ld=lld"}},
	{"on", []string{"-Clinker=cc"}},
}

// ways tries the candidates. Where rustc stops, it starts from the compiler's
// default instead, because the user wants to get back to that.
func ways(q Query, d Decision) []Way {
	if d.Exit != 0 {
		q.Args = nil
		d = Decide(q)
	}
	if !d.Linked {
		return nil
	}
	turns := "on"
	if d.UsesLLD() {
		turns = "off"
	}
	works := func(e Decision) bool { return e.Linked && e.UsesLLD() == (turns == "on") && !dropsFlavor(e) }
	var out []Way
	for _, c := range candidates {
		if c.turns != turns {
			continue
		}
		try := q
		try.Args = slices.Concat(q.Args, c.flags)
		plain := Decide(try)
		try.Unstable, try.Bootstrap = true, "1"
		switch {
		case works(plain):
			out = append(out, Way{turns, c.flags, true, ""})
		case plain.Exit != 0 && works(Decide(try)):
			out = append(out, Way{turns, c.flags, false, plain.Error})
		}
	}
	return out
}

// dropsFlavor reports whether the generic rust-lld would be started without
// the -flavor that it needs.
func dropsFlavor(d Decision) bool {
	stem := fileStem(d.Linker)
	return (stem == "rust-lld" || stem == "lld") && !slices.Contains(d.LLDArgs, "-flavor") && !d.Flavor.UsesCC()
}

// warnings lists what rustc does not say about this case.
func (s *session) warnings(d Decision) []Warning {
	var out []Warning
	for _, w := range warnings {
		if w.applies(s, d) {
			out = append(out, Warning{w.id, w.text})
		}
	}
	return out
}

var warnings = []struct {
	id, text string
	applies  func(*session, Decision) bool
}{
	{"linker-name-drops-lld",
		"the name given with -Clinker turns LLD off, although it is this target's default; -Clinker=cc, or any name that rustc does not know, keeps it",
		func(s *session, d Decision) bool {
			return d.Rule == RuleLinkerOption && s.q.Target.Flavor.UsesLLD() && !d.Flavor.UsesLLD() && !d.UsesLLD() && !s.opts.linkerFeatures.disablesLLD()
		}},
	{"ld.lld-counts-as-ld",
		"rustc takes the last part of the name ld.lld for an extension and treats it as a linker other than LLD; this does no harm, it just gets no -flavor",
		func(s *session, d Decision) bool {
			return d.Rule == RuleLinkerOption && strings.HasSuffix(d.Linker, "ld.lld") && fileStem(d.Linker) == "ld"
		}},
	{"self-contained-y-crashes",
		"-Clink-self-contained=y leaves out the system's start files, and rustc ships none for this target: the program links and crashes when it starts",
		func(s *session, d Decision) bool {
			yes, _ := s.opts.linkSelfContained.bulkValue()
			_, shipped := s.q.Target.Field("pre-link-objects-fallback")
			return d.Linked && yes && d.Flavor.UsesCC() && s.q.Target.HasFamily("unix") && !shipped
		}},
	{"components-without-effect",
		"of the components in -Clink-self-contained only linker has an effect; the others are read and ignored",
		func(s *session, d Decision) bool {
			_, bulk := s.opts.linkSelfContained.bulkValue()
			return d.Exit == 0 && !bulk && (s.opts.linkSelfContained.enabled|s.opts.linkSelfContained.disabled)&^targets.Linker != 0
		}},
	{"old-gcc-retry",
		"a C compiler that does not know -fuse-ld=lld (gcc before 9) fails, and rustc silently links again without it, with the system's linker and exit status 0",
		func(_ *session, d Decision) bool {
			return d.Flavor.UsesCC() && d.Flavor.Kind() == targets.KindGNU && slices.Contains(d.LLDArgs, "-fuse-ld=lld")
		}},
	{"system-lld",
		"-fuse-ld=lld is passed without the toolchain's gcc-ld directory: the C compiler must find an ld.lld of the system, and gcc says \"cannot find 'ld'\" where there is none",
		func(_ *session, d Decision) bool {
			return d.Flavor.UsesCC() && d.Flavor.Kind() == targets.KindGNU && lldSource(d) == "system"
		}},
	{"m68k-has-no-lld",
		"LLD cannot link for m68k, but this compiler's default asks for it: -Clink-arg=-fuse-ld=bfd is needed",
		func(s *session, d Decision) bool { return s.q.Target.Arch == "m68k" && d.UsesLLD() }},
	{"linker-is-no-c-compiler",
		"rustc takes this program for a C compiler and gives it a C compiler's options, but it is known to be a linker, which does not understand them and stops (mold: \"unknown -m argument: 64\"); to have the C compiler run it, -Clink-arg=-fuse-ld=NAME is meant",
		func(_ *session, d Decision) bool { return d.Linked && d.Flavor.UsesCC() && isLinker(d.Linker) }},
	{"ld-path-is-clangs",
		"of C compilers only clang knows --ld-path, and obeys it over -fuse-ld; gcc stops",
		func(_ *session, d Decision) bool {
			return d.Flavor.UsesCC() && slices.ContainsFunc(d.LLDArgs, func(a string) bool { return strings.HasPrefix(a, "--ld-path=") })
		}},
	{"path-in-fuse-ld",
		"a path behind -fuse-ld is for clang alone, which wants --ld-path instead; gcc stops at it",
		func(_ *session, d Decision) bool {
			return d.Flavor.UsesCC() && slices.ContainsFunc(d.LLDArgs, func(a string) bool { return strings.HasPrefix(a, "-fuse-ld=") && strings.Contains(a, "/") })
		}},
	{"rust-lld-without-flavor",
		"without -flavor the generic rust-lld refuses to link: \"lld is a generic driver\"",
		func(_ *session, d Decision) bool { return d.Linked && dropsFlavor(d) }},
	{"last-fuse-ld-wins",
		"several -fuse-ld are passed; gcc and clang obey the last one",
		func(_ *session, d Decision) bool {
			n := 0
			for _, a := range d.LLDArgs {
				if strings.HasPrefix(a, "-fuse-ld=") {
					n++
				}
			}
			return n > 1
		}},
	{"host-decides",
		"LLD is the default here because of how the compiler for this host was built; a compiler that runs on another host links for this target without it (rust-lang/rust#155437)",
		func(s *session, d Decision) bool {
			return d.Linked && s.q.Target.IsLinuxGNU() && s.q.Compiler.LLDDefault && s.q.Compiler.Host != s.q.Target.Triple && d.UsesLLD()
		}},
}
