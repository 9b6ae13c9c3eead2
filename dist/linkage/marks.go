package linkage

import (
	"bytes"
	"debug/elf"
	"regexp"
	"slices"
	"strings"
	"sync"
)

const (
	maxComment   = 1 << 20 // bytes of .comment
	maxMarks     = 256     // strings kept of .comment
	goldNoteName = ".note.gnu.gold-version"
	goNoteName   = ".note.go.buildid"
	markPrefix   = "Linker: " // LLD, and what takes after it, in .comment
)

// names is how linkers name themselves, in .comment and in the first line of
// --version and -v; the first group is the version. LLD is built with the name of
// its vendor in front (LLD_VENDOR, or CLANG_VENDOR): "Debian LLD 14.0.6", "Apple
// LLD 17.0.6", "Android (11349228, +pgo, based on r487747e) LLD 17.0.2".
var names = sync.OnceValue(func() []name {
	return []name{
		{regexp.MustCompile("^(?:[^:;\"'`]{1,200} )?LLD (\\d+\\.\\d[^\\s,]*)"), LLD},
		{regexp.MustCompile(`^(?:mold|sold) (\d[^\s,]*)`), Mold}, // sold was its name for macOS
		{regexp.MustCompile(`^Wild (?:version )?(\d[^\s,]*)?`), Wild},
		{regexp.MustCompile(`^GNU gold \(.*\) (\d\S*)`), Gold},
		{regexp.MustCompile(`^gold (\d\S*)`), Gold}, // in its note
		{regexp.MustCompile(`^GNU ld (?:\(.*\)|version) (\d\S*)`), BFD},
	}
})

type name struct {
	pattern *regexp.Regexp
	linker  Linker
}

// Named returns the linker that a line of its own names, as .comment holds it or as
// the linker answers to --version or -v, and its version. Any other line gives
// [Unknown].
func Named(line string) (linker Linker, version string) {
	line = strings.TrimPrefix(strings.TrimSpace(line), markPrefix)
	for _, n := range names() {
		if m := n.pattern.FindStringSubmatch(line); m != nil {
			return n.linker, m[1]
		}
	}
	return Unknown, ""
}

// marks are the linkers that signed a file, with the versions found of each.
type marks struct {
	linkers  []Linker
	versions map[Linker][]string
	foreign  string // the mark of a linker that this package does not know
}

func (m *marks) add(l Linker, version string) {
	if !slices.Contains(m.linkers, l) {
		m.linkers = append(m.linkers, l)
	}
	if version != "" && !slices.Contains(m.versions[l], version) {
		m.versions[l] = append(m.versions[l], version)
	}
}

// readMarks reads .comment and the notes into Evidence and Producers.
func (f *File) readMarks(info *Info) (*marks, error) {
	m := &marks{versions: map[Linker][]string{}}
	comment, err := f.commentStrings()
	if err != nil {
		return nil, err
	}
	for _, text := range comment {
		linker, version := Named(text)
		signed := strings.HasPrefix(text, markPrefix)
		switch {
		case signed && linker == Unknown:
			m.foreign = text
			info.Evidence = append(info.Evidence, Evidence{ByOtherMark, Unknown, text})
		case signed, linker == Mold:
			m.add(linker, version)
			info.Evidence = append(info.Evidence, Evidence{ByComment, linker, text})
		default:
			info.Producers = append(info.Producers, text)
		}
	}
	return m, f.readNotes(info, m, len(comment) > 0)
}

// commentStrings are the NUL-separated strings of .comment, each kept once.
func (f *File) commentStrings() ([]string, error) {
	var out []string
	for _, s := range f.Sections {
		if s.Name != ".comment" || s.Type == elf.SHT_NOBITS || s.Flags&elf.SHF_COMPRESSED != 0 {
			continue
		}
		s.Size = min(s.Size, maxComment)
		b, err := f.Contents(s, "section .comment")
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

// readNotes looks for the marks of gold and of Go's linker.
func (f *File) readNotes(info *Info, m *marks, commented bool) error {
	goNote, external := false, commented
	for _, s := range f.Sections {
		switch s.Name {
		case goldNoteName:
			// An ELF note: three words, the owner "GNU\0", then "gold 1.16".
			text := "gold"
			if s.Size > 16 && s.Size < maxString {
				b, err := f.Contents(s, "section "+goldNoteName)
				if err != nil {
					return err
				}
				text = cString(b[16:])
			}
			_, version := Named(text)
			m.add(Gold, version)
			info.Evidence = append(info.Evidence, Evidence{ByGoldNote, Gold, text})
		case goNoteName:
			goNote = true
		case ".eh_frame", ".gnu.hash", ".init_array":
			external = true // cmd/link writes none of them: it had a C linker link
		}
	}
	if goNote && !external {
		m.add(Go, "")
		info.Evidence = append(info.Evidence, Evidence{ByGoNote, Go, goNoteName})
	}
	return nil
}
