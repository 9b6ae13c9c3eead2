package migrate

import (
	"bytes"
	"fmt"
	"io/fs"
	"iter"
	"strings"

	"x.go/bootstrap/config"
	"x.go/bootstrap/toml"
)

// errNoFiles is the error of reading an include without Options.ReadFile.
var errNoFiles = fmt.Errorf("reading an included file: none were given: %w", fs.ErrNotExist)

// lookup finds the leaf of a full name, or nil.
func (m *migrator) lookup(id string) *toml.Node {
	for _, n := range m.find(id) {
		return n
	}
	return nil
}

// find goes through the leaves that a full name or pattern fits.
func (m *migrator) find(id string) iter.Seq2[string, *toml.Node] {
	return func(yield func(string, *toml.Node) bool) {
		path := strings.Split(id, ".")
		if name := config.NamedPart(id); name != "" {
			// The user's part may hold dots itself.
			section := strings.TrimSuffix(id[:strings.Index(id, name)], ".")
			path = append(strings.Split(section, "."), name, config.LastPart(id))
		}
		descend(m.doc.Root, path, "", yield)
	}
}

func descend(t *toml.Node, path []string, at string, yield func(string, *toml.Node) bool) bool {
	for _, c := range t.Children {
		if path[0] != "*" && c.Key != path[0] {
			continue
		}
		full := config.JoinKey(at, c.Key)
		switch {
		case len(path) == 1:
			if !yield(full, c) {
				return false
			}
		case c.Kind == toml.Table:
			if !descend(c, path[1:], full, yield) {
				return false
			}
		}
	}
	return true
}

// keyEnd returns the end of the key that starts at off.
func (m *migrator) keyEnd(off int) int {
	data := m.doc.Data
	if q := data[off]; q == '"' || q == '\'' {
		for i := off + 1; i < len(data); i++ {
			if data[i] == '\\' && q == '"' {
				i++
			} else if data[i] == q {
				return i + 1
			}
		}
		return len(data)
	}
	end := off
	for end < len(data) && toml.IsBare(data[end]) {
		end++
	}
	return end
}

// rename changes the last part of a key, and its value, in place.
func (m *migrator) rename(n *toml.Node, name, value string) {
	if name != n.Key {
		m.splices = append(m.splices, splice{n.At, m.keyEnd(n.At), name})
	}
	if old := string(m.doc.Data[n.Value:n.End]); old != value {
		m.splices = append(m.splices, splice{n.Value, n.End, value})
	}
}

// lines returns the range of whole lines that a key with its value takes, and
// the start of the comment lines right above it.
func (m *migrator) lines(n *toml.Node) (comment, start, end int) {
	data := m.doc.Data
	start = bytes.LastIndexByte(data[:n.Start], '\n') + 1
	end = len(data)
	if i := bytes.IndexByte(data[n.End:], '\n'); i >= 0 {
		end = n.End + i + 1
	}
	for comment = start; comment > 0; {
		above := bytes.LastIndexByte(data[:comment-1], '\n') + 1
		if !bytes.HasPrefix(bytes.TrimSpace(data[above:comment]), []byte("#")) {
			break
		}
		comment = above
	}
	return comment, start, end
}

// cut removes a key with its own comment. A comment at the top of the file is more
// likely about the file: it stays.
func (m *migrator) cut(n *toml.Node) {
	comment, start, end := m.lines(n)
	if comment == 0 {
		comment = start
	}
	m.splices = append(m.splices, splice{comment, end, ""})
}

// insert writes the key under its new name: at the end of its section, or in
// place as a dotted key, or into a new section at the end.
func (m *migrator) insert(n *toml.Node, to, value string) {
	comment, start, end := m.lines(n)
	section := m.doc.Root
	names := strings.Split(strings.TrimSuffix(to, "."+config.LastPart(to)), ".")
	if name := config.NamedPart(to); name != "" {
		names = []string{"target", name}
	}
	for _, name := range names {
		if section = section.Child(name); section == nil {
			break
		}
	}
	if comment == 0 {
		comment = start // it stays where it is, see cut
	}
	head := string(m.doc.Data[comment:start])
	tail := strings.TrimRight(string(m.doc.Data[n.End:end]), "\r\n")
	eol := "\n"
	if bytes.Contains(m.doc.Data, []byte("\r\n")) {
		eol = "\r\n"
	}
	line := config.LastPart(to) + " = " + value + tail + eol
	header := make([]string, len(names))
	for i, name := range names {
		header[i] = string(toml.AppendKey(nil, name))
	}
	dotted := strings.Join(header, ".") + "." + line
	switch {
	case section != nil && section.Kind == toml.Table && section.Form == toml.ByHeader:
		m.insertAt(m.endOf(section), head+line)
	case section != nil && section.Form == toml.ByDots || section == nil && m.atTop(n):
		m.splices = append(m.splices, splice{comment, comment, head + dotted})
	default:
		m.newSection("["+strings.Join(header, ".")+"]", head+line, eol)
	}
}

// newSection adds text to a section that is not in the file yet. Its header is
// written once, however many keys move there.
func (m *migrator) newSection(header, text, eol string) {
	for i := range m.sections {
		if m.sections[i].header == header {
			m.sections[i].text += text
			return
		}
	}
	m.sections = append(m.sections, addedSection{header, eol + header + eol, text})
}

// addedSection is a section that the file does not have.
type addedSection struct{ header, head, text string }

// atTop reports whether a key stands before the first header, so that a dotted
// key of any section can stand there.
func (m *migrator) atTop(n *toml.Node) bool {
	return !bytes.Contains(append([]byte("\n"), m.doc.Data[:n.Start]...), []byte("\n["))
}

// insertAt adds text at an offset, on a line of its own.
func (m *migrator) insertAt(off int, text string) {
	if off > 0 && m.doc.Data[off-1] != '\n' {
		text = "\n" + text
	}
	m.splices = append(m.splices, splice{off, off, text})
}

// endOf returns the offset after the last line of a section's own keys.
func (m *migrator) endOf(section *toml.Node) int {
	last := section.At
	var walk func(*toml.Node)
	walk = func(t *toml.Node) {
		for _, c := range t.Children {
			switch {
			case c.End > 0:
				last = max(last, c.End)
			case c.Kind == toml.Table && c.Form == toml.ByDots:
				walk(c)
			}
		}
	}
	walk(section)
	if i := bytes.IndexByte(m.doc.Data[last:], '\n'); i >= 0 {
		return last + i + 1
	}
	return len(m.doc.Data)
}
