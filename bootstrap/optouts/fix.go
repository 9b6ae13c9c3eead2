package optouts

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"x.go/bootstrap/toml"
	"x.go/dist"
)

// Edit is a file without the options that are not needed any more.
type Edit struct {
	File     string // as in [Finding]
	Old, New []byte

	tree *tree
	name string
}

// Edits returns what [Edit.Write] would change, one for each file with a finding that
// is fixable.
func (r *Report) Edits() []Edit {
	var out []Edit
	for i := range r.Findings {
		f := &r.Findings[i]
		if !f.Fixable || len(out) > 0 && out[len(out)-1].File == f.File {
			continue
		}
		out = append(out, Edit{f.File, f.file.data, f.file.fixed, f.tree, f.file.name})
	}
	return out
}

// Write puts the new text in the file's place, in one step and with its mode. It
// follows no link, and leaves a file alone that has changed since it was read.
func (e *Edit) Write() error {
	fail := func(err error) error { return fmt.Errorf("fixing %q: %w", e.File, dist.WithoutPath(err)) }
	root, err := os.OpenRoot(e.tree.where)
	if err != nil {
		return fail(err)
	}
	defer root.Close()
	for above := range dist.Parents(e.name) {
		if err := dist.CheckDir(root, above); err != nil {
			return fail(err)
		}
	}
	dir, err := root.OpenRoot(path.Dir(e.name))
	if err != nil {
		return fail(err)
	}
	defer dir.Close()
	base := path.Base(e.name)
	info, err := dir.Lstat(base)
	if err != nil {
		return fail(err)
	}
	now, err := dist.ReadOwn(dir, base, maxFile)
	switch {
	case err != nil:
		return fail(err)
	case !bytes.Equal(now, e.Old):
		return fail(errors.New("it has changed since it was read: run x once more"))
	}
	if err := dist.WriteOwn(dir, base, e.New, info.Mode().Perm()); err != nil {
		return fail(err)
	}
	return nil
}

// markFixable decides which findings of a file can be removed, and prepares its new
// text. What cannot be removed with certainty is left to people.
func markFixable(f *file, all []Finding) {
	if f.kind == KindDocumentation || f.kind == KindSource || len(f.data) >= maxFile {
		return
	}
	var chosen []*Finding
	for i := range all {
		if n := all[i].Needed; n != nil && !*n && len(all[i].found.args) > 0 {
			chosen = append(chosen, &all[i])
		}
	}
	// All at once, or else each alone: one that cannot be removed keeps no other.
	if text, ok := f.without(chosen); ok {
		f.fixed = text
		for _, c := range chosen {
			c.Fixable = true
		}
		return
	}
	var some []*Finding
	for _, c := range chosen {
		if text, ok := f.without(append(slices.Clone(some), c)); ok {
			f.fixed, some = text, append(some, c)
			c.Fixable = true
		}
	}
}

// without returns the file's text without some options. ok is false where that cannot
// be done so that all else stays as it is.
func (f *file) without(gone []*Finding) (text []byte, ok bool) {
	if len(gone) == 0 {
		return nil, false
	}
	var cuts []cut
	for _, g := range gone {
		c, ok := f.cutsFor(g.found)
		if !ok {
			return nil, false
		}
		cuts = append(cuts, c...)
	}
	text = apply(f.data, cuts)
	if f.syntax&isTOML != 0 {
		if text, ok = dropEmptied(f, text); !ok {
			return nil, false
		}
	}
	again := &file{name: f.name, kind: f.kind, syntax: f.syntax, data: text}
	if f.kind == KindSettings && strings.HasSuffix(f.name, "config.toml") {
		again.kind = KindBootstrap // as it was before it was read
	}
	again.parse()
	return text, again.syntax == f.syntax && slices.Equal(remaining(f.found, gone), remaining(again.found, nil))
}

// remaining lists options without those that are gone.
func remaining(all []found, gone []*Finding) []string {
	var out []string
	for i := range all {
		isGone := func(g *Finding) bool { return g.found.at == all[i].at && g.found.option == all[i].option }
		if !slices.ContainsFunc(gone, isGone) {
			out = append(out, string(all[i].class)+" "+all[i].option)
		}
	}
	return out
}

// cut is a part of a text to remove, and what takes its place.
type cut struct {
	from, to int
	with     string
}

// apply removes parts of a text. Those that overlap become one.
func apply(data []byte, cuts []cut) []byte {
	slices.SortFunc(cuts, func(a, b cut) int { return a.from - b.from })
	var out []byte
	at := 0
	for _, c := range cuts {
		if c.from > at {
			out = append(out, data[at:c.from]...)
		}
		if c.from >= at {
			out = append(out, c.with...)
		}
		at = max(at, c.to)
	}
	return append(out, data[at:]...)
}

// cutsFor finds what to remove for one option.
func (f *file) cutsFor(o *found) ([]cut, bool) {
	switch {
	case o.words == 0: // a part of a word
		return nil, false
	case o.words > 2: // several options
		if bytes.IndexByte(f.data[o.at:o.end], '#') >= 0 {
			return nil, false
		}
		return f.cutItems(o.at-1, o.end+1)
	case o.class == ClassLinker && !strings.HasPrefix(o.option, "-"):
		if f.syntax&isTOML == 0 {
			return nil, false
		}
		return f.cutLines(o.at, o.end)
	case strings.Contains(o.key, "rustc-link-arg"):
		if from, to := f.lineOf(o.at); printsLinkArg.Match(f.data[from:to]) {
			return []cut{{from: from, to: to}}, true
		}
		return nil, false
	}
	from, to := o.at, o.end
	if o.words == 1 {
		return f.cutPiece(from, to)
	}
	letter := from + len("-C")
	if bytes.HasPrefix(f.data[from:], []byte("--codegen")) {
		letter = from + len("--codegen")
	}
	between := f.data[letter:o.mark]
	switch {
	case len(bytes.Trim(between, " \t")) == 0:
		return f.cutPiece(from, to)
	case len(bytes.Trim(between, " \t\r\n\"',")) == 0:
		return f.cutItems(from-1, to+1)
	}
	first, ok1 := f.cutPiece(from, letter)
	second, ok2 := f.cutPiece(o.mark, to)
	return append(first, second...), ok1 && ok2
}

// printsLinkArg is a line of a build script that does nothing else.
var printsLinkArg = regexp.MustCompile(`^\s*println!\(\s*"cargo::?rustc-link-arg[^"{}]*"\s*\);\s*$`)

// lineOf returns where the line of an offset begins and where the next one does.
func (f *file) lineOf(at int) (from, to int) {
	l := f.line(at)
	return f.lines[l], f.lines[l] + len(f.lineText(l))
}

// cutLines removes what is alone on its lines, and keeps a comment behind it.
func (f *file) cutLines(from, to int) ([]cut, bool) {
	begin, _ := f.lineOf(from)
	_, end := f.lineOf(to)
	rest := bytes.TrimSpace(f.data[to:end])
	switch {
	case len(bytes.TrimSpace(f.data[begin:from])) > 0:
		return nil, false
	case len(rest) == 0:
		return []cut{{from: begin, to: end}}, true
	case rest[0] == '#':
		return []cut{{from: from, to: to + bytes.IndexByte(f.data[to:end], '#')}}, true
	}
	return nil, false
}

func isQuote(c byte) bool { return c == '"' || c == '\'' }

func (f *file) byteAt(i int) byte {
	if i < 0 || i >= len(f.data) {
		return '\n'
	}
	return f.data[i]
}

// cutPiece removes one word, or several with blanks between them.
func (f *file) cutPiece(from, to int) ([]cut, bool) {
	before, after := f.byteAt(from-1), f.byteAt(to)
	if isQuote(before) && before == after {
		if f.inList(from-1, to+1) {
			return f.cutItems(from-1, to+1)
		}
		return []cut{{from: from, to: to}}, true // "": whatever the value overrides stays so
	}
	begin, end := f.lineOf(from)
	head, tail := f.data[begin:from], f.data[to:end]
	switch {
	case len(bytes.TrimSpace(head)) == 0 && strings.TrimSpace(string(tail)) == `\`:
		return []cut{{from: begin, to: end}}, true
	case yamlItem.Match(head) && len(bytes.TrimSpace(tail)) == 0:
		return []cut{{from: begin, to: end}}, true
	case bazelFlag.Match(head) && len(bytes.TrimSpace(tail)) == 0:
		return []cut{{from: begin, to: end}}, true
	case before == '=' && bazelFlag.Match(head) || !isBlank(before) && before != '\n' && before != '=' && !isQuote(before):
		return nil, false
	case yamlValue.Match(head) && (len(bytes.TrimSpace(tail)) == 0 || bytes.HasPrefix(bytes.TrimLeft(tail, " "), []byte("#"))):
		return []cut{{from, to, `""`}}, true
	case isBlank(before) && len(bytes.TrimSpace(head)) > 0:
		for from > begin && isBlank(f.data[from-1]) {
			from--
		}
		if isBlank(after) || after == '\n' || isQuote(after) || after == '\\' {
			return []cut{{from: from, to: to}}, true
		}
		return nil, false
	}
	for isBlank(f.byteAt(to)) && to < end && f.byteAt(to) != '\r' && before != '=' {
		to++
	}
	return []cut{{from: from, to: to}}, true
}

var (
	yamlItem  = regexp.MustCompile(`^\s*-\s+$`)
	yamlValue = regexp.MustCompile(`^\s*(-\s+)?[\w.-]+:\s+$`)
	bazelFlag = regexp.MustCompile(`^\s*[a-z]+(:[\w-]+)?\s+--[^\s=]+=$`)
)

// inList reports whether a string in quotes is an item of a list in square brackets,
// or of a YAML list.
func (f *file) inList(from, to int) bool {
	begin, _ := f.lineOf(from)
	if yamlItem.Match(f.data[begin:from]) {
		return true
	}
	depth := 0
	for i := from - 1; i >= 0 && from-i < maxWord; i-- {
		switch f.data[i] {
		case ']', ')', '}':
			depth++
		case '[', '(', '{':
			if depth--; depth < 0 {
				return f.data[i] == '['
			}
		}
	}
	return false
}

// cutItems removes neighbouring items of a list, each in quotes, with their comma.
func (f *file) cutItems(from, to int) ([]cut, bool) {
	if !isQuote(f.byteAt(from)) || !isQuote(f.byteAt(to-1)) || !f.inList(from, to) {
		return nil, false
	}
	begin, _ := f.lineOf(from)
	if yamlItem.Match(f.data[begin:from]) {
		_, end := f.lineOf(to)
		return []cut{{from: begin, to: end}}, len(bytes.TrimSpace(f.data[to:end])) == 0
	}
	end := to
	for isBlank(f.byteAt(end)) {
		end++
	}
	if f.byteAt(end) == ',' {
		end++
		return f.cutWithComma(from, end), true
	}
	comma := from - 1
	for isBlank(f.byteAt(comma)) || f.byteAt(comma) == '\n' && comma >= 0 {
		comma--
	}
	if f.byteAt(comma) == ',' && (f.line(comma) == f.line(from) || strings.HasSuffix(f.name, ".json")) {
		return []cut{{from: comma, to: to}}, true
	}
	return f.cutWithComma(from, to), true
}

// cutWithComma removes items up to the next one, and their lines where they are alone
// on them.
func (f *file) cutWithComma(from, to int) []cut {
	if c, ok := f.cutLines(from, to); ok {
		return c
	}
	for isBlank(f.byteAt(to)) && f.byteAt(to) != '\r' {
		to++
	}
	return []cut{{from: from, to: to}}
}

// dropEmptied removes keys whose array or string has lost its last option, and the
// headers of tables that have nothing else.
func dropEmptied(f *file, text []byte) ([]byte, bool) {
	before := toml.Parse(f.name, f.data)
	doc := toml.Parse(f.name, text)
	if len(doc.Errors) > 0 {
		return nil, false
	}
	d := emptied{file: &file{name: f.name, data: text}, ok: true}
	d.file.indexLines()
	if b := before.Root.Child("build"); b != nil && b.Child("rustflags") != nil {
		d.underBuild = true
	}
	d.table(before.Root, doc.Root, nil)
	if !d.ok {
		return nil, false
	}
	text = apply(text, d.cuts)
	return text, len(toml.Parse(f.name, text).Errors) == 0
}

// emptied collects what has become empty.
type emptied struct {
	file       *file
	cuts       []cut
	underBuild bool // build.rustflags would come into force
	ok         bool
}

func (d *emptied) table(before, now *toml.Node, path []string) {
	gone := 0
	for _, c := range now.Children {
		old := before.Child(c.Key)
		inner := append(path[:len(path):len(path)], c.Key)
		switch {
		case old == nil || old.Kind != c.Kind:
		case c.Kind == toml.Table:
			d.table(old, c, inner)
		case isEmpty(c) && !isEmpty(old):
			cuts, ok := d.file.cutLines(c.Start, c.End)
			if c.Inline || !ok || d.underBuild && len(inner) == 3 && inner[0] == "target" && inner[2] == "rustflags" {
				d.ok = false
				return
			}
			d.cuts = append(d.cuts, cuts...)
			gone++
		}
	}
	lost := len(before.Children) > len(now.Children) // a linker key
	if now.Form == toml.ByHeader && len(path) > 0 && gone == len(now.Children) && (gone > 0 || lost) {
		d.header(now)
	}
}

// header removes the line of a table's header, unless a comment stands on it.
func (d *emptied) header(n *toml.Node) {
	from, to := d.file.lineOf(n.At)
	line := bytes.TrimSpace(d.file.data[from:to])
	if bytes.HasPrefix(line, []byte("[")) && bytes.HasSuffix(line, []byte("]")) {
		d.cuts = append(d.cuts, cut{from: from, to: to})
	}
}

func isEmpty(n *toml.Node) bool {
	return n.Kind == toml.Array && len(n.Items) == 0 || n.Kind == toml.String && strings.TrimSpace(n.Text) == ""
}
