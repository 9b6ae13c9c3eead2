package config

import (
	"slices"
	"strconv"
	"strings"

	"x.go/targets"
)

// Tristate is a boolean key that may be absent, where absence means something
// else than false: rust.lld above all.
type Tristate = targets.Tristate

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

// OptLevel is a value of rust.optimize as it is written: "true", "false", "0" to
// "3", "s" or "z". All but the last two are booleans and integers in the file.
type OptLevel string

// toml returns the value as TOML.
func (l OptLevel) toml() string {
	if l == "s" || l == "z" {
		return tomlString(string(l))
	}
	return string(l)
}

// json returns the value as encoding/json wants it.
func (l OptLevel) json() any {
	switch n, err := strconv.Atoi(string(l)); {
	case err == nil:
		return n
	case l == "true" || l == "false":
		return l == "true"
	}
	return string(l)
}

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

// Threads is lld.threads of x.toml: what bounds the threads of LLD, as words with commas
// between them, or "off". The least bound counts. A number is a bound of its own.
type Threads string

// The words of [Threads] that need more than an LLD.
const (
	// ThreadsJobserver is one thread more than the jobserver has free tokens.
	ThreadsJobserver = "jobserver"
	// ThreadsMemory is what the memory that is free has room for.
	ThreadsMemory = "memory"
)

// The others: what LLD chooses, one thread, and one for build scripts and procedural
// macros.
const (
	threadsOff    = "off"
	threadsSerial = "serial"
	threadsLeaf   = "leaf"
)

// Has reports whether a word is one of t.
func (t Threads) Has(word string) bool { return slices.Contains(strings.Split(string(t), ","), word) }

// Without returns the other words of t, "" if there are none.
func (t Threads) Without(word string) Threads {
	rest := slices.DeleteFunc(strings.Split(string(t), ","), func(w string) bool { return w == word })
	return Threads(strings.Join(rest, ","))
}

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

// Minor names a release line of Rust by its second number: 95 is 1.95.
type Minor int

// String returns "1.95", or "" for 0.
func (m Minor) String() string {
	if m == 0 {
		return ""
	}
	return "1." + strconv.Itoa(int(m))
}

// newest stands for "all rules that this package knows".
const newest Minor = 1 << 30

// MinorOf returns the line of a release. For the zero Release it is newer than all,
// and 0.x counts as 1.0.
func MinorOf(r targets.Release) Minor {
	if r.IsZero() {
		return newest
	}
	parts := strings.Split(r.String(), ".")
	n, err := strconv.Atoi(parts[1])
	switch {
	case parts[0] == "0":
		return 0
	case err != nil || parts[0] != "1":
		return newest
	}
	return Minor(n)
}

// FirstKnown and lastKnown are the releases whose keys this package knows: those of
// upstream's history of the configuration, which starts with change-id.
const FirstKnown, lastKnown Minor = 75, 100

// judged are releases whose own lists of keys the schema was compared with: the
// program of each refused a key of every section and named those it knows. Between
// them Since and Removed rest on the dates of pull requests, which can miss the
// release by one.
var judged = []Minor{85, 90, 95}

// lacks reports whether a release is known not to have what came with since.
func (m Minor) lacks(since Minor) bool {
	return m < since-1 || m < since && slices.Contains(judged, m)
}
