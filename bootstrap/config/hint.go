package config

import (
	"fmt"
	"strings"

	"x.go/bootstrap/toml"
	"x.go/targets/nearest"
)

// hint guesses what an unknown key was meant to be: the nearest key of its
// section, or the sections where its name is a key. The texts of the latter
// are upstream's.
func (w *walker) hint(section string, c *toml.Node) string {
	if len(w.loader.errs)+len(w.loader.unknown) >= maxErrors {
		return ""
	}
	var hints []string
	if near := w.nearest(section, c.Key); near != "" {
		hints = append(hints, fmt.Sprintf("did you mean `%s`?", near))
	}
	if h := w.elsewhere(section, c); h != "" {
		hints = append(hints, "hint: "+h)
	}
	return strings.Join(hints, "; ")
}

// nearest returns the most similar name in the section, or "".
func (w *walker) nearest(section, name string) string {
	if len(name) > 64 {
		return ""
	}
	best, bestDist := "", max(1, len(name)/3)+1
	consider := func(candidate string) {
		if candidate == "" || candidate == "*" {
			return
		}
		if d := nearest.Distance(name, candidate); d < bestDist {
			best, bestDist = candidate, d
		}
	}
	for _, t := range tables {
		if !w.anyFile && t.file != w.file {
			continue
		}
		if t.section == section {
			for _, k := range t.keys {
				if !k.Legacy {
					consider(k.Name)
				}
			}
		}
		if rest, ok := strings.CutPrefix(t.section, section); ok {
			sub, _, _ := strings.Cut(strings.TrimPrefix(rest, "."), ".")
			consider(sub)
		}
	}
	return best
}

// elsewhere says where the name would be valid. The order of sections is
// upstream's, then come the ones it does not think of.
func (w *walker) elsewhere(section string, c *toml.Node) string {
	name := c.Key
	if !w.anyFile {
		if h := inOtherFile(w.file, section, c); h != "" {
			return h
		}
	}
	var places []string
	for _, s := range []string{"build", "install", "llvm", "gcc", "rust", "dist", "", "target.*"} {
		k, ok := schema.byID[JoinKey(s, name)]
		if ok && s != section && (w.anyFile || schema.keys[k].File == w.file) {
			places = append(places, s)
		}
	}
	switch {
	case len(places) == 1 && places[0] == "":
		return fmt.Sprintf("try using `%s` as a top level key", name)
	case len(places) == 1:
		return fmt.Sprintf("try moving `%s` to the `%s` section", name, strings.ReplaceAll(places[0], "*", "<triple>"))
	case len(places) > 1:
		return fmt.Sprintf("`%s` would be valid %s", name, placeList(places))
	case section != "" && w.isTable(name):
		return fmt.Sprintf("section name `%s` used as a key within a section", name)
	}
	return ""
}

// inOtherFile says that a name is a section or a key of the other
// configuration file.
func inOtherFile(f File, section string, c *toml.Node) string {
	name := c.Key
	for _, t := range tables {
		switch {
		case t.file == f:
		case section == "" && strings.TrimSuffix(t.section, ".*") == name && c.Kind == toml.Table:
			return fmt.Sprintf("section `%s` belongs to %s", name, t.file)
		case strings.HasSuffix(t.section, "*"): // a name of the user's is missing
		case f == Bootstrap || t.section == section:
			if i, ok := schema.byID[JoinKey(t.section, name)]; ok && schema.keys[i].File == t.file {
				if t.section == "" {
					return fmt.Sprintf("`%s` belongs to %s, above its sections", name, t.file)
				}
				return fmt.Sprintf("`%s` belongs to section `%s` of %s", name, t.section, t.file)
			}
		}
	}
	return ""
}

// placeList joins places as upstream does, with a comma before "or".
func placeList(places []string) string {
	names := make([]string, len(places))
	for i, p := range places {
		names[i] = fmt.Sprintf("in section `%s`", strings.ReplaceAll(p, "*", "<triple>"))
		if p == "" {
			names[i] = "at top level"
		}
	}
	if len(names) == 2 {
		return names[0] + " or " + names[1]
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + ", or " + names[last]
}
