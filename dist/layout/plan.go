package layout

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"x.go/targets"
)

// plan is a layout for one toolchain: no variable is left, but {file} and {parent}.
type plan struct {
	prefix     string
	owned      []string
	executable globs
	drops      []globs
	moves      []planMove
	duplicates []planDuplicate
	links      []planLink
	packages   []planPackage

	all []*glob // that have to match something
}

type planMove struct {
	from *glob
	base string // directory in which the glob begins
	to   string
}

type planDuplicate struct{ keep, link *glob }

type planLink struct {
	path, to string
	with     *glob // nil for always
}

type planPackage struct {
	name                  string
	files, docs, licenses globs
}

// glob is a pattern that counts its matches.
type glob struct {
	row     string // for messages: "drop" or "package rustc"
	pattern string
	start   string // what each match begins with
	matched bool
}

func (g *glob) match(name string) bool {
	ok := strings.HasPrefix(name, g.start) && doublestar.MatchUnvalidated(g.pattern, name)
	g.matched = g.matched || ok
	return ok
}

type globs []*glob

// match reports whether any of the globs matches.
func (gs globs) match(name string) bool {
	return slices.ContainsFunc(gs, func(g *glob) bool { return g.match(name) })
}

// planner puts values for variables.
type planner struct {
	values  map[string]string
	targets []string
	host    targets.Triple
	plan    plan
	errs    []error
}

// bind makes the plan for a host and the targets beside it.
func (l Layout) bind(f Facts, others []string) (plan, error) {
	p := &planner{values: l.values(f), targets: others, host: f.Host}
	out := &p.plan
	out.prefix = p.place(l.Prefix)
	for _, dir := range l.owned {
		out.owned = append(out.owned, p.place(dir))
	}
	out.executable = p.globs("executable", l.executable)
	for _, d := range l.drops {
		out.drops = append(out.drops, p.globs("drop", d.files))
	}
	for _, m := range l.moves {
		p.each([]string{m.from, m.to}, func() {
			g := p.glob("move", m.from)
			base, _ := doublestar.SplitPattern(g.pattern)
			out.moves = append(out.moves, planMove{g, base, p.text(m.to)})
		})
	}
	for _, d := range l.duplicates {
		p.each([]string{d.keep, d.link}, func() {
			out.duplicates = append(out.duplicates, planDuplicate{p.glob("duplicate", d.keep), p.glob("duplicate", d.link)})
		})
	}
	for _, k := range l.links {
		p.each([]string{k.path, k.to, k.with}, func() {
			row := planLink{path: p.place(k.path), to: p.place(k.to)}
			if k.with != "" {
				row.with = p.glob("link "+row.path, k.with)
			}
			out.links = append(out.links, row)
		})
	}
	for _, r := range l.packages {
		p.each(append([]string{r.name}, r.files...), func() {
			name := p.text(r.name)
			row := "package " + name
			out.packages = append(out.packages, planPackage{name, p.globs(row, r.files), p.globs(row, r.docs), p.globs(row, r.licenses)})
		})
	}
	return p.plan, errors.Join(p.errs...)
}

// each calls row once, or once for each target if one of the texts has {target}.
func (p *planner) each(texts []string, row func()) {
	if !perTarget(texts...) {
		row()
		return
	}
	for _, t := range p.targets {
		p.values["target"], p.values["target-name"] = t, strings.ReplaceAll(t, "_", "-")
		row()
	}
	delete(p.values, "target")
	delete(p.values, "target-name")
}

func (p *planner) text(s string) string {
	return variable.ReplaceAllStringFunc(s, func(word string) string {
		name := word[1 : len(word)-1]
		value, ok := p.values[name]
		if !ok && name != "file" && name != "parent" {
			from := name
			if name == "series" {
				from = "release"
			}
			p.errs = append(p.errs, fmt.Errorf("%q: {%s} has no value for host %q; give it one with --layout-set %s=VALUE", s, name, p.host, from))
		}
		if !ok {
			return word
		}
		return value
	})
}

func (p *planner) place(s string) string {
	text := p.text(s)
	if err := checkPlace(text); err != nil {
		p.errs = append(p.errs, fmt.Errorf("%q: %w", text, err))
	}
	return text
}

func (p *planner) glob(row, pattern string) *glob {
	pattern = p.text(pattern)
	start := pattern
	if i := strings.IndexAny(pattern, `*?[{\`); i >= 0 {
		start = pattern[:i]
	}
	if !doublestar.ValidatePattern(pattern) || path.Clean(pattern) != pattern {
		p.errs = append(p.errs, fmt.Errorf("bad glob %q", pattern))
	}
	g := &glob{row: row, pattern: pattern, start: start}
	p.plan.all = append(p.plan.all, g)
	return g
}

func (p *planner) globs(row string, patterns []string) globs {
	var out globs
	for _, pattern := range patterns {
		if _, bound := p.values["target"]; bound { // by the whole row
			out = append(out, p.glob(row, pattern))
			continue
		}
		p.each([]string{pattern}, func() { out = append(out, p.glob(row, pattern)) })
	}
	return out
}

// unmatched returns the globs that matched nothing.
func (p plan) unmatched() []string {
	var out []string
	for _, g := range p.all {
		if !g.matched {
			out = append(out, fmt.Sprintf("%s: %q", g.row, g.pattern))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
