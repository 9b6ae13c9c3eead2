package inspect

import (
	"debug/elf"
	"fmt"
	"io"

	"x.go/dist"
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
// .symtab, of a linked file's .dynsym. It stops at the first error, which it returns.
func Symbols(path string, do func(Symbol) error) error {
	f, err := dist.OpenFile(path)
	if err != nil {
		return fmt.Errorf("reading symbols of %q: %w", path, dist.WithoutPath(err))
	}
	defer f.Close()
	if err := elfSymbols(f, "", do); err != nil {
		return fmt.Errorf("reading symbols of %q: %w", path, err)
	}
	return nil
}

// elfSymbols calls do with the symbols of one ELF file.
func elfSymbols(r io.ReaderAt, member string, do func(Symbol) error) error {
	e, err := linkage.Open(r)
	if err != nil {
		return err
	}
	typ := elf.SHT_DYNSYM
	if e.Type == elf.ET_REL {
		typ = elf.SHT_SYMTAB
	}
	table, ok := e.SymbolTable(typ)
	if !ok {
		return nil
	}
	var failed error
	err = e.Symbols(table, 1, func(s linkage.Symbol) bool {
		out := Symbol{Defined: s.Defined(), Weak: s.Bind == elf.STB_WEAK, Local: s.Bind == elf.STB_LOCAL, Member: member}
		if !s.Reserved && int(s.Section) < len(e.Sections) {
			out.Section = e.Sections[s.Section].Name
		}
		if out.Name, failed = e.Name(s); failed == nil && out.Name != "" {
			failed = do(out)
		}
		return failed == nil
	})
	if failed != nil {
		return failed
	}
	return err
}
