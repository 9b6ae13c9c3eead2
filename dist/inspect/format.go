package inspect

import (
	"encoding/binary"
	"io"
	"strings"
)

// magics are how files of a format begin.
var magics = []struct {
	magic  string
	format Format
}{
	{"\x7fELF", ELF},
	{arMagic, Archive},
	{thinMagic, Thin},
	{"BC\xc0\xde", Bitcode},
	{"\xde\xc0\x17\x0b", Bitcode}, // in the wrapper of Apple's tools
	{"\xce\xfa\xed\xfe", MachO},
	{"\xcf\xfa\xed\xfe", MachO},
	{"\xfe\xed\xfa\xce", MachO},
	{"\xfe\xed\xfa\xcf", MachO},
	{"\xca\xfe\xba\xbe\x00\x00\x00", MachO}, // for several machines; a class of Java has its version here
	{"MZ", PE},
	{"\x00asm", Wasm},
}

// The machines of COFF and Mach-O files, in the words for ELF's.
var (
	coffMachines  = map[uint16]string{0x14c: "i386", 0x8664: "x86_64", 0x1c0: "arm", 0x1c4: "arm", 0xaa64: "aarch64", 0xa641: "arm64ec"}
	machOMachines = map[uint32]string{7: "i386", 0x01000007: "x86_64", 12: "arm", 0x0100000c: "aarch64", 0x0200000c: "arm64_32", 18: "powerpc", 0x01000012: "powerpc64"}
)

// Sniff tells the format of a file by its first bytes; 8 are enough. COFF objects have
// no magic of their own: they are [Other].
func Sniff(head []byte) Format {
	format, _ := sniff(head, false)
	return format
}

// sniff tells the format of a file, and the machine where the first bytes say it. Those
// of a COFF object are no magic but its machine, so it is one only where it is meant
// to be an object.
func sniff(head []byte, object bool) (Format, string) {
	for _, m := range magics {
		if strings.HasPrefix(string(head), m.magic) {
			if m.format == MachO {
				return MachO, machOMachine(head)
			}
			return m.format, ""
		}
	}
	if !object || len(head) < 20 { // the header of a COFF object
		return Other, ""
	}
	machine := binary.LittleEndian.Uint16(head)
	if machine == 0 && binary.LittleEndian.Uint16(head[2:]) == 0xffff {
		machine = binary.LittleEndian.Uint16(head[6:]) // of an import library, or with many sections
	}
	if name, ok := coffMachines[machine]; ok {
		return COFF, name
	}
	return Other, ""
}

func machOMachine(head []byte) string {
	if len(head) < 8 || head[0] == 0xca {
		return ""
	}
	if head[0] == 0xfe {
		return machOMachines[binary.BigEndian.Uint32(head[4:])]
	}
	return machOMachines[binary.LittleEndian.Uint32(head[4:])]
}

// Machines tells the format of a program or library that is no ELF file, and the
// machines that it is for: several for a Mach-O file that has a part for each.
func Machines(in io.ReaderAt) (Format, []string, error) {
	head, err := begins(in)
	if err != nil {
		return Other, nil, err
	}
	format, machine := sniff(head, false)
	switch {
	case format == MachO && machine == "" && len(head) >= 8:
		return format, fatMachines(in, binary.BigEndian.Uint32(head[4:])), nil
	case format == PE:
		return format, peMachine(in, head), nil
	case machine != "":
		return format, []string{machine}, nil
	}
	return format, nil, nil
}

// fatMachines reads the header of a Mach-O file of count parts: fat_arch, of five words.
func fatMachines(in io.ReaderAt, count uint32) []string {
	var out []string
	for i := range min(count, 16) {
		var cpu [4]byte
		if _, err := in.ReadAt(cpu[:], 8+20*int64(i)); err != nil {
			return nil
		}
		if name := machOMachines[binary.BigEndian.Uint32(cpu[:])]; name != "" {
			out = append(out, name)
		}
	}
	return out
}

// peMachine reads the header that the DOS header of a PE file leads to.
func peMachine(in io.ReaderAt, head []byte) []string {
	const lfanew = 0x3c
	if len(head) < lfanew+4 {
		return nil
	}
	var b [6]byte
	if _, err := in.ReadAt(b[:], int64(binary.LittleEndian.Uint32(head[lfanew:]))); err != nil || string(b[:4]) != "PE\x00\x00" {
		return nil
	}
	if name := coffMachines[binary.LittleEndian.Uint16(b[4:])]; name != "" {
		return []string{name}
	}
	return nil
}

// hasFacts reports whether files of the format are described.
func (f Format) hasFacts() bool {
	return f == ELF || f == Archive || f == Thin || f == Bitcode
}
