package linkage

import (
	"debug/elf"
	"io"
)

// SectionAt names what byte off of an ELF file belongs to: a section such as
// ".text", "the headers", or "between sections".
func SectionAt(r io.ReaderAt, off int64) (string, error) {
	f, err := Open(r)
	if err != nil {
		return "", err
	}
	first := uint64(1 << 62)
	for _, s := range f.Sections {
		if s.Size == 0 || s.Type == elf.SHT_NOBITS {
			continue
		}
		if s.Offset != 0 {
			first = min(first, s.Offset)
		}
		if at := uint64(off); s.Offset != 0 && at >= s.Offset && at-s.Offset < s.Size {
			return s.Name, nil
		}
	}
	if uint64(off) < first {
		return "the headers", nil
	}
	return "between sections", nil
}
