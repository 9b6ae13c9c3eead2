package config

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"x.go/targets"
	"x.go/targets/nearest"
)

// RenderOptions says what a rendering shows.
type RenderOptions struct {
	// File is the file to render; [Config.JSON] renders both.
	File File
	// Origins adds to each value where it comes from.
	Origins bool
	// NoDefaults leaves out what nobody chose.
	NoDefaults bool
}

// TOML writes the resolved configuration. Values that a file, option or flag
// chose are live; defaults are comments, because some keys mean more when they
// are written down (llvm.download-ci-llvm). The text is a file that loads to
// the same values; includes and the profile are resolved in it.
func (c Config) TOML(o RenderOptions) string {
	var b strings.Builder
	if o.File == Bootstrap && c.Profile != "" {
		b.WriteString("profile = " + tomlString(c.Profile) + "\n")
	}
	for _, t := range tables {
		if t.file != o.File {
			continue
		}
		for _, name := range c.sectionNames(t.section) {
			lines := c.sectionLines(t.keys, t.section, name, o)
			if len(lines) == 0 {
				continue
			}
			if t.section != "" {
				if b.Len() > 0 {
					b.WriteByte('\n')
				}
				b.WriteString("[" + sectionHeader(t.section, name) + "]\n")
			}
			b.WriteString(strings.Join(lines, ""))
		}
	}
	return b.String()
}

// sectionNames returns the user's names of a section with "*", sorted, and
// one empty name for other sections.
func (c Config) sectionNames(section string) []string {
	prefix, ok := strings.CutSuffix(section, "*")
	if !ok {
		return []string{""}
	}
	seen := map[string]bool{}
	for id := range c.settings {
		if strings.HasPrefix(id, prefix) {
			seen[NamedPart(id)] = true
		}
	}
	return sortedKeys(seen)
}

func sectionHeader(section, name string) string {
	if prefix, ok := strings.CutSuffix(section, "*"); ok {
		return prefix + tomlKey(name)
	}
	return section
}

// realID puts the user's name into the full name of a key.
func realID(section, name, key string) string {
	if prefix, ok := strings.CutSuffix(section, "*"); ok {
		section = prefix + name
	}
	return JoinKey(section, key)
}

func (c Config) sectionLines(keys []Key, section, name string, o RenderOptions) []string {
	var lines []string
	for _, k := range keys {
		if section == "" && (k.Name == "include" || k.Name == "profile") {
			continue
		}
		s := c.settings[realID(section, name, k.Name)]
		if len(s) == 0 || o.NoDefaults && !s[0].Origin.IsSet() || isEmpty(s[0].Value) {
			continue
		}
		line := tomlKey(k.Name) + " = " + toTOML(s[0].shown())
		if !s[0].Origin.IsSet() {
			line = "#" + line
		}
		if o.Origins {
			line += " # " + oneLine(s[0].Origin.String())
		}
		lines = append(lines, line+"\n")
	}
	return lines
}

// isEmpty reports whether a computed default came to nothing, such as
// build.build when the host is not known.
func isEmpty(v any) bool {
	t, ok := v.(targets.Triple)
	return ok && t.IsZero()
}

// oneLine keeps text fit for a comment: the text of --set can hold anything.
func oneLine(s string) string {
	if strings.IndexFunc(s, unicode.IsControl) >= 0 {
		return strconv.Quote(s)
	}
	return s
}

// JSON returns the resolved configuration as nested objects for
// encoding/json: sections by name, those of x.toml in "x". With Origins each
// value is an object of value, origin and set.
func (c Config) JSON(o RenderOptions) map[string]any {
	root, x := map[string]any{}, map[string]any{}
	if c.Profile != "" {
		root["profile"] = jsonValue(setting{Value: c.Profile, Origin: c.Origin("profile")}, o)
	}
	for _, t := range tables {
		top := root
		if t.file == X {
			top = x
		}
		for _, name := range c.sectionNames(t.section) {
			for _, k := range t.keys {
				s := c.settings[realID(t.section, name, k.Name)]
				if k.Name == "profile" || len(s) == 0 || o.NoDefaults && !s[0].Origin.IsSet() || isEmpty(s[0].Value) {
					continue
				}
				object(top, t.section, name)[k.Name] = jsonValue(s[0], o)
			}
		}
	}
	if len(x) > 0 {
		root["x"] = x
	}
	return root
}

// object walks to a section and creates missing objects on the way.
func object(top map[string]any, section, name string) map[string]any {
	if section == "" {
		return top
	}
	for part := range strings.SplitSeq(section, ".") {
		if part == "*" {
			part = name
		}
		next, ok := top[part].(map[string]any)
		if !ok {
			next = map[string]any{}
			top[part] = next
		}
		top = next
	}
	return top
}

func jsonValue(s setting, o RenderOptions) any {
	v := s.shown()
	switch t := v.(type) {
	case StringOrBool:
		v = any(t.Bool)
		if t.Text != "" {
			v = t.Text
		}
	case OptLevel:
		v = t.json()
	case ChangeID:
		v = any(t.ID)
		if t.Ignore {
			v = "ignore"
		}
	case []targets.Triple:
		if t == nil {
			v = []targets.Triple{}
		}
	}
	if !o.Origins {
		return v
	}
	return map[string]any{"value": v, "origin": s.Origin.String(), "set": s.Origin.IsSet()}
}

// Explanation is everything to say about one key.
type Explanation struct {
	Key string `json:"key"`
	// Value is the resolved value as TOML; empty if the key has none.
	Value string `json:"value,omitempty"`
	// Origin says where the value comes from, Default what it would be.
	Origin  string `json:"origin"`
	Default string `json:"default,omitempty"`
	// Overrode are the values of weaker layers, strongest first.
	Overrode []Overridden `json:"overrode,omitempty"`
	Doc      string       `json:"doc"`
	// Effect says what the key does here; empty if nothing.
	Effect string `json:"effect,omitempty"`
	// Note says what became of a legacy key.
	Note string `json:"note,omitempty"`
}

// Overridden is a value that lost.
type Overridden struct {
	Value  string `json:"value"`
	Origin string `json:"origin"`
}

// Explain tells about a key by its full name. An unknown key is an error that
// names the nearest one.
func (c Config) Explain(key string) (Explanation, error) {
	k, ok := LookupKey(key)
	if strings.Contains(key, "*") {
		return Explanation{}, fmt.Errorf("explaining key %q: want a name in place of *", key)
	}
	if !ok {
		return Explanation{}, unknownKey(key)
	}
	e := Explanation{Key: key, Origin: c.Origin(key).String(), Default: k.Default, Doc: k.Doc, Effect: k.Effect, Note: k.Note}
	if k.Computed != "" {
		e.Default = k.Computed
	}
	for i, s := range c.settings[key] {
		if isEmpty(s.Value) {
			continue
		}
		if i == 0 {
			e.Value = toTOML(s.shown())
			continue
		}
		e.Overrode = append(e.Overrode, Overridden{toTOML(s.shown()), s.Origin.String()})
	}
	return e, nil
}

func unknownKey(key string) error {
	near := NearestKeys(key)
	if len(near) == 0 {
		return fmt.Errorf("explaining key %q: no such key", key)
	}
	return fmt.Errorf("explaining key %q: no such key, did you mean %q?", key, near[0])
}

// NearestKeys returns full names of keys that somebody may have meant by a
// name that is none: the keys of a section, the keys of that name in any
// section, or else the most similar one. At most six are returned.
func NearestKeys(id string) []string {
	const most, longest = 6, 200
	if len(id) > longest {
		return nil
	}
	name := id[strings.LastIndexByte(id, '.')+1:]
	best, dist := "", max(2, len(id)/3)+1
	var same []string
	for _, k := range schema.keys {
		full := k.ID()
		if i := NamedPart(id); i != "" {
			full = strings.Replace(full, "*", i, 1)
		}
		if k.Name == name || k.Section == id {
			same = append(same, full)
		}
		if d := nearest.Distance(id, full); d < dist {
			best, dist = full, d
		}
	}
	switch {
	case len(same) > 0:
		return same[:min(most, len(same))]
	case best == "":
		return nil
	}
	return []string{best}
}
