package oracle

import (
	"math/rand/v2"
	"slices"
	"strings"
)

// linkerNames are values of -Clinker. A stand-in exists for all but those
// below /nonexistent.
var linkerNames = []string{
	"cc", "c++", "gcc", "g++", "clang", "clang++", "clang-18", "x86_64-linux-gnu-gcc-12", "aarch64-linux-gnu-gcc",
	"ld", "ld.bfd", "ld.lld", "ld64.lld", "lld", "rust-lld", "lld-link", "link", "wasm-ld", "x-wasm-ld", "aarch64-linux-gnu-ld",
	"emcc", "llvm-bitcode-linker", "mylinker", "cc_wrapper.sh", "gcc-", "gcc.exe", "clang-cl", "ld-2", "lld.old.exe",
	"<fake>/cc", "<fake>/gcc", "<fake>/ld.lld", "<fake>/rust-lld", "/nonexistent/cc", "/nonexistent/gcc", "/nonexistent/ld",
}

var flavorValues = []string{
	"gnu", "gnu-lld", "gnu-cc", "gnu-lld-cc", "darwin", "darwin-lld", "darwin-cc", "darwin-lld-cc", "wasm-lld", "wasm-lld-cc",
	"unix", "unix-cc", "msvc-lld", "msvc", "em-cc", "bpf", "llbc", "ptx", "gcc", "ld", "ld.lld", "ld64.lld", "lld-link", "wasm-ld", "em",
	"lld", "GCC", "",
}

var selfContainedValues = []string{
	"y", "yes", "on", "n", "no", "off", "+linker", "-linker", "+crto", "-crto", "+linker,-linker", "-linker,+crto", "+libc,+unwind",
	"-mingw", "+sanitizers", "+crto,+libc,+unwind,+linker,+sanitizers,+mingw", "+foo", "true", "", "linker", "-linker,", "y,+crto", "+linker,n",
}

var featureValues = []string{"+lld", "-lld", "+lld,-lld", "-lld,+lld", "-lld,-lld", "+cc", "lld", "", "+lld,", "-LLD"}

var crateTypeValues = []string{"bin", "lib", "rlib", "staticlib", "dylib", "cdylib", "bin,rlib", "cdylib,staticlib", "rlib,staticlib", "foo"}

var otherFlags = [][]string{
	{"-O"}, {"-g"}, {"-Copt-level=3"}, {"-Copt-level=9"}, {"-C", "panic=abort"}, {"-Clinker-plugin-lto"}, {"-Cstrip=bad"}, {"-Cunknown=1"},
	{"-Clink-arg=-fuse-ld=bfd"}, {"-Clink-arg=-fuse-ld=lld"}, {"-C", "link-args=-fuse-ld=gold -B/opt/ld"}, {"-Clink-arg=--target=foo"},
	{"-Zpre-link-args=-fuse-ld=gold"}, {"-Zpre-link-arg=-B/opt/x"}, {"-Zunstable-options"}, {"-Zunstable_options"}, {"-Zno-link"},
	{"--emit=obj"}, {"--emit=link,dep-info"}, {"--emit=metadata"}, {"--emit", "bad"}, {"--print=sysroot"}, {"--print=link-args"},
	{"-Ctarget-feature=+crt-static"}, {"-Ctarget-feature=-crt-static"}, {"-Ctarget-feature=+crt-static,-crt-static"},
	{"-Ctarget-feature=-crt-static", "-Ctarget-feature=+crt-static"}, {"-Cprefer-dynamic"}, {"--frobnicate"}, {"-V"},
	{"--color=blue"}, {"--edition=1999"}, {"--edition", "2015"}, {"--error-format=foo"}, {"--cap-lints=foo"}, {"--cap-lints=allow"},
	{"-Ccodegen-units=0"}, {"-Ccodegen-units=1"}, {"-Cembed-bitcode=no", "-Clto"}, {"-Clto=thin"}, {"-Clto=off"}, {"-Whelp"}, {"--explain", "E0001"},
	{"-Zno-codegen"}, {"--emit=obj,link"}, {"--emit=mir,link"}, {"--crate-type=proc-macro"}, {"--crate-type", "bin", "--crate-type", "dylib"},
	{"-C", "linker = cc"}, {"-Clinker_flavor=gnu-cc"}, {"-Clink_self_contained"}, {"-Clinker-features"}, {"-Clinker-flavor"}, {"-Clink-arg"}, {"-Clink-args="},
	{"-Clink-arg=-flavor", "-Clink-arg=gnu"}, {"-Clink-arg=-B/a/b"}, {"-Clink-arg=-B"}, {"-Clink-args=-fuse-ld=mold  -fuse-ld=gold"}, {"-Clink-arg=-fuse-ld=mold -B/x"},
	{"-gO"}, {"-OCopt-level=1"}, {"-g", "-g"}, {"-Crelocation-model=static"}, {"-Cdefault-linker-libraries"}, {"-Cprefer-dynamic=maybe"}, {"-Ctarget-feature=crt-static"},
	{"-Ctarget_feature=+crt-static"}, {"-Clinker-plugin-lto=no"}, {"-vV"}, {"-v"}, {"-lfoo"}, {"-L."}, {"-Dwarnings"},
	{"-Cdebuginfo=2"}, {"-Clto"}, {"-Clto=fat"}, {"-Clinker"}, {"-Clinker="}, {"-Ccodegen-units=x"}, {"-C"}, {"--codegen"}, {"-Cforce-frame-pointers=maybe"},
}

// Generator draws cases. The same source gives the same ones.
type Generator struct {
	Rand    *rand.Rand
	Channel string // stable or nightly
	Targets []string
	next    int
}

// fixedFlags are asked of every target drawn, with all options unlocked.
var fixedFlags = [][]string{
	{}, {"-Clinker-features=+lld"}, {"-Clinker-features=-lld"}, {"-Clink-self-contained=+linker", "-Clinker=cc", "-Clinker-features=+lld"}, {"--crate-type=cdylib"},
}

// Fixed returns the cases that every target gets.
func (g *Generator) Fixed() []Case {
	var out []Case
	for _, target := range g.Targets {
		for _, flags := range fixedFlags {
			c := Case{ID: g.next, Group: "fixed", Target: target, Flags: flags, Unstable: true, Sysroot: "normal", Channel: g.Channel}
			g.next++
			if g.Channel == "stable" {
				one := "1"
				c.Bootstrap, c.Channel = &one, "stable+bootstrap"
			}
			out = append(out, c)
		}
	}
	return out
}

// Next draws one case.
func (g *Generator) Next() Case {
	c := Case{ID: g.next, Group: "drawn", Target: pick(g.Rand, g.Targets), Flags: []string{}, Sysroot: "normal", Channel: g.Channel}
	g.next++
	g.unlock(&c)
	if g.chance(0.15) {
		c.Sysroot = pick(g.Rand, []string{"nogccld", "explicit-bare", "explicit-same", "relative-cwd"})
	}
	var flags [][]string
	add := func(p float64, name string, values []string) {
		if g.chance(p) {
			flags = append(flags, g.option(name, pick(g.Rand, values)))
		}
	}
	add(0.4, "linker-features", featureValues[:2])
	add(0.05, "linker-features", featureValues)
	add(0.35, "link-self-contained", selfContainedValues[:9])
	add(0.08, "link-self-contained", selfContainedValues)
	add(0.25, "linker-flavor", flavorValues)
	add(0.3, "linker", linkerNames)
	if g.chance(0.15) {
		flags = append(flags, []string{"--crate-type", pick(g.Rand, crateTypeValues)})
	}
	for g.chance(0.2) {
		flags = append(flags, pick(g.Rand, otherFlags))
	}
	g.Rand.Shuffle(len(flags), func(i, j int) { flags[i], flags[j] = flags[j], flags[i] })
	for _, f := range flags {
		c.Flags = append(c.Flags, f...)
	}
	return c
}

// unlock draws how the compiler is unlocked; mostly in a way that works.
func (g *Generator) unlock(c *Case) {
	set := func(v string) { c.Bootstrap = &v }
	c.Unstable = g.chance(0.6)
	switch {
	case g.Channel == "stable" && (c.Unstable || g.chance(0.1)) && !g.chance(0.05):
		set("1")
		c.Channel += "+bootstrap"
	case g.Channel == "nightly" && g.chance(0.05):
		set("-1")
		c.Channel += "+bootstrap=-1"
	}
}

func (g *Generator) chance(p float64) bool { return g.Rand.Float64() < p }

// option writes a -C option in one of the forms rustc takes.
func (g *Generator) option(name, value string) []string {
	if g.chance(0.05) {
		name = strings.ReplaceAll(name, "-", "_")
	}
	o := name + "=" + value
	switch g.Rand.IntN(5) {
	case 0:
		return []string{"-C", o}
	case 1:
		return []string{"--codegen", o}
	case 2:
		return []string{"--codegen=" + o}
	}
	return []string{"-C" + o}
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// Draw picks n of the compiler's targets at random.
func Draw(r *rand.Rand, all []string, n int) []string {
	out := slices.Clone(all)
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out[:min(n, len(out))]
}
