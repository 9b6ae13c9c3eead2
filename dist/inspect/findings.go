package inspect

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"x.go/dist/linkage"
	"x.go/targets/nearest"
)

// Finding is a fact of a file that somebody may not want there.
type Finding struct {
	Word string `json:"word"` // of [Words]
	Text string `json:"text"`
	// Members are those of an archive that it is about.
	Members []string `json:"members,omitempty"`
}

// word is a kind of finding. find returns a text for each finding in a file or member.
type word struct {
	name, meaning string
	fault         bool // nobody wants it
	find          func(f *File) []string
}

// words are in the order of the help.
var words = []word{
	{"ctors", "functions in .ctors or .dtors, which LLD does not run", true, findConstructors},
	{"lto", "GCC's LTO sections, which LLD does not read", true, findLTO},
	{"unresolved", "a NEEDED library that is not found", true, findMissing},
	{"lost-version", "a symbol without the version that it had or should have", true, findLostVersions},
	{"encapsulation", "__start_X or __stop_X where LLD may drop or has dropped X", true, findEncapsulation},
	{"foreign-machine", "members for another machine than the rest of an archive", true, findForeign},
	{"not-lld", "a linked file that is not LLD's", false, findNotLLD},
	{"unknown-linker", "a linked file that does not tell its linker", true, findUnknownLinker},
	{"runpath", "a RUNPATH", false, func(f *File) []string { return findPath("RUNPATH", f.RunPath) }},
	{"rpath", "an RPATH", false, func(f *File) []string { return findPath("RPATH", f.RPath) }},
	{"no-relro", "a linked file without RELRO", false, func(f *File) []string { return only(f.RELRO == NoRELRO, "no RELRO") }},
	{"partial-relro", "RELRO that is not full", false, func(f *File) []string { return only(f.RELRO == PartialRELRO, "RELRO is partial") }},
	{"no-bind-now", "dynamic symbols bound as they are used", false, findLazy},
	{"compressed", "compressed sections", false, findCompressed},
}

// glibcWord takes a version: "glibc=2.17" finds what needs a newer one.
const glibcWord = "glibc"

// Words returns the words for findings, each with its meaning.
func Words() [][2]string {
	var out [][2]string
	for _, w := range words {
		out = append(out, [2]string{w.name, w.meaning})
	}
	return append(out, [2]string{glibcWord + "=VERSION", "a need of a newer glibc than this"})
}

// Selection are the findings that somebody does not want. The zero Selection has none.
type Selection []word

// All selects the findings of all words but glibc.
func All() Selection { return words }

// Faults selects what is wrong for whoever reads it, not only where a rule forbids it.
func Faults() Selection {
	return slices.DeleteFunc(slices.Clone(words), func(w word) bool { return !w.fault })
}

// With adds the words of another selection.
func (s Selection) With(more Selection) Selection {
	out := slices.Clone(s)
	for _, w := range more {
		if w.name == glibcWord || !slices.ContainsFunc(out, func(o word) bool { return o.name == w.name }) {
			out = append(out, w)
		}
	}
	return out
}

// Select parses comma-separated words.
func Select(list string) (Selection, error) {
	var out Selection
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		if version, ok := strings.CutPrefix(name, glibcWord+"="); ok {
			w, err := glibcNewer(version)
			if err != nil {
				return nil, err
			}
			out = append(out, w)
			continue
		}
		i := slices.IndexFunc(words, func(w word) bool { return w.name == name })
		if i < 0 {
			var known []string
			for _, w := range Words() {
				known = append(known, w[0])
			}
			return nil, fmt.Errorf("got %q, want %s%s", name, strings.Join(known, ", "), nearest.Hint(name, known))
		}
		out = append(out, words[i])
	}
	return out, nil
}

// glibcNewer is the word for files that need a newer glibc than version.
func glibcNewer(version string) (word, error) {
	for part := range strings.SplitSeq(version, ".") {
		if _, err := strconv.ParseUint(part, 10, 16); err != nil {
			return word{}, fmt.Errorf("got glibc version %q, want one such as 2.17", version)
		}
	}
	return word{glibcWord, "", false, func(f *File) []string {
		return only(linkage.CompareGlibc(f.Glibc, version) > 0, "needs glibc "+f.Glibc)
	}}, nil
}

// Find returns what of the selection a file has, in the order of the words. What
// members of an archive have in common is one finding.
func (s Selection) Find(f *File) []Finding {
	var out []Finding
	for _, w := range s {
		first := len(out)
		for _, text := range w.find(f) {
			out = append(out, Finding{Word: w.name, Text: text})
		}
		f.eachMember("", func(name string, m *File) {
			for _, text := range w.find(m) {
				i := slices.IndexFunc(out[first:], func(o Finding) bool { return o.Text == text && o.Members != nil })
				if i < 0 {
					i, out = len(out)-first, append(out, Finding{Word: w.name, Text: text})
				}
				out[first+i].Members = append(out[first+i].Members, name)
			}
		})
	}
	return out
}

// eachMember calls do with the members of an archive, and of those in it.
func (f *File) eachMember(prefix string, do func(name string, m *File)) {
	for i := range f.Members {
		m := &f.Members[i]
		do(prefix+m.Member, m)
		m.eachMember(prefix+m.Member+":", do)
	}
}

func only(found bool, text string) []string {
	if !found {
		return nil
	}
	return []string{text}
}

func (f *File) isObject() bool { return f.Kind == linkage.Relocatable }

// isLinked reports whether a linker made the file to be run or loaded.
func (f *File) isLinked() bool { return f.RELRO != "" }

func findConstructors(f *File) []string {
	var out []string
	for _, t := range f.Constructors {
		switch {
		case t.Lost:
			out = append(out, fmt.Sprintf("%s: nobody runs the %s in it", t.Name, functions(t.Entries)))
		case t.Entries > 0 && f.isObject():
			out = append(out, fmt.Sprintf("%s: LLD does not run the %s in it", t.Name, functions(t.Entries)))
		}
	}
	return out
}

func functions(n int) string {
	if n == 1 {
		return "1 function"
	}
	return fmt.Sprintf("%d functions", n)
}

func findLTO(f *File) []string {
	switch {
	case f.LTO == GCCSlim:
		return []string{"GCC's LTO without code: LLD finds none of its symbols"}
	case f.LTO == GCCFat:
		return []string{"GCC's LTO beside code: LLD takes the code, which is not optimised across files"}
	}
	return nil
}

func findMissing(f *File) []string {
	var out []string
	for _, l := range f.Needed {
		switch {
		case l.How != Missing:
		case l.By != "":
			out = append(out, fmt.Sprintf("%s, which %s needs, is not found", l.Name, l.By))
		default:
			out = append(out, l.Name+" is not found")
		}
	}
	return out
}

func findLostVersions(f *File) []string {
	var out []string
	for _, l := range f.Versions.Lost {
		text := l.Version
		if l.Symbol != "" {
			text = l.Symbol + "@" + l.Version
		}
		if l.Library != "" {
			text += " of " + l.Library
		}
		out = append(out, text+": "+l.Why)
	}
	return out
}

func findEncapsulation(f *File) []string {
	var out []string
	for _, e := range f.Encapsulation {
		symbols := strings.Join(e.Symbols, ", ")
		if f.isLinked() {
			out = append(out, fmt.Sprintf("%s: the file has no section %s", symbols, e.Section))
			continue
		}
		text := fmt.Sprintf("%s: nothing keeps section %s from LLD's garbage collection", symbols, e.Section)
		if len(e.Members) > 0 {
			text += fmt.Sprintf(", in %s", Few(e.Members))
		}
		out = append(out, text)
	}
	return out
}

// Few writes a list, and only the number of those that are many.
func Few(names []string) string {
	const shown = 3
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
}

func findForeign(f *File) []string {
	if len(f.Foreign) == 0 {
		return nil
	}
	names := map[string][]string{}
	var order []string
	for i := range f.Members {
		m := &f.Members[i]
		s := m.system()
		if s == "" || s == f.most {
			continue
		}
		if names[s] == nil {
			order = append(order, s)
		}
		names[s] = append(names[s], m.Member)
	}
	var out []string
	for _, s := range order {
		out = append(out, fmt.Sprintf("members for %s, not %s: %s", s, f.most, Few(names[s])))
	}
	return out
}

func findNotLLD(f *File) []string {
	switch {
	case !f.isLinked() || f.Linker == linkage.LLD:
		return nil
	case f.Linker == linkage.Unknown:
		return []string{"no mark of LLD"}
	}
	return []string{"linked by " + f.Linker.String()}
}

func findUnknownLinker(f *File) []string {
	if !f.isLinked() || f.Linker != linkage.Unknown {
		return nil
	}
	return only(true, "nothing tells the linker"+map[bool]string{true: ": " + f.Doubt}[f.Doubt != ""])
}

func findPath(tag string, path []string) []string {
	return only(len(path) > 0, fmt.Sprintf("%s %q", tag, strings.Join(path, ":")))
}

func findLazy(f *File) []string {
	return only(f.isLinked() && len(f.Needed) > 0 && !f.BindNow, "no BIND_NOW")
}

func findCompressed(f *File) []string {
	counts := map[string]int{}
	var coders []string
	for _, s := range f.Compressed {
		if counts[s.Coder]++; counts[s.Coder] == 1 {
			coders = append(coders, s.Coder)
		}
	}
	var out []string
	for _, c := range coders {
		out = append(out, fmt.Sprintf("%d sections compressed by %s", counts[c], c))
	}
	return out
}
