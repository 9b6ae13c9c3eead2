package layout

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"x.go/bootstrap/toml"
	"x.go/dist"
	"x.go/targets/nearest"
)

// Parse reads a layout. name is that of the file, for positions in errors. It reports
// everything that is wrong: unknown keys, values of another kind, globs and paths that
// mean nothing, variables that do not exist.
func Parse(name string, data []byte) (Layout, error) {
	doc := toml.Parse(name, data)
	if err := doc.Err(); err != nil {
		return Layout{}, err
	}
	p := &parser{doc: doc}
	p.layout.Name = strings.TrimSuffix(path.Base(strings.ReplaceAll(name, `\`, "/")), extension)
	p.layout.Variables = map[string]string{}
	if n := doc.Root.Child("variables"); n != nil {
		p.variables(n, "variables")
	}
	p.root()
	if len(p.errs) > 0 {
		slices.SortStableFunc(p.errs, func(a, b toml.Error) int { return a.At - b.At })
		return Layout{}, p.errs
	}
	return p.layout, nil
}

// parser fills a layout from a document.
type parser struct {
	doc    *toml.Document
	layout Layout
	errs   toml.Errors
}

// key reads the value of a key.
type key func(n *toml.Node, at string)

func (p *parser) fail(n *toml.Node, at, format string, args ...any) {
	p.errs = append(p.errs, toml.Error{At: n.At, Pos: p.doc.Position(n.At), Key: at, Msg: fmt.Sprintf(format, args...)})
}

func (p *parser) root() {
	l := &p.layout
	p.table(p.doc.Root, "", map[string]key{
		"description": p.text(&l.Description, nil),
		"prefix":      p.text(&l.Prefix, p.place),
		"variables":   func(*toml.Node, string) {},
		"executable":  p.texts(&l.executable, p.placeGlob),
		"list": func(n *toml.Node, at string) {
			p.table(n, at, map[string]key{
				"format":     p.formatOf,
				"man-suffix": p.text(&l.manSuffix, nil),
				"owned":      p.texts(&l.owned, p.place),
			})
		},
		"drop":      p.dropRows,
		"move":      p.moveRows,
		"duplicate": p.duplicateRows,
		"link":      p.linkRows,
		"package":   p.packageRows,
	}, "prefix", "list", "package")
}

func (p *parser) formatOf(n *toml.Node, at string) {
	var word string
	p.text(&word, nil)(n, at)
	if n.Kind != toml.String {
		return
	}
	f, ok := formats[word]
	if !ok {
		names := slices.Sorted(maps.Keys(formats))
		p.fail(n, at, "got %q, want %s%s", word, strings.Join(names, ", "), nearest.Hint(word, names))
	}
	p.layout.format = f
}

func (p *parser) dropRows(n *toml.Node, at string) {
	rows(p, n, at, &p.layout.drops, func(d *drop) map[string]key {
		return map[string]key{"files": p.texts(&d.files, p.nameGlob), "why": p.reason}
	}, "files")
}

func (p *parser) moveRows(n *toml.Node, at string) {
	rows(p, n, at, &p.layout.moves, func(m *move) map[string]key {
		return map[string]key{"from": p.text(&m.from, p.nameGlob), "to": p.text(&m.to, p.destination), "why": p.reason}
	}, "from", "to")
	for i, m := range p.layout.moves {
		if m.to != "" && !strings.HasSuffix(m.to, "/") && isGlob(withoutVariables(m.from)) && !strings.Contains(m.to, "{file}") {
			p.fail(n.Items[i], toml.Element(at, i)+".to", "got one place, %q, for all files of %q: end it in / to name a directory, or use {file}", m.to, m.from)
		}
	}
}

func (p *parser) duplicateRows(n *toml.Node, at string) {
	rows(p, n, at, &p.layout.duplicates, func(d *duplicate) map[string]key {
		return map[string]key{"keep": p.text(&d.keep, p.placeGlob), "link": p.text(&d.link, p.placeGlob), "why": p.reason}
	}, "keep", "link")
}

func (p *parser) linkRows(n *toml.Node, at string) {
	rows(p, n, at, &p.layout.links, func(l *link) map[string]key {
		return map[string]key{"path": p.text(&l.path, p.place), "to": p.text(&l.to, p.place), "with": p.text(&l.with, p.nameGlob), "why": p.reason}
	}, "path", "to")
}

func (p *parser) packageRows(n *toml.Node, at string) {
	rows(p, n, at, &p.layout.packages, func(r *packageRow) map[string]key {
		return map[string]key{
			"name": p.text(&r.name, p.packageName), "files": p.texts(&r.files, p.placeGlob),
			"doc": p.texts(&r.docs, p.placeGlob), "license": p.texts(&r.licenses, p.placeGlob), "why": p.reason,
		}
	}, "name", "files")
	seen := map[string]bool{}
	for i, r := range p.layout.packages {
		if r.name != "" && seen[r.name] {
			p.fail(n.Items[i], toml.Element(at, i)+".name", "package %q has two rows", r.name)
		}
		seen[r.name] = true
	}
}

// reason reads a key for the readers of the file.
func (p *parser) reason(n *toml.Node, at string) {
	var why string
	p.text(&why, nil)(n, at)
}

// rows reads an array of tables.
func rows[Row any](p *parser, n *toml.Node, at string, into *[]Row, keys func(*Row) map[string]key, needed ...string) {
	if n.Kind != toml.TableArray {
		p.fail(n, at, "got %s, want tables [[%s]]", n.Describe(), at)
		return
	}
	*into = make([]Row, len(n.Items))
	for i, item := range n.Items {
		p.table(item, toml.Element(at, i), keys(&(*into)[i]), needed...)
	}
}

// table reads the keys of a table.
func (p *parser) table(n *toml.Node, at string, keys map[string]key, needed ...string) {
	if n.Kind != toml.Table {
		p.fail(n, at, "got %s, want a table", n.Describe())
		return
	}
	for _, c := range n.Children {
		in := c.Key
		if at != "" {
			in = at + "." + c.Key
		}
		read, ok := keys[c.Key]
		if !ok {
			names := slices.Sorted(maps.Keys(keys))
			p.fail(c, in, "unknown key; want %s%s", strings.Join(names, ", "), nearest.Hint(c.Key, names))
			continue
		}
		read(c, in)
	}
	for _, name := range needed {
		if n.Child(name) == nil {
			p.fail(n, at, "has no key %q", name)
		}
	}
}

// text reads a string that check, if not nil, accepts.
func (p *parser) text(into *string, check func(string) error) key {
	return func(n *toml.Node, at string) {
		if n.Kind != toml.String {
			p.fail(n, at, "got %s, want a string", n.Describe())
			return
		}
		*into = n.Text
		p.check(n, at, n.Text, check)
	}
}

// texts reads an array of such strings.
func (p *parser) texts(into *[]string, check func(string) error) key {
	return func(n *toml.Node, at string) {
		if n.Kind != toml.Array {
			p.fail(n, at, "got %s, want an array of strings", n.Describe())
			return
		}
		for i, item := range n.Items {
			if item.Kind != toml.String {
				p.fail(n, toml.Element(at, i), "got %s, want a string", item.Describe())
				continue
			}
			*into = append(*into, item.Text)
			p.check(n, toml.Element(at, i), item.Text, check)
		}
	}
}

func (p *parser) check(n *toml.Node, at, text string, check func(string) error) {
	if check == nil {
		return
	}
	if err := check(text); err != nil {
		p.fail(n, at, "got %q: %s", text, err)
	}
}

// variables reads the layout's own variables.
func (p *parser) variables(n *toml.Node, at string) {
	if n.Kind != toml.Table {
		p.fail(n, at, "got %s, want a table", n.Describe())
		return
	}
	for _, c := range n.Children {
		var value string
		p.text(&value, checkValue)(c, at+"."+c.Key)
		if slices.Contains(builtin, c.Key) {
			p.fail(c, at+"."+c.Key, "every layout has a variable of that name")
		} else if variable.FindString("{"+c.Key+"}") == "" {
			p.fail(c, at+"."+c.Key, "want a name of small letters and hyphens")
		}
		p.layout.Variables[c.Key] = value
	}
}

// nameGlob accepts a glob of names in archives.
func (p *parser) nameGlob(glob string) error {
	if strings.HasPrefix(glob, "/") {
		return errors.New("want a name as in the archives, without the prefix: lib/*.so")
	}
	return p.glob(glob)
}

// placeGlob accepts a glob of places.
func (p *parser) placeGlob(glob string) error {
	rest, ok := strings.CutPrefix(glob, "/")
	if !ok {
		return errors.New("want a place, which begins with a slash: /usr/lib/*.so")
	}
	return p.glob(rest)
}

func (p *parser) glob(glob string) error {
	if err := p.known(glob); err != nil {
		return err
	}
	plain := withoutVariables(glob)
	if path.Clean(plain) != plain || plain == ".." || strings.HasPrefix(plain, "../") {
		return errors.New("want a path without empty elements, . and .., and no slash at its end")
	}
	if !doublestar.ValidatePattern(plain) {
		return errors.New("bad glob")
	}
	return nil
}

// place accepts the place of one file or directory.
func (p *parser) place(text string) error {
	if err := p.known(text); err != nil {
		return err
	}
	return checkPlace(text)
}

// destination accepts the place that files go to, a directory if it ends in a slash.
func (p *parser) destination(text string) error {
	if err := p.known(strings.NewReplacer("{file}", "", "{parent}", "").Replace(text)); err != nil {
		return err
	}
	if text == "/" {
		return nil
	}
	return checkPlace(strings.TrimSuffix(text, "/"))
}

// packageName accepts the name of a package.
func (p *parser) packageName(name string) error {
	if err := p.known(name); err != nil {
		return err
	}
	return dist.CheckElement(withoutVariables(name))
}

// known refuses a variable that does not exist.
func (p *parser) known(text string) error {
	for _, m := range variable.FindAllStringSubmatch(text, -1) {
		names := append(p.layout.variableNames(), builtin...)
		if !slices.Contains(names, m[1]) {
			return fmt.Errorf("there is no variable {%s}; there are %s%s", m[1], strings.Join(names, ", "), nearest.Hint(m[1], names))
		}
	}
	return nil
}

// checkPlace accepts an absolute path in the file system of the distribution.
func checkPlace(text string) error {
	rest, ok := strings.CutPrefix(text, "/")
	switch {
	case !ok:
		return errors.New("want a place, which begins with a slash")
	case path.Clean(text) != text || slices.Contains(strings.Split(rest, "/"), ".."):
		return errors.New("want a path without empty elements, . and .., so that it stays below the root")
	case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return errors.New("it has a control character")
	}
	return nil
}

// checkValue accepts the value of a variable.
func checkValue(value string) error {
	if strings.ContainsAny(value, "{}*?[]\\") || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return errors.New("want text without braces, backslashes, wildcards and control characters")
	}
	return nil
}

// isGlob reports whether a pattern can match several names.
func isGlob(pattern string) bool { return strings.ContainsAny(pattern, `*?[{\`) }
