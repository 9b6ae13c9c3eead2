package config

import (
	"fmt"
	"slices"
	"strings"

	"x.go/targets"
)

const (
	ciLLVMKey  = "llvm.download-ci-llvm"
	ciRustcKey = "rust.download-rustc"
)

// downloads applies upstream's rules for what CI has built
// (parse_download_ci_llvm and download_ci_rustc_commit in `config.rs`).
func (l *loader) downloads(c *Config) {
	if !ciBuilds(value[targets.Triple](c, "build.build"), value[bool](c, "llvm.assertions")) {
		// Upstream builds both whatever the keys say.
		c.ciLLVM = false
		for _, key := range []string{ciLLVMKey, ciRustcKey} {
			o := c.Origin(key)
			if !o.IsSet() {
				o.Detail = "CI builds none for build.build"
			}
			c.settings[key] = slices.Insert(c.settings[key], 0, setting{Value: StringOrBool{}, Origin: o})
		}
		return
	}
	rustc, llvm := value[StringOrBool](c, ciRustcKey), value[StringOrBool](c, ciLLVMKey)
	if llvm.Text == "if-unchanged" {
		l.onlyInGit(c, ciLLVMKey)
	}
	switch asserts := debugAssertions(c); {
	case rustc.Text == "if-unchanged":
		l.onlyInGit(c, ciRustcKey)
	case rustc.Bool && asserts:
		o := c.Origin(ciRustcKey)
		l.note(Finding{Severity: Warning, Place: o.String(), Key: ciRustcKey, Remedy: "set rust.debug-assertions = false, or rust.download-rustc = false",
			Reason: "no compiler of CI has debug assertions, so none is downloaded"})
		c.settings[ciRustcKey] = slices.Insert(c.settings[ciRustcKey], 0, setting{Value: StringOrBool{}, Origin: o})
	case rustc.Bool && l.minor >= 90 && l.tree() == sourceArchive:
		l.refuse(c, ciRustcKey, "set it to false", "`Config::read_file_by_commit` is not supported in non-git sources.")
	case rustc.Bool && !llvm.Bool:
		l.refuse(c, ciLLVMKey, "set it to true, or "+ciRustcKey+" = false", "`%s` cannot be set to `false` if `%s` is set to `true` or `if-unchanged`.", ciLLVMKey, ciRustcKey)
	}
}

// onlyInGit refuses "if-unchanged" in a source archive, which has no history to ask.
func (l *loader) onlyInGit(c *Config, key string) {
	if l.tree() == sourceArchive {
		l.refuse(c, key, "set it to true or false", "`%s=if-unchanged` is only compatible with Git managed sources.", LastPart(key))
	}
}

func (l *loader) refuse(c *Config, key, hint, format string, args ...any) {
	l.fail(&Error{Where: c.Origin(key), Key: key, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// debugAssertions reports whether the compiler is to have them.
func debugAssertions(c *Config) bool {
	const key = "rust.debug-assertions"
	if c.IsSet(key) {
		return value[bool](c, key)
	}
	return value[bool](c, "rust.debug")
}

// ciBuilds reports whether upstream's CI builds LLVM and a compiler for a host, with
// LLVM's assertions or without (is_ci_llvm_available_for_target).
func ciBuilds(host targets.Triple, assertions bool) bool {
	hosts := ciHosts
	if assertions {
		hosts = ciHostsWithAssertions
	}
	return slices.Contains(strings.Fields(hosts), host.String())
}

const ciHostsWithAssertions = "x86_64-unknown-linux-gnu x86_64-apple-darwin x86_64-pc-windows-gnu x86_64-pc-windows-msvc"

const ciHosts = `
aarch64-apple-darwin aarch64-pc-windows-msvc aarch64-unknown-linux-gnu aarch64-unknown-linux-musl
arm-unknown-linux-gnueabi arm-unknown-linux-gnueabihf armv7-unknown-linux-gnueabihf
i686-pc-windows-gnu i686-pc-windows-msvc i686-unknown-linux-gnu
loongarch64-unknown-linux-gnu loongarch64-unknown-linux-musl
powerpc-unknown-linux-gnu powerpc64-unknown-linux-gnu powerpc64le-unknown-linux-gnu powerpc64le-unknown-linux-musl
riscv64gc-unknown-linux-gnu s390x-unknown-linux-gnu
x86_64-apple-darwin x86_64-pc-windows-gnu x86_64-pc-windows-msvc
x86_64-unknown-freebsd x86_64-unknown-illumos x86_64-unknown-linux-gnu x86_64-unknown-linux-musl x86_64-unknown-netbsd
`
