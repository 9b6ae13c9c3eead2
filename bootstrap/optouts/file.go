package optouts

import (
	"bytes"
	"regexp"
	"sort"
	"strings"

	"x.go/bootstrap/toml"
)

// file is what was read of one file, and the options in it.
type file struct {
	name   string // slash path from the directory that was named
	kind   Kind
	syntax syntax
	data   []byte
	fixed  []byte // without what is not needed any more; nil where that is all of it
	lines  []int  // offsets of the starts of lines

	found    []found
	comments []comment
	// bootstrap says that RUSTC_BOOTSTRAP is set in the file: it unlocks what is
	// unstable.
	bootstrap bool
	// aboutRust says that the file mentions cargo or rustc.
	aboutRust bool
}

// needles are parts of words that every option has. A file without one of them is
// not looked at again.
var needles = [][]byte{
	[]byte("linker"), []byte("LINKER"), []byte("lld"), []byte("link-arg"), []byte("link_arg"), []byte("link-self"), []byte("link_self"),
	[]byte("fuse-ld"), []byte("stop-gc"), []byte("shlib-undefined"),
}

// mayHold reports whether a text has one of the needles.
func mayHold(text []byte) bool {
	for _, n := range needles {
		if bytes.Contains(text, n) {
			return true
		}
	}
	return false
}

// parse finds the options of the file.
func (f *file) parse() {
	f.indexLines()
	f.bootstrap = setsBootstrap(f.data)
	f.aboutRust = bytes.Contains(f.data, []byte("cargo")) || bytes.Contains(f.data, []byte("rustc")) || bytes.Contains(f.data, []byte("RUSTFLAGS"))
	if f.syntax&isTOML != 0 {
		if doc := toml.Parse(f.name, f.data); len(doc.Errors) == 0 {
			_, f.comments = scan(f.data, 0, len(f.data), 0, hash)
			t := tomlReader{file: f, cargo: f.kind == KindCargoConfig || f.kind == KindManifest}
			t.rust = f.kind == KindBootstrap && (doc.Root.Child("rust") != nil || doc.Root.Child("llvm") != nil)
			if f.kind == KindBootstrap && !t.rust {
				f.kind = KindSettings
			}
			t.table(doc.Root, nil)
			sort.SliceStable(f.found, func(i, j int) bool { return f.found[i].at < f.found[j].at })
			return
		}
		f.syntax = hash // with a mistake in it, it is read as any other text
	}
	words, comments := scan(f.data, 0, len(f.data), 0, f.syntax)
	f.comments = comments
	r := reader{src: f.data}
	for _, w := range words {
		for _, part := range splitWord(w) {
			r.word(part)
		}
	}
	f.found = r.out
	f.dropForeign()
}

func (f *file) indexLines() {
	f.lines = []int{0}
	for i, c := range f.data {
		if c == '\n' {
			f.lines = append(f.lines, i+1)
		}
	}
}

// dropForeign drops flags of C compilers from a file that has nothing to do with
// Rust.
func (f *file) dropForeign() {
	if f.aboutRust && f.kind != KindDocumentation && f.kind != KindSource {
		return
	}
	kept := f.found[:0]
	for _, o := range f.found {
		if len(o.args) > 0 {
			kept = append(kept, o)
		}
	}
	f.found = kept
}

// setsBootstrap reports whether RUSTC_BOOTSTRAP=1 is written somewhere in a text.
func setsBootstrap(data []byte) bool {
	_, after, ok := bytes.Cut(data, []byte("RUSTC_BOOTSTRAP"))
	if !ok {
		return false
	}
	after = bytes.TrimLeft(after[:min(len(after), 20)], " \t\"'=:,)(")
	return len(after) > 0 && after[0] == '1'
}

// line returns the line of an offset, from 0.
func (f *file) line(at int) int {
	return sort.Search(len(f.lines), func(i int) bool { return f.lines[i] > at }) - 1
}

// column returns the column of an offset in characters, from 1.
func (f *file) column(at int) int {
	return len([]rune(string(f.data[f.lines[f.line(at)]:at]))) + 1
}

// tomlReader finds the options in the values of a document.
type tomlReader struct {
	file  *file
	cargo bool // configuration of cargo
	rust  bool // bootstrap.toml
	group int
}

// maxTables bounds how deep tables are followed.
const maxTables = 64

func (t *tomlReader) table(n *toml.Node, path []string) {
	if len(path) > maxTables {
		return
	}
	for _, c := range n.Children {
		inner := append(path[:len(path):len(path)], c.Key)
		switch c.Kind {
		case toml.Table:
			t.table(c, inner)
		case toml.TableArray:
			for _, item := range c.Items {
				t.table(item, inner)
			}
		default:
			t.leaf(c, inner)
		}
	}
}

// leaf reads a value: a string, or an array.
func (t *tomlReader) leaf(n *toml.Node, path []string) {
	t.group++
	target := ""
	if len(path) >= 3 && path[0] == "target" {
		target = path[1]
	}
	if target == "" {
		target = variableTarget(n.Key)
	}
	switch {
	case t.rust && t.toolchainKey(n, path):
		return
	case n.Kind == toml.String && (n.Key == "linker" && len(path) >= 2 && (path[0] == "target" || path[0] == "host") || isLinkerVariable(n.Key)):
		t.file.found = append(t.file.found, found{class: ClassLinker, option: n.Key + " = " + string(t.file.data[n.Value:n.End]),
			args: []string{"-Clinker=" + n.Text}, at: n.Start, end: n.End, mark: n.At, group: t.group, key: toml.Path(path...), target: target, words: 1})
		return
	case n.Kind != toml.String && n.Kind != toml.Array:
		return
	}
	if !mayHold(t.file.data[n.Value:n.End]) && !bytes.Contains(t.file.data[n.Value:n.End], []byte("unstable-options")) && !bytes.Contains(t.file.data[n.Value:n.End], []byte("threads")) {
		return
	}
	words, _ := scan(t.file.data, n.Value, n.End, t.file.line(n.Value), hash|isTOML)
	for _, f := range read(words, toml.Path(path...), target) {
		f.group = t.group
		t.file.found = append(t.file.found, f)
	}
}

// toolchainKey takes a key of bootstrap.toml that bears on LLD.
func (t *tomlReader) toolchainKey(n *toml.Node, path []string) bool {
	key := strings.Join(path, ".")
	target := ""
	if len(path) == 3 && path[0] == "target" {
		key, target = "target.*."+path[2], path[1]
	}
	if _, ok := toolchainKeys[key]; !ok {
		return false
	}
	t.file.found = append(t.file.found, found{class: ClassToolchain, option: toml.Path(path...) + " = " + oneLine(string(t.file.data[n.Value:n.End])),
		at: n.Start, end: n.End, mark: n.At, group: t.group, key: key, target: target, words: 1})
	return true
}

// oneLine shortens a text to one line that fits a table.
func oneLine(s string) string {
	const most = 200
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// besides returns the comments beside an option: on its lines, and those that stand
// right above it or above its statement.
func (f *file) besides(o *found) string {
	if f.kind == KindDocumentation {
		return f.paragraph(o)
	}
	lines := map[int]comment{}
	for _, c := range f.comments {
		if old, ok := lines[c.line]; ok {
			c.text = old.text + " " + c.text
		}
		lines[c.line] = c
	}
	var out []string
	seen := map[int]bool{}
	add := func(line int, wantAlone bool) bool {
		c, ok := lines[line]
		if !ok || wantAlone && !c.alone {
			return false
		}
		if !seen[line] && !commentedOut.MatchString(c.text) {
			seen[line] = true
			out = append(out, c.text)
		}
		return true
	}
	above := func(line int) {
		first := line
		for first > 0 && line-first < 8 && lines[first-1].alone {
			first--
		}
		for l := first; l < line; l++ {
			add(l, true)
		}
	}
	at, last := f.line(o.at), f.line(o.end)
	start := f.statement(o)
	if start != at {
		above(start)
		add(start, false)
	}
	above(at)
	for l := at; l <= last; l++ {
		add(l, false)
	}
	return strings.TrimSpace(strings.Join(out, " "))
}

// commentedOut is how a line begins that was code.
var commentedOut = regexp.MustCompile(`^(["'\-\[\]{}<]|[\w.$:-]+\s*[+?:]?=\s*["'\[$]|(export|ENV|RUN|env|println!|RUSTFLAGS)\W)`)

// statement returns the line on which the statement around an option begins: a few
// lines up, the first that is less indented, without an empty one between them.
func (f *file) statement(o *found) int {
	at := f.line(o.at)
	depth := f.indent(at)
	for l := at - 1; l >= 0 && at-l < 40; l-- {
		text := bytes.TrimSpace(f.lineText(l))
		switch {
		case len(text) == 0:
			return at
		case f.indent(l) < depth && text[0] != '#' && text[0] != '/':
			return l
		}
	}
	return at
}

func (f *file) lineText(l int) []byte {
	end := len(f.data)
	if l+1 < len(f.lines) {
		end = f.lines[l+1]
	}
	return f.data[f.lines[l]:end]
}

func (f *file) indent(l int) int {
	text := f.lineText(l)
	return len(text) - len(bytes.TrimLeft(text, " \t"))
}

// paragraph returns the text around an option of a documentation: at most four lines
// above it, and its own.
func (f *file) paragraph(o *found) string {
	at := f.line(o.mark)
	first := at
	for first > 0 && at-first < 4 {
		first--
	}
	var b bytes.Buffer
	for l := first; l <= at; l++ {
		text := f.lineText(l)
		b.Write(text[:min(len(text), 400)])
	}
	return strings.ToValidUTF8(b.String(), "")
}
