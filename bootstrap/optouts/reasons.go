package optouts

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"x.go/targets"
)

// facts are what a reason is judged by.
type facts struct {
	release targets.Release
	crates  map[string][]string // versions of crates that the tree depends on
	overlay int64               // when the rust-overlay in flake.lock was made, in seconds; 0 where there is none
	comment string              // beside the option
	beside  bool                // -B with the directory of another linker stands beside it
	nix     bool                // in a file of Nix
	page    bool                // comment is the text of a page around the option
	verdict verdict
	found   *found
}

// cause is a known reason for an option: what gives it away, and whether it still
// holds.
type cause struct {
	id      string
	words   func() *regexp.Regexp // in the comment beside the option
	crates  []string              // dependencies that are a likely reason without a comment
	classes []Class               // of options that it explains; nil: whatever turns LLD off
	text    string
	holds   func(f *facts) (targets.Tristate, string)
	sources []string
}

var (
	usedLinker   = release("1.89.0-dev") // rust-lang/rust#140872
	lldByDefault = release("1.90.0-dev") // rust-lang/rust#140525
	initArray    = release("1.45.0-dev") // rust-lang/rust#71234
)

// overlayWraps is when rust-overlay began to wrap gcc-ld/ld.lld, oxalica/rust-overlay#174:
// 2024-05-31, in seconds.
const overlayWraps = 1717113600

// causes are in the order in which they are tried; the first that a comment names
// counts, and of the dependencies all.
var causes = []cause{
	{
		id: "start-stop-gc", words: pattern(`linkme|linkm2|distributed.?slice|__start_|__stop_|start.stop.gc|encapsulation symbol|#\[used\]|used\(linker\)|rust#130397|rust/(issues|pull)/130397|140872`),
		crates: []string{"linkme"}, classes: []Class{ClassStartStop},
		text:    "LLD drops sections to which only __start_ and __stop_ symbols refer, as linkme's",
		holds:   holdsBefore(usedLinker, "since 1.89, #[used] keeps such sections"),
		sources: []string{"https://github.com/dtolnay/linkme/issues/63", "https://github.com/rust-lang/rust/pull/140872"},
	},
	{
		id: "ctors", words: pattern(`\bctors?\b|\.ctors|\.dtors|init_array|constructors? (do|does|are|is|not|never)|rust-ctor`),
		crates:  []string{"ctor"},
		text:    "constructors in .ctors, which LLD does not turn into .init_array, never run",
		holds:   ctorHolds,
		sources: []string{"https://github.com/mmastrac/rust-ctor/issues/17", "https://github.com/rust-lang/rust/issues/128286"},
	},
	{
		id: "inventory", words: pattern(`\binventory\b`), crates: []string{"inventory"},
		text:    "inventory registers by constructors",
		holds:   inventoryHolds,
		sources: []string{"https://github.com/mmastrac/rust-ctor/issues/17"},
	},
	{
		id: "gcc-lto", words: pattern(`gcc.{0,12}\blto\b|\blto\b.{0,40}\bgcc\b|gnu\.lto|-flto|slim lto|fat lto|interprocedural|lto (objects|information|information)|146952|159355`),
		text:    "LLD cannot read what GCC's link-time optimization puts into objects",
		holds:   always("LLD still does not read it; objects made by clang, or without -flto, need no other linker"),
		sources: []string{"https://github.com/rust-lang/rust/issues/146952"},
	},
	{
		id: "nix-wrapper", words: pattern(`\bnix(os|pkgs)?\b|nix_ldflags|rpath|runpath|ld.?wrapper|linker wrapper|125321|162781|24744|rust-overlay|cannot open shared object`),
		text:    "an LLD that no wrapper of the system is around sets no RUNPATH",
		holds:   wrapperHolds,
		sources: []string{"https://github.com/rust-lang/rust/issues/125321", "https://github.com/NixOS/nixpkgs/issues/24744", "https://github.com/oxalica/rust-overlay/pull/174"},
	},
	{
		id: "old-driver", words: pattern(`gcc.?[4-8]\b|gcc <|old(er)? gcc|devtoolset|centos.?7|rhel.?7|unrecognized.{0,30}-fuse-ld|140964`),
		text:    "a gcc before 9 does not know -fuse-ld=lld",
		holds:   unsure("it depends on the gcc of the machine; rustc links again without the option where gcc refuses it"),
		sources: []string{"https://github.com/rust-lang/rust/issues/140964"},
	},
	{
		id: "shlib-undefined", words: pattern(`shlib.undefined|libunwind|undefined reference|py-spy|transitive`), classes: []Class{ClassUndefined},
		text:    "LLD wants every shared library on the line to find its symbols, as libunwind before 1.8 does not",
		holds:   unsure("it depends on the libraries of the machine"),
		sources: []string{"https://github.com/llvm/llvm-project/issues/54700"},
	},
	{
		id: "lost-version", words: pattern(`version.?script|symbol version|versioned symbol|\.symver|libpathrs`),
		text:    "LLD treats version scripts and symbol versions more strictly, and may lose some",
		holds:   unsure("it depends on the version script"),
		sources: []string{"https://github.com/cyphar/libpathrs/issues/318"},
	},
	{
		id: "unresolved-at-run-time", words: pattern(`unresolved.symbols|symbol lookup error|147707`),
		text:    "with --warn-unresolved-symbols, LLD leaves symbols that the loader does not find",
		holds:   always("open in every release"),
		sources: []string{"https://github.com/rust-lang/rust/issues/147707"},
	},
	{
		id: "gxx-personality", words: pattern(`__gxx_personality|libstdc\+\+|135257`),
		text:    "LLD keeps a reference to the C++ runtime that BFD drops",
		holds:   unsure("it depends on whether the C++ runtime is linked"),
		sources: []string{"https://github.com/rust-lang/rust/issues/135257"},
	},
	{
		id: "duplicate-symbol", words: pattern(`duplicate symbol|multiple definition|link order|library order|147156`),
		text:    "LLD searches archives in another order",
		holds:   unsure("it depends on the libraries"),
		sources: []string{"https://github.com/rust-lang/rust/issues/147156"},
	},
	{
		id: "coverage", words: pattern(`71233|71234`),
		text:    "rustc put constructors into .ctors",
		holds:   holdsBefore(initArray, "since 1.45, rustc writes .init_array"),
		sources: []string{"https://github.com/rust-lang/rust/pull/71234"},
	},
	{
		id: "memory", words: pattern(`\boom\b|out of memory|memory (usage|limit|pressure)|sigbus|killed|too many threads|one thread|single thread|9157`),
		text:  "LLD runs one thread for each processor, and takes memory for each",
		holds: unsure("it depends on the machine"), classes: []Class{ClassThreads},
		sources: []string{"https://github.com/rust-lang/cargo/issues/9157"},
	},
	{
		id: "default-lld", words: pattern(`default.{0,30}\blld\b|\blld\b.{0,30}default|system linker|our linker|140525|rust.1\.90`),
		text:    "the system's linker is wanted in place of the default",
		holds:   unsure("it is a choice, and no reason for it is given"),
		sources: []string{"https://github.com/rust-lang/rust/pull/140525"},
	},
}

// pattern is compiled at its first use: each start of x would pay for all.
func pattern(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}

func holdsBefore(r targets.Release, since string) func(*facts) (targets.Tristate, string) {
	return func(f *facts) (targets.Tristate, string) {
		if f.release.Compare(r) < 0 {
			return targets.Yes, "it holds before " + short(r)
		}
		return targets.No, since
	}
}

func always(why string) func(*facts) (targets.Tristate, string) {
	return func(*facts) (targets.Tristate, string) { return targets.Yes, why }
}

func unsure(why string) func(*facts) (targets.Tristate, string) {
	return func(*facts) (targets.Tristate, string) { return targets.Unknown, why }
}

// versions judges by all versions of a crate: Yes where one is older than fixed.
func versions(f *facts, crate, fixed string) (targets.Tristate, string) {
	all := f.crates[crate]
	if len(all) == 0 {
		return targets.Unknown, ""
	}
	for _, v := range all {
		if olderVersion(v, fixed) {
			return targets.Yes, crate + " " + v + " is older than " + fixed
		}
	}
	return targets.No, crate + " is " + strings.Join(all, ", ") + " here; since " + fixed + " it uses .init_array"
}

func ctorHolds(f *facts) (targets.Tristate, string) {
	if t, why := versions(f, "ctor", "0.1.11"); t != targets.Unknown {
		return t, why
	}
	return targets.Unknown, "it depends on whether an object still has .ctors: x inspect tells"
}

func inventoryHolds(f *facts) (targets.Tristate, string) {
	if t, why := versions(f, "inventory", "0.2.0"); t == targets.No {
		return t, why
	}
	return ctorHolds(f)
}

func wrapperHolds(f *facts) (targets.Tristate, string) {
	switch {
	case f.overlay >= overlayWraps:
		return targets.No, "the rust-overlay in flake.lock wraps gcc-ld/ld.lld"
	case f.overlay > 0:
		return targets.Yes, "the rust-overlay in flake.lock is older than 2024-05-31 and does not wrap gcc-ld/ld.lld"
	case f.release.Compare(lldByDefault) < 0 && f.verdict.status == StatusNone:
		return targets.No, "LLD is not the default before 1.90"
	}
	return targets.Unknown, "it depends on whether the toolchain's gcc-ld/ld.lld is wrapped: nixpkgs' rustup and rust-overlay do so since 2024, rustup.rs does not"
}

// olderVersion compares versions of crates by their numbers.
func olderVersion(a, b string) bool {
	x, y := numbers(a), numbers(b)
	return slices.Compare(x[:], y[:]) < 0
}

func numbers(v string) (out [3]int) {
	v = strings.TrimLeft(v, "=^~>< v")
	for i, part := range strings.SplitN(v, ".", 3) {
		for _, c := range part {
			if c < '0' || c > '9' {
				break
			}
			out[i] = min(out[i]*10+int(c-'0'), 1<<20)
		}
	}
	return out
}

// reason is why an option may be there, and whether that still holds.
type reason struct {
	cause   string
	text    string
	needed  targets.Tristate
	why     string
	sources []string
}

// explains reports whether a cause can be behind an option.
func (c *cause) explains(f *facts) bool {
	return slices.Contains(c.classes, f.found.class) || turnsOff(f)
}

// value is what the last argument of an option sets: "-lld" of -Clinker-features=-lld.
func (f *facts) value() (value string, ok bool) {
	if len(f.found.args) == 0 {
		return "", false
	}
	_, value, _ = strings.Cut(f.found.args[len(f.found.args)-1], "=")
	return value, true
}

// turnsOff reports whether an option is meant to keep LLD away.
func turnsOff(f *facts) bool {
	value, ok := f.value()
	if !ok {
		return false
	}
	switch f.found.class {
	case ClassFeatures:
		return strings.Contains(value, "-lld")
	case ClassSelfContained:
		return strings.Contains(value, "-linker") || slices.Contains([]string{"n", "no", "off"}, value)
	case ClassFuseLd:
		return !strings.Contains(value, "lld")
	case ClassLinker, ClassFlavor:
		return f.verdict.status == StatusOff
	}
	return false
}

// asksForLLD reports whether an option is meant to make LLD link.
func asksForLLD(f *facts) bool {
	value, ok := f.value()
	if !ok {
		return false
	}
	switch f.found.class {
	case ClassFeatures:
		return strings.Contains(value, "+lld")
	case ClassSelfContained:
		return strings.Contains(value, "+linker")
	case ClassGccLd:
		return value == "lld"
	case ClassFuseLd, ClassLinker, ClassFlavor:
		return strings.Contains(value, "lld")
	}
	return false
}

// explainReason finds the reason for an option and judges it.
func explainReason(f *facts) reason {
	var r reason
	if !f.page {
		r.text = oneLine(f.comment)
	}
	lower := strings.ToLower(f.comment)
	named := false
	for i := range causes {
		c := &causes[i]
		if !c.words().MatchString(lower) || !c.explains(f) {
			continue
		}
		r.take(c, f)
		named = true
		break
	}
	if !named && len(f.found.args) > 0 {
		r.guess(f)
	}
	if f.verdict.status == StatusNone && len(f.found.args) > 0 {
		r.needed, r.why = targets.No, "it has no effect"
	}
	return r
}

// take judges by a cause that a comment names.
func (r *reason) take(c *cause, f *facts) {
	holds, why := c.holds(f)
	r.cause, r.needed, r.why, r.sources = c.id, holds, why, c.sources
	if r.text == "" {
		r.text = c.text
	} else {
		r.text += " (" + c.text + ")"
	}
}

// guess is for options that no comment explains.
func (r *reason) guess(f *facts) {
	v := &f.verdict
	switch {
	case asksForLLD(f) && v.status != StatusUnknown:
		r.cause = "faster-links"
		r.note("to link with LLD, which is faster than BFD")
		switch {
		case v.status == StatusOn || v.status == StatusChanges && !v.lld:
			r.needed, r.why = targets.Yes, "LLD is not the default there"
			if v.lld {
				r.why = "what stands beside it turns LLD off"
			}
		case v.lld && v.status != StatusChanges:
			r.needed, r.why = targets.No, "the toolchain's LLD is the default there"
		case v.status == StatusRefused && v.lld:
			r.needed, r.why = targets.No, "the toolchain's LLD is the default there, and this option stops the build"
		}
		return
	case turnsOff(f) && f.beside && f.found.class != ClassFuseLd:
		r.cause = "chosen-linker"
		r.note("so that -B leads to another linker: rustc's own -fuse-ld=lld would win")
		r.needed, r.why = targets.TristateOf(v.lld), "LLD is the default there"
		if !v.lld {
			r.why = "LLD is not the default there"
		}
		return
	case f.found.class == ClassLinker && v.cross && crossLinker(f.found.args[0]):
		r.cause = "cross"
		r.note("to link for another machine, a C compiler for it must be named")
		r.needed, r.why = targets.Yes, "rustc does not choose one by itself"
		return
	case f.found.class == ClassFuseLd || f.found.class == ClassLinker:
		if name := namedLinker(f.found.args); name != "" {
			r.cause = "chosen-linker"
			r.note("to link with " + name)
			r.why = "it is a choice"
		}
		return
	case f.found.class == ClassUnlock && v.status == StatusChanges:
		r.note("an option beside it is unstable")
		r.needed, r.why = targets.Yes, "rustc refuses that option otherwise"
		return
	case f.found.class == ClassUnlock && v.status == StatusRefused && v.works:
		r.needed, r.why = targets.No, "no linker option beside it is unstable, and a stable compiler stops at it"
		return
	}
	r.guessByCrates(f)
	switch {
	case r.cause != "" || !turnsOff(f):
	case !v.lld && v.status == StatusRefused:
		r.needed, r.why = targets.No, "LLD is not the default there, so that nothing needs to turn it off"
	case f.nix:
		for i := range causes {
			if causes[i].id == "nix-wrapper" {
				r.take(&causes[i], f)
			}
		}
	}
}

func (r *reason) note(text string) {
	if r.text == "" {
		r.text = text
	}
}

// guessByCrates takes what the tree depends on for the reason. An option is needed
// where one of them needs it, and not where none does.
func (r *reason) guessByCrates(f *facts) {
	for i := range causes {
		c := &causes[i]
		if !c.explains(f) || !slices.ContainsFunc(c.crates, func(name string) bool { return len(f.crates[name]) > 0 }) {
			continue
		}
		holds, why := c.holds(f)
		switch {
		case r.cause == "", holds == targets.Yes && r.needed != targets.Yes:
			r.cause, r.needed, r.why, r.sources = c.id, holds, why, c.sources
			r.note("the tree depends on " + strings.Join(c.crates, ", ") + ": " + c.text)
		case holds == targets.Unknown && r.needed == targets.No:
			r.needed, r.why = holds, why
		}
	}
	if r.cause != "" || f.found.class != ClassStartStop {
		return
	}
	c := &causes[0]
	r.cause, r.sources = c.id, c.sources
	r.note(c.text)
	if r.needed, r.why = c.holds(f); r.needed == targets.No {
		r.needed, r.why = targets.Unknown, r.why+"; sections of C code may still need it"
	}
}

// crossLinker reports whether the linker has a triple in its name.
func crossLinker(arg string) bool {
	_, name, _ := strings.Cut(arg, "=")
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	return strings.Count(name, "-") >= 2
}

// namedLinker returns the linker that an option asks for, "" for none of its own.
func namedLinker(args []string) string {
	arg := args[len(args)-1]
	for _, name := range []string{"mold", "wild", "gold", "bfd", "lld", "zig", "sccache", "clang", "gcc"} {
		if strings.Contains(arg, name) {
			return name
		}
	}
	return ""
}
