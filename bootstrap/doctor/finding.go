package doctor

import (
	"slices"

	"x.go/targets"
)

// Cause names what went wrong. The names are stable.
type Cause string

// The causes.
const (
	// Ctors are functions in .ctors and .dtors, which LLD leaves where they are: they
	// never run (rust-lang/rust#128286).
	Ctors Cause = "ctors"
	// StartStopGC is a section that LLD collects although __start_X or __stop_X
	// refers to it.
	StartStopGC Cause = "start-stop-gc"
	// ShlibUndefined is a shared library that does not name the library that it needs.
	ShlibUndefined Cause = "shlib-undefined"
	// GxxPersonality is C++ code linked without the C++ runtime.
	GxxPersonality Cause = "gxx-personality"
	// DuplicateSymbol is a symbol that two inputs define, which LLD both loads.
	DuplicateSymbol Cause = "duplicate-symbol"
	// Incompatible is an object for another machine.
	Incompatible Cause = "incompatible"
	// InvalidLocalSymbol is a symbol table that breaks the ELF format.
	InvalidLocalSymbol Cause = "invalid-local-symbol"
	// LTOObjects are objects with GCC's intermediate code, which LLD cannot read.
	LTOObjects Cause = "lto-objects"
	// OldDriver is a C compiler that does not know -fuse-ld=lld.
	OldDriver Cause = "old-driver"
	// NoLLD is an LLD that was asked for and is not there, or does not start.
	NoLLD Cause = "no-lld"
	// LostRunPath is a program without the search path that the linker's wrapper adds.
	LostRunPath Cause = "lost-runpath"
	// LostVersion is a library that lost the versions of its symbols, or that a version
	// script does not fit.
	LostVersion Cause = "lost-version"
	// UnresolvedAtRunTime is a program linked with a symbol that nothing defines.
	UnresolvedAtRunTime Cause = "unresolved-at-run-time"
	// SelfContainedCrash is a program without start files.
	SelfContainedCrash Cause = "self-contained-crash"
	// Memory is a linker killed for its use of memory or threads.
	Memory Cause = "memory"
	// LibraryOrder is a static library that comes too early for a linker that looks
	// forward only.
	LibraryOrder Cause = "library-order"
	// CompressedDebug is a compressed debug section that the linker cannot read.
	CompressedDebug Cause = "compressed-debug"
	// Gold is a link by gold, which is known to link Rust wrongly.
	Gold Cause = "gold"
	// TextRelocation is code that the loader would have to change.
	TextRelocation Cause = "text-relocation"
	// BitcodeVersion is bitcode of a newer LLVM than the linker's.
	BitcodeVersion Cause = "bitcode-version"
	// NoDriver is LLD run without the C compiler that knows where the C library is.
	NoDriver Cause = "no-driver"
	// LinkerOption is an option of another linker that LLD does not know.
	LinkerOption Cause = "linker-option"
)

// Confidence is how sure a finding is.
type Confidence string

// The degrees of confidence.
const (
	High   Confidence = "high"   // the message, or the file itself, says so
	Medium Confidence = "medium" // what was seen has rarely another cause
	Low    Confidence = "low"    // what was seen may have another cause
)

// Evidence is a place where a cause shows.
type Evidence struct {
	File string `json:"file"`
	Line int    `json:"line"` // from 1; 0 in a file that has no lines
	Text string `json:"text"` // what stands there, shortened
}

// Remedy is something to do about a cause.
type Remedy struct {
	// Option is a flag of rustc, such as "-Clinker-features=-lld", or a short order.
	Option string `json:"option"`
	// Stable says whether the target and the release of the report take it without
	// -Zunstable-options. An order is stable.
	Stable bool `json:"stable"`
	// Effect says what follows, what else changes included.
	Effect string `json:"effect"`
}

// Finding is one cause with all that speaks for it.
type Finding struct {
	Cause      Cause      `json:"cause"`
	Summary    string     `json:"summary"` // one sentence
	Confidence Confidence `json:"confidence"`
	Evidence   []Evidence `json:"evidence"`          // at most maxEvidence
	Omitted    int        `json:"omitted,omitempty"` // pieces of evidence beyond those
	Remedies   []Remedy   `json:"remedies"`          // narrowest first
	Notes      []string   `json:"notes,omitempty"`
	Sources    []string   `json:"sources"` // such as "rust-lang/rust#128286"
}

// Report is what was found, the surest finding first.
type Report struct {
	Findings []Finding       `json:"findings"`
	Target   targets.Triple  `json:"target"`        // that the remedies are for
	Release  targets.Release `json:"release"`       // likewise
	Ran      *Ran            `json:"ran,omitempty"` // by Run
}

// Causes lists the distinct causes of a report in their order.
func (r Report) Causes() []Cause {
	causes := []Cause{}
	for _, f := range r.Findings {
		if !slices.Contains(causes, f.Cause) {
			causes = append(causes, f.Cause)
		}
	}
	return causes
}
