package linkage

import (
	"debug/elf"
)

// Symbol is an entry of a symbol table.
type Symbol struct {
	Bind elf.SymBind
	Type elf.SymType
	// Section is the index of the section that defines it. [elf.SHN_UNDEF] stands for
	// none, and the indices from [elf.SHN_LORESERVE] on, such as [elf.SHN_ABS], keep
	// their meaning; sections of such numbers are told apart by Reserved.
	Section     uint32
	Reserved    bool
	Value, Size uint64

	name  uint64 // where its name begins in the file
	Index int    // in the table
}

// Defined reports whether the file has what the symbol stands for; a common symbol
// counts.
func (s Symbol) Defined() bool { return s.Reserved || s.Section != uint32(elf.SHN_UNDEF) }

// SymbolTable is the first section of a type, [elf.SHT_SYMTAB] or [elf.SHT_DYNSYM].
func (f *File) SymbolTable(typ elf.SectionType) (Section, bool) {
	for _, s := range f.Sections {
		if s.Type == typ {
			return s, true
		}
	}
	return Section{}, false
}

// Symbols calls do with the symbols of a table from number first on, in their order;
// it ends when do returns false. Names are read when they are asked for: see [File.Name].
func (f *File) Symbols(table Section, first int, do func(Symbol) bool) error {
	size := uint64(16)
	if f.Class == elf.ELFCLASS64 {
		size = 24
	}
	if uint64(table.Link) >= uint64(len(f.Sections)) {
		return formatErrorf(table.Offset, "got section %d for the names of symbols, want one below %d", table.Link, len(f.Sections))
	}
	if table.Type == elf.SHT_NOBITS { // the file of debug information of another one
		return nil
	}
	names, wide := f.Sections[table.Link], f.wideIndices(table)
	count := table.Size / size
	if uint64(first) >= count {
		return nil
	}
	i, going := first, true
	var failed error
	err := f.eachRow(table.Offset+uint64(first)*size, count-uint64(first), size, "the symbols", func(b []byte) bool {
		s := f.symbol(b, names)
		if s.Index = i; s.Section == uint32(elf.SHN_XINDEX) && wide.Size > 0 {
			var index []byte
			if index, failed = f.view(&f.rows, wide.Offset+4*uint64(i), 4, "the indices of symbols' sections"); failed != nil {
				return false
			}
			s.Section, s.Reserved = f.order.Uint32(index), false
		}
		i++
		going = do(s)
		return going
	})
	if failed != nil {
		return failed
	}
	return err
}

// wideIndices is the section with the numbers of sections that do not fit 16 bits.
func (f *File) wideIndices(table Section) Section {
	for _, s := range f.Sections {
		if s.Type == elf.SHT_SYMTAB_SHNDX && int(s.Link) < len(f.Sections) && f.Sections[s.Link].Offset == table.Offset {
			return s
		}
	}
	return Section{}
}

// symbol decodes an entry.
func (f *File) symbol(b []byte, names Section) Symbol {
	var s Symbol
	var info byte
	off := f.order.Uint32(b)
	if f.Class == elf.ELFCLASS64 {
		info, s.Section = b[4], uint32(f.order.Uint16(b[6:]))
		s.Value, s.Size = f.order.Uint64(b[8:]), f.order.Uint64(b[16:])
	} else {
		s.Value, s.Size = uint64(f.order.Uint32(b[4:])), uint64(f.order.Uint32(b[8:]))
		info, s.Section = b[12], uint32(f.order.Uint16(b[14:]))
	}
	s.Reserved = s.Section >= uint32(elf.SHN_LORESERVE)
	s.Bind, s.Type = elf.ST_BIND(info), elf.ST_TYPE(info)
	if off != 0 {
		s.name = names.Offset + uint64(off)
	}
	return s
}

// Name is the name of a symbol, "" for one without; one of more than 4096 bytes is a
// [*FormatError].
func (f *File) Name(s Symbol) (string, error) {
	if s.name == 0 {
		return "", nil
	}
	return f.stringIn(&f.names, namesSize, s.name, "the names of symbols")
}

// Relocations calls do with the place and the symbol's number of each entry of a
// section of relocations, until it returns false.
func (f *File) Relocations(s Section, do func(place uint64, symbol uint32) bool) error {
	w := f.WordSize()
	size := 2 * w
	if s.Type == elf.SHT_RELA {
		size = 3 * w
	}
	return f.eachRow(s.Offset, s.Size/uint64(size), uint64(size), "the relocations", func(b []byte) bool {
		info := f.word(b[w:])
		symbol := uint32(info >> 8)
		if w == 8 {
			symbol = uint32(info >> 32)
			if f.Machine == elf.EM_MIPS && f.Data == elf.ELFDATA2LSB {
				symbol = uint32(info) // the field is a structure there
			}
		}
		return do(f.word(b), symbol)
	})
}
