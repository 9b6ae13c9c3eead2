package manifests

import (
	"slices"

	"x.go/targets"
)

// Scope says what a component is built for, once each.
type Scope uint8

const (
	// ScopeHost components run on a machine: one per host.
	ScopeHost Scope = iota
	// ScopeTarget components are linked into programs: one per target.
	ScopeTarget
	// ScopeNone components are the same for all; a channel calls their target "*".
	ScopeNone
	// ScopeMinGW components exist only for the windows-gnu family of hosts.
	ScopeMinGW
)

// listing says how the package "rust" of a channel names a component.
type listing uint8

const (
	// unlisted components have a package of their own at most.
	unlisted listing = iota
	// required components are in the list "components": every install has
	// those unless a profile says otherwise.
	required
	// optional components are in the list "extensions".
	optional
)

// ComponentSpec is one row of the vocabulary that rust-installer archives,
// bootstrap and channels share. Sources: `src/bootstrap/src/core/build_steps/dist.rs`,
// `src/bootstrap/src/utils/tarball.rs`, `src/tools/build-manifest/src/versions.rs`.
type ComponentSpec struct {
	// Archive is the first part of the archive's name, such as "rustfmt" in
	// rustfmt-1.95.0-x86_64-unknown-linux-gnu.tar.xz.
	Archive string
	// Package is the name in a channel, such as "rustfmt-preview"; "" for
	// archives that no channel offers.
	Package string
	// Scope says which targets the component is built for.
	Scope Scope
	// Product is rust-installer's product name, which install.sh prints.
	Product string
	// BulkDirs are directories of the image that manifest.in lists as one "dir:" line.
	BulkDirs []string
	// OwnVersion says that the component's version is its own, not rustc's.
	OwnVersion bool
	// NightlyOnly says that stable and beta channels never offer it.
	NightlyOnly bool
	// DocsFallback says that a host without its own archive gets the one of a
	// similar host.
	DocsFallback bool
	// Since is the first release whose channel knows the package; "" for those
	// that are older than this program.
	Since string

	// listing is the component's place in the package "rust".
	listing listing
	// everyTarget says that each host lists the component for all targets, so
	// that it can be added for the others too.
	everyTarget bool
	// targetInDir says that the directory in the archive has the target in its name.
	targetInDir bool
	// dir is the directory in the archive if that is neither Archive nor Package.
	dir string
	// own says that Rust does not have the component.
	own bool
}

// Dir returns the directory of the component inside its archive, which is also its
// line in the archive's `components` file: "rustc", "clippy-preview",
// "rust-std-x86_64-unknown-linux-gnu".
func (c ComponentSpec) Dir(target targets.Triple) string {
	name := c.Package
	switch {
	case c.dir != "":
		name = c.dir
	case name == "":
		name = c.Archive
	}
	if c.targetInDir {
		name += "-" + target.String()
	}
	return name
}

// InstalledName returns the name under which rustup records the component:
// the package, followed by its target unless it is the same for all.
func (c ComponentSpec) InstalledName(target targets.Triple) string {
	if c.Scope == ScopeNone {
		return c.Package
	}
	return c.Package + "-" + target.String()
}

// preview reports whether the channel's name differs from the archive's, in
// which case the channel renames the one to the other.
func (c ComponentSpec) preview() bool { return c.Package != "" && c.Package != c.Archive }

// SuccessMessage is what install.sh prints at its end (`tarball.rs`).
func (c ComponentSpec) SuccessMessage() string { return c.Archive + " installed." }

// PackageName returns the archive's stem and top directory: "rust-src-1.95.0",
// "cargo-nightly-x86_64-unknown-linux-gnu". The version is [Version.PackageVersion].
func (c ComponentSpec) PackageName(version string, target targets.Triple) string {
	if c.Scope == ScopeNone {
		return c.Archive + "-" + version
	}
	return c.Archive + "-" + version + "-" + target.String()
}

// Names of the products that rust-installer's scripts print.
const productRust = "Rust"

// componentTable is in build-manifest's declared order, which is the order of
// a channel's components and extensions; rows without a package come last.
var componentTable = [...]ComponentSpec{
	{Archive: "rust", Package: "rust", Product: productRust},
	{Archive: "rust-src", Package: "rust-src", Scope: ScopeNone, Product: productRust, listing: optional},
	{Archive: "rustc", Package: "rustc", Product: productRust, listing: required},
	{Archive: "rustc-dev", Package: "rustc-dev", Product: productRust, listing: optional, everyTarget: true},
	{Archive: "rustc-docs", Package: "rustc-docs", Product: "Rustc Documentation", listing: optional, DocsFallback: true,
		BulkDirs: []string{"share/doc/rust/html/rustc-docs"}},
	{Archive: "reproducible-artifacts", Package: "reproducible-artifacts", Product: productRust},
	{Archive: "rust-mingw", Package: "rust-mingw", Scope: ScopeMinGW, Product: "Rust MinGW", listing: required, everyTarget: true},
	{Archive: "rust-std", Package: "rust-std", Scope: ScopeTarget, Product: productRust, listing: required,
		everyTarget: true, targetInDir: true},
	{Archive: "cargo", Package: "cargo", Product: productRust, listing: required, OwnVersion: true},
	{Archive: "rust-docs", Package: "rust-docs", Product: "Rust Documentation", listing: required, DocsFallback: true,
		BulkDirs: []string{"share/doc/rust/html"}},
	{Archive: "rust-analysis", Package: "rust-analysis", Scope: ScopeTarget, Product: productRust, listing: optional, targetInDir: true},
	{Archive: "rust-analyzer", Package: "rust-analyzer-preview", Product: productRust, listing: optional, OwnVersion: true},
	{Archive: "clippy", Package: "clippy-preview", Product: productRust, listing: optional, OwnVersion: true},
	{Archive: "rustfmt", Package: "rustfmt-preview", Product: productRust, listing: optional, OwnVersion: true},
	{Archive: "llvm-tools", Package: "llvm-tools-preview", Scope: ScopeTarget, Product: productRust, listing: optional, OwnVersion: true},
	{Archive: "miri", Package: "miri-preview", Product: productRust, listing: optional, OwnVersion: true, NightlyOnly: true},
	{Archive: "rust-docs-json", Package: "rust-docs-json-preview", Product: "Rust Documentation In JSON Format", listing: optional,
		NightlyOnly: true, DocsFallback: true, BulkDirs: []string{"share/doc/rust/json"}},
	{Archive: "rustc-codegen-cranelift", Package: "rustc-codegen-cranelift-preview", Product: productRust, listing: optional,
		OwnVersion: true, NightlyOnly: true},
	{Archive: "llvm-bitcode-linker", Package: "llvm-bitcode-linker-preview", Product: productRust, listing: optional},
	{Archive: "rustc-codegen-gcc", Package: "rustc-codegen-gcc-preview", Product: productRust, listing: optional,
		OwnVersion: true, NightlyOnly: true},
	{Archive: "gcc-x86_64-unknown-linux-gnu", Package: "gcc-x86_64-unknown-linux-gnu-preview", Product: productRust, listing: optional,
		OwnVersion: true, NightlyOnly: true},
	{Archive: "enzyme", Package: "enzyme-preview", Product: productRust, listing: optional, OwnVersion: true, NightlyOnly: true, Since: "1.97.0-dev"},

	{Archive: "rust-dev", Product: productRust},
	{Archive: "build-manifest", Product: productRust},
	{Archive: "bootstrap", Product: productRust},
	{Archive: "gcc-dev", Product: productRust},
}

// combinedOrder names the parts of the combined archive in their order; rustc
// must precede rust-std (`dist.rs`, step Extended).
var combinedOrder = [...]string{
	"rustc", "rust-std", "rust-mingw", "rust-docs", "rust-docs-json", "cargo", "rustfmt", "rust-analyzer", "llvm-tools",
	"clippy", "miri", "rust-analysis", "rustc-codegen-cranelift", "llvm-bitcode-linker",
}

// profileTable adds to each profile of rustup what the one before lacks, in
// build-manifest's order. A nightly channel also has rustc-dev in "complete".
var profileTable = [...]struct {
	name     string
	archives []string
}{
	{profileMinimal, []string{"rustc", "cargo", "rust-std", "rust-mingw"}},
	{profileDefault, []string{"rust-docs", "rustfmt", "clippy"}},
	{profileComplete, []string{"rust-analyzer", "rust-src", "llvm-tools", "rust-analysis", "miri", "rustc-codegen-cranelift"}},
}

// The profile names that rustup knows; it refuses a manifest with another one.
const (
	profileMinimal  = "minimal"
	profileDefault  = "default"
	profileComplete = "complete"
)

// Components returns every known component in build-manifest's declared order.
func Components() []ComponentSpec { return cloneSpecs(componentTable[:]) }

// CombinedComponents returns the components of the combined archive "rust" in
// the order of its `components` file.
func CombinedComponents() []ComponentSpec {
	specs := make([]ComponentSpec, 0, len(combinedOrder))
	for _, name := range combinedOrder {
		if c, ok := LookupComponent(name); ok {
			specs = append(specs, c)
		}
	}
	return specs
}

// LookupComponent finds a component by the name of its archive ("rustfmt").
func LookupComponent(archive string) (ComponentSpec, bool) {
	return find(func(c *ComponentSpec) bool { return c.Archive == archive })
}

// lookupPackage finds a component by its name in a channel ("rustfmt-preview").
func lookupPackage(pkg string) (ComponentSpec, bool) {
	return find(func(c *ComponentSpec) bool { return pkg != "" && c.Package == pkg })
}

func find(is func(*ComponentSpec) bool) (ComponentSpec, bool) {
	for i := range componentTable {
		if is(&componentTable[i]) {
			return cloneSpecs(componentTable[i : i+1])[0], true
		}
	}
	return ComponentSpec{}, false
}

// cloneSpecs keeps callers from writing into the table.
func cloneSpecs(specs []ComponentSpec) []ComponentSpec {
	out := slices.Clone(specs)
	for i := range out {
		out[i].BulkDirs = slices.Clone(out[i].BulkDirs)
	}
	return out
}
