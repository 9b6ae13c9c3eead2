package linkage

import (
	"debug/elf"
	"io"
)

// SectionAt names what byte off of an ELF file belongs to: a section such as
// ".text", "the headers", or "between sections".
func SectionAt(r io.ReaderAt, off int64) (string, error) {
	f, err := readHeaders(r)
	if err != nil {
		return "", err
	}
	first := uint64(1 << 62)
	for _, s := range f.sections {
		if s.size == 0 || s.typ == elf.SHT_NOBITS {
			continue
		}
		if s.offset != 0 {
			first = min(first, s.offset)
		}
		if at := uint64(off); s.offset != 0 && at >= s.offset && at-s.offset < s.size {
			return s.name, nil
		}
	}
	if uint64(off) < first {
		return "the headers", nil
	}
	return "between sections", nil
}
