// Package foreign makes small toolchains of other machines, for tests: programs that are
// headers and texts, and libraries that are marks of rustc.
package foreign

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"x.go/tests/testenv"
)

// Machine is what an ELF file is for.
type Machine struct {
	class   elf.Class
	data    elf.Data
	machine elf.Machine
	flags   uint32
	loader  string
	header  string // of a program that is no ELF file
}

// Machines of hosts. That of Musl has Alpine's loader.
var (
	ARM64    = Machine{elf.ELFCLASS64, elf.ELFDATA2LSB, elf.EM_AARCH64, 0, "/lib/ld-linux-aarch64.so.1", ""}
	S390X    = Machine{elf.ELFCLASS64, elf.ELFDATA2MSB, elf.EM_S390, 0, "/lib/ld64.so.1", ""}
	ARMHF    = Machine{elf.ELFCLASS32, elf.ELFDATA2LSB, elf.EM_ARM, 0x5000400, "/lib/ld-linux-armhf.so.3", ""}
	ARMEL    = Machine{elf.ELFCLASS32, elf.ELFDATA2LSB, elf.EM_ARM, 0x5000200, "/lib/ld-linux.so.3", ""}
	MIPS64EL = Machine{elf.ELFCLASS64, elf.ELFDATA2LSB, elf.EM_MIPS, 0x80000007, "/lib64/ld.so.1", ""}
	PPC64LE  = Machine{elf.ELFCLASS64, elf.ELFDATA2LSB, elf.EM_PPC64, 2, "/lib64/ld64.so.2", ""}
	I386     = Machine{elf.ELFCLASS32, elf.ELFDATA2LSB, elf.EM_386, 0, "/lib/ld-linux.so.2", ""}
	Musl     = Machine{elf.ELFCLASS64, elf.ELFDATA2LSB, elf.EM_X86_64, 0, "/lib/ld-musl-x86_64.so.1", ""}
	RISCV64  = Machine{elf.ELFCLASS64, elf.ELFDATA2LSB, elf.EM_RISCV, 5, "/lib/ld-linux-riscv64-lp64d.so.1", ""}
)

// Machines of programs that are no ELF files.
var (
	WindowsX64   = Machine{header: pe("\x64\x86")}
	WindowsARM64 = Machine{header: pe("\x64\xaa")}
	WindowsX86   = Machine{header: pe("\x4c\x01")}
	MacX64       = Machine{header: "\xcf\xfa\xed\xfe\x07\x00\x00\x01" + strings.Repeat("\x00", 56)}
	MacARM64     = Machine{header: "\xcf\xfa\xed\xfe\x0c\x00\x00\x01" + strings.Repeat("\x00", 56)}
)

// pe returns the headers of a program for Windows.
func pe(machine string) string {
	return "MZ" + strings.Repeat("\x00", 0x3a) + "\x80\x00\x00\x00" + strings.Repeat("\x00", 0x40) + "PE\x00\x00" + machine + strings.Repeat("\x00", 16)
}

// Program returns a program that holds a text. An ELF file has an interpreter, and loads
// the text.
func (m Machine) Program(text string) []byte {
	if m.header != "" {
		return []byte(m.header + text)
	}
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

// Rlib is an archive with metadata.
func Rlib(version string) string {
	data := metadata(version)
	if len(data)%2 == 1 {
		data += "\n"
	}
	return "!<arch>\n" + fmt.Sprintf("%-16s%-12d%-6d%-6d%-8o%-10d`\n", "lib.rmeta/", 0, 0, 0, 0o644, len(data)) + data
}

// Tree writes files to a directory, and returns it. Each is a name, ": " and its text. One
// whose text begins with "@" is a program that holds the rest.
func Tree(t testing.TB, root string, m Machine, files ...string) string {
	t.Helper()
	for _, f := range files {
		name, text, _ := strings.Cut(f, ": ")
		data := []byte(text)
		if rest, ok := strings.CutPrefix(text, "@"); ok {
			data = m.Program(rest)
		}
		file := filepath.Join(root, filepath.FromSlash(name))
		testenv.Must(t, os.MkdirAll(filepath.Dir(file), 0o755))
		testenv.Must(t, os.WriteFile(file, data, 0o755))
	}
	return root
}

// Std is the file of a target's standard library that tells the version.
func Std(target, version string) string {
	return "lib/rustlib/" + target + "/lib/libcore-1.rlib: " + Rlib(version)
}

// Full is a version text, and Hash its commit.
const (
	Full = "1.95.0 (59807616e 2026-04-14)"
	Hash = "59807616e1fa2540724bfbac14d7976d7e4a3860"
)

// machines are those of [Sysroot].
var machines = map[string]Machine{
	"aarch64-unknown-linux-gnu": ARM64, "s390x-unknown-linux-gnu": S390X, "powerpc64le-unknown-linux-gnu": PPC64LE, "riscv64gc-unknown-linux-gnu": RISCV64,
	"x86_64-unknown-linux-musl": Musl, "i686-unknown-linux-gnu": I386,
	"x86_64-pc-windows-msvc": WindowsX64, "x86_64-pc-windows-gnu": WindowsX64, "aarch64-pc-windows-msvc": WindowsARM64, "i686-pc-windows-msvc": WindowsX86,
	"aarch64-apple-darwin": MacARM64, "x86_64-apple-darwin": MacX64,
}

// Sysroot writes a toolchain of release 1.95.0 for a host to a directory, and returns it:
// compiler, LLD, standard library, cargo and rust-src. More files are as those of [Tree];
// one without a text is removed.
func Sysroot(t testing.TB, root, host string, more ...string) string {
	t.Helper()
	m, ok := machines[host]
	if !ok {
		t.Fatalf("got host %q, want one of a machine that is known", host)
	}
	exe, driver, libstd := "", "lib/librustc_driver-1.so", "lib/libstd-1.so"
	switch {
	case strings.Contains(host, "windows"):
		exe, driver, libstd = ".exe", "bin/rustc_driver-1.dll", "bin/std-1.dll"
	case strings.Contains(host, "apple"):
		driver, libstd = "lib/librustc_driver-1.dylib", "lib/libstd-1.dylib"
	}
	own := "lib/rustlib/" + host + "/"
	files := []string{
		"bin/rustc" + exe + ": @", "bin/rustdoc" + exe + ": @", driver + ": @x" + Full + "version" + Hash + "2026", libstd + ": @", "lib/rustlib/etc/lldb_commands: text",
		"bin/cargo" + exe + ": @", "lib/rustlib/src/rust/library/core/src/lib.rs: text", "lib/rustlib/src/rust/library/std/Cargo.toml: text", own + "bin/rust-lld" + exe + ": @", Std(host, Full), own + "lib/libstd-1.rlib: text",
	}
	for _, name := range []string{"ld.lld", "ld64.lld", "lld-link", "wasm-ld"} {
		files = append(files, own+"bin/gcc-ld/"+name+exe+": @")
	}
	Tree(t, root, m, files...)
	for _, f := range more {
		if name, _, text := strings.Cut(f, ": "); text {
			Tree(t, root, m, f)
		} else {
			testenv.Must(t, os.RemoveAll(filepath.Join(root, filepath.FromSlash(name))))
		}
	}
	return root
}
