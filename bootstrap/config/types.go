package config

import (
	"fmt"
	"strconv"
	"strings"
)

// Tristate is a boolean key that may be absent, where absence means something
// else than false: rust.lld above all.
type Tristate uint8

// The values of a [Tristate].
const (
	Unset Tristate = iota
	False
	True
)

// TristateOf returns [True] or [False].
func TristateOf(b bool) Tristate {
	if b {
		return True
	}
	return False
}

// Or returns the value, or def if there is none.
func (t Tristate) Or(def bool) bool {
	if t == Unset {
		return def
	}
	return t == True
}

// IsSet reports whether the key has a value.
func (t Tristate) IsSet() bool { return t != Unset }

// String returns "unset", "false" or "true".
func (t Tristate) String() string {
	return [...]string{"unset", "false", "true"}[t]
}

// StringOrBool is a key that takes a boolean or a string, such as
// llvm.download-ci-llvm. The zero value means false.
type StringOrBool struct {
	// Text is the string; empty if the value is a boolean.
	Text string
	// Bool is the boolean, and true if there is a string.
	Bool bool
}

// String returns the boolean or the string, as it is written in the file but
// without quotes.
func (s StringOrBool) String() string {
	if s.Text != "" {
		return s.Text
	}
	return strconv.FormatBool(s.Bool)
}

// DebuginfoLevel is a level of debug info by its name; empty means that the
// key is absent. The numbers 0, 1 and 2 are none, limited and full.
type DebuginfoLevel string

// The levels of debug info.
const (
	DebuginfoNone               DebuginfoLevel = "none"
	DebuginfoLineDirectivesOnly DebuginfoLevel = "line-directives-only"
	DebuginfoLineTablesOnly     DebuginfoLevel = "line-tables-only"
	DebuginfoLimited            DebuginfoLevel = "limited"
	DebuginfoFull               DebuginfoLevel = "full"
)

// LLDMode says which LLD links Rust code during the build
// (rust.bootstrap-override-lld). The empty value means that the key is absent,
// which acts like [LLDModeNone].
type LLDMode string

// The values of [LLDMode]. In the file, true means external and false none.
const (
	LLDModeNone          LLDMode = "none"
	LLDModeExternal      LLDMode = "external"
	LLDModeSelfContained LLDMode = "self-contained"
)

// LinuxLinker is a value of target.<triple>.default-linker-linux-override;
// empty if the key is absent.
type LinuxLinker string

// The values of [LinuxLinker].
const (
	LinuxLinkerOff              LinuxLinker = "off"
	LinuxLinkerSelfContainedLLD LinuxLinker = "self-contained-lld-cc"
)

// BakedDefault says what to do with a compiler whose built-in default is LLD
// when the configuration says rust.lld = false (lld.baked-default of x.toml).
type BakedDefault string

// The values of [BakedDefault].
const (
	// BakedDefaultShim ships a gcc-ld that runs the system linker.
	BakedDefaultShim BakedDefault = "shim"
	// BakedDefaultLauncher ships a launcher that adds -Clinker-features=-lld.
	BakedDefaultLauncher BakedDefault = "launcher"
	// BakedDefaultError refuses to go on.
	BakedDefaultError BakedDefault = "error"
)

// ChangeID is the top-level key change-id: the last change of the
// configuration that its author knows, or "ignore".
type ChangeID struct {
	// ID is a number of a rust-lang/rust pull request; 0 if absent or ignored.
	ID int
	// Ignore is true if the file says "ignore".
	Ignore bool
}

// String returns the number, "ignore" or "unset".
func (c ChangeID) String() string {
	switch {
	case c.Ignore:
		return "ignore"
	case c.ID != 0:
		return strconv.Itoa(c.ID)
	}
	return "unset"
}

// Release is a release of Rust by its minor number: 95 is 1.95. The zero
// Release means the newest rules that this package knows.
type Release int

// ParseRelease reads the minor number from a version such as "1.95",
// "1.95.0", "1.96.0-beta.3" or "1.97.0-nightly".
func ParseRelease(s string) (Release, error) {
	core, _, _ := strings.Cut(s, "-")
	parts := strings.Split(core, ".")
	bad := fmt.Errorf(`parsing release %q: got %q, want the form "1.95" or "1.95.0"`, s, s)
	if len(parts) < 2 || len(parts) > 3 || parts[0] != "1" {
		return 0, bad
	}
	for _, p := range parts {
		if n, err := strconv.ParseUint(p, 10, 16); err != nil || strconv.FormatUint(n, 10) != p {
			return 0, bad
		}
	}
	n, err := strconv.Atoi(parts[1])
	if err != nil || n == 0 {
		return 0, bad
	}
	return Release(n), nil
}

// String returns "1.95", or "newest" for the zero Release.
func (r Release) String() string {
	if r == 0 {
		return "newest"
	}
	return fmt.Sprintf("1.%d", int(r))
}

// atLeast reports whether r has what came with since. The zero Release has
// everything.
func (r Release) atLeast(since Release) bool { return r == 0 || r >= since }
