package marks_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/bootstrap/marks"
	"x.go/targets"
	"x.go/tests/foreign"
	"x.go/tests/testenv"
)

const (
	plain = "1.63.0"
	full  = "1.96.0 (ac68faa20 2026-05-25) (built from a source tarball)"
	hash  = "ac68faa20c58cbccd01ee7208bf3b6e93a7d7f96"
)

// TestHosts reads the host and the release of many machines.
func TestHosts(t *testing.T) {
	for _, tt := range []struct {
		name    string
		machine foreign.Machine
		files   []string
		given   marks.Given
		want    string // host, version, commit and default linker, or a part of the error
	}{
		{"arm64", foreign.ARM64, []string{"bin/rustc: @", foreign.Std("aarch64-unknown-linux-gnu", plain), foreign.Std("wasm32-unknown-unknown", plain)}, marks.Given{}, "aarch64-unknown-linux-gnu 1.63.0"},
		{"s390x", foreign.S390X, []string{"bin/rustc: @", foreign.Std("s390x-unknown-linux-gnu", plain)}, marks.Given{}, "s390x-unknown-linux-gnu 1.63.0"},
		{"armhf beside armel", foreign.ARMHF, []string{"bin/rustc: @", foreign.Std("armv7-unknown-linux-gnueabihf", plain), foreign.Std("armv5te-unknown-linux-gnueabi", plain)}, marks.Given{}, "armv7-unknown-linux-gnueabihf 1.63.0"},
		{"armel beside armhf", foreign.ARMEL, []string{"bin/rustc: @", foreign.Std("armv7-unknown-linux-gnueabihf", plain), foreign.Std("armv5te-unknown-linux-gnueabi", plain)}, marks.Given{}, "armv5te-unknown-linux-gnueabi 1.63.0"},
		{"mips64el", foreign.MIPS64EL, []string{"bin/rustc: @", foreign.Std("mips64el-unknown-linux-gnuabi64", plain)}, marks.Given{}, "mips64el-unknown-linux-gnuabi64 1.63.0"},
		{"ppc64el", foreign.PPC64LE, []string{"bin/rustc: @", foreign.Std("powerpc64le-unknown-linux-gnu", plain)}, marks.Given{}, "powerpc64le-unknown-linux-gnu 1.63.0"},
		{"riscv64", foreign.RISCV64, []string{"bin/rustc: @", foreign.Std("riscv64gc-unknown-linux-gnu", plain)}, marks.Given{}, "riscv64gc-unknown-linux-gnu 1.63.0"},
		{"i386: programs tell which", foreign.I386, []string{"bin/rustc: @", foreign.Std("i586-unknown-linux-gnu", plain), foreign.Std("i686-unknown-linux-gnu", plain), "lib/rustlib/i686-unknown-linux-gnu/bin/gcc-ld/ld.lld: "}, marks.Given{}, "i686-unknown-linux-gnu 1.63.0"},
		{"musl, with a vendor of its own", foreign.Musl, []string{"bin/rustc: @", foreign.Std("x86_64-alpine-linux-musl", plain), foreign.Std("x86_64-unknown-linux-gnu", plain)}, marks.Given{}, "x86_64-alpine-linux-musl 1.63.0"},
		{"the commit", foreign.ARM64, []string{"bin/rustc: @", "lib64/librustc_driver-1.so: @x" + full + "version" + hash + "2026", foreign.Std("aarch64-unknown-linux-gnu", full)}, marks.Given{}, "aarch64-unknown-linux-gnu 1.96.0 (ac68faa20 2026-05-25) (built from a source tarball) " + hash},
		{"a compiler alone", foreign.ARM64, []string{"bin/rustc: @", "lib/librustc_driver-1.so: @text1.95.0 (59807616e 2026-04-14)text"}, marks.Given{}, "aarch64-unknown-linux-gnu 1.95.0"},
		{"a target's std alone", foreign.ARM64, []string{"bin/rustc: @", foreign.Std("wasm32-unknown-unknown", plain)}, marks.Given{}, "give it with --release"},
		{"stripped of all marks", foreign.ARM64, []string{"bin/rustc: @", "lib/rustlib/aarch64-unknown-linux-gnu/lib/libcore-1.rlib: x"}, marks.Given{}, "finding the release: nothing tells it"},
		{"stripped, the release given", foreign.ARM64, []string{"bin/rustc: @"}, given(t, "", "1.63"), "aarch64-unknown-linux-gnu 1.63.0"},
		{"two releases", foreign.ARM64, []string{"bin/rustc: @", foreign.Std("aarch64-unknown-linux-gnu", plain), "lib/rustlib/aarch64-unknown-linux-gnu/lib/libcore-2.rlib: " + foreign.Rlib("1.85.0")}, marks.Given{}, "the tree holds two"},
		{"two releases, one given", foreign.ARM64, []string{"bin/rustc: @", foreign.Std("aarch64-unknown-linux-gnu", plain), "lib/rustlib/aarch64-unknown-linux-gnu/lib/libcore-2.rlib: " + foreign.Rlib("1.85.0")}, given(t, "", "1.85.0"), "aarch64-unknown-linux-gnu 1.85.0"},
		{"two releases, the compiler is of one", foreign.ARM64, []string{"bin/rustc: @", "lib/librustc_driver-1.so: @ 1.85.0 ", foreign.Std("aarch64-unknown-linux-gnu", plain), "lib/rustlib/aarch64-unknown-linux-gnu/lib/libcore-2.rlib: " + foreign.Rlib("1.85.0")}, marks.Given{}, "aarch64-unknown-linux-gnu 1.85.0"},
		{"another release given", foreign.ARM64, []string{"bin/rustc: @", foreign.Std("aarch64-unknown-linux-gnu", plain)}, given(t, "", "1.64"), "got 1.64.0 by --release"},
		{"std of another release", foreign.ARM64, []string{"bin/rustc: @", "lib/librustc_driver-1.so: @1.95.0 (59807616e 2026-04-14)", foreign.Std("aarch64-unknown-linux-gnu", full)}, marks.Given{}, `is rustc "1.95.0 (59807616e 2026-04-14)": the tree holds parts of two releases`},
		{"a library for another machine", foreign.ARM64, []string{"bin/rustc: @", "lib/librustc_driver-1.so: " + string(foreign.S390X.Program("")), foreign.Std("aarch64-unknown-linux-gnu", plain)}, marks.Given{}, "the tree holds parts of two toolchains"},
		{"another host given", foreign.ARM64, []string{"bin/rustc: @", foreign.Std("aarch64-unknown-linux-gnu", plain)}, given(t, "s390x-unknown-linux-gnu", ""), "is a program for ELF (aarch64, little endian, linux, gnu)"},
		{"several hosts fit", foreign.I386, []string{"bin/rustc: @", foreign.Std("i586-foo-linux-gnu", plain), foreign.Std("i586-unknown-linux-gnu", plain)}, marks.Given{}, "name the host with --host"},
		{"one of several given", foreign.I386, []string{"bin/rustc: @", foreign.Std("i586-foo-linux-gnu", plain), foreign.Std("i586-unknown-linux-gnu", plain)}, given(t, "i586-foo-linux-gnu", ""), "i586-foo-linux-gnu 1.63.0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := marks.Read(foreign.Tree(t, t.TempDir(), tt.machine, tt.files...), "bin/rustc", tt.given)
			if err != nil {
				if !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got %v, want %q", err, tt.want)
				}
				return
			}
			text := strings.TrimSpace(fmt.Sprintf("%s %s %s", got.Host, got.Version, got.Version.CommitHash))
			if diff := cmp.Diff(tt.want, text); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if len(got.Known) < 4 || got.Spec == nil {
				t.Errorf("got the facts %v, want four and a spec", got.Known)
			}
		})
	}
}

func given(t *testing.T, host, release string) (g marks.Given) {
	t.Helper()
	var err error
	if host != "" {
		g.Host, err = targets.ParseTriple(host)
		testenv.Must(t, err)
	}
	if release != "" {
		g.Release, err = targets.ParseRelease(release)
		testenv.Must(t, err)
	}
	return g
}

// TestOtherFormats reads the host of programs for Windows and macOS.
func TestOtherFormats(t *testing.T) {
	fat := "\xca\xfe\xba\xbe\x00\x00\x00\x02" + "\x01\x00\x00\x07" + strings.Repeat("\x00", 16) + "\x01\x00\x00\x0c" + strings.Repeat("\x00", 16)
	for _, tt := range []struct{ name, program, text, host string }{
		{"PE", "bin/rustc.exe", string(foreign.WindowsARM64.Program("")), "aarch64-pc-windows-msvc"},
		{"Mach-O", "bin/rustc", string(foreign.MacARM64.Program("")), "aarch64-apple-darwin"},
		{"fat Mach-O", "bin/rustc", fat, "x86_64-apple-darwin"},
	} {
		root := foreign.Tree(t, t.TempDir(), foreign.ARM64, tt.program+": "+tt.text, foreign.Std(tt.host, plain), foreign.Std("wasm32-wasip1", plain))
		got, err := marks.Read(root, tt.program, marks.Given{})
		if err != nil || got.Host.String() != tt.host || got.Version.String() != plain {
			t.Errorf("%s: got %s %s, %v, want %s %s", tt.name, got.Host, got.Version, err, tt.host, plain)
		}
	}
}

// TestNoProgram wants an error for what is no program, and no fact that is only missing.
func TestNoProgram(t *testing.T) {
	root := foreign.Tree(t, t.TempDir(), foreign.ARM64, "bin/rustc: #!/bin/sh\n")
	_, err := marks.Read(root, "bin/rustc", marks.Given{})
	if _, missing := errors.AsType[*marks.MissingError](err); err == nil || missing || !strings.Contains(err.Error(), "it is no program") {
		t.Errorf("got %v", err)
	}
}
