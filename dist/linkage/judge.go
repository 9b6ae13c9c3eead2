package linkage

import (
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
	Wild    Linker = "Wild"
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
	ByTags         Witness = "dynamic-tags"  // order of the dynamic table's entries
	ByTail         Witness = "tail"          // order of the tables of names and symbols
	ByLayout       Witness = "layout"        // order of the dynamic sections
	ByRelroPadding Witness = "relro-padding" // section .relro_padding: LLD or mold, not GNU ld or gold
)

// Evidence is one witness for one linker.
type Evidence struct {
	Witness Witness
	Linker  Linker
	Text    string // the mark, or the names of the sections, as found
}

// judge fills Linker, LinkerVersion, Layout, Evidence, Doubt, Producers and
// Constructors.
func (f *File) judge(info *Info, tags []elf.DynTag) error {
	m, err := f.readMarks(info)
	if err != nil {
		return err
	}
	info.decide(m, f.readLayout(info, tags))
	info.Constructors, err = f.constructors()
	return err
}

// decide weighs the evidence. A mark decides unless the file is laid out as its linker
// never does: objects that a linker joined before (-r) bring its mark along. fits
// are the linkers that write files like this one; nil if nothing tells.
func (info *Info) decide(m *marks, fits []Linker) {
	possible := slices.DeleteFunc(slices.Clone(m.linkers), func(l Linker) bool { return !l.mayWrite(fits) })
	if info.Kind == Relocatable && len(fits) == 0 {
		possible = nil // GNU ld joins objects without a word, and with their marks
	}
	switch {
	case slices.Contains(m.linkers, Gold):
		possible = []Linker{Gold} // its note is never an object's
	case len(m.linkers) == 0 && m.foreign != "":
		info.Doubt = fmt.Sprintf("mark of an unknown linker: %q", m.foreign)
		return
	case len(m.linkers) == 0:
		info.decideSilence(fits)
		return
	}
	switch {
	case len(possible) == 1:
		info.Linker = possible[0]
		if v := m.versions[info.Linker]; len(v) == 1 {
			info.LinkerVersion = v[0]
		}
	case info.Kind == Relocatable:
		// Nothing was linked yet that a doubt could be about.
	case len(possible) > 1:
		info.Doubt = fmt.Sprintf("marks of several linkers: %v", possible)
	default:
		info.Doubt = fmt.Sprintf("%s left its mark, perhaps in an object, but %s writes files laid out like this", list(m.linkers), list(fits))
	}
}

// mayWrite reports whether a linker can have written a file that is laid out as those
// of fits. What Wild writes is not known here.
func (l Linker) mayWrite(fits []Linker) bool {
	return len(fits) == 0 || l == Wild || slices.Contains(fits, l)
}

// decideSilence judges a file without any linker's mark. All linkers but GNU ld leave
// one beside those of the compilers.
func (info *Info) decideSilence(fits []Linker) {
	switch {
	case len(info.Producers) == 0 || info.Kind == Relocatable:
	case !BFD.mayWrite(fits):
		info.Doubt = fmt.Sprintf(".comment holds no linker's mark, but %s writes files laid out like this", list(fits))
	default:
		info.Linker = BFD
		info.Evidence = append(info.Evidence, Evidence{BySilence, BFD, strings.Join(info.Producers, "; ")})
	}
}

// list writes linkers as a choice: "LLD or mold".
func list(linkers []Linker) string {
	words := make([]string, len(linkers))
	for i, l := range linkers {
		words[i] = l.String()
	}
	return strings.Join(words, " or ")
}
