package inspect

import (
	"debug/elf"
	"fmt"
	"io"

	"x.go/dist/linkage"
)

// Symbol is a symbol of an object, or of the dynamic table of a linked file.
type Symbol struct {
	Name    string
	Version string // "GLIBC_2.17"; "" without one
	Hidden  bool   // not the default version: name@version, not name@@version
	Defined bool
	Weak    bool
	Local   bool
	Section string // of a defined one; "" if absolute or common
	Member  string // of the archive
}

// Symbols calls do with each symbol of a file: of an object's or archive member's
// .symtab, of a linked file's .dynsym. Members of an archive that are no ELF files have
// none. It stops at the first error, which it returns; one of do as it is.
func Symbols(path string, do func(Symbol) error) error {
	f, size, err := open(path)
	if err != nil {
		return fmt.Errorf("reading symbols of %q: %w", path, err)
	}
	defer f.Close()
	s := symbolReader{do: do}
	err = (&reader{}).each(f, size, path, "", 0, s.read)
	if s.stopped != nil {
		return s.stopped
	}
	if err != nil {
		return fmt.Errorf("reading symbols of %q: %w", path, err)
	}
	return nil
}

// symbolReader reads the symbols of ELF files.
type symbolReader struct {
	do      func(Symbol) error
	stopped error // by do
}

// read calls do with the symbols of one ELF file.
func (r *symbolReader) read(in io.ReaderAt, member string) error {
	e, err := linkage.Open(in)
	if err != nil {
		return err
	}
	typ, versions := elf.SHT_SYMTAB, &linkage.Versions{}
	if e.Type != elf.ET_REL {
		info, err := e.Loaded()
		if err != nil {
			return err
		}
		if versions, err = e.Versions(info.NeededVersions); err != nil {
			return err
		}
		typ = elf.SHT_DYNSYM
	}
	table, ok := e.SymbolTable(typ)
	if !ok {
		return nil
	}
	var failed error
	err = e.Symbols(table, 1, func(s linkage.Symbol) bool {
		out := Symbol{Defined: s.Defined(), Weak: s.Bind == elf.STB_WEAK, Local: s.Bind == elf.STB_LOCAL, Member: member}
		if s.Defined() && !s.Reserved && int(s.Section) < len(e.Sections) {
			out.Section = e.Sections[s.Section].Name
		}
		if out.Name, failed = e.Name(s); failed != nil || out.Name == "" {
			return failed == nil
		}
		if out.Version, out.Hidden, failed = versions.Of(s); failed != nil {
			return false
		}
		r.stopped = r.do(out)
		return r.stopped == nil
	})
	if r.stopped != nil {
		return r.stopped
	}
	if failed != nil {
		return failed
	}
	return err
}
