package linkage

import (
	"bytes"
	"debug/elf"
	"fmt"
	"slices"
	"strings"
)

// Linker is a program that links ELF files. The zero Linker is [Unknown].
type Linker string

// The linkers that this package tells apart.
const (
	Unknown Linker = ""
	LLD     Linker = "LLD"
	BFD     Linker = "BFD" // GNU ld
	Gold    Linker = "gold"
	Mold    Linker = "mold"
	Go      Linker = "Go" // cmd/link, linking internally
)

// String returns the name, or "unknown".
func (l Linker) String() string {
	if l == Unknown {
		return "unknown"
	}
	return string(l)
}

// Witness is a kind of evidence.
type Witness string

// The witnesses, strongest first.
const (
	ByComment      Witness = "comment"       // the linker's own string in .comment
	ByGoldNote     Witness = "gold-note"     // section .note.gnu.gold-version
	ByGoNote       Witness = "go-note"       // section .note.go.buildid
	ByOtherMark    Witness = "other-mark"    // "Linker: X": a linker this package does not know
	BySilence      Witness = "silence"       // .comment names compilers and no linker, as only GNU ld leaves it
	ByLayout       Witness = "layout"        // order of the dynamic sections
	ByRelroPadding Witness = "relro-padding" // section .relro_padding: LLD or mold, not GNU ld or gold
)

// Evidence is one witness for one linker.
type Evidence struct {
	Witness Witness
	Linker  Linker
	Text    string // the mark, or the names of the sections, as found
}

const (
	maxComment   = 1 << 20 // bytes of .comment
	maxMarks     = 256     // strings kept of .comment
	goldNoteName = ".note.gnu.gold-version"
)

// commentMarks are the strings that linkers put into .comment. The version is
// the word after the prefix.
var commentMarks = []struct {
	prefix  string
	linker  Linker
	witness Witness
}{
	{"Linker: LLD ", LLD, ByComment},
	{"mold ", Mold, ByComment},
	{"Linker: ", Unknown, ByOtherMark},
}

// layouts are the orders in which linkers place three sections of every
// dynamically linked file. BFD and mold share one; .relro_padding parts them.
var layouts = []struct {
	order        string
	linker       Linker
	relroPadding bool
}{
	{".dynsym .gnu.hash .dynstr", LLD, true},
	{".dynsym .gnu.hash .dynstr", LLD, false}, // without RELRO, or before LLD 17
	{".dynsym .dynstr .gnu.hash", Gold, false},
	{".gnu.hash .dynsym .dynstr", BFD, false},
	{".gnu.hash .dynsym .dynstr", Mold, true},
}

// judge fills Linker, LinkerVersion, Layout, Evidence, Doubt, Producers and
// LostConstructors.
func (f *file) judge(info *Info) error {
	marks, err := f.commentStrings()
	if err != nil {
		return err
	}
	versions := f.readMarks(info, marks)
	if err := f.readNotes(info, versions, len(marks) > 0); err != nil {
		return err
	}
	f.readLayout(info)
	info.decide(versions)
	for _, s := range f.sections {
		// In a relocatable file they are merely not linked yet.
		if (s.name == ".ctors" || s.name == ".dtors") && s.size > 0 && info.Kind != Relocatable {
			info.LostConstructors = append(info.LostConstructors, s.name)
		}
	}
	return nil
}

// commentStrings are the NUL-separated strings of .comment, each kept once.
func (f *file) commentStrings() ([]string, error) {
	var out []string
	for _, s := range f.sections {
		if s.name != ".comment" || s.typ == elf.SHT_NOBITS || s.flags&elf.SHF_COMPRESSED != 0 {
			continue
		}
		s.size = min(s.size, maxComment)
		b, err := f.contents(s, "section .comment")
		if err != nil {
			return nil, err
		}
		for part := range bytes.SplitSeq(b, []byte{0}) {
			part = part[:min(len(part), maxString)]
			text := string(bytes.TrimSpace(part))
			if len(out) == maxMarks {
				break
			}
			if text != "" && !slices.Contains(out, text) {
				out = append(out, text)
			}
		}
	}
	return out, nil
}

// readMarks splits the strings of .comment into marks and producers, and
// returns the versions found for each linker.
func (f *file) readMarks(info *Info, marks []string) map[Linker][]string {
	versions := map[Linker][]string{}
next:
	for _, text := range marks {
		for _, m := range commentMarks {
			if rest, ok := strings.CutPrefix(text, m.prefix); ok {
				info.Evidence = append(info.Evidence, Evidence{m.witness, m.linker, text})
				version, _, _ := strings.Cut(rest, " ")
				if m.linker != Unknown && !slices.Contains(versions[m.linker], version) {
					versions[m.linker] = append(versions[m.linker], version)
				}
				continue next
			}
		}
		info.Producers = append(info.Producers, text)
	}
	return versions
}

// readNotes looks for the marks of gold and of Go's linker.
func (f *file) readNotes(info *Info, versions map[Linker][]string, commented bool) error {
	for _, s := range f.sections {
		switch {
		case s.name == goldNoteName:
			// An ELF note: three words, the owner "GNU\0", then "gold 1.16".
			text := "gold"
			if s.size > 16 && s.size < maxString {
				b, err := f.contents(s, "section "+goldNoteName)
				if err != nil {
					return err
				}
				text = cString(b[16:])
			}
			info.Evidence = append(info.Evidence, Evidence{ByGoldNote, Gold, text})
			if v, ok := strings.CutPrefix(text, "gold "); ok {
				versions[Gold] = append(versions[Gold], v)
			}
		case s.name == ".note.go.buildid" && !commented:
			info.Evidence = append(info.Evidence, Evidence{ByGoNote, Go, s.name})
		}
	}
	return nil
}

// readLayout compares the order of sections with the table of layouts.
func (f *file) readLayout(info *Info) {
	var order []string
	padding := false
	for _, s := range f.sections {
		switch s.name {
		case ".dynsym", ".gnu.hash", ".dynstr":
			order = append(order, s.name)
		case ".relro_padding":
			padding = true
		}
	}
	text := strings.Join(order, " ")
	for _, l := range layouts {
		if l.order == text && l.relroPadding == padding {
			info.Layout = l.linker
			info.Evidence = append(info.Evidence, Evidence{ByLayout, l.linker, text})
		}
	}
	if padding {
		info.Evidence = append(info.Evidence, Evidence{ByRelroPadding, info.Layout, ".relro_padding"})
	}
}

// decide weighs the evidence. Marks of one linker decide; marks of two, or a
// mark against the layout, leave a doubt.
func (info *Info) decide(versions map[Linker][]string) {
	var marked []Linker
	foreign := ""
	for _, e := range info.Evidence {
		switch e.Witness {
		case ByComment, ByGoldNote, ByGoNote:
			if !slices.Contains(marked, e.Linker) {
				marked = append(marked, e.Linker)
			}
		case ByOtherMark:
			foreign = e.Text
		}
	}
	switch {
	case len(marked) == 1:
		info.Linker = marked[0]
		if v := versions[info.Linker]; len(v) == 1 {
			info.LinkerVersion = v[0]
		}
	case len(marked) > 1:
		info.Doubt = fmt.Sprintf("marks of several linkers: %v", marked)
		// Objects may bring LLD's mark along, so the layout breaks the tie.
		if slices.Contains(marked, info.Layout) {
			info.Linker = info.Layout
		}
		return
	case foreign != "":
		info.Doubt = fmt.Sprintf("mark of an unknown linker: %q", foreign)
		return
	case len(info.Producers) > 0 && info.Kind != Relocatable:
		info.Linker = BFD
		info.Evidence = append(info.Evidence, Evidence{BySilence, BFD, strings.Join(info.Producers, "; ")})
		if info.Layout != Unknown && info.Layout != BFD {
			info.Linker = Unknown
			info.Doubt = fmt.Sprintf(".comment holds no linker's mark, but %s writes sections in this order", info.Layout)
			return
		}
	}
	if info.Linker != Unknown && info.Linker != Go && info.Layout != Unknown && info.Layout != info.Linker {
		info.Doubt = fmt.Sprintf("%s left its mark, but %s writes sections in this order", info.Linker, info.Layout)
	}
}
