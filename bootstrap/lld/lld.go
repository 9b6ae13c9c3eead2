// Package lld decides about LLD in a toolchain: whether it is shipped, whether the
// compiler links with it by default, and which programs of x change that default.
// [Decide] is the whole policy, and pure. The steps of a build follow it, and the
// checks before a build report it. [Outcome.LauncherArgs] and [Outcome.Explain]
// tell what it does to a link.
package lld

import (
	"x.go/bootstrap/config"
	"x.go/manifests"
	"x.go/targets"
)

// Facts is what a decision depends on besides the configuration. The zero Facts
// stand for a toolchain built as the configuration asks, by the rules of the release
// that the configuration was loaded for.
type Facts struct {
	// Release is the release whose rules count; zero means the configuration's.
	Release targets.Release
	// Channel replaces rust.channel, for a toolchain that is built already.
	Channel string
	// Toolchain is the input; nil if it is not known.
	Toolchain *Toolchain
	// CanBuild returns why the programs of x (gcc-ld's and the launcher) cannot be
	// built for a host, or nil. Decide calls it only if one has to be built. A nil
	// func means that all can be built.
	CanBuild func(host targets.Triple) error
}

// Toolchain is what a decision depends on of the input toolchain.
type Toolchain struct {
	Host targets.Triple
	// Linux says that the host runs Linux: a C compiler links there, and it knows
	// -fuse-ld=lld.
	Linux bool
	// Baked says that the compiler was built to link with LLD by default.
	Baked bool
	// OptOut says that the compiler accepts -Clinker-features=-lld for its host. It
	// counts only if [NeedsOptOut].
	OptOut bool
	// RustLLD says that rust-lld is there.
	RustLLD bool
	// Wrappers says that all programs in gcc-ld are there, and run LLD.
	Wrappers bool
	// NoJobserver says that the gcc-ld program of x for the host knows no jobserver.
	NoJobserver bool
}

// NeedsOptOut reports whether [Decide] needs Toolchain.OptOut, which only a run of
// the compiler tells.
func NeedsOptOut(c config.Config, baked bool) bool {
	return baked && c.X.LLD.BakedDefault == config.BakedDefaultLauncher
}

// hosts returns the triples to build a compiler for: build.host, or just the
// toolchain's own.
func (f Facts) hosts(c config.Config) []targets.Triple {
	if f.Toolchain == nil || c.IsSet("build.host") && len(c.Build.Host) > 0 {
		return c.Build.Host
	}
	return []targets.Triple{f.Toolchain.Host}
}

// Decision is the result of [Decide].
type Decision struct {
	// Wanted is what the configuration asks for.
	Wanted Wanted
	// Outcome is what the finished toolchain has; zero if the configuration is
	// refused.
	Outcome Outcome
	// Findings are warnings and notes.
	Findings []config.Finding
}

// Outcome is what a toolchain has of LLD. Its facts are separate: rust.lld and the
// keys around it decide each of them.
type Outcome struct {
	Shipped  bool         `json:"shipped"`  // rust-lld is in the sysroot
	Default  bool         `json:"default"`  // a plain link of the host uses it
	Wrapper  WrapperKind  `json:"wrapper"`  // what gcc-ld holds
	Launcher LauncherKind `json:"launcher"` // what runs before rustc and clippy-driver
	Rule     Rule         `json:"rule"`     // the rule of the configuration that decided
}

// Recorded returns the outcome in the form of a build record.
func (o Outcome) Recorded() manifests.RecordedLLD {
	return manifests.RecordedLLD{
		Shipped: o.Shipped, Default: o.Default, Wrapper: string(o.Wrapper), Launcher: string(o.Launcher), Rule: string(o.Rule),
	}
}

// Recorded returns the outcome in a build record; the zero Outcome for a zero
// record.
func Recorded(r manifests.BuildRecord) Outcome {
	l := r.LLD
	return Outcome{
		Shipped: l.Shipped, Default: l.Default, Wrapper: WrapperKind(l.Wrapper), Launcher: LauncherKind(l.Launcher), Rule: Rule(l.Rule),
	}
}

// Overrides reports whether the toolchain links in another way than its compiler
// was built to.
func (o Outcome) Overrides() bool { return o.Wrapper == WrapperShim || o.Launcher != LauncherNone }

// BuildsWrapper reports whether gcc-ld holds a program of command lldwrapper.
func (o Outcome) BuildsWrapper() bool { return o.Wrapper == WrapperBuilt || o.Wrapper == WrapperShim }

// WrapperKind says where the programs in gcc-ld come from.
type WrapperKind string

// The kinds of gcc-ld programs.
const (
	WrapperNone  WrapperKind = "none"  // there is no gcc-ld
	WrapperKept  WrapperKind = "kept"  // the input's own
	WrapperBuilt WrapperKind = "built" // built from command lldwrapper
	WrapperGiven WrapperKind = "given" // the program that x.toml names
	// WrapperShim runs the system linker: for a compiler that was built to use
	// LLD, in a toolchain that must not.
	WrapperShim WrapperKind = "shim"
)

// LauncherKind says to which linker the launcher changes the host's default.
type LauncherKind string

// The kinds of launchers, see command launcher.
const (
	LauncherNone   LauncherKind = "none"   // there is no launcher
	LauncherSystem LauncherKind = "system" // the compiler was built to use LLD
	LauncherLLD    LauncherKind = "lld"    // the compiler was built to use the system linker
)
