package config

import (
	"bytes"
	"fmt"
	"io/fs"
	"iter"
	"strings"
)

// errNoFiles is what reading an include gives where no files are given.
var errNoFiles = fmt.Errorf("reading an included file: none were given: %w", fs.ErrNotExist)

// lookup finds the leaf of a full name, or nil.
func (m *migrator) lookup(id string) *node {
	for _, n := range m.find(id) {
		return n
	}
	return nil
}

// find goes through the leaves that a full name or pattern fits.
func (m *migrator) find(id string) iter.Seq2[string, *node] {
	return func(yield func(string, *node) bool) {
		path := strings.Split(id, ".")
		if name := instance(id); name != "" {
			// The user's part may hold dots itself.
			section := strings.TrimSuffix(id[:strings.Index(id, name)], ".")
			path = append(strings.Split(section, "."), name, fieldName(id))
		}
		descend(m.doc.root, path, "", yield)
	}
}

func descend(t *node, path []string, at string, yield func(string, *node) bool) bool {
	for _, c := range t.children {
		if path[0] != "*" && c.key != path[0] {
			continue
		}
		full := join(at, c.key)
		switch {
		case len(path) == 1:
			if !yield(full, c) {
				return false
			}
		case c.kind == tableNode:
			if !descend(c, path[1:], full, yield) {
				return false
			}
		}
	}
	return true
}

// keyEnd returns the end of the key that starts at off.
func (m *migrator) keyEnd(off int) int {
	data := m.doc.data
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
	for end < len(data) && data[end] != '.' && !notBare(rune(data[end])) {
		end++
	}
	return end
}

// rename changes the last part of a key, and its value, in place.
func (m *migrator) rename(n *node, name, value string) {
	if name != n.key {
		m.splices = append(m.splices, splice{n.at, m.keyEnd(n.at), name})
	}
	if old := string(m.doc.data[n.val:n.end]); old != value {
		m.splices = append(m.splices, splice{n.val, n.end, value})
	}
}

// lines returns the range of whole lines that a key with its value takes, and
// the start of the comment lines right above it.
func (m *migrator) lines(n *node) (comment, start, end int) {
	data := m.doc.data
	start = bytes.LastIndexByte(data[:n.start], '\n') + 1
	end = len(data)
	if i := bytes.IndexByte(data[n.end:], '\n'); i >= 0 {
		end = n.end + i + 1
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

// cut removes a key with its own comment. A comment at the top of the file is
// rather about the file.
func (m *migrator) cut(n *node) {
	comment, start, end := m.lines(n)
	if comment == 0 {
		comment = start
	}
	m.splices = append(m.splices, splice{comment, end, ""})
}

// insert writes the key under its new name: at the end of its section, or in
// place as a dotted key, or into a new section at the end.
func (m *migrator) insert(n *node, to, value string) {
	comment, start, end := m.lines(n)
	section := m.doc.root
	names := strings.Split(strings.TrimSuffix(to, "."+fieldName(to)), ".")
	if name := instance(to); name != "" {
		names = []string{"target", name}
	}
	for _, name := range names {
		if section = section.child(name); section == nil {
			break
		}
	}
	if comment == 0 {
		comment = start // it stays where it is, see cut
	}
	head := string(m.doc.data[comment:start])
	tail := strings.TrimRight(string(m.doc.data[n.end:end]), "\r\n")
	eol := "\n"
	if bytes.Contains(m.doc.data, []byte("\r\n")) {
		eol = "\r\n"
	}
	line := fieldName(to) + " = " + value + tail + eol
	header := make([]string, len(names))
	for i, name := range names {
		header[i] = tomlKey(name)
	}
	dotted := strings.Join(header, ".") + "." + line
	switch {
	case section != nil && section.kind == tableNode && section.def == byHeader:
		m.insertAt(m.endOf(section), head+line)
	case section != nil && section.def == byDots || section == nil && m.atTop(n):
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
func (m *migrator) atTop(n *node) bool {
	return !bytes.Contains(append([]byte("\n"), m.doc.data[:n.start]...), []byte("\n["))
}

// insertAt adds text at an offset, on a line of its own.
func (m *migrator) insertAt(off int, text string) {
	if off > 0 && m.doc.data[off-1] != '\n' {
		text = "\n" + text
	}
	m.splices = append(m.splices, splice{off, off, text})
}

// endOf returns the offset after the last line of a section's own keys.
func (m *migrator) endOf(section *node) int {
	last := section.at
	var walk func(*node)
	walk = func(t *node) {
		for _, c := range t.children {
			switch {
			case c.end > 0:
				last = max(last, c.end)
			case c.kind == tableNode && c.def == byDots:
				walk(c)
			}
		}
	}
	walk(section)
	if i := bytes.IndexByte(m.doc.data[last:], '\n'); i >= 0 {
		return last + i + 1
	}
	return len(m.doc.data)
}
