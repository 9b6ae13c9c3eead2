package toolchain

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/bootstrap/config"
	"x.go/targets"
	"x.go/tests/testenv"
)

// elfMaker links small ELF files with the machine's C compiler.
type elfMaker struct {
	t      *testing.T
	cc     string
	object string
	stubs  string // libraries to link against, by their names
}

func newELFMaker(t *testing.T) *elfMaker {
	m := &elfMaker{t: t, cc: testenv.Need(t, "gcc"), stubs: t.TempDir()}
	source := filepath.Join(m.stubs, "empty.c")
	testenv.Must(t, os.WriteFile(source, []byte("void _start(void) {}\n"), 0o644))
	m.object = filepath.Join(m.stubs, "empty.o")
	m.run("-c", "-fPIC", source, "-o", m.object)
	return m
}

func (m *elfMaker) run(args ...string) {
	m.t.Helper()
	if out, err := exec.Command(m.cc, args...).CombinedOutput(); err != nil {
		m.t.Fatalf("%s %q: %v\n%s", m.cc, args, err, out)
	}
}

// link writes a file: a library if its name has ".so", else a program. words are the
// names of needed libraries, and "runpath=PATH", "rpath=PATH", "interpreter=PATH".
func (m *elfMaker) link(file string, words ...string) {
	args := []string{"-nostdlib", m.object, "-o", file, "-L" + m.stubs, "-Wl,--no-as-needed"}
	if name := filepath.Base(file); strings.Contains(name, ".so") {
		args = append(args, "-shared", "-Wl,-soname,"+name)
	} else {
		args = append(args, "-pie", "-Wl,--dynamic-linker=/lib64/ld-linux-x86-64.so.2")
	}
	for _, w := range words {
		kind, value, ok := strings.Cut(w, "=")
		switch {
		case !ok:
			if _, err := os.Stat(filepath.Join(m.stubs, w)); err != nil {
				m.run("-nostdlib", "-shared", m.object, "-o", filepath.Join(m.stubs, w), "-Wl,-soname,"+w)
			}
			args = append(args, "-l:"+w)
		case kind == "runpath":
			args = append(args, "-Wl,--enable-new-dtags", "-Wl,-rpath,"+value)
		case kind == "rpath":
			args = append(args, "-Wl,--disable-new-dtags", "-Wl,-rpath,"+value)
		case kind == "interpreter":
			args = append(args, "-Wl,--dynamic-linker="+value)
		}
	}
	m.run(args...)
}

// sysroot writes a tree: "NAME = WORD..." is an ELF file, "NAME -> TARGET" a link,
// "NAME: TEXT" a file. ROOT stands for the directory of the tree in all of them.
func (m *elfMaker) sysroot(lines ...string) Toolchain {
	m.t.Helper()
	root := filepath.Join(m.t.TempDir(), "usr")
	for _, line := range lines {
		line = strings.ReplaceAll(line, "ROOT", root)
		name, words, isELF := strings.Cut(line, " =")
		link, target, isLink := strings.Cut(line, " -> ")
		textName, text, isText := strings.Cut(line, ": ")
		at := func(name string) string {
			p := filepath.Join(root, name)
			testenv.Must(m.t, os.MkdirAll(filepath.Dir(p), 0o755))
			return p
		}
		switch {
		case isLink:
			testenv.Must(m.t, os.Symlink(target, at(link)))
		case isText:
			testenv.Must(m.t, os.WriteFile(at(textName), []byte(text+"\n"), 0o755))
		case isELF:
			m.link(at(name), strings.Fields(words)...)
		default:
			testenv.Must(m.t, os.WriteFile(at(line), nil, 0o644))
		}
	}
	return Toolchain{Sysroot: root, Host: triple(m.t, "x86_64-unknown-linux-gnu"), Spec: &targets.Spec{}}
}

// packed is what a toolchain gives: the files of each component, what the system has
// to bring, the programs that are fixed to a place, and the errors.
type packed struct {
	Files  map[string][]string
	System []string
	Fixed  []string
	Stops  []string
	Told   []string
}

func pack(t *testing.T, tc Toolchain) packed {
	t.Helper()
	in, err := ReadInput(tc)
	if err != nil {
		t.Fatal(err)
	}
	components, err := tc.WithoutLLD(in.Components)
	if err != nil {
		t.Fatal(err)
	}
	l := tc.ReadLibraries(components)
	p := packed{Files: map[string][]string{}, System: slices.Sorted(maps.Keys(l.System)), Fixed: slices.Sorted(maps.Keys(l.Fixed))}
	for _, f := range in.Findings {
		p.Told = append(p.Told, string(f.Severity)+": "+f.Text())
	}
	for _, c := range l.WithLibraries(components) {
		v := c.Judge(tc, c.Wanted(config.Config{}, tc.Host), false)
		if v.Finding != nil {
			p.Told = append(p.Told, string(v.Finding.Severity)+": "+v.Finding.Text())
		}
		if v.Err != nil {
			p.Stops = append(p.Stops, v.Err.Error())
		}
		if !v.Packed {
			continue
		}
		for e := range c.Image.Entries() {
			if !strings.HasSuffix(e.Name, ".rlib") {
				p.Files[c.Spec.Archive] = append(p.Files[c.Spec.Archive], e.Name)
			}
		}
	}
	return p
}

// Libraries of the trees below.
const (
	driver    = "librustc_driver-0a1b.so"
	std       = "libstd-0a1b.so"
	rustLLVM  = "libLLVM.so.22.1-rust-1.95.0-stable"
	systemLLD = "libLLVM-14.so.1"
	hostLib   = "lib/rustlib/x86_64-unknown-linux-gnu/lib/"
	hostBin   = "lib/rustlib/x86_64-unknown-linux-gnu/bin/"
	rlib      = hostLib + "libcore-1.rlib"
)

// TestLayouts packs trees as rustup, x.py and distributions lay them out.
func TestLayouts(t *testing.T) {
	const libexec = "libexec/rust-analyzer-proc-macro-srv"
	origin, up := "runpath=$ORIGIN/../lib", "runpath=$ORIGIN/../lib64"
	for _, tt := range []struct {
		name string
		tree []string
		want packed
	}{
		{"official", []string{rlib, "bin/rustc = libc.so.6 " + driver + " " + origin, "lib/" + driver + " = libc.so.6 libgcc_s.so.1 " + rustLLVM + " " + origin,
			"lib/" + rustLLVM + " = libc.so.6", hostBin + "rust-objcopy = " + rustLLVM + " " + origin, "bin/clippy-driver = " + driver + " " + origin, "bin/cargo-clippy = libc.so.6"},
			packed{Files: map[string][]string{"rustc": {"bin/rustc", "lib/" + rustLLVM, "lib/" + driver, hostBin + "rust-objcopy"}, "rust-std": nil, "clippy": {"bin/cargo-clippy", "bin/clippy-driver"}}}},
		{"Debian 12", []string{rlib, "bin/rustc = libc.so.6 " + driver, libexec + " = " + driver, "lib/x86_64-linux-gnu/" + driver + " = libLLVM.so.22.1 libstdc++.so.6 libc.so.6",
			"bin/cargo = libssl.so.3 libc.so.6", "lib/x86_64-linux-gnu/libother.so = libc.so.6", "share/doc/rustc/copyright"},
			packed{Files: map[string][]string{"rustc": {"bin/rustc", "lib/x86_64-linux-gnu/" + driver, libexec}, "rust-std": nil, "cargo": {"bin/cargo"}},
				System: []string{"libLLVM.so.22.1", "libssl.so.3", "libstdc++.so.6"}, Fixed: []string{"bin/rustc", libexec},
				Told: []string{`note: licences belong to no component, and are not packaged: ["share/doc/rustc/copyright"]; copy what has to go with the toolchain to share/doc/rust/licenses`,
					`note: libraries belong to no component, and no program finds them by its own search path, so they are not packaged: ["lib/x86_64-linux-gnu/libother.so"]`}}},
		{"Debian, with libstd that rustc needs", []string{rlib, "bin/rustc = " + driver + " " + std, "lib/x86_64-linux-gnu/" + driver + " = " + std, "lib/x86_64-linux-gnu/" + std + " = libc.so.6",
			hostLib + std + " -> ../../../x86_64-linux-gnu/" + std, hostBin + "gcc-ld/ld -> ../../../../../bin/rust-lld", "bin/rust-lld -> lld-14"},
			packed{Files: map[string][]string{"rustc": {"bin/rustc", "lib/x86_64-linux-gnu/" + driver, "lib/x86_64-linux-gnu/" + std}, "rust-std": {hostLib + std}}, Fixed: []string{"bin/rustc"},
				Told: []string{`note: it holds ["ld"], the names of 2021: rustc has the C compiler look for ld.lld, so they are not packaged`}}},
		{"Debian, with a system around it", []string{rlib, "sbin/init = libc.so.6", "bin/rustc = " + driver, "lib/x86_64-linux-gnu/" + driver + " = libLLVM.so.22.1", "lib/x86_64-linux-gnu/libLLVM.so.22.1 = libc.so.6",
			"lib/x86_64-linux-gnu/librustc_driver-older.so = libc.so.6"},
			packed{Files: map[string][]string{"rustc": {"bin/rustc", "lib/x86_64-linux-gnu/" + driver}, "rust-std": nil}, System: []string{"libLLVM.so.22.1"}, Fixed: []string{"bin/rustc"}}},
		{"Fedora", []string{rlib, "bin/rustc = " + driver, "lib64/" + driver + " = libLLVM.so.21.1 " + std, "lib64/" + std + " = libc.so.6", hostLib + std + " -> ../../../../lib64/" + std},
			packed{Files: map[string][]string{"rustc": {"bin/rustc", "lib64/" + driver, "lib64/" + std}, "rust-std": {hostLib + std}}, System: []string{"libLLVM.so.21.1"}, Fixed: []string{"bin/rustc"}}},
		{"openSUSE: lib64 by search path", []string{rlib, "bin/rustc = " + driver + " " + up, "lib64/" + driver + " = libc.so.6 libmine.so.1 " + up, "lib64/libmine.so.1 = libc.so.6"},
			packed{Files: map[string][]string{"rustc": {"bin/rustc", "lib64/libmine.so.1", "lib64/" + driver}, "rust-std": nil}}},
		{"libraries of the system that several need", []string{rlib, "bin/rustc = libc.so.6", "bin/cargo = libssl.so.3 libcrypto.so.3", "lib64/libssl.so.3 = libcrypto.so.3", "lib64/libcrypto.so.3 = libc.so.6"},
			packed{Files: map[string][]string{"rustc": {"bin/rustc"}, "rust-std": nil, "cargo": {"bin/cargo"}}, System: []string{"libcrypto.so.3", "libssl.so.3"},
				Told: []string{`note: libraries belong to no component, and no program finds them by its own search path, so they are not packaged: ["lib64/libcrypto.so.3" "lib64/libssl.so.3"]`}}},
		{"lib64 is a link to lib", []string{rlib, "lib64 -> lib", "bin/rustc = " + driver, "lib/" + driver + " = libc.so.6"},
			packed{Files: map[string][]string{"rustc": {"bin/rustc", "lib/" + driver}, "rust-std": nil}, Fixed: []string{"bin/rustc"}}},
		{"Arch: a system's lib, several LLVMs and an older Rust", []string{rlib, "include/stdio.h", "bin/rustc = " + driver + " " + origin, "lib/" + driver + " = libLLVM.so.22.1 libc.so.6 " + origin,
			"lib/libLLVM.so.22.1 = libc.so.6", "lib/libLLVM-15.so = libc.so.6", "lib/librustc_driver-older.so = libc.so.6", "lib/libssl.so.3 = libc.so.6", "bin/cargo = libssl.so.3 " + origin},
			packed{Files: map[string][]string{"rustc": {"bin/rustc", "lib/" + driver}, "rust-std": nil, "cargo": {"bin/cargo"}}, System: []string{"libLLVM.so.22.1", "libssl.so.3"}}},
		{"in a directory of a search path", []string{rlib, "bin/rustc = " + driver + " runpath=$ORIGIN/../libexec/rust", "libexec/rust/" + driver + " = libc.so.6"},
			packed{Files: map[string][]string{"rustc": {"bin/rustc", "libexec/rust/" + driver}, "rust-std": nil}}},
		{"DT_RPATH of the program counts for its libraries", []string{rlib, "bin/rustc = " + driver + " rpath=$ORIGIN/../lib/rust", "lib/rust/" + driver + " = " + std, "lib/rust/" + std + " = libc.so.6"},
			packed{Files: map[string][]string{"rustc": {"bin/rustc", "lib/rust/" + driver, "lib/rust/" + std}, "rust-std": nil}}},
		{"DT_RUNPATH does not", []string{rlib, "bin/rustc = " + driver + " runpath=$ORIGIN/../lib/rust", "lib/rust/" + driver + " = " + std, "lib/rust/" + std + " = libc.so.6"},
			packed{Files: map[string][]string{"rust-std": nil}, Stops: []string{`checking component "rustc": "lib/rust/librustc_driver-0a1b.so" needs "libstd-0a1b.so", which the sysroot does not have`},
				Told: []string{`note: libraries belong to no component, and no program finds them by its own search path, so they are not packaged: ["lib/rust/libstd-0a1b.so"]`}}},
		{"Nix", []string{rlib, "bin/rustc = " + driver + " runpath=ROOT/lib interpreter=/nix/store/1-glibc/lib/ld-linux-x86-64.so.2", "lib/" + driver + " = libLLVM.so.21.1 runpath=ROOT/lib:/nix/store/2-llvm/lib"},
			packed{Files: map[string][]string{"rustc": {"bin/rustc", "lib/" + driver}, "rust-std": nil}, System: []string{"libLLVM.so.21.1"}, Fixed: []string{"bin/rustc"}}},
		{"staged for another place", []string{rlib, "bin/rustc = " + driver + " runpath=/usr/lib/rust", "lib/rust/" + driver + " = libc.so.6"},
			packed{Files: map[string][]string{"rustc": {"bin/rustc", "lib/rust/" + driver}, "rust-std": nil}, Fixed: []string{"bin/rustc"}}},
		{"own library is nowhere", []string{rlib, "bin/rustc = " + driver + " " + origin},
			packed{Files: map[string][]string{"rust-std": nil}, Stops: []string{`checking component "rustc": "bin/rustc" needs "librustc_driver-0a1b.so", which the sysroot does not have`}}},
		{"of an optional component", []string{rlib, "bin/rustc = libc.so.6", "bin/rustfmt = librustc_driver-ffff.so", "bin/cargo-fmt = libc.so.6"},
			packed{Files: map[string][]string{"rustc": {"bin/rustc"}, "rust-std": nil},
				Told: []string{`note: component rustfmt is left out, because the toolchain does not have all of it: "bin/rustfmt" needs "librustc_driver-ffff.so", which the sysroot does not have`}}},
		{"a library for another machine is passed over", []string{rlib, "bin/rustc = " + driver, "lib64/" + driver + ": no ELF file", "lib/x86_64-linux-gnu/" + driver + " = libc.so.6"},
			packed{Files: map[string][]string{"rustc": {"bin/rustc", "lib/x86_64-linux-gnu/" + driver}, "rust-std": nil}, Fixed: []string{"bin/rustc"},
				Told: []string{`note: libraries belong to no component, and no program finds them by its own search path, so they are not packaged: ["lib64/librustc_driver-0a1b.so"]`}}},
		{"links into other packages", []string{rlib, "bin/rustc = libc.so.6", hostBin + "llvm-cov -> ../../../../bin/llvm-cov-22", hostBin + "rust-objcopy -> ../../../../bin/llvm-objcopy-22", "share/man/man1/rustc.1 -> rustc.1.gz"},
			packed{Files: map[string][]string{"rust-std": nil},
				Told:  []string{`note: component llvm-tools is left out, because the toolchain does not have all of it: following symbolic link "ROOT/` + hostBin + `llvm-cov": no such file or directory: repair or remove the link`},
				Stops: []string{`checking component "rustc": following symbolic link "ROOT/share/man/man1/rustc.1": no such file or directory: repair or remove the link`}}},
		{"a helper that is a link into another package", []string{rlib, "bin/rustc = libc.so.6", hostBin + "rust-objcopy -> ../../../../bin/llvm-objcopy-22"},
			packed{Files: map[string][]string{"rustc": {"bin/rustc"}, "rust-std": nil},
				Told: []string{`warning: it is left out: following symbolic link "ROOT/` + hostBin + `rust-objcopy": no such file or directory: repair or remove the link`}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tc := newELFMaker(t).sysroot(tt.tree...)
			got := pack(t, tc)
			for _, list := range []*[]string{&got.Told, &got.Stops} {
				for i, text := range *list {
					(*list)[i] = strings.ReplaceAll(text, tc.Sysroot, "ROOT")
				}
			}
			if tt.want.Files["rust-std"] == nil {
				delete(tt.want.Files, "rust-std")
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestStrangeNames has a terminal's commands in the names of files.
func TestStrangeNames(t *testing.T) {
	l := Libraries{System: map[string][]string{"lib\x1b.so": {"bin/\x1b[2J"}}, Fixed: map[string]string{"bin/\x1b[2J": "a reason"}}
	findings := l.Findings("/opt/rust")
	for _, f := range findings {
		if strings.Contains(f.Text(), "\x1b") || !strings.Contains(f.Text(), `"bin/\x1b[2J"`) {
			t.Errorf("got %q, want the names quoted", f.Text())
		}
	}
	if len(findings) != 2 {
		t.Errorf("got %d findings, want 2", len(findings))
	}
}

// TestOutside has a library of the toolchain that only an absolute path leads to.
func TestOutside(t *testing.T) {
	m := newELFMaker(t)
	other := m.sysroot("lib/" + driver + " = libc.so.6")
	got := pack(t, m.sysroot(rlib, "bin/rustc = "+driver+" runpath="+path.Join(other.Sysroot, "lib")))
	want := fmt.Sprintf(`checking component "rustc": "bin/rustc" needs %q, which is outside of the sysroot, at %q`, driver, path.Join(other.Sysroot, "lib", driver))
	if diff := cmp.Diff([]string{want}, got.Stops); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestWrappers has something else than a program as bin/rustc.
func TestWrappers(t *testing.T) {
	m := newELFMaker(t)
	binary := filepath.Join(m.stubs, "wrapper.c")
	testenv.Must(t, os.WriteFile(binary, []byte("void _start(void) {}\nconst char *DOCS = \"# ------\\n# The C-code for this binary wrapper has been generated using the following command:\\n\\n\\nmakeCWrapper '/nix/store/1-rustc/bin/.rustc-wrapped' \\\\\\n    --inherit-argv0\\n\";\n"), 0o644))
	m.run("-c", "-fPIC", binary, "-o", filepath.Join(m.stubs, "wrapper.o"))
	for _, tt := range []struct{ name, rustc, behind string }{
		{"shell", "#!/bin/sh\nexec /opt/rust/bin/.rustc-wrapped \"$@\"", "/opt/rust/bin/.rustc-wrapped"},
		{"Nix", "#! /nix/store/1-bash/bin/bash -e\nexport PATH='/nix/store/2-gcc/bin'\nexec -a \"$0\" \"/nix/store/3-rustc/bin/.rustc-wrapped\"  --sysroot /nix/store/4-rust \"$@\"", "/nix/store/3-rustc/bin/.rustc-wrapped"},
		{"Guix", "#!/gnu/store/1-bash/bin/bash\nexport LIBRARY_PATH=\"/gnu/store/2-gcc/lib\"\nexec -a \"$0\" \"/gnu/store/3-rust/bin/.rustc-real\" \"$@\"", "/gnu/store/3-rust/bin/.rustc-real"},
		{"Python", "#!/usr/bin/env python3\nimport os, sys\nos.execv('/opt/rust/bin/rustc', sys.argv)", "/opt/rust/bin/rustc"},
		{"Perl", "#!/usr/bin/perl\nexec '/opt/rust/bin/rustc', @ARGV;", "/opt/rust/bin/rustc"},
		{"Guile", "#!/gnu/store/1-guile/bin/guile --no-auto-compile\n!#\n(apply execl \"/gnu/store/2-rust/bin/.rustc-real\" (car (command-line)) (cdr (command-line)))", "/gnu/store/2-rust/bin/.rustc-real"},
		{"by the directory", "#!/bin/sh\nexec \"$(dirname \"$0\")/../libexec/rustc\" \"$@\"", "/../libexec/rustc"},
		{"found at run time", "#!/bin/sh\nr=$(find_it)\n\"$r\" \"$@\"", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tc := m.sysroot(rlib, "bin/rustc: "+tt.rustc)
			refused(t, pack(t, tc), "a script", tt.behind)
		})
	}
	t.Run("binary", func(t *testing.T) {
		tc := m.sysroot(rlib, "bin/rustc = libc.so.6")
		m.run("-nostdlib", "-pie", filepath.Join(m.stubs, "wrapper.o"), "-o", filepath.Join(tc.Sysroot, "bin/rustc"))
		refused(t, pack(t, tc), "a binary wrapper", "/nix/store/1-rustc/bin/.rustc-wrapped")
	})
	t.Run("of cargo and rustfmt", func(t *testing.T) {
		got := pack(t, m.sysroot(rlib, "bin/rustc = libc.so.6", "bin/cargo: #!/bin/sh\nexec /x/.cargo-wrapped \"$@\"", "bin/rustfmt: #!/bin/sh\nexec /x/.rustfmt-wrapped \"$@\"", "bin/cargo-fmt = libc.so.6"))
		if len(got.Stops) != 1 || !strings.Contains(got.Stops[0], `"/x/.cargo-wrapped"`) || !strings.Contains(got.Stops[0], `as its "bin/cargo"`) || len(got.Told) != 1 || !strings.Contains(got.Told[0], `"/x/.rustfmt-wrapped"`) {
			t.Errorf("got %q and %q, want cargo to stop the work and rustfmt to be left out", got.Stops, got.Told)
		}
	})
	t.Run("a script that runs nothing", func(t *testing.T) {
		got := pack(t, m.sysroot(rlib, "bin/rustc: #!/bin/sh\necho rustc", "bin/rust-gdb: #!/bin/sh\nexec gdb \"$@\""))
		want := packed{Files: map[string][]string{"rustc": {"bin/rust-gdb", "bin/rustc"}},
			Told: []string{`warning: "bin/rustc" is a script, not a program: it is packaged as it is; give a toolchain with the program itself`}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// refused requires that a wrapper stops the work, with the name of the program.
func refused(t *testing.T, got packed, what, behind string) {
	t.Helper()
	if len(got.Stops) != 1 || !strings.Contains(got.Stops[0], "it is "+what+" that runs ") || !strings.Contains(got.Stops[0], behind) || len(got.Files["rustc"]) > 0 {
		t.Errorf("got %+v, want bin/rustc refused as %s that runs %q", got, what, behind)
	}
}
