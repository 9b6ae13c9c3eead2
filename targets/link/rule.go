package link

// Rule says which rule gave a [Decision]. The zero Rule is invalid.
type Rule byte

// The rules, in rustc's order. Those of the first group end with an error, that
// of the second links nothing, those of the third choose the linker.
const (
	_ Rule = iota

	RuleUsage                // the command line itself is wrong
	RuleNightlyOnly          // -Z on a compiler that takes none
	RuleBadValue             // a value of -C or -Z is wrong
	RuleUnstableOnTarget     // -linker or -lld, stable for one target only
	RuleUnstableValue        // a value that needs -Zunstable-options
	RuleConflict             // a component both enabled and disabled
	RuleIncompatibleFlavor   // -Clinker-flavor of another kind of target
	RuleNeedsCPU             // the target has no default CPU
	RuleSelfContainedRefused // y or n on a target without self-contained linking
	RuleCompilerBug          // rustc stops with a bug of its own
	RuleGccLdMissing         // no gcc-ld directory in any sysroot
	RuleLinkerMissing        // the linker is not found
	RuleRefused              // the compiler itself was asked, and refused

	RuleNothingToLink // no output of this command line is linked

	RuleFlavorOption // -Clinker-flavor chose flavor and program
	RuleLinkerOption // -Clinker chose the program, its name hinted at the flavor
	RuleTargetLinker // the target's spec names the program
	RuleTargetFlavor // the default program of the target's flavor
)

var ruleNames = [...]string{
	RuleUsage:                "usage",
	RuleNightlyOnly:          "nightly-only",
	RuleBadValue:             "bad-value",
	RuleUnstableOnTarget:     "unstable-on-target",
	RuleUnstableValue:        "unstable-value",
	RuleConflict:             "conflict",
	RuleIncompatibleFlavor:   "incompatible-flavor",
	RuleNeedsCPU:             "needs-cpu",
	RuleSelfContainedRefused: "self-contained-refused",
	RuleCompilerBug:          "compiler-bug",
	RuleGccLdMissing:         "gcc-ld-missing",
	RuleLinkerMissing:        "linker-missing",
	RuleRefused:              "refused",
	RuleNothingToLink:        "nothing-to-link",
	RuleFlavorOption:         "linker-flavor-option",
	RuleLinkerOption:         "linker-option",
	RuleTargetLinker:         "target-linker",
	RuleTargetFlavor:         "target-flavor",
}

// String returns the rule's name as in the JSON of a [Decision].
func (r Rule) String() string { return ruleNames[r] }

// MarshalText implements [encoding.TextMarshaler].
func (r Rule) MarshalText() ([]byte, error) { return []byte(r.String()), nil }
