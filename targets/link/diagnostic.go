package link

import (
	"x.go/targets"
)

// diagnostic is what rustc prints when it stops: the first line, which starts
// with "error: ", and the lines after it without the empty ones between them.
// As an error it is its first line.
type diagnostic struct {
	first string
	rest  []string
	rule  Rule
}

// Error implements [error].
func (d *diagnostic) Error() string { return d.first }

// decision is that of a compiler that stops here: with status 101 at a bug of its
// own, with 1 at everything else.
func (d *diagnostic) decision() Decision {
	exit := 1
	if d.rule == RuleCompilerBug {
		exit = 101
	}
	return Decision{Exit: exit, Error: d.first, Notes: d.rest, Rule: d.rule}
}

func diagnose(rule Rule, first string, rest ...string) *diagnostic {
	return &diagnostic{"error: " + first, rest, rule}
}

// The texts of rustc's messages, as 1.95.0 and 1.97.0-nightly print them. The
// names of the groups follow the order in which rustc checks.

func errNightlyOnly() *diagnostic {
	return diagnose(RuleNightlyOnly, "the option `Z` is only accepted on the nightly compiler",
		"help: consider switching to a nightly toolchain: `rustup default nightly`",
		"note: selecting a toolchain with `+toolchain` arguments require a rustup proxy; see <https://rust-lang.github.io/rustup/concepts/index.html>",
		"note: for more information about Rust's stability policy, see <https://doc.rust-lang.org/book/appendix-07-nightly-rust.html#unstable-features>",
		"error: 1 nightly option were parsed")
}

func errUsage(text string) *diagnostic { return diagnose(RuleUsage, text) }

func errInputs(first, second string) *diagnostic {
	return errUsage("multiple input filenames provided (first two filenames are `" + first + "` and `" + second + "`)")
}

func errMissingArgument(name string) *diagnostic {
	return errUsage("Argument to option '" + name + "' missing")
}

func errUnrecognized(name string) *diagnostic {
	return errUsage("Unrecognized option: '" + name + "'")
}

// optionGroup is what rustc calls a family of options in its messages.
type optionGroup struct{ name, flag string }

var (
	groupCodegen  = optionGroup{"codegen", "C"}
	groupUnstable = optionGroup{"unstable", "Z"}
)

func errUnknownOption(g optionGroup, key string) *diagnostic {
	return diagnose(RuleBadValue, "unknown "+g.name+" option: `"+key+"`")
}

func errRemovedOption(key, hint string) *diagnostic {
	return diagnose(RuleBadValue, "`-C "+key+"`: this option has been removed"+hint)
}

func errMissingValue(g optionGroup, key, want string) *diagnostic {
	return diagnose(RuleBadValue, g.name+" option `"+key+"` requires "+want+" (`-"+g.flag+" "+key+"=<value>`)")
}

func errBadValue(g optionGroup, key, value, want string) *diagnostic {
	return diagnose(RuleBadValue, "incorrect value `"+value+"` for "+g.name+" option `"+key+"` - "+want+" was expected")
}

func errOptLevel(value string) *diagnostic {
	return diagnose(RuleBadValue, "optimization level needs to be between 0-3, s or z (instead was `"+value+"`)")
}

func errCrateType(value string) *diagnostic {
	return diagnose(RuleUsage, "unknown crate type: `"+value+"`, expected one of: `lib`, `rlib`, `staticlib`, `dylib`, `cdylib`, `bin`, `proc-macro`")
}

func errEmit(value string) *diagnostic {
	return diagnose(RuleUsage, "unknown emission type: `"+value+"` - expected one of: `asm`, `llvm-bc`, `dep-info`, `link`, `llvm-ir`, `metadata`, `mir`, `obj`, `thin-link-bitcode`")
}

func errUnstableOnTarget(option, target string) *diagnostic {
	return diagnose(RuleUnstableOnTarget, "`-C "+option+"` is unstable on the `"+target+
		"` target. The `-Z unstable-options` flag must also be passed to use it on this target")
}

func errUnstableComponents() *diagnostic {
	return diagnose(RuleUnstableValue, "only `-C link-self-contained` values `y`/`yes`/`on`/`n`/`no`/`off`/`-linker` are stable, "+
		"the `-Z unstable-options` flag must also be passed to use the unstable values")
}

func errUnstableFlavor(f flavorOption) *diagnostic {
	return diagnose(RuleUnstableValue, "the linker flavor `"+f.String()+"` is unstable, the `-Z unstable-options` flag must also be passed to use the unstable values")
}

func errUnstableLLD() *diagnostic {
	return diagnose(RuleUnstableValue, "`-C linker-features=+lld` is unstable, and also requires the `-Z unstable-options` flag to be used")
}

func errConflict(c targets.Components) *diagnostic {
	return diagnose(RuleConflict, "some `-C link-self-contained` components were both enabled and disabled: "+c.String())
}

func errCustomTarget() *diagnostic {
	return diagnose(RuleUnstableValue, "error loading target specification: custom targets are unstable and require `-Zunstable-options`",
		"  |", "  = help: run `rustc --print target-list` for a list of built-in targets")
}

const aborting = "error: aborting due to 1 previous error"

func errIncompatible(f flavorOption, target targets.LinkerFlavor) *diagnostic {
	return diagnose(RuleIncompatibleFlavor, "linker flavor `"+f.String()+"` is incompatible with the current target",
		"  = note: compatible flavors are: "+compatibleFlavors(target), aborting)
}

func errMixedTypes() *diagnostic {
	return diagnose(RuleUsage, "cannot mix `bin` crate type with others", aborting)
}

func errLTO(text string) *diagnostic { return diagnose(RuleUsage, text, aborting) }

func errNeedsCPU() *diagnostic {
	return diagnose(RuleNeedsCPU, "target requires explicitly specifying a cpu with `-C target-cpu`", aborting)
}

func errSelfContainedRefused() *diagnostic {
	return diagnose(RuleSelfContainedRefused, "option `-C link-self-contained` is not supported on this target", aborting)
}

func errCompilerBug() *diagnostic {
	return diagnose(RuleCompilerBug, "the compiler unexpectedly panicked. This is a bug")
}

func errGccLdMissing() *diagnostic {
	return diagnose(RuleGccLdMissing, "the self-contained linker was requested, but it wasn't found in the target's sysroot, or in rustc's sysroot", aborting)
}

func errLinkerMissing(program string) *diagnostic {
	return diagnose(RuleLinkerMissing, "linker `"+program+"` not found",
		"  = note: No such file or directory (os error 2)", aborting)
}

func errNoStem() *diagnostic {
	return diagnose(RuleUsage, "couldn't extract file stem from specified linker")
}
