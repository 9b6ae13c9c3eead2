package marks_test

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/bootstrap/marks"
	"x.go/targets"
	"x.go/tests/testenv"
)

// machine is what an ELF file is for.
type machine struct {
	class   elf.Class
	data    elf.Data
	machine elf.Machine
	flags   uint32
	loader  string
}

var (
	arm64  = machine{elf.ELFCLASS64, elf.ELFDATA2LSB, elf.EM_AARCH64, 0, "/lib/ld-linux-aarch64.so.1"}
	s390x  = machine{elf.ELFCLASS64, elf.ELFDATA2MSB, elf.EM_S390, 0, "/lib/ld64.so.1"}
	armhf  = machine{elf.ELFCLASS32, elf.ELFDATA2LSB, elf.EM_ARM, 0x5000400, "/lib/ld-linux-armhf.so.3"}
	armel  = machine{elf.ELFCLASS32, elf.ELFDATA2LSB, elf.EM_ARM, 0x5000200, "/lib/ld-linux.so.3"}
	mips   = machine{elf.ELFCLASS64, elf.ELFDATA2LSB, elf.EM_MIPS, 0x80000007, "/lib64/ld.so.1"}
	ppc    = machine{elf.ELFCLASS64, elf.ELFDATA2LSB, elf.EM_PPC64, 2, "/lib64/ld64.so.2"}
	i386   = machine{elf.ELFCLASS32, elf.ELFDATA2LSB, elf.EM_386, 0, "/lib/ld-linux.so.2"}
	alpine = machine{elf.ELFCLASS64, elf.ELFDATA2LSB, elf.EM_X86_64, 0, "/lib/ld-musl-x86_64.so.1"}
	riscv  = machine{elf.ELFCLASS64, elf.ELFDATA2LSB, elf.EM_RISCV, 5, "/lib/ld-linux-riscv64-lp64d.so.1"}
)

// program returns an ELF file with an interpreter, and a text that is loaded with it.
func (m machine) program(text string) []byte {
	order := binary.AppendByteOrder(binary.LittleEndian)
	if m.data == elf.ELFDATA2MSB {
		order = binary.BigEndian
	}
	body := m.loader + "\x00" + text
	out := append([]byte(elf.ELFMAG), byte(m.class), byte(m.data), 1, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	half := func(v ...uint16) {
		for _, v := range v {
			out = order.AppendUint16(out, v)
		}
	}
	words := func(v ...uint32) {
		for _, v := range v {
			out = order.AppendUint32(out, v)
		}
	}
	addr := func(v ...int) {
		for _, v := range v {
			if m.class == elf.ELFCLASS64 {
				out = order.AppendUint64(out, uint64(v))
			} else {
				out = order.AppendUint32(out, uint32(v))
			}
		}
	}
	head, segment := 52, 32
	if m.class == elf.ELFCLASS64 {
		head, segment = 64, 56
	}
	half(uint16(elf.ET_DYN), uint16(m.machine))
	words(1)
	addr(0, head, 0)
	words(m.flags)
	half(uint16(head), uint16(segment), 2, 0, 0, 0)
	at := head + 2*segment
	for _, p := range []struct {
		kind elf.ProgType
		size int
	}{{elf.PT_INTERP, len(m.loader) + 1}, {elf.PT_LOAD, len(body)}} {
		words(uint32(p.kind))
		if m.class == elf.ELFCLASS64 {
			words(4)
			addr(at, at, at, p.size, p.size, 1)
		} else {
			addr(at, at, at, p.size, p.size)
			words(4)
			addr(1)
		}
	}
	return append(out, body...)
}

// metadata is the beginning of a crate's metadata.
func metadata(version string) string {
	text := "rustc " + version
	return "rust\x00\x00\x00\x0a\x35\x00\x00\x00\x00\x00\x00\x00" + string(rune(len(text))) + text + "\xc1"
}

// rlib is an archive with metadata.
func rlib(version string) string {
	data := metadata(version)
	if len(data)%2 == 1 {
		data += "\n"
	}
	return "!<arch>\n" + fmt.Sprintf("%-16s%-12d%-6d%-6d%-8o%-10d`\n", "lib.rmeta/", 0, 0, 0, 0o644, len(data)) + data
}

// tree writes files. One whose text begins with "@" is a program that holds the rest.
func tree(t *testing.T, m machine, files ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, f := range files {
		name, text, _ := strings.Cut(f, ": ")
		data := []byte(text)
		if rest, ok := strings.CutPrefix(text, "@"); ok {
			data = m.program(rest)
		}
		file := filepath.Join(root, filepath.FromSlash(name))
		testenv.Must(t, os.MkdirAll(filepath.Dir(file), 0o755))
		testenv.Must(t, os.WriteFile(file, data, 0o755))
	}
	return root
}

const (
	plain = "1.63.0"
	full  = "1.96.0 (ac68faa20 2026-05-25) (built from a source tarball)"
	hash  = "ac68faa20c58cbccd01ee7208bf3b6e93a7d7f96"
)

func std(host, version string) string {
	return "lib/rustlib/" + host + "/lib/libcore-1.rlib: " + rlib(version)
}

// TestHosts reads the host and the release of many machines.
func TestHosts(t *testing.T) {
	for _, tt := range []struct {
		name    string
		machine machine
		files   []string
		given   marks.Given
		want    string // host, version, commit and default linker, or a part of the error
	}{
		{"arm64", arm64, []string{"bin/rustc: @", std("aarch64-unknown-linux-gnu", plain), std("wasm32-unknown-unknown", plain)}, marks.Given{}, "aarch64-unknown-linux-gnu 1.63.0"},
		{"s390x", s390x, []string{"bin/rustc: @", std("s390x-unknown-linux-gnu", plain)}, marks.Given{}, "s390x-unknown-linux-gnu 1.63.0"},
		{"armhf beside armel", armhf, []string{"bin/rustc: @", std("armv7-unknown-linux-gnueabihf", plain), std("armv5te-unknown-linux-gnueabi", plain)}, marks.Given{}, "armv7-unknown-linux-gnueabihf 1.63.0"},
		{"armel beside armhf", armel, []string{"bin/rustc: @", std("armv7-unknown-linux-gnueabihf", plain), std("armv5te-unknown-linux-gnueabi", plain)}, marks.Given{}, "armv5te-unknown-linux-gnueabi 1.63.0"},
		{"mips64el", mips, []string{"bin/rustc: @", std("mips64el-unknown-linux-gnuabi64", plain)}, marks.Given{}, "mips64el-unknown-linux-gnuabi64 1.63.0"},
		{"ppc64el", ppc, []string{"bin/rustc: @", std("powerpc64le-unknown-linux-gnu", plain)}, marks.Given{}, "powerpc64le-unknown-linux-gnu 1.63.0"},
		{"riscv64", riscv, []string{"bin/rustc: @", std("riscv64gc-unknown-linux-gnu", plain)}, marks.Given{}, "riscv64gc-unknown-linux-gnu 1.63.0"},
		{"i386: programs tell which", i386, []string{"bin/rustc: @", std("i586-unknown-linux-gnu", plain), std("i686-unknown-linux-gnu", plain), "lib/rustlib/i686-unknown-linux-gnu/bin/gcc-ld/ld.lld: "}, marks.Given{}, "i686-unknown-linux-gnu 1.63.0"},
		{"musl, with a vendor of its own", alpine, []string{"bin/rustc: @", std("x86_64-alpine-linux-musl", plain), std("x86_64-unknown-linux-gnu", plain)}, marks.Given{}, "x86_64-alpine-linux-musl 1.63.0"},
		{"the commit", arm64, []string{"bin/rustc: @", "lib64/librustc_driver-1.so: @x" + full + "version" + hash + "2026", std("aarch64-unknown-linux-gnu", full)}, marks.Given{}, "aarch64-unknown-linux-gnu 1.96.0 (ac68faa20 2026-05-25) (built from a source tarball) " + hash},
		{"a compiler alone", arm64, []string{"bin/rustc: @", "lib/librustc_driver-1.so: @text1.95.0 (59807616e 2026-04-14)text"}, marks.Given{}, "aarch64-unknown-linux-gnu 1.95.0"},
		{"a target's std alone", arm64, []string{"bin/rustc: @", std("wasm32-unknown-unknown", plain)}, marks.Given{}, "give it with --release"},
		{"stripped of all marks", arm64, []string{"bin/rustc: @", "lib/rustlib/aarch64-unknown-linux-gnu/lib/libcore-1.rlib: x"}, marks.Given{}, "finding the release: nothing tells it"},
		{"stripped, the release given", arm64, []string{"bin/rustc: @"}, given(t, "", "1.63"), "aarch64-unknown-linux-gnu 1.63.0"},
		{"two releases", arm64, []string{"bin/rustc: @", std("aarch64-unknown-linux-gnu", plain), "lib/rustlib/aarch64-unknown-linux-gnu/lib/libcore-2.rlib: " + rlib("1.85.0")}, marks.Given{}, "the tree holds two"},
		{"two releases, one given", arm64, []string{"bin/rustc: @", std("aarch64-unknown-linux-gnu", plain), "lib/rustlib/aarch64-unknown-linux-gnu/lib/libcore-2.rlib: " + rlib("1.85.0")}, given(t, "", "1.85.0"), "aarch64-unknown-linux-gnu 1.85.0"},
		{"two releases, the compiler is of one", arm64, []string{"bin/rustc: @", "lib/librustc_driver-1.so: @ 1.85.0 ", std("aarch64-unknown-linux-gnu", plain), "lib/rustlib/aarch64-unknown-linux-gnu/lib/libcore-2.rlib: " + rlib("1.85.0")}, marks.Given{}, "aarch64-unknown-linux-gnu 1.85.0"},
		{"another release given", arm64, []string{"bin/rustc: @", std("aarch64-unknown-linux-gnu", plain)}, given(t, "", "1.64"), "got 1.64.0 by --release"},
		{"std of another release", arm64, []string{"bin/rustc: @", "lib/librustc_driver-1.so: @1.95.0 (59807616e 2026-04-14)", std("aarch64-unknown-linux-gnu", full)}, marks.Given{}, `is rustc "1.95.0 (59807616e 2026-04-14)": the tree holds parts of two releases`},
		{"a library for another machine", arm64, []string{"bin/rustc: @", "lib/librustc_driver-1.so: " + string(s390x.program("")), std("aarch64-unknown-linux-gnu", plain)}, marks.Given{}, "the tree holds parts of two toolchains"},
		{"another host given", arm64, []string{"bin/rustc: @", std("aarch64-unknown-linux-gnu", plain)}, given(t, "s390x-unknown-linux-gnu", ""), "is a program for ELF (aarch64, little endian, linux, gnu)"},
		{"several hosts fit", i386, []string{"bin/rustc: @", std("i586-foo-linux-gnu", plain), std("i586-unknown-linux-gnu", plain)}, marks.Given{}, "name the host with --host"},
		{"one of several given", i386, []string{"bin/rustc: @", std("i586-foo-linux-gnu", plain), std("i586-unknown-linux-gnu", plain)}, given(t, "i586-foo-linux-gnu", ""), "i586-foo-linux-gnu 1.63.0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := marks.Read(tree(t, tt.machine, tt.files...), "bin/rustc", tt.given)
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
	pe := make([]byte, 0x90)
	copy(pe, "MZ")
	pe[0x3c] = 0x80
	copy(pe[0x80:], "PE\x00\x00\x64\xaa")
	macho := "\xcf\xfa\xed\xfe\x0c\x00\x00\x01" + strings.Repeat("\x00", 56)
	fat := "\xca\xfe\xba\xbe\x00\x00\x00\x02" + "\x01\x00\x00\x07" + strings.Repeat("\x00", 16) + "\x01\x00\x00\x0c" + strings.Repeat("\x00", 16)
	for _, tt := range []struct{ name, program, text, host string }{
		{"PE", "bin/rustc.exe", string(pe), "aarch64-pc-windows-msvc"},
		{"Mach-O", "bin/rustc", macho, "aarch64-apple-darwin"},
		{"fat Mach-O", "bin/rustc", fat, "x86_64-apple-darwin"},
	} {
		root := tree(t, arm64, tt.program+": "+tt.text, std(tt.host, plain), std("wasm32-wasip1", plain))
		got, err := marks.Read(root, tt.program, marks.Given{})
		if err != nil || got.Host.String() != tt.host || got.Version.String() != plain {
			t.Errorf("%s: got %s %s, %v, want %s %s", tt.name, got.Host, got.Version, err, tt.host, plain)
		}
	}
}

// TestNoProgram wants an error for what is no program, and no fact that is only missing.
func TestNoProgram(t *testing.T) {
	root := tree(t, arm64, "bin/rustc: #!/bin/sh\n")
	_, err := marks.Read(root, "bin/rustc", marks.Given{})
	if _, missing := errors.AsType[*marks.MissingError](err); err == nil || missing || !strings.Contains(err.Error(), "want a program") {
		t.Errorf("got %v", err)
	}
}
