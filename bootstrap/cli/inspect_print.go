package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"x.go/dist"
	"x.go/dist/inspect"
	"x.go/dist/linkage"
)

// inspectTable prints a row for each file, and its findings below.
type inspectTable struct {
	app  *app
	show inspect.Selection
	rows int
}

const inspectRow = "%-12s %-11s %-14s %-6s %-8s %s\n"

func (p *inspectTable) file(f *inspect.File) error {
	var b strings.Builder
	if p.rows++; p.rows == 1 {
		fmt.Fprintf(&b, inspectRow, "KIND", "MACHINE", "LINKER", "GLIBC", "RELRO", "FILE")
	}
	linker := ""
	if f.Kind != "" && f.Kind != linkage.Relocatable {
		if linker = strings.TrimSpace(f.Linker.String() + " " + f.Version); f.Sure == inspect.Guess {
			linker += "?"
		}
	}
	fmt.Fprintf(&b, inspectRow, inspectKind(f), dash(f.Machine), dash(linker), dash(f.Glibc), dash(string(f.RELRO)), dist.OneLine(f.Path))
	for _, found := range p.show.Find(f) {
		writeFinding(&b, "  ", found)
	}
	return p.app.print(b.String())
}

func (p *inspectTable) end([]string) error { return nil }

// inspectKind says in a word what a file is.
func inspectKind(f *inspect.File) string {
	if f.Kind != "" {
		return string(f.Kind)
	}
	return string(f.Format)
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// writeFinding writes a finding after a lead, and which members have it.
func writeFinding(b *strings.Builder, lead string, found inspect.Finding) {
	text := dist.OneLine(found.Text)
	if len(found.Members) > 0 {
		text += fmt.Sprintf(" (%s)", dist.OneLine(inspect.Few(found.Members)))
	}
	fmt.Fprintf(b, "%s%s: %s\n", lead, found.Word, text)
}

// inspectSheet tells all of one file.
type inspectSheet struct {
	app  *app
	show inspect.Selection
}

func (p inspectSheet) end([]string) error { return nil }

func (p inspectSheet) file(f *inspect.File) error {
	var b strings.Builder
	row := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-12s%s\n", name, dist.OneLine(fmt.Sprintf(format, args...)))
	}
	row("file", "%s", f.Path)
	row("size", "%s", dist.FormatBytes(f.Size))
	row("format", "%s", sheetFormat(f))
	sheetLinker(row, f)
	sheetLoading(row, f)
	for _, t := range f.Constructors {
		row("functions", "%d in %s of %d bytes", t.Entries, t.Name, t.Size)
	}
	if f.LTO != inspect.NoLTO {
		row("lto", "%s", f.LTO)
	}
	for _, s := range f.Compressed {
		row("compressed", "%s by %s: %s of %s", s.Name, s.Coder, dist.FormatBytes(int64(s.Size)), dist.FormatBytes(int64(s.Unpack)))
	}
	sheetVersions(row, f)
	if len(f.Asks) > 0 {
		row("asks for", "%s", strings.Join(f.Asks, " "))
	}
	sheetMembers(row, f)
	for _, found := range p.show.Find(f) {
		writeFinding(&b, fmt.Sprintf("%-12s", "finding"), found)
	}
	return p.app.print(b.String())
}

func sheetFormat(f *inspect.File) string {
	if f.Kind == "" {
		return string(f.Format)
	}
	return fmt.Sprintf("%s, %s for %s, %d-bit, %s-endian", f.Format, f.Kind, f.Machine, f.Class, f.Endian)
}

// sheetLinker tells the linker and how it is known.
func sheetLinker(row func(name, format string, args ...any), f *inspect.File) {
	if f.Kind == "" {
		return
	}
	if f.Kind != linkage.Relocatable || f.Linker != linkage.Unknown {
		text := strings.TrimSpace(f.Linker.String() + " " + f.Version)
		if f.Sure != "" {
			text += ", " + string(f.Sure)
		}
		row("linker", "%s", text)
	}
	for _, e := range f.Evidence {
		by := ""
		if e.Linker != linkage.Unknown {
			by = " (" + e.Linker.String() + ")"
		}
		row("", "by %s: %s%s", e.Witness, e.Text, by)
	}
	if f.Doubt != "" {
		row("doubt", "%s", f.Doubt)
	}
	for _, p := range f.Producers {
		row("compiler", "%s", p)
	}
}

// sheetLoading tells what the dynamic loader does with the file.
func sheetLoading(row func(name, format string, args ...any), f *inspect.File) {
	if f.Interpreter != "" {
		row("loader", "%s", f.Interpreter)
	}
	if f.SOName != "" {
		row("soname", "%s", f.SOName)
	}
	for _, l := range f.Needed {
		name := l.Name
		if l.By != "" {
			name += " of " + l.By
		}
		row("needed", "%-22s %s", name, strings.TrimSpace(fmt.Sprintf("%-8s %s", l.How, l.Path)))
	}
	if len(f.RunPath) > 0 {
		row("runpath", "%s", strings.Join(f.RunPath, ":"))
	}
	if len(f.RPath) > 0 {
		row("rpath", "%s", strings.Join(f.RPath, ":"))
	}
	if f.Glibc != "" {
		row("glibc", "%s or newer", f.Glibc)
	}
	if f.RELRO != "" {
		text := string(f.RELRO)
		if f.BindNow {
			text += ", BIND_NOW"
		}
		row("relro", "%s", text)
	}
}

func sheetVersions(row func(name, format string, args ...any), f *inspect.File) {
	for _, library := range slices.Sorted(maps.Keys(f.Versions.Needed)) {
		row("versions", "of %s: %s", library, strings.Join(f.Versions.Needed[library], " "))
	}
	if len(f.Versions.Defined) > 0 {
		row("defines", "%s", strings.Join(f.Versions.Defined, " "))
	}
	if len(f.Versions.Asked) > 0 {
		row("versions", "in names: %s", strings.Join(f.Versions.Asked, " "))
	}
}

// sheetMembers tells of each member in a row.
func sheetMembers(row func(name, format string, args ...any), f *inspect.File) {
	if len(f.Members) == 0 {
		return
	}
	row("machine", "%s", dash(f.Machine))
	row("members", "%d", len(f.Members))
	for i := range f.Members {
		m := &f.Members[i]
		text := fmt.Sprintf("%-12s %-11s %-10s %s", inspectKind(m), dash(m.Machine), dist.FormatBytes(m.Size), m.Member)
		if m.LTO != inspect.NoLTO {
			text += "  " + string(m.LTO)
		}
		row("", "%s", text)
	}
}
