package verify

import (
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"

	"x.go/dist"
	"x.go/dist/linkage"
	"x.go/dist/page"
)

//go:embed report.html
var pageText string

// pageTemplate is parsed once; that it parses is tested.
var pageTemplate = page.Parse(pageText, template.FuncMap{
	"lower":  func(s Status) string { return strings.ToLower(string(s)) },
	"linker": func(b Binary) string { return dist.OneLine(linkerName(b)) },
	"kind":   kindName,
	"what":   legWhat,
	"short":  func(s string) string { return s[:min(len(s), 12)] },
})

// pageData is what the page shows.
type pageData struct {
	Report
	Verdict  Status
	Counts   string
	Problems []pageRow // of all groups
	Groups   []pageGroup
	Archives []pageArchive
	Shipped  []Binary
	Produced []Binary
	Linkers  []pageCount
}

// pageGroup is one group's table of checks.
type pageGroup struct {
	Title  string
	Status Status
	Counts string
	Rows   []pageRow
}

// pageRow is one check with what it demands.
type pageRow struct {
	Check
	What string
}

// pageArchive is a row with its bars, as percentages of the largest archive.
type pageArchive struct {
	Archive
	Bar, Inner float64
}

type pageCount struct {
	Name string
	N    int
}

// groupTitles are the groups in a reader's words.
var groupTitles = map[Group]string{
	Static: "The files as they are", Sysroot: "The toolchain, unpacked", Link: "Linking with it", Channel: "The channel", Client: "Installing with rustup",
	Installed: "What is installed", Store: "The store",
}

// linkerName names the linker of a file for a reader.
func linkerName(b Binary) string {
	name := b.Linker
	if name == string(linkage.BFD) {
		name = "GNU ld"
	}
	return strings.TrimSpace(name + " " + b.LinkerVersion)
}

// kindName is a kind of file in a reader's words.
func kindName(kind string) string {
	switch linkage.Kind(kind) {
	case linkage.Executable, linkage.PIE, linkage.StaticPIE:
		return "program"
	case linkage.Shared:
		return "library"
	case linkage.Relocatable:
		return "object"
	}
	return kind
}

// legWhat says what a link leg links.
func legWhat(name string) string {
	for _, l := range legs {
		if l.name == name {
			return l.what
		}
	}
	if name == crossName {
		return crossWhat
	}
	return ""
}

// WriteHTML writes the report as one page that needs nothing else: no script,
// no font, no picture.
func (r Report) WriteHTML(w io.Writer) error {
	d := pageData{Report: r, Verdict: r.Status(), Counts: r.Summary(), Archives: archiveBars(r.Archives)}
	what := map[string]CheckInfo{}
	for _, c := range Catalogue() {
		what[c.Name] = c
	}
	for _, g := range Groups() {
		var part Report
		for _, c := range r.Checks {
			if what[c.Name].Group == g {
				part.Checks = append(part.Checks, c)
			}
		}
		if len(part.Checks) == 0 {
			continue
		}
		pg := pageGroup{Title: groupTitles[g], Status: part.Status(), Counts: part.Summary()}
		for _, c := range part.worstFirst() {
			row := pageRow{c, what[c.Name].What}
			pg.Rows = append(pg.Rows, row)
			if c.Status != Pass {
				d.Problems = append(d.Problems, row)
			}
		}
		d.Groups = append(d.Groups, pg)
	}
	count := map[string]int{}
	for _, b := range r.Binaries {
		if b.Leg == "" {
			d.Shipped = append(d.Shipped, b)
			count[linkerName(b)]++
		} else {
			d.Produced = append(d.Produced, b)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(count)) {
		d.Linkers = append(d.Linkers, pageCount{name, count[name]})
	}
	slices.SortStableFunc(d.Problems, func(a, b pageRow) int { return cmp.Compare(a.Status.rank(), b.Status.rank()) })
	if err := pageTemplate().Execute(w, d); err != nil {
		return fmt.Errorf("writing report as HTML: %w", err)
	}
	return nil
}

// archiveBars scales the sizes to the largest, unpacked.
func archiveBars(archives []Archive) []pageArchive {
	var most int64 = 1
	for _, a := range archives {
		most = max(most, a.Unpacked, a.Size)
	}
	out := make([]pageArchive, len(archives))
	for i, a := range archives {
		out[i] = pageArchive{a, 100 * float64(a.Unpacked) / float64(most), 100 * float64(a.Size) / float64(most)}
	}
	slices.SortStableFunc(out, func(a, b pageArchive) int { return strings.Compare(a.Name, b.Name) })
	return out
}
