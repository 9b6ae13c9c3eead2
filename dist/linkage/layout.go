package linkage

import (
	"debug/elf"
	"slices"
	"strings"
)

// habit is one habit of linkers that shows in a linked file.
type habit struct {
	witness Witness
	text    string   // the names as found
	linkers []Linker // those that write it
}

// tagOrders are beginnings of the order of the dynamic table, the longest first. No
// linker script and no strip changes it. SYMTAB stands for SYMTAB and SYMENT, STRTAB
// for STRTAB and STRSZ, and INIT for constructors, destructors and versions.
var tagOrders = []struct {
	order   string
	linkers []Linker
}{
	{"HASH STRTAB SYMTAB", []Linker{BFD}},
	{"HASH SYMTAB STRTAB", []Linker{Go}},
	{"SYMTAB STRTAB INIT HASH", []Linker{Mold}},
	{"SYMTAB STRTAB HASH NEEDED", []Linker{Gold}},
	{"SYMTAB STRTAB HASH INIT", []Linker{LLD, Gold}},
	{"SYMTAB STRTAB HASH", []Linker{LLD, Gold, Mold}},
}

// sectionOrders are the orders of three sections of every dynamically linked file.
var sectionOrders = []struct {
	order   string
	linkers []Linker
}{
	{".dynsym .hash .dynstr", []Linker{LLD}},
	{".dynsym .dynstr .hash", []Linker{Gold}},
	{".hash .dynsym .dynstr", []Linker{BFD, Mold}},
}

// tailOrders are the orders of the sections that strip removes or rewrites. GNU
// strip leaves GNU ld's order behind, so that one tells nothing.
var tailOrders = []struct {
	order  string
	linker Linker
}{
	{".symtab .shstrtab .strtab", LLD},
	{".strtab .symtab .shstrtab", Mold},
}

// readLayout finds the linkers that write files like this one, strongest habit first:
// a weaker one narrows the choice, and is passed over if it contradicts, as where a
// linker script orders the sections. It returns nil if nothing tells.
func (f *File) readLayout(info *Info, tags []elf.DynTag) []Linker {
	var fits []Linker
	for _, h := range f.habits(tags) {
		info.Evidence = append(info.Evidence, Evidence{h.witness, sole(h.linkers), h.text})
		if fits == nil {
			fits = h.linkers
			continue
		}
		both := slices.DeleteFunc(slices.Clone(fits), func(l Linker) bool { return !slices.Contains(h.linkers, l) })
		if len(both) > 0 {
			fits = both
		}
	}
	info.Layout = sole(fits)
	return fits
}

// sole is the only linker of a list, or Unknown.
func sole(linkers []Linker) Linker {
	if len(linkers) == 1 {
		return linkers[0]
	}
	return Unknown
}

// habits are those that a file shows.
func (f *File) habits(tags []elf.DynTag) []habit {
	var out []habit
	text := tagOrder(tags)
	for _, o := range tagOrders {
		if strings.HasPrefix(text, o.order) {
			out = append(out, habit{ByTags, o.order, o.linkers})
			break
		}
	}
	var dynamic, tail []string
	padding := false
	for _, s := range f.Sections {
		switch s.Name {
		case ".gnu.hash", ".hash":
			if len(dynamic) == 0 || dynamic[len(dynamic)-1] != ".hash" {
				dynamic = append(dynamic, ".hash")
			}
		case ".dynsym", ".dynstr":
			dynamic = append(dynamic, s.Name)
		case ".symtab", ".strtab", ".shstrtab":
			tail = append(tail, s.Name)
		case ".relro_padding":
			padding = true
		}
	}
	if padding {
		out = append(out, habit{ByRelroPadding, ".relro_padding", []Linker{LLD, Mold}})
	}
	text = strings.Join(tail, " ")
	for _, o := range tailOrders {
		if o.order == text {
			out = append(out, habit{ByTail, text, []Linker{o.linker}})
		}
	}
	text = strings.Join(dynamic, " ")
	for _, o := range sectionOrders {
		if o.order == text {
			out = append(out, habit{ByLayout, text, o.linkers})
		}
	}
	return out
}

// tagWords are the entries that tagOrders knows.
var tagWords = map[elf.DynTag]string{
	elf.DT_HASH: "HASH", elf.DT_GNU_HASH: "HASH", elf.DT_SYMTAB: "SYMTAB", elf.DT_STRTAB: "STRTAB", elf.DT_NEEDED: "NEEDED",
	elf.DT_INIT: "INIT", elf.DT_INIT_ARRAY: "INIT", elf.DT_FINI: "INIT", elf.DT_FINI_ARRAY: "INIT", elf.DT_VERSYM: "INIT", elf.DT_VERNEED: "INIT",
}

// tagOrder writes the order of a dynamic table as tagOrders does, from its first table
// of symbols, names or hashes on.
func tagOrder(tags []elf.DynTag) string {
	var out []string
	for _, tag := range tags {
		word, ok := tagWords[tag]
		early := len(out) == 0 && (word == "NEEDED" || word == "INIT")
		if !ok || early || len(out) > 0 && out[len(out)-1] == word {
			continue
		}
		out = append(out, word)
	}
	return strings.Join(out, " ")
}
