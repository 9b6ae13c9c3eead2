package marks

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"x.go/dist/inspect"
	"x.go/dist/linkage"
	"x.go/targets"
)

// Platform is what a program says of the machine that runs it.
type Platform struct {
	Format inspect.Format
	// ELF holds the machine of an ELF file; it is zero for others.
	ELF elf.Machine
	// Class and Data are of an ELF file.
	Class elf.Class
	Data  elf.Data
	flags uint32
	// Interpreter is the loader of an ELF file; "" if it has none.
	Interpreter string

	needed []string // libraries that an ELF file names

	arches []string // as in a target's specification; several for a Mach-O file of several parts
	os     string   // "" where nothing tells
	env    string   // gnu, musl, uclibc; "" where nothing tells
	abi    string   // "" where nothing tells
}

// ReadPlatform reads the program at a path. The error says that it is no program.
func ReadPlatform(name string) (Platform, error) {
	f, err := os.Open(name)
	if err != nil {
		return Platform{}, fmt.Errorf("reading the machine of %q: %w", name, err)
	}
	defer f.Close()
	e, err := linkage.Open(f)
	switch {
	case err == nil:
		p, err := elfPlatform(e)
		if err != nil {
			return Platform{}, fmt.Errorf("reading the machine of %q: %w", name, err)
		}
		return p, nil
	case !errors.Is(err, linkage.ErrNotELF):
		return Platform{}, fmt.Errorf("reading the machine of %q: %w", name, err)
	}
	return otherPlatform(f, name)
}

// otherPlatform reads a program that is no ELF file.
func otherPlatform(f io.ReaderAt, name string) (Platform, error) {
	format, machines, err := inspect.Machines(f)
	if err != nil {
		return Platform{}, fmt.Errorf("reading the machine of %q: %w", name, err)
	}
	p := Platform{Format: format}
	switch format {
	case inspect.PE:
		p.os = "windows"
	case inspect.MachO:
		p.os = "macos"
	default:
		return Platform{}, fmt.Errorf("reading the machine of %q: it is no program: it begins as no ELF, Mach-O or PE file does", name)
	}
	for _, m := range machines {
		if m == "i386" {
			m = "x86"
		}
		p.arches = append(p.arches, m)
	}
	if len(p.arches) == 0 {
		return Platform{}, fmt.Errorf("reading the machine of %q: got a %s file for no machine that x knows", name, format)
	}
	return p, nil
}

// elfArches are the architectures of targets by the machine of an ELF file: of 32 bits
// and of 64 bits.
var elfArches = map[elf.Machine][2]string{
	elf.EM_386: {"x86", ""}, elf.EM_X86_64: {"x86_64", "x86_64"}, elf.EM_ARM: {"arm", ""}, elf.EM_AARCH64: {"aarch64", "aarch64"},
	elf.EM_PPC: {"powerpc", ""}, elf.EM_PPC64: {"", "powerpc64"}, elf.EM_S390: {"", "s390x"}, elf.EM_RISCV: {"riscv32", "riscv64"},
	elf.EM_LOONGARCH: {"loongarch32", "loongarch64"}, elf.EM_SPARC: {"sparc", ""}, elf.EM_SPARC32PLUS: {"sparc", ""}, elf.EM_SPARCV9: {"", "sparc64"},
	elf.EM_68K: {"m68k", ""}, elf.EM_QDSP6: {"hexagon", ""}, 252: {"csky", ""},
}

// Flags of ELF files that tell the ABI, from the supplements of the processors.
const (
	armSoft, armHard = 0x200, 0x400 // EF_ARM_ABI_FLOAT_SOFT, _HARD
	mipsABI2         = 0x20         // EF_MIPS_ABI2: n32
	mipsArch         = 0xf0000000   // EF_MIPS_ARCH
	mips32r6         = 0x90000000
	mips64r6         = 0xa0000000
	ppc64ABI         = 3 // EF_PPC64_ABI
)

func elfPlatform(e *linkage.File) (Platform, error) {
	p := Platform{Format: inspect.ELF, ELF: e.Machine, Class: e.Class, Data: e.Data, flags: e.Flags}
	info, err := e.Loaded()
	if err != nil {
		return Platform{}, err
	}
	p.needed, p.Interpreter = info.Needed, info.Interpreter
	arch := elfArches[e.Machine][1]
	if e.Class == elf.ELFCLASS32 {
		arch = elfArches[e.Machine][0]
	}
	p.system(e, info)
	switch e.Machine {
	case elf.EM_X86_64:
		if e.Class == elf.ELFCLASS32 {
			p.abi = "x32"
		}
	case elf.EM_AARCH64:
		if e.Class == elf.ELFCLASS32 {
			p.abi = "ilp32"
		}
	case elf.EM_ARM:
		p.abi = armABI(e.Flags, info.Interpreter)
	case elf.EM_MIPS:
		arch = p.mips()
	case elf.EM_PPC64:
		p.abi = map[uint32]string{1: "elfv1", 2: "elfv2"}[e.Flags&ppc64ABI]
	}
	if arch == "" {
		return Platform{}, fmt.Errorf("got an ELF file of %s for %s, which x knows no host of Rust for", e.Class, e.Machine)
	}
	p.arches = []string{arch}
	return p, nil
}

// armABI tells the two ways in which floating-point numbers are passed. Old linkers set
// no flag; then the name of the loader tells.
func armABI(flags uint32, interpreter string) string {
	base := path.Base(interpreter)
	switch {
	case flags&armHard != 0, strings.HasSuffix(base, "armhf.so.3"), strings.Contains(base, "armhf.so.1"):
		return "eabihf"
	case flags&armSoft != 0, base == "ld-linux.so.3":
		return "eabi"
	}
	return ""
}

// mips returns the architecture, and sets the ABI.
func (p *Platform) mips() string {
	bits := "mips"
	if p.Class == elf.ELFCLASS64 {
		bits, p.abi = "mips64", "abi64"
	}
	switch p.flags & mipsArch {
	case mips32r6:
		return "mips32r6"
	case mips64r6:
		return "mips64r6"
	}
	if p.flags&mipsABI2 != 0 {
		p.abi = "abin32"
	}
	return bits
}

// loaders are the names of interpreters, and the system that has them.
var loaders = []struct{ pattern, os, env string }{
	{"ld-linux*", "linux", "gnu"}, {"ld64.so.*", "linux", "gnu"}, {"ld-musl-*", "linux", "musl"}, {"ld-uClibc*", "linux", "uclibc"}, {"ld64-uClibc*", "linux", "uclibc"},
	{"ld-elf*.so.1", "freebsd", ""}, {"ld.elf_so*", "netbsd", ""}, {"ld-elf.so.2", "dragonfly", ""}, {"linker", "android", ""}, {"linker64", "android", ""},
	{"runtime_loader", "haiku", ""}, {"ldqnx*", "nto", ""},
}

// system tells the operating system and the C library by the interpreter, by the
// libraries that are needed, and by the identification.
func (p *Platform) system(e *linkage.File, info linkage.Info) {
	base := path.Base(info.Interpreter)
	for _, l := range loaders {
		if ok, err := path.Match(l.pattern, base); ok && err == nil {
			p.os, p.env = l.os, l.env
			return
		}
	}
	needs := func(name string) bool { return slices.Contains(info.Needed, name) }
	switch {
	case base == "ld.so.1" && (e.Machine == elf.EM_MIPS || e.Machine == elf.EM_PPC || e.Machine == elf.EM_68K):
		p.os, p.env = "linux", "gnu" // glibc's name there
	case info.Interpreter == "/usr/libexec/ld.so":
		p.os = "openbsd"
	case base == "ld.so.1" || e.OSABI == elf.ELFOSABI_SOLARIS: // solaris, or illumos
	case e.OSABI == elf.ELFOSABI_FREEBSD:
		p.os = "freebsd"
	case needs("libc.so.6"):
		p.os, p.env = "linux", "gnu"
	case slices.ContainsFunc(info.Needed, func(n string) bool { return strings.HasPrefix(n, "libc.musl-") }):
		p.os, p.env = "linux", "musl"
	}
}

// String describes the platform for an error.
func (p Platform) String() string {
	words := []string{strings.Join(p.arches, " and ")}
	if p.Format == inspect.ELF {
		words = append(words, map[elf.Data]string{elf.ELFDATA2LSB: "little endian", elf.ELFDATA2MSB: "big endian"}[p.Data])
	}
	for _, w := range []string{p.abi, p.os, p.env} {
		if w != "" {
			words = append(words, w)
		}
	}
	return fmt.Sprintf("%s (%s)", strings.ToUpper(string(p.Format)), strings.Join(words, ", "))
}

// fits reports whether the platform may be that of a target.
func (p Platform) fits(s *targets.Spec) bool {
	if !slices.Contains(p.arches, s.Arch) || p.os != "" && s.OS != p.os {
		return false
	}
	if p.Format != inspect.ELF {
		return true
	}
	if s.OS == "windows" || s.OS == "macos" || s.OS == "uefi" || s.BigEndian != (p.Data == elf.ELFDATA2MSB) {
		return false
	}
	if (s.PointerWidth == 64) != (p.Class == elf.ELFCLASS64) {
		return false
	}
	return (p.env == "" || s.Env == p.env) && (p.abi == "" || p.fitsABI(s.ABI))
}

// fitsABI compares the ABI with that of a target. On powerpc64 each of the two has a name only where it is
// not the usual one.
func (p Platform) fitsABI(abi string) bool {
	switch {
	case p.ELF == elf.EM_PPC64 && abi == "", p.ELF == elf.EM_MIPS && abi == "":
		return true
	case p.ELF == elf.EM_MIPS && p.abi == "abi64":
		return abi == "abi64"
	}
	return p.abi == abi
}

// sameMachine reports whether two ELF files are for the same machine.
func (p Platform) sameMachine(q Platform) bool {
	return p.Format == q.Format && p.ELF == q.ELF && p.Class == q.Class && p.Data == q.Data && (p.Format == inspect.ELF || slices.Equal(p.arches, q.arches))
}
