package manifests

import (
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"x.go/targets"
)

// An owner is a row of the table that says which files of a sysroot belong to
// which component, for trees without file lists: x.py's stage2 and the trees of
// distributions. Source: the images of
// `src/bootstrap/src/core/build_steps/dist.rs`.
type owner struct {
	component string   // archive name
	files     []string // patterns, see match
}

// owners is searched from the top: a narrow row stands before a wide one.
//
// A pattern is a glob of github.com/bmatcuk/doublestar, in which {host} and
// {target} stand for a triple. Before {target} there is nothing but text.
var owners = []owner{
	{"cargo", []string{
		"bin/cargo", "bin/cargo.exe", "etc/bash_completion.d/cargo", "share/bash-completion/completions/cargo",
		"share/zsh/site-functions/_cargo", "share/man/man1/cargo.1*", "share/man/man1/cargo-*.1*", "share/doc/cargo/**/*",
	}},
	{"clippy", []string{"bin/cargo-clippy", "bin/cargo-clippy.exe", "bin/clippy-driver", "bin/clippy-driver.exe", "libexec/clippy-driver", "libexec/clippy-driver.exe", "share/doc/clippy/**/*"}},
	{"rustfmt", []string{"bin/cargo-fmt", "bin/cargo-fmt.exe", "bin/rustfmt", "bin/rustfmt.exe", "share/doc/rustfmt/**/*"}},
	{"miri", []string{"bin/miri", "bin/miri.exe", "bin/cargo-miri", "bin/cargo-miri.exe", "share/doc/miri/**/*"}},
	{"rust-analyzer", []string{"bin/rust-analyzer", "bin/rust-analyzer.exe", "share/doc/rust-analyzer/**/*"}},
	{"rustc-docs", []string{"share/doc/rust/html/rustc-docs/**/*"}},
	{"rust-docs", []string{"share/doc/rust/html/**/*"}},
	{"rust-docs-json", []string{"share/doc/rust/json/**/*"}},
	{"rust-src", []string{"lib/rustlib/src/rust/**/*"}},
	{"llvm-bitcode-linker", []string{"lib/rustlib/{host}/bin/self-contained/llvm-bitcode-linker", "lib/rustlib/{host}/bin/self-contained/llvm-bitcode-linker.exe"}},
	{"rust-mingw", []string{"lib/rustlib/{host}/bin/self-contained/*"}},
	{"llvm-tools", []string{
		"lib/rustlib/{host}/bin/llvm-*", "lib/rustlib/{host}/bin/llc", "lib/rustlib/{host}/bin/opt",
		"lib/rustlib/{host}/lib/libLLVM*",
	}},
	{"rustc-codegen-cranelift", []string{"lib/rustlib/{host}/codegen-backends/librustc_codegen_cranelift-*"}},
	{"rustc-codegen-gcc", []string{"lib/rustlib/{host}/codegen-backends/librustc_codegen_gcc-*"}},
	{"rust-std", []string{
		"lib/rustlib/{target}/lib/librustc_demangle-*", "lib/rustlib/{target}/lib/librustc_literal_escaper-*",
		"lib/rustlib/{target}/lib/librustc_std_workspace_*",
	}},
	{"rustc-dev", []string{"lib/rustlib/{host}/lib/librustc_*", "lib/rustlib/rustc-src/**/*"}},
	{"rustc", []string{
		"bin/rustc", "bin/rustc.exe", "bin/rustdoc", "bin/rustdoc.exe", "bin/rust-gdb", "bin/rust-gdbgui", "bin/rust-lldb", "bin/rust-windbg.cmd", "bin/*.dll",
		"etc/target-spec-json-schema.json",
		"lib/librustc_driver-*", "lib/libLLVM*", "lib/libstd-*", "lib/libtest-*",
		"lib{64,32,x32}/librustc_driver-*", "lib{64,32,x32}/libstd-*", "lib{64,32,x32}/libtest-*", // by install.libdir
		"lib/*-*/librustc_driver-*", "lib/*-*/libstd-*", "lib/*-*/libtest-*", // of Debian, by a triple
		"lib/rustlib/etc/*",
		"lib/rustlib/{host}/bin/rust-lld", "lib/rustlib/{host}/bin/rust-lld.exe", "lib/rustlib/{host}/bin/gcc-ld/*",
		"lib/rustlib/{host}/bin/rust-objcopy", "lib/rustlib/{host}/bin/rust-objcopy.exe",
		"lib/rustlib/{host}/bin/wasm-component-ld", "lib/rustlib/{host}/bin/wasm-component-ld.exe",
		"libexec/rustc", "libexec/rustc.exe", // with a launcher
		"libexec/rust-analyzer-proc-macro-srv", "libexec/rust-analyzer-proc-macro-srv.exe",
		"share/doc/rust/COPYRIGHT*", "share/doc/rust/LICENSE*", "share/doc/rust/README.md", "share/doc/rust/licenses/**/*", BuildRecordInstalled,
		"share/man/man1/rustc.1*", "share/man/man1/rustdoc.1*",
	}},
	{"rust-analysis", []string{"lib/rustlib/{target}/analysis/**/*"}},
	{"rust-std", []string{"lib/rustlib/{target}/lib/**/*"}},
}

// installerFiles are the records that install.sh and rustup keep of an
// installation. They belong to no component.
var installerFiles = []string{
	"lib/rustlib/components", "lib/rustlib/manifest-*", "lib/rustlib/digests-*", "lib/rustlib/rust-installer-version",
	"lib/rustlib/install.log", "lib/rustlib/uninstall.sh", "lib/rustlib/multirust-channel-manifest.toml", "lib/rustlib/multirust-config.toml",
}

// OwnerOf returns the component that owns the file with a slash path in a
// sysroot of host, by its archive name, and the target it belongs to, which is
// host for files of no other. ok is false if no component claims it.
func OwnerOf(name string, host targets.Triple) (component string, target targets.Triple, ok bool) {
	name = inLib(name)
	for _, o := range owners {
		for _, p := range o.files {
			if t, ok := match(p, name, host); ok {
				return o.component, t, true
			}
		}
	}
	return "", targets.Triple{}, false
}

// inLib returns the name of a file of rustlib as it is where install.libdir is lib.
func inLib(name string) string {
	dir, rest, ok := strings.Cut(name, "/rustlib/")
	if ok && doublestar.MatchUnvalidated("{lib64,lib32,libx32,lib/*-*}", dir) {
		return "lib/rustlib/" + rest
	}
	return name
}

// IsInstallerFile reports whether name is a record of an installer.
func IsInstallerFile(name string) bool {
	return slices.ContainsFunc(installerFiles, func(p string) bool {
		ok, _ := path.Match(p, name)
		return ok
	})
}

// match compares name with a pattern of the owners table. The returned triple is
// what {target} stood for, else host.
func match(pattern, name string, host targets.Triple) (targets.Triple, bool) {
	target := host
	if before, after, ok := strings.Cut(pattern, "{target}"); ok {
		rest, ok := strings.CutPrefix(name, before)
		if !ok {
			return target, false
		}
		element, _, _ := strings.Cut(rest, "/")
		t, err := targets.ParseTriple(element)
		if err != nil {
			return target, false
		}
		target, pattern = t, before+element+after
	}
	pattern = strings.Replace(pattern, "{host}", host.String(), 1)
	return target, doublestar.MatchUnvalidated(pattern, name)
}

// gccLDPrograms are in the order of LLD_FILE_NAMES, `src/bootstrap/src/lib.rs`.
var gccLDPrograms = [...]string{"ld.lld", "ld64.lld", "lld-link", "wasm-ld"}

// GCCLDPrograms returns the names of the programs in lib/rustlib/HOST/bin/gcc-ld,
// without the suffix of Windows. rustc passes that directory to the C compiler with
// -B, and the C compiler looks there for the linker of -fuse-ld. LLD runs as the
// linker that the name stands for. A C compiler on Linux looks for the first.
func GCCLDPrograms() []string { return slices.Clone(gccLDPrograms[:]) }
