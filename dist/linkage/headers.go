package linkage

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Limits of the decoder. Real files stay far below: librustc_driver of 1.95.0
// has 45 sections, 11 segments and 40 dynamic entries.
const (
	maxSections = 1 << 18
	maxSegments = 1 << 12
	maxNames    = 32 << 20 // bytes of .shstrtab
	maxString   = 4 << 10  // bytes of one path, mark or name
	maxTable    = 2 << 20  // bytes of a table that are read at once
	namesSize   = 32 << 10 // bytes read of the names of symbols at once
	headSize    = 1 << 10  // bytes read of the file's beginning: both headers and the segments
)

// Section is an entry of the section header table. Offset and Size are those of the
// header: nothing says that the file has these bytes.
type Section struct {
	Name         string // of at most 4096 bytes; the rest of a longer one is left out
	Type         elf.SectionType
	Flags        elf.SectionFlag
	Addr         uint64
	Offset, Size uint64 // bytes
	Link, Info   uint32
	EntSize      uint64 // bytes
}

// Segment is an entry of the program header table.
type Segment struct {
	Type                         elf.ProgType
	Flags                        elf.ProgFlag
	Offset, Vaddr, Filesz, Memsz uint64
}

// File is an ELF file whose header tables were read. It reads more as it is asked,
// and is not for several goroutines at once.
type File struct {
	Class    elf.Class
	Data     elf.Data // byte order
	Type     elf.Type
	Machine  elf.Machine
	OSABI    elf.OSABI
	Flags    uint32 // e_flags, of a meaning of the machine's own
	Entry    uint64 // virtual address where a program starts, 0 without
	Sections []Section
	Segments []Segment

	r     io.ReaderAt
	order binary.ByteOrder
	head  []byte
	text  piece // of strings that lie apart
	names piece // of the names of symbols
	rows  piece // of tables that are read in small parts
}

// piece is a part of the file that was read last.
type piece struct {
	off uint64
	b   []byte
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
func (f *File) readAt(b []byte, off uint64, what string) error {
	if off > 1<<62 {
		return formatErrorf(off, "%s lies outside any file", what)
	}
	if off <= uint64(len(f.head)) && uint64(len(b)) <= uint64(len(f.head))-off {
		copy(b, f.head[off:])
		return nil
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

// view returns the n bytes at offset off, which are valid until the next call with this
// piece. Small parts that lie together cost one read.
func (f *File) view(p *piece, off uint64, n int, what string) ([]byte, error) {
	if off < p.off || off-p.off > uint64(len(p.b)) || uint64(len(p.b))-(off-p.off) < uint64(n) {
		if err := f.fill(p, off, max(n, 2*headSize), what); err != nil {
			return nil, err
		}
		if len(p.b) < n {
			return nil, formatErrorf(off, "file ends within %s", what)
		}
	}
	return p.b[off-p.off:][:n], nil
}

// fill reads what there is of the n bytes at offset off.
func (f *File) fill(p *piece, off uint64, n int, what string) error {
	p.off, p.b = off, p.b[:0]
	if off > 1<<62 {
		return formatErrorf(off, "%s lies outside any file", what)
	}
	if cap(p.b) < n {
		p.b = make([]byte, 0, n)
	}
	got, err := f.r.ReadAt(p.b[:n], int64(off))
	p.b = p.b[:got]
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading %s: %w", what, err)
	}
	return nil
}

// word reads an address-sized field: 4 bytes in 32-bit files, 8 in 64-bit ones.
func (f *File) word(b []byte) uint64 {
	if f.Class == elf.ELFCLASS64 {
		return f.order.Uint64(b)
	}
	return uint64(f.order.Uint32(b))
}

// WordSize is the size of an address in bytes.
func (f *File) WordSize() int {
	if f.Class == elf.ELFCLASS64 {
		return 8
	}
	return 4
}

// Order is the byte order of the file.
func (f *File) Order() binary.ByteOrder { return f.order }

// Open reads the header tables of an ELF file of either class and byte order, each
// with one read. The error wraps [ErrNotELF], is a [*FormatError], or comes from r.
func Open(r io.ReaderAt) (*File, error) {
	f := &File{r: r, head: make([]byte, headSize)}
	n, err := r.ReadAt(f.head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading ELF magic: %w", err)
	}
	f.head = f.head[:n]
	if n < len(elf.ELFMAG) || string(f.head[:len(elf.ELFMAG)]) != elf.ELFMAG {
		return nil, ErrNotELF
	}
	if n < elf.EI_NIDENT {
		return nil, formatErrorf(0, "file ends within the identification")
	}
	f.Class, f.Data, f.OSABI = elf.Class(f.head[elf.EI_CLASS]), elf.Data(f.head[elf.EI_DATA]), elf.OSABI(f.head[elf.EI_OSABI])
	switch f.Data {
	case elf.ELFDATA2LSB:
		f.order = binary.LittleEndian
	case elf.ELFDATA2MSB:
		f.order = binary.BigEndian
	default:
		return nil, formatErrorf(elf.EI_DATA, "unknown byte order %d", f.head[elf.EI_DATA])
	}
	if f.Class != elf.ELFCLASS32 && f.Class != elf.ELFCLASS64 {
		return nil, formatErrorf(elf.EI_CLASS, "unknown class %d", f.head[elf.EI_CLASS])
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

func (f *File) readFileHeader() (tables, error) {
	w := f.WordSize()
	// e_type, e_machine, e_version, three words, e_flags, six half words.
	b := make([]byte, 8+3*w+4+12)
	if err := f.readAt(b, elf.EI_NIDENT, "the file header"); err != nil {
		return tables{}, err
	}
	f.Type, f.Machine = elf.Type(f.order.Uint16(b)), elf.Machine(f.order.Uint16(b[2:]))
	f.Entry, f.Flags = f.word(b[8:]), f.order.Uint32(b[8+3*w:])
	half := func(i int) uint64 { return uint64(f.order.Uint16(b[8+3*w+4+2*i:])) }
	t := tables{
		phoff: f.word(b[8+w:]), shoff: f.word(b[8+2*w:]),
		phentsize: half(1), phnum: half(2), shentsize: half(3), shnum: half(4), shstr: half(5),
	}
	const manySegments = 0xffff // PN_XNUM
	if t.shoff == 0 {
		t.shnum = 0 // section headers stripped (sstrip)
		return t, nil
	}
	// Counts that do not fit 16 bits stand in the first section header.
	if t.shnum == 0 || t.shstr == uint64(elf.SHN_XINDEX) || t.phnum == manySegments {
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
		if n := f.order.Uint32(first[12+4*w:]); t.phnum == manySegments && n != 0 {
			t.phnum = uint64(n)
		}
	}
	return t, nil
}

// eachRow reads a table, as much of it at once as is no burden, and calls do with each
// row until it returns false. A table that the file does not hold whole is an error.
func (f *File) eachRow(off, rows, size uint64, what string, do func(row []byte) bool) error {
	if off > 1<<62 {
		return formatErrorf(off, "%s lie outside any file", what)
	}
	atOnce := max(maxTable/size, 1)
	var buf []byte
	for rows > 0 {
		n := min(rows, atOnce)
		piece := f.head
		if end := off + n*size; end <= uint64(len(piece)) {
			piece = piece[off:end]
		} else {
			if buf == nil {
				buf = make([]byte, n*size)
			}
			piece = buf[:n*size]
			if err := f.readAt(piece, off, what); err != nil {
				return err
			}
		}
		for i := range n {
			if !do(piece[i*size:][:size]) {
				return nil
			}
		}
		rows, off = rows-n, off+n*size
	}
	return nil
}

func (f *File) readSections(t tables) error {
	if t.shnum == 0 {
		return nil
	}
	w := f.WordSize()
	if t.shnum > maxSections {
		return formatErrorf(t.shoff, "got %d sections, want at most %d", t.shnum, maxSections)
	}
	if size := uint64(16 + 6*w); t.shentsize < size {
		return formatErrorf(t.shoff, "got section headers of %d bytes, want %d", t.shentsize, size)
	}
	var nameOff []uint32
	err := f.eachRow(t.shoff, t.shnum, t.shentsize, "the section headers", func(b []byte) bool {
		if nameOff == nil { // the file has this many
			n := min(t.shnum, maxTable/t.shentsize)
			nameOff, f.Sections = make([]uint32, 0, n), make([]Section, 0, n)
		}
		nameOff = append(nameOff, f.order.Uint32(b))
		fields := b[8:]
		f.Sections = append(f.Sections, Section{
			Type:  elf.SectionType(f.order.Uint32(b[4:])),
			Flags: elf.SectionFlag(f.word(fields)),
			Addr:  f.word(fields[w:]), Offset: f.word(fields[2*w:]), Size: f.word(fields[3*w:]),
			Link: f.order.Uint32(fields[4*w:]), Info: f.order.Uint32(fields[4*w+4:]),
			EntSize: f.word(fields[5*w+8:]),
		})
		return true
	})
	if err != nil {
		return err
	}
	return f.nameSections(t.shstr, nameOff)
}

func (f *File) nameSections(strndx uint64, nameOff []uint32) error {
	if strndx == uint64(elf.SHN_UNDEF) {
		return nil
	}
	if strndx >= uint64(len(f.Sections)) {
		return formatErrorf(0, "got section %d for names, want one below %d", strndx, len(f.Sections))
	}
	tab := f.Sections[strndx]
	if tab.Size > maxNames {
		return formatErrorf(tab.Offset, "got %d bytes of section names, want at most %d", tab.Size, maxNames)
	}
	b, err := f.Contents(tab, "the section names")
	if err != nil {
		return err
	}
	names := string(b)
	for i, off := range nameOff {
		if uint64(off) < uint64(len(names)) {
			tail := names[off:min(uint64(len(names)), uint64(off)+maxString)]
			if end := strings.IndexByte(tail, 0); end >= 0 {
				tail = tail[:end]
			}
			f.Sections[i].Name = tail
		}
	}
	return nil
}

// Contents reads a section that the caller knows to be small; what names it in an
// error. It grows with the bytes that are there, not with the size that the header
// claims.
func (f *File) Contents(s Section, what string) ([]byte, error) {
	if s.Offset > 1<<62 || s.Size > 1<<62 {
		return nil, formatErrorf(s.Offset, "%s lies outside any file", what)
	}
	if s.Size <= maxTable {
		b := make([]byte, s.Size)
		return b, f.readAt(b, s.Offset, what)
	}
	b, err := io.ReadAll(io.NewSectionReader(f.r, int64(s.Offset), int64(s.Size)))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", what, err)
	}
	if uint64(len(b)) < s.Size {
		return nil, formatErrorf(s.Offset, "file ends within %s", what)
	}
	return b, nil
}

func (f *File) readSegments(t tables) error {
	if t.phoff == 0 || t.phnum == 0 {
		return nil
	}
	w := f.WordSize()
	if t.phnum > maxSegments {
		return formatErrorf(t.phoff, "got %d segments, want at most %d", t.phnum, maxSegments)
	}
	if size := uint64(8 + 6*w); t.phentsize < size {
		return formatErrorf(t.phoff, "got program headers of %d bytes, want %d", t.phentsize, size)
	}
	return f.eachRow(t.phoff, t.phnum, t.phentsize, "the program headers", func(b []byte) bool {
		s := Segment{Type: elf.ProgType(f.order.Uint32(b))}
		fields := b[4:] // p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_flags
		if f.Class == elf.ELFCLASS64 {
			fields = b[8:] // p_flags comes first there
			s.Flags = elf.ProgFlag(f.order.Uint32(b[4:]))
		} else {
			s.Flags = elf.ProgFlag(f.order.Uint32(b[24:]))
		}
		s.Offset, s.Vaddr, s.Filesz, s.Memsz = f.word(fields), f.word(fields[w:]), f.word(fields[3*w:]), f.word(fields[4*w:])
		f.Segments = append(f.Segments, s)
		return true
	})
}

// offsetOf maps a virtual address to the file by the loadable segments, as the
// dynamic loader does.
func (f *File) offsetOf(vaddr uint64) (uint64, bool) {
	for _, s := range f.Segments {
		if s.Type == elf.PT_LOAD && vaddr >= s.Vaddr && vaddr-s.Vaddr < s.Filesz {
			return s.Offset + (vaddr - s.Vaddr), true
		}
	}
	return 0, false
}

// stringAt reads the NUL-terminated string at offset off, of at most maxString
// bytes.
func (f *File) stringAt(off uint64, what string) (string, error) {
	return f.stringIn(&f.text, headSize, off, what)
}

// stringIn is stringAt by way of a piece, which is filled with size bytes at once.
func (f *File) stringIn(p *piece, size int, off uint64, what string) (string, error) {
	if at := off - p.off; off >= p.off && at < uint64(len(p.b)) {
		if i := bytes.IndexByte(p.b[at:], 0); i >= 0 {
			return string(p.b[at:][:i]), nil
		}
	}
	for {
		if err := f.fill(p, off, size, what); err != nil {
			return "", err
		}
		if i := bytes.IndexByte(p.b[:min(len(p.b), maxString)], 0); i >= 0 {
			return string(p.b[:i]), nil
		}
		switch {
		case len(p.b) >= maxString:
			return "", formatErrorf(off, "%s is longer than %d bytes", what, maxString)
		case len(p.b) < size:
			return "", formatErrorf(off, "file ends within %s", what)
		}
		size = maxString
	}
}

// cString is b up to its first NUL.
func cString(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}
