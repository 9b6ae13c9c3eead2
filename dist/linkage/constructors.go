package linkage

import (
	"debug/elf"
	"strings"
)

// Constructors is a table of functions to call at the start or the end of a program, as
// compilers wrote it before .init_array.
type Constructors struct {
	Section string // .ctors, .dtors, or .ctors.00123 of an object
	Size    uint64 // bytes
	// Entries are the functions in it. The -1 and the 0 of crtbegin.o and crtend.o, which
	// frame the table of an old compiler even if nobody uses it, are none.
	Entries int
	// Lost says that nobody runs them. It is false for an object, of which a linker may
	// still make anything, and where the start-up code of an old compiler walks the table.
	Lost bool
}

// constructors returns the tables of constructors and destructors of the file.
func (f *File) constructors() ([]Constructors, error) {
	var out []Constructors
	for i, s := range f.Sections {
		if s.Size == 0 || s.Type == elf.SHT_NOBITS || !isConstructors(s.Name) || s.Flags&elf.SHF_ALLOC == 0 {
			continue
		}
		c := Constructors{Section: s.Name, Size: s.Size}
		framed, err := f.countEntries(&c, i)
		if err != nil {
			return nil, err
		}
		if c.Entries > 0 && f.Type != elf.ET_REL {
			walked := false
			if framed {
				if walked, err = f.walksTable(i); err != nil {
					return nil, err
				}
			}
			c.Lost = !walked
		}
		out = append(out, c)
	}
	return out, nil
}

// isConstructors reports whether a section has that name. Objects have a priority after
// it.
func isConstructors(name string) bool {
	for _, table := range []string{".ctors", ".dtors"} {
		if rest, ok := strings.CutPrefix(name, table); ok && (rest == "" || rest[0] == '.') {
			return true
		}
	}
	return false
}

// countEntries counts the functions in section number at. A word of 0 is one only if a
// relocation fills it. framed says that the table has the -1 of crtbegin.o first, and
// the 0 of crtend.o last.
func (f *File) countEntries(c *Constructors, at int) (framed bool, err error) {
	s, w := f.Sections[at], uint64(f.WordSize())
	none := ^uint64(0)
	if w == 4 {
		none = 1<<32 - 1
	}
	zeros := map[uint64]bool{} // places of words that a relocation may fill
	last := s.Size/w - 1
	var i uint64
	err = f.eachRow(s.Offset, s.Size/w, w, "section "+s.Name, func(b []byte) bool {
		switch v := f.word(b); {
		case v == none:
			framed = framed || i == 0
		case v == 0 && len(zeros) < maxZeros:
			zeros[f.placeOf(s)+i*w] = true
		default:
			c.Entries++
		}
		i++
		return true
	})
	if err != nil || len(zeros) == 0 {
		return false, err
	}
	filled, err := f.relocated(at, zeros)
	c.Entries += filled
	return framed && zeros[f.placeOf(s)+last*w], err
}

// maxZeros bounds the memory for words of tables that relocations fill.
const maxZeros = 1 << 16

// placeOf is where relocations say that a section begins: at its address, and in an
// object at 0.
func (f *File) placeOf(s Section) uint64 {
	if f.Type == elf.ET_REL {
		return 0
	}
	return s.Addr
}

// relocated takes the places that relocations fill out of those given, and counts them.
func (f *File) relocated(at int, places map[uint64]bool) (int, error) {
	before := len(places)
	for _, s := range f.Sections {
		if s.Type != elf.SHT_RELA && s.Type != elf.SHT_REL || f.Type == elf.ET_REL && int(s.Info) != at {
			continue
		}
		err := f.Relocations(s, func(place uint64, _ uint32) bool {
			delete(places, place)
			return len(places) > 0
		})
		if err != nil {
			return 0, err
		}
	}
	return before - len(places), nil
}

// walksTable reports whether the start-up code of an old compiler runs the framed table
// in section number at. Its crtbegin.o has a symbol at the frame; without symbols, what
// tells is that a newer one, which walks no table, leaves an .init_array.
func (f *File) walksTable(at int) (bool, error) {
	table, ok := f.SymbolTable(elf.SHT_SYMTAB)
	if !ok {
		for _, s := range f.Sections {
			if s.Type == elf.SHT_INIT_ARRAY {
				return false, nil
			}
		}
		return true, nil
	}
	frame := "__CTOR_LIST__"
	if strings.HasPrefix(f.Sections[at].Name, ".dtors") {
		frame = "__DTOR_LIST__"
	}
	found := false
	var failed error
	err := f.Symbols(table, 1, func(s Symbol) bool {
		if int(s.Section) == at && s.Value == f.Sections[at].Addr {
			var name string
			name, failed = f.Name(s)
			found = name == frame
		}
		return !found && failed == nil
	})
	if failed != nil {
		return false, failed
	}
	return found, err
}
