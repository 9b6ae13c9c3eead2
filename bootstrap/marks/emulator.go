package marks

import (
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"x.go/dist/inspect"
	"x.go/dist/loader"
)

// goMachines are the machines of ELF files by the architectures of Go.
var goMachines = map[string]elf.Machine{
	"386": elf.EM_386, "amd64": elf.EM_X86_64, "arm": elf.EM_ARM, "arm64": elf.EM_AARCH64, "loong64": elf.EM_LOONGARCH,
	"ppc64": elf.EM_PPC64, "ppc64le": elf.EM_PPC64, "riscv64": elf.EM_RISCV, "s390x": elf.EM_S390,
}

// IsHere reports whether the program is for a machine like this one.
func (p Platform) IsHere() bool {
	switch p.Format {
	case inspect.ELF:
		return goMachines[runtime.GOARCH] == p.ELF && runtime.GOOS != "windows" && runtime.GOOS != "darwin"
	case inspect.MachO:
		return runtime.GOOS == "darwin"
	}
	return runtime.GOOS == "windows"
}

// qemuNames are what the emulators of QEMU are called: of little and of big endian.
var qemuNames = map[elf.Machine][2]string{
	elf.EM_386: {"i386", ""}, elf.EM_X86_64: {"x86_64", ""}, elf.EM_ARM: {"arm", "armeb"}, elf.EM_AARCH64: {"aarch64", "aarch64_be"},
	elf.EM_PPC64: {"ppc64le", "ppc64"}, elf.EM_PPC: {"", "ppc"}, elf.EM_S390: {"", "s390x"}, elf.EM_LOONGARCH: {"loongarch64", ""},
	elf.EM_SPARCV9: {"", "sparc64"}, elf.EM_SPARC32PLUS: {"", "sparc32plus"}, elf.EM_68K: {"", "m68k"},
}

// qemuName returns what the emulator of a platform is called; "" if there is none.
func (p Platform) qemuName() string {
	name := qemuNames[p.ELF][0]
	if p.Data == elf.ELFDATA2MSB {
		name = qemuNames[p.ELF][1]
	}
	switch p.ELF {
	case elf.EM_RISCV:
		name = map[elf.Class]string{elf.ELFCLASS32: "riscv32", elf.ELFCLASS64: "riscv64"}[p.Class]
	case elf.EM_MIPS:
		name = "mips"
		if p.Class == elf.ELFCLASS64 {
			name = "mips64"
		}
		if p.Data == elf.ELFDATA2LSB {
			name += "el"
		}
	}
	return name
}

// Emulation is how QEMU's emulator of user programs runs a program of another machine.
type Emulation struct {
	Words []string // before the program; none if there is no emulator
	Root  string   // the directory in which the program's loader lies; "" for none
	// Missing says what is not here, and what brings it; "" if nothing is known to be.
	Missing string
}

// Emulation finds the emulator of the program, by look as [os/exec.LookPath] does. Its loader is
// in one of the roots, in that of a cross compiler, or on this machine.
func (p Platform) Emulation(look func(name string) (string, error), roots ...string) Emulation {
	name := "qemu-" + p.qemuName()
	if name == "qemu-" || p.os != "" && p.os != "linux" || runtime.GOOS != "linux" {
		return Emulation{Missing: fmt.Sprintf("no emulator of user programs is known for it on this system, %s", runtime.GOOS)}
	}
	qemu, err := look(name)
	if err != nil {
		if qemu, err = look(name + "-static"); err != nil {
			return Emulation{Missing: fmt.Sprintf("no %s and no %s-static in PATH: install qemu-user or qemu-user-static", name, name)}
		}
	}
	out := Emulation{Words: []string{qemu}}
	if p.Interpreter == "" {
		return out
	}
	if cross, err := filepath.Glob("/usr/*-linux-*"); err == nil {
		roots = slices.Concat(roots, cross)
	}
	for _, root := range roots {
		if root == "" || root == "/" {
			continue
		}
		if isRegular(filepath.Join(root, filepath.FromSlash(p.Interpreter))) {
			out.Words, out.Root = append(out.Words, "-L", root), root
			return out
		}
		if real := loader.InRoot(root, p.Interpreter); isRegular(real) { // by an absolute link, which QEMU takes for one of this machine
			out.Words, out.Root = append(out.Words, "-L", root, real), root
			return out
		}
	}
	if _, err := os.Stat(p.Interpreter); err != nil {
		out.Missing = fmt.Sprintf("no system of its machine for %s: %q is neither here nor in a directory /usr/*-linux-*: install the C library for its cross compilers (Debian: a package libc6-ARCH-cross), or set QEMU_LD_PREFIX to the root of such a system", filepath.Base(qemu), p.Interpreter)
	}
	return out
}
