package linkage

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Limits of the decoder. Real files stay far below: librustc_driver of 1.95.0
// has 45 sections, 11 segments and 40 dynamic entries.
const (
	maxSections = 1 << 16
	maxSegments = 1 << 12
	maxNames    = 4 << 20 // bytes of .shstrtab
	maxString   = 4 << 10 // bytes of one path or mark
	maxName     = 64      // bytes kept of a section's name; the ones judged are shorter
)

// section is the part of a section header that this package uses.
type section struct {
	name         string
	typ          elf.SectionType
	flags        elf.SectionFlag
	offset, size uint64
}

// segment is the part of a program header that this package uses.
type segment struct {
	typ                   elf.ProgType
	offset, vaddr, filesz uint64
}

// file is an ELF file whose header tables were read.
type file struct {
	r        io.ReaderAt
	order    binary.ByteOrder
	class    elf.Class
	data     elf.Data
	typ      elf.Type
	machine  elf.Machine
	sections []section
	segments []segment
}

// tables locates the two header tables of a file.
type tables struct {
	phoff, shoff                              uint64
	phentsize, phnum, shentsize, shnum, shstr uint64
}

func formatErrorf(off uint64, format string, args ...any) error {
	return &FormatError{Offset: int64(off), Msg: fmt.Sprintf(format, args...)}
}

// readAt fills b from offset off. A file that ends before is a [FormatError].
func (f *file) readAt(b []byte, off uint64, what string) error {
	if off > 1<<62 {
		return formatErrorf(off, "%s lies outside any file", what)
	}
	n, err := f.r.ReadAt(b, int64(off))
	if n == len(b) {
		return nil
	}
	if errors.Is(err, io.EOF) || err == nil {
		return formatErrorf(off, "file ends within %s", what)
	}
	return fmt.Errorf("reading %s: %w", what, err)
}

// word reads an address-sized field: 4 bytes in 32-bit files, 8 in 64-bit ones.
func (f *file) word(b []byte) uint64 {
	if f.class == elf.ELFCLASS64 {
		return f.order.Uint64(b)
	}
	return uint64(f.order.Uint32(b))
}

// wordSize is the size of such a field in bytes.
func (f *file) wordSize() int {
	if f.class == elf.ELFCLASS64 {
		return 8
	}
	return 4
}

func readHeaders(r io.ReaderAt) (*file, error) {
	f := &file{r: r}
	var ident [elf.EI_NIDENT]byte
	n, err := r.ReadAt(ident[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading ELF magic: %w", err)
	}
	if n < len(elf.ELFMAG) || string(ident[:len(elf.ELFMAG)]) != elf.ELFMAG {
		return nil, ErrNotELF
	}
	if n < len(ident) {
		return nil, formatErrorf(0, "file ends within the identification")
	}
	f.class, f.data = elf.Class(ident[elf.EI_CLASS]), elf.Data(ident[elf.EI_DATA])
	switch f.data {
	case elf.ELFDATA2LSB:
		f.order = binary.LittleEndian
	case elf.ELFDATA2MSB:
		f.order = binary.BigEndian
	default:
		return nil, formatErrorf(elf.EI_DATA, "unknown byte order %d", ident[elf.EI_DATA])
	}
	if f.class != elf.ELFCLASS32 && f.class != elf.ELFCLASS64 {
		return nil, formatErrorf(elf.EI_CLASS, "unknown class %d", ident[elf.EI_CLASS])
	}
	t, err := f.readFileHeader()
	if err != nil {
		return nil, err
	}
	if err := f.readSections(t); err != nil {
		return nil, err
	}
	return f, f.readSegments(t)
}

func (f *file) readFileHeader() (tables, error) {
	w := f.wordSize()
	// e_type, e_machine, e_version, three words, e_flags, six half words.
	b := make([]byte, 8+3*w+4+12)
	if err := f.readAt(b, elf.EI_NIDENT, "the file header"); err != nil {
		return tables{}, err
	}
	f.typ, f.machine = elf.Type(f.order.Uint16(b)), elf.Machine(f.order.Uint16(b[2:]))
	half := func(i int) uint64 { return uint64(f.order.Uint16(b[8+3*w+4+2*i:])) }
	t := tables{
		phoff: f.word(b[8+w:]), shoff: f.word(b[8+2*w:]),
		phentsize: half(1), phnum: half(2), shentsize: half(3), shnum: half(4), shstr: half(5),
	}
	if t.shoff == 0 {
		t.shnum = 0 // section headers stripped (sstrip)
		return t, nil
	}
	// Counts that do not fit 16 bits stand in the first section header.
	if t.shnum == 0 || t.shstr == uint64(elf.SHN_XINDEX) {
		first := make([]byte, 16+6*w)
		if err := f.readAt(first, t.shoff, "the first section header"); err != nil {
			return tables{}, err
		}
		if t.shnum == 0 {
			t.shnum = f.word(first[8+3*w:])
		}
		if t.shstr == uint64(elf.SHN_XINDEX) {
			t.shstr = uint64(f.order.Uint32(first[8+4*w:]))
		}
	}
	return t, nil
}

func (f *file) readSections(t tables) error {
	if t.shnum == 0 {
		return nil
	}
	w := f.wordSize()
	size := uint64(16 + 6*w)
	if t.shnum > maxSections {
		return formatErrorf(t.shoff, "got %d sections, want at most %d", t.shnum, maxSections)
	}
	if t.shentsize < size {
		return formatErrorf(t.shoff, "got section headers of %d bytes, want %d", t.shentsize, size)
	}
	nameOff := make([]uint32, 0, min(t.shnum, 64))
	b := make([]byte, size)
	for i := range t.shnum {
		if err := f.readAt(b, t.shoff+i*t.shentsize, "the section headers"); err != nil {
			return err
		}
		nameOff = append(nameOff, f.order.Uint32(b))
		f.sections = append(f.sections, section{
			typ:   elf.SectionType(f.order.Uint32(b[4:])),
			flags: elf.SectionFlag(f.word(b[8:])),
			// sh_addr lies between.
			offset: f.word(b[8+2*w:]), size: f.word(b[8+3*w:]),
		})
	}
	return f.nameSections(t.shstr, nameOff)
}

func (f *file) nameSections(strndx uint64, nameOff []uint32) error {
	if strndx == uint64(elf.SHN_UNDEF) {
		return nil
	}
	if strndx >= uint64(len(f.sections)) {
		return formatErrorf(0, "got section %d for names, want one below %d", strndx, len(f.sections))
	}
	tab := f.sections[strndx]
	if tab.size > maxNames {
		return formatErrorf(tab.offset, "got %d bytes of section names, want at most %d", tab.size, maxNames)
	}
	names, err := f.contents(tab, "the section names")
	if err != nil {
		return err
	}
	for i, off := range nameOff {
		if uint64(off) < uint64(len(names)) {
			tail := names[off:]
			f.sections[i].name = cString(tail[:min(len(tail), maxName)])
		}
	}
	return nil
}

// contents reads a section that the caller knows to be small. It grows with
// the bytes that are there, not with the size that the header claims.
func (f *file) contents(s section, what string) ([]byte, error) {
	if s.offset > 1<<62 || s.size > 1<<62 {
		return nil, formatErrorf(s.offset, "%s lies outside any file", what)
	}
	b, err := io.ReadAll(io.NewSectionReader(f.r, int64(s.offset), int64(s.size)))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", what, err)
	}
	if uint64(len(b)) < s.size {
		return nil, formatErrorf(s.offset, "file ends within %s", what)
	}
	return b, nil
}

func (f *file) readSegments(t tables) error {
	if t.phoff == 0 || t.phnum == 0 {
		return nil
	}
	w := f.wordSize()
	size := uint64(8 + 6*w)
	if t.phnum > maxSegments {
		return formatErrorf(t.phoff, "got %d segments, want at most %d", t.phnum, maxSegments)
	}
	if t.phentsize < size {
		return formatErrorf(t.phoff, "got program headers of %d bytes, want %d", t.phentsize, size)
	}
	b := make([]byte, size)
	for i := range t.phnum {
		if err := f.readAt(b, t.phoff+i*t.phentsize, "the program headers"); err != nil {
			return err
		}
		s := segment{typ: elf.ProgType(f.order.Uint32(b))}
		fields := b[4:] // p_offset, p_vaddr, p_paddr, p_filesz
		if f.class == elf.ELFCLASS64 {
			fields = b[8:] // p_flags comes first there
		}
		s.offset, s.vaddr, s.filesz = f.word(fields), f.word(fields[w:]), f.word(fields[3*w:])
		f.segments = append(f.segments, s)
	}
	return nil
}

// offsetOf maps a virtual address to the file by the loadable segments, as the
// dynamic loader does.
func (f *file) offsetOf(vaddr uint64) (uint64, bool) {
	for _, s := range f.segments {
		if s.typ == elf.PT_LOAD && vaddr >= s.vaddr && vaddr-s.vaddr < s.filesz {
			return s.offset + (vaddr - s.vaddr), true
		}
	}
	return 0, false
}

// stringAt reads the NUL-terminated string at offset off, of at most maxString
// bytes.
func (f *file) stringAt(off uint64, what string) (string, error) {
	if off > 1<<62 {
		return "", formatErrorf(off, "%s lies outside any file", what)
	}
	var buf []byte
	for chunk := 128; len(buf) < maxString; chunk = len(buf) {
		b := make([]byte, min(chunk, maxString-len(buf)))
		n, err := f.r.ReadAt(b, int64(off)+int64(len(buf)))
		if i := bytes.IndexByte(b[:n], 0); i >= 0 {
			return string(append(buf, b[:i]...)), nil
		}
		buf = append(buf, b[:n]...)
		if errors.Is(err, io.EOF) || n == 0 {
			return "", formatErrorf(off, "file ends within %s", what)
		}
		if err != nil {
			return "", fmt.Errorf("reading %s: %w", what, err)
		}
	}
	return "", formatErrorf(off, "%s is longer than %d bytes", what, maxString)
}

// cString is b up to its first NUL.
func cString(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}
