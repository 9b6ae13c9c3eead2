package dist

import (
	"strings"

	"x.go/manifests"
)

// NoSymlinks are the rules that forbid symbolic links. x.py has the same check
// ("generated a symlink in a tarball"), because rustup refuses to unpack links.
func NoSymlinks() []Rule {
	return []Rule{{"**", NotLink, "rustup cannot install links; ship the file it leads to"}}
}

// executables are the rules for the modes of programs. install.sh sets them for
// bin/ only, and rustup takes them from the archive.
func executables() []Rule {
	const why = "rustup installs it with the mode it has in the archive"
	return []Rule{
		{"bin/*", Executable, why},
		{"libexec/*", Executable, why},
		{"lib/rustlib/*/bin/rust-*", Executable, why},
		{"lib/rustlib/*/bin/llvm-*", Executable, why},
		{"lib/rustlib/*/bin/wasm-component-ld", Executable, why},
		{"lib/rustlib/*/bin/gcc-ld/*", Executable, why},
		{"share/doc/**", NotExecutable, "documentation is not a program"},
		{"share/man/**", NotExecutable, "a manual page is not a program"},
	}
}

// LLDFile returns the name of rust-lld in the toolchain of a host. exe is the
// suffix of the host's programs: "" or ".exe".
func LLDFile(host, exe string) string {
	return "lib/rustlib/" + host + "/bin/rust-lld" + exe
}

// WrapperFiles returns the names of the gcc-ld wrappers of a host.
func WrapperFiles(host, exe string) []string {
	var names []string
	for _, w := range manifests.GCCLDPrograms() {
		names = append(names, "lib/rustlib/"+host+"/bin/gcc-ld/"+w+exe)
	}
	return names
}

// RequireLLD are the rules of a toolchain that ships LLD: rust-lld and all
// wrappers, executable.
func RequireLLD(host, exe string) []Rule {
	return append([]Rule{
		{LLDFile(host, exe), Present, "rust.lld = true ships LLD"},
		{LLDFile(host, exe), Executable, ""},
	}, RequireWrappers(host, exe)...)
}

// RequireWrappers are the rules of a toolchain whose compiler uses gcc-ld,
// whatever linker the wrappers run.
func RequireWrappers(host, exe string) []Rule {
	var rules []Rule
	for _, name := range WrapperFiles(host, exe) {
		rules = append(rules,
			Rule{name, Present, "the compiler makes the C compiler look for its linker in gcc-ld"},
			Rule{name, Executable, ""})
	}
	return rules
}

// ForbidLLD are the rules of a toolchain without LLD. They say nothing of
// gcc-ld, which such a toolchain may need; see [ForbidWrappers].
func ForbidLLD(host, exe string) []Rule {
	return []Rule{{LLDFile(host, exe), Absent, "rust.lld = false ships no LLD"}}
}

// ForbidWrappers are the rules of a toolchain whose compiler was built without
// the default linker override. An empty gcc-ld is worse than none: rustc would
// send the C compiler there.
func ForbidWrappers(host string) []Rule {
	dir := "lib/rustlib/" + host + "/bin/gcc-ld"
	return []Rule{{"{" + dir + "," + dir + "/**}", Absent, "without rust-lld its wrappers cannot run"}}
}

// componentFiles lists, by component, files without which it is of no use. The names
// are those of the directories in an archive; one that ends in "-" is a prefix.
var componentFiles = []struct{ component, glob string }{
	{"rustc", "bin/rustc{,.exe}"},
	{"rust-std-", "lib/rustlib/*/lib/**"},
	{"cargo", "bin/cargo{,.exe}"},
	{"rustfmt-preview", "bin/rustfmt{,.exe}"},
	{"rustfmt-preview", "bin/cargo-fmt{,.exe}"},
	{"clippy-preview", "bin/clippy-driver{,.exe}"},
	{"clippy-preview", "bin/cargo-clippy{,.exe}"},
	{"miri-preview", "bin/miri{,.exe}"},
	{"miri-preview", "bin/cargo-miri{,.exe}"},
	{"rust-analyzer-preview", "bin/rust-analyzer{,.exe}"},
	{"rust-docs", "share/doc/rust/html/index.html"},
	{"rust-docs-json-preview", "share/doc/rust/json/*.json"},
	{"rustc-docs", "share/doc/rust/html/rustc*/**"},
	{"rust-src", "lib/rustlib/src/rust/library/std/Cargo.toml"},
	{"rustc-dev", "lib/rustlib/rustc-src/rust/compiler/**"},
	{"rust-analysis-", "lib/rustlib/*/analysis/**"},
	{"llvm-tools-preview", "lib/rustlib/*/bin/llvm-objcopy{,.exe}"},
	{"llvm-bitcode-linker-preview", "lib/rustlib/*/bin/self-contained/llvm-bitcode-linker{,.exe}"},
}

// componentRules are the rules for the component of that name: no links, the modes,
// and the files that it must have, after x.py's dist steps
// (src/bootstrap/src/core/build_steps/dist.rs).
func componentRules(name string) []Rule {
	rules := append(NoSymlinks(), executables()...)
	for _, row := range componentFiles {
		if name == row.component || strings.HasSuffix(row.component, "-") && strings.HasPrefix(name, row.component) {
			rules = append(rules, Rule{row.glob, Present, "component " + name + " is of no use without it"})
		}
	}
	return rules
}
