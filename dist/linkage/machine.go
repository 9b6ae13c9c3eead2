package linkage

import (
	"debug/elf"
	"fmt"
	"strings"
)

// machineNames are the names of machines where that of ELF is not what people say. A
// machine of several word sizes or byte orders has a row for each.
var machineNames = []struct {
	machine elf.Machine
	class   elf.Class // 0: any
	data    elf.Data  // 0: any
	name    string
}{
	{elf.EM_386, 0, 0, "i386"},
	{elf.EM_X86_64, elf.ELFCLASS32, 0, "x32"},
	{elf.EM_AARCH64, elf.ELFCLASS32, 0, "aarch64_ilp32"},
	{elf.EM_AARCH64, 0, elf.ELFDATA2MSB, "aarch64_be"},
	{elf.EM_ARM, 0, elf.ELFDATA2MSB, "armeb"},
	{elf.EM_RISCV, elf.ELFCLASS32, 0, "riscv32"},
	{elf.EM_RISCV, elf.ELFCLASS64, 0, "riscv64"},
	{elf.EM_PPC, 0, 0, "powerpc"},
	{elf.EM_PPC64, 0, elf.ELFDATA2LSB, "powerpc64le"},
	{elf.EM_PPC64, 0, 0, "powerpc64"},
	{elf.EM_S390, elf.ELFCLASS64, 0, "s390x"},
	{elf.EM_MIPS, elf.ELFCLASS64, elf.ELFDATA2LSB, "mips64el"},
	{elf.EM_MIPS, elf.ELFCLASS64, 0, "mips64"},
	{elf.EM_MIPS, 0, elf.ELFDATA2LSB, "mipsel"},
	{elf.EM_LOONGARCH, elf.ELFCLASS32, 0, "loongarch32"},
	{elf.EM_LOONGARCH, elf.ELFCLASS64, 0, "loongarch64"},
	{elf.EM_SPARCV9, 0, 0, "sparc64"},
	{elf.EM_68K, 0, 0, "m68k"},
}

// MachineName is the machine of the file as target triples begin: "x86_64", "i386",
// "aarch64", "riscv64", "powerpc64le". Any other is "machine 123" or ELF's own name.
func (info Info) MachineName() string {
	for _, n := range machineNames {
		if n.machine == info.Machine && (n.class == 0 || n.class == info.Class) && (n.data == 0 || n.data == info.Data) {
			return n.name
		}
	}
	name, ok := strings.CutPrefix(info.Machine.String(), "EM_")
	if !ok {
		name = fmt.Sprintf("machine %d", info.Machine)
	}
	return strings.ToLower(name)
}
