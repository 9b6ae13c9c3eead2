package inspect

import (
	"debug/elf"
	"maps"
	"slices"
	"strings"

	"x.go/dist/linkage"
)

// The names of symbols that a linker defines at the ends of a section. C lets only
// sections have them whose names are identifiers.
const (
	startPrefix = "__start_"
	stopPrefix  = "__stop_"
)

// encapsulated returns the section whose start or end a symbol is, or "".
func encapsulated(symbol string) string {
	section, ok := strings.CutPrefix(symbol, startPrefix)
	if !ok {
		section, ok = strings.CutPrefix(symbol, stopPrefix)
	}
	if !ok || !isIdentifier(section) {
		return ""
	}
	return section
}

func isIdentifier(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// object is what an object has to do with encapsulation symbols.
type object struct {
	asked []string        // symbols that it does not define
	has   map[string]bool // its sections of such names, and whether something keeps each
}

// maxAsked bounds the lists of symbols of a file.
const maxAsked = 1 << 10

// readObject reads the symbols of an object that say more than a link would.
func (r *elfReader) readObject() (object, error) {
	var o object
	first := 1
	if table, ok := r.SymbolTable(elf.SHT_SYMTAB); ok {
		first = max(int(table.Info), 1) // the global ones
	}
	err := r.eachNamed(elf.SHT_SYMTAB, first, startPrefix+","+stopPrefix+",@", func(s linkage.Symbol, name string) {
		switch {
		case len(o.asked) == maxAsked || len(r.out.Versions.Asked) == maxAsked:
		case strings.Contains(name, "@"):
			r.out.Versions.Asked = append(r.out.Versions.Asked, name)
		case !s.Defined() && encapsulated(name) != "":
			o.asked = append(o.asked, name)
		}
	})
	if err != nil {
		return object{}, err
	}
	r.out.Asks = o.asked
	return o, r.readKeepers(&o)
}

// readKeepers finds the sections with names of identifiers, and what keeps them from
// LLD's garbage collection: the flag SHF_GNU_RETAIN, a type or a name that LLD
// spares, or a relocation in another section of the object.
func (r *elfReader) readKeepers(o *object) error {
	at := map[uint32]string{} // those that nothing has been found to keep
	for i, s := range r.Sections {
		if s.Flags&elf.SHF_ALLOC == 0 || !isIdentifier(s.Name) {
			continue
		}
		if o.has == nil {
			o.has = map[string]bool{}
		}
		if s.Flags&shfRetain != 0 || s.Type == elf.SHT_NOTE || strings.HasPrefix(s.Name, "__libc_") {
			if _, ok := o.has[s.Name]; !ok {
				o.has[s.Name] = true
			}
			continue
		}
		o.has[s.Name], at[uint32(i)] = false, s.Name
	}
	if len(at) == 0 {
		return nil
	}
	return r.readReferences(o, at)
}

// shfRetain is SHF_GNU_RETAIN, which debug/elf has no name for.
const shfRetain elf.SectionFlag = 1 << 21

// readReferences looks for relocations that keep sections, by their numbers.
func (r *elfReader) readReferences(o *object, at map[uint32]string) error {
	table, ok := r.SymbolTable(elf.SHT_SYMTAB)
	if !ok {
		return nil
	}
	symbols := map[uint32]uint32{} // numbers of symbols in these sections
	err := r.Symbols(table, 1, func(s linkage.Symbol) bool {
		if at[s.Section] != "" && !s.Reserved {
			symbols[uint32(s.Index)] = s.Section
		}
		return true
	})
	if err != nil {
		return err
	}
	kept := map[uint32]bool{}
	for _, s := range r.Sections {
		if s.Type != elf.SHT_RELA && s.Type != elf.SHT_REL || uint64(s.Info) >= uint64(len(r.Sections)) {
			continue
		}
		from := r.Sections[s.Info]
		if from.Flags&elf.SHF_ALLOC == 0 || from.Name == ".eh_frame" {
			continue // what describes code keeps nothing
		}
		err := r.Relocations(s, func(_ uint64, symbol uint32) bool {
			if section, ok := symbols[symbol]; ok && section != s.Info {
				kept[section] = true
			}
			return true
		})
		if err != nil {
			return err
		}
	}
	for name := range o.has {
		o.has[name] = true
	}
	for section, name := range at {
		o.has[name] = o.has[name] && kept[section]
	}
	return nil
}

// group are the objects of an archive, or one alone.
type group struct {
	symbols map[string][]string // by section
	loose   map[string][]string // members with a section that nothing keeps
}

func (g *group) add(member string, o object) {
	if g.symbols == nil {
		g.symbols, g.loose = map[string][]string{}, map[string][]string{}
	}
	for _, symbol := range o.asked {
		section := encapsulated(symbol)
		if !slices.Contains(g.symbols[section], symbol) {
			g.symbols[section] = append(g.symbols[section], symbol)
		}
	}
	for section, kept := range o.has {
		if !kept {
			g.loose[section] = append(g.loose[section], member)
		}
	}
}

// encapsulation returns the sections that are asked for and that nothing keeps.
func (g *group) encapsulation() []Encapsulation {
	var out []Encapsulation
	for _, section := range slices.Sorted(maps.Keys(g.symbols)) {
		if members := g.loose[section]; len(members) > 0 {
			slices.Sort(g.symbols[section])
			out = append(out, Encapsulation{Section: section, Symbols: g.symbols[section], Members: slices.DeleteFunc(members, func(m string) bool { return m == "" })})
		}
	}
	return out
}

// readGone looks in a linked file for ends of sections that are not there any more.
func (r *elfReader) readGone() error {
	gone := map[string][]string{}
	note := func(s linkage.Symbol, name string) {
		if section := encapsulated(name); section != "" && !s.Defined() && len(gone) < maxAsked && !slices.Contains(gone[section], name) {
			gone[section] = append(gone[section], name)
		}
	}
	words := startPrefix + "," + stopPrefix
	if err := r.eachNamed(elf.SHT_DYNSYM, 1, words, note); err != nil {
		return err
	}
	first := 1
	if table, ok := r.SymbolTable(elf.SHT_SYMTAB); ok {
		first = max(int(table.Info), 1)
	}
	if err := r.eachNamed(elf.SHT_SYMTAB, first, words, note); err != nil {
		return err
	}
	for _, section := range slices.Sorted(maps.Keys(gone)) {
		r.out.Encapsulation = append(r.out.Encapsulation, Encapsulation{Section: section, Symbols: gone[section]})
	}
	return nil
}
