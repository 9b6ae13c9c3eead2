// Package lld decides what becomes of LLD in a toolchain: whether it is shipped,
// whether the compiler links with it by default, and which programs of x make it
// so. [Decide] is the whole policy, and pure. The steps of a build follow it, the
// checks before a build report it, and [Outcome.LauncherArgs] and
// [Outcome.Explain] tell what it does to a link.
package lld

import (
	"x.go/bootstrap/config"
	"x.go/manifests"
	"x.go/targets"
)

// Facts is what a decision depends on besides the configuration. With the zero
// Facts it is about a toolchain that was built as the configuration asks, by the
// rules of the release that the configuration was loaded for.
type Facts struct {
	// Release is whose rules count; zero means the configuration's.
	Release targets.Release
	// Channel replaces rust.channel, for a toolchain that is built already.
	Channel string
	// Toolchain is the input; nil if it is not known.
	Toolchain *Toolchain
	// CanBuild returns why the programs of x, gcc-ld and the launcher, cannot be
	// built for a host, or nil. It is asked only if one is to be built; a nil
	// func can build them all.
	CanBuild func(host targets.Triple) error
}

// Toolchain is what a decision depends on of the input toolchain.
type Toolchain struct {
	Host targets.Triple
	// Linux says that the host runs Linux, where a C compiler that knows
	// -fuse-ld=lld links.
	Linux bool
	// Baked says that the compiler was built to link with LLD by default.
	Baked bool
	// OptOut says that the compiler takes -Clinker-features=-lld for its host. It
	// counts only where [NeedsOptOut].
	OptOut bool
	// RustLLD says that rust-lld is there.
	RustLLD bool
	// Wrappers says that all programs in gcc-ld are there, and run LLD.
	Wrappers bool
}

// NeedsOptOut reports whether [Decide] asks for Toolchain.OptOut, which takes a
// run of the compiler to know.
func NeedsOptOut(c config.Config, baked bool) bool {
	return baked && c.X.LLD.BakedDefault == config.BakedDefaultLauncher
}

// hosts returns the triples whose compiler is made: build.host, or just the
// toolchain's own.
func (f Facts) hosts(c config.Config) []targets.Triple {
	if f.Toolchain == nil || c.IsSet("build.host") && len(c.Build.Host) > 0 {
		return c.Build.Host
	}
	return []targets.Triple{f.Toolchain.Host}
}

// Decision is what becomes of LLD, and what somebody should know about it.
type Decision struct {
	// Wanted is what the configuration asks for.
	Wanted Wanted
	// Outcome is what the toolchain that goes out has of it; zero if the
	// configuration is refused.
	Outcome Outcome
	// Findings are warnings and notes.
	Findings []config.Finding
}

// Outcome is what a toolchain has of LLD: facts that rust.lld and its neighbours
// decide separately.
type Outcome struct {
	Shipped  bool         `json:"shipped"`  // rust-lld is in the sysroot
	Default  bool         `json:"default"`  // a plain link of the host uses it
	Wrapper  WrapperKind  `json:"wrapper"`  // what gcc-ld holds
	Launcher LauncherKind `json:"launcher"` // what stands before rustc and clippy-driver
	Rule     Rule         `json:"rule"`     // the rule of the configuration that decided
}

// Recorded returns the outcome as a build record has it.
func (o Outcome) Recorded() manifests.RecordedLLD {
	return manifests.RecordedLLD{
		Shipped: o.Shipped, Default: o.Default, Wrapper: string(o.Wrapper), Launcher: string(o.Launcher), Rule: string(o.Rule),
	}
}

// Recorded returns the outcome that a build record tells of; the zero Outcome for
// a zero record.
func Recorded(r manifests.BuildRecord) Outcome {
	l := r.LLD
	return Outcome{
		Shipped: l.Shipped, Default: l.Default, Wrapper: WrapperKind(l.Wrapper), Launcher: LauncherKind(l.Launcher), Rule: Rule(l.Rule),
	}
}

// Overrides reports whether the toolchain links otherwise than its compiler was
// built to.
func (o Outcome) Overrides() bool { return o.Wrapper == WrapperShim || o.Launcher != LauncherNone }

// BuildsWrapper reports whether gcc-ld holds a program of package lldwrapper.
func (o Outcome) BuildsWrapper() bool { return o.Wrapper == WrapperBuilt || o.Wrapper == WrapperShim }

// WrapperKind says where the programs in gcc-ld come from.
type WrapperKind string

// The kinds of gcc-ld programs.
const (
	WrapperNone  WrapperKind = "none"  // there is no gcc-ld
	WrapperKept  WrapperKind = "kept"  // the input's own
	WrapperBuilt WrapperKind = "built" // built from package lldwrapper
	WrapperGiven WrapperKind = "given" // the program that x.toml names
	// WrapperShim runs the system linker: for a compiler that was built to use
	// LLD, in a toolchain that must not.
	WrapperShim WrapperKind = "shim"
)

// LauncherKind says which linker the launcher makes the host's default.
type LauncherKind string

// The kinds of launchers, see package launcher.
const (
	LauncherNone   LauncherKind = "none"   // there is no launcher
	LauncherSystem LauncherKind = "system" // the compiler was built to use LLD
	LauncherLLD    LauncherKind = "lld"    // the compiler was built to use the system linker
)
