package cargoflags

import (
	"fmt"
	"runtime"
	"strings"
	"unicode/utf8"

	"x.go/bootstrap/toml"
)

// key is a path into the configuration, and the variable that can set it.
type key struct {
	parts []string
	env   string
}

// keyOf splits a dotted key as cargo does: quotes do not count, so that a part
// with a dot in it is never found.
func keyOf(dotted string) key {
	parts := strings.Split(dotted, ".")
	return key{parts, "CARGO_" + strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(dotted))}
}

// child is the key of an entry of a map. Its variable has the entry's name as it
// is written.
func (k key) child(name string) key {
	return key{append(append([]string{}, k.parts...), name), k.env + "_" + name}
}

// String writes the key as in a file.
func (k key) String() string {
	parts := append([]string{}, k.parts...)
	for i, p := range parts {
		if strings.HasPrefix(p, "cfg(") {
			parts[i] = "'" + p + "'"
		} else if !toml.IsBareKey(p) {
			parts[i] = toml.Path(p)
		}
	}
	return strings.Join(parts, ".")
}

// origin names what set a key, as messages do.
func (k key) origin(d definition) string {
	switch d.rank {
	case inEnvironment:
		return k.env
	case onCommandLine:
		if d.path == "" {
			return "--config: " + k.String()
		}
	}
	return d.path + ": " + k.String()
}

// note adds something that the user should know.
func (c *Config) note(format string, args ...any) {
	c.notes = append(c.notes, fmt.Sprintf(format, args...))
}

// lookupenv finds a variable. Cargo does not see those that are no UTF-8.
func (c *Config) lookupenv(name string) (string, bool) {
	v, ok := c.env[name]
	return v, ok && utf8.ValidString(v)
}

// find returns the value of a key in files and arguments, nil where it is not set.
func (c *Config) find(k key) (*value, error) {
	v := c.root
	if v == nil {
		return nil, nil
	}
	for i, part := range k.parts {
		if v.kind != toml.Table {
			return nil, v.wrong(key{parts: k.parts[:i]}.String(), "a table")
		}
		if v = v.table[part]; v == nil {
			return nil, nil
		}
	}
	return v, nil
}

// isSet reports whether a key has a value, or a variable that counts as one.
func (c *Config) isSet(k key) (bool, error) {
	if _, ok := c.env[k.env]; ok {
		return true, nil
	}
	v, err := c.find(k)
	return v != nil, err
}

// tableOf returns a table of the configuration, nil where it is not set.
func (c *Config) tableOf(k key) (map[string]*value, error) {
	v, err := c.find(k)
	switch {
	case err != nil || v == nil:
		return nil, err
	case v.kind != toml.Table:
		return nil, v.wrong(k.String(), "a table")
	}
	return v.table, nil
}

// setting is one string and what set it.
type setting struct {
	text string
	key  key
	def  definition
}

// origin is "" where the setting is not set.
func (s setting) origin() string {
	if s.key.parts == nil {
		return ""
	}
	return s.key.origin(s.def)
}

// path is a file that the setting names.
func (s setting) path(dir string) string { return join(s.def.root(dir), s.text) }

// program is a path, or the name of a program for PATH where there is no slash.
func (s setting) program(dir string) string {
	if strings.Contains(s.text, "/") || runtime.GOOS == "windows" && strings.Contains(s.text, `\`) {
		return s.path(dir)
	}
	return s.text
}

// text finds a key that holds one string: that of the highest rank.
func (c *Config) text(k key) (setting, error) {
	set, err := c.isSet(k)
	if err != nil || !set {
		return setting{}, err
	}
	v, err := c.find(k)
	if err != nil {
		return setting{}, err
	}
	env, inEnv := c.lookupenv(k.env)
	switch {
	case v == nil && !inEnv:
		return setting{}, failure("%s: got bytes that are no UTF-8", k.env)
	case v != nil && v.kind != toml.String:
		return setting{}, v.wrong(k.String(), "a string")
	case v == nil || inEnv && v.def.rank < inEnvironment:
		return setting{env, k, definition{rank: inEnvironment}}, nil
	}
	return setting{v.text, k, v.def}, nil
}

// boolean finds a key that holds true or false.
func (c *Config) boolean(k key) (bool, error) {
	v, err := c.find(k)
	if err != nil {
		return false, err
	}
	env, inEnv := c.lookupenv(k.env)
	switch {
	case v != nil && v.kind != toml.Bool:
		return false, v.wrong(k.String(), "a boolean")
	case inEnv && env != "true" && env != "false":
		return false, failure("%s: got %q, want true or false", k.env, env)
	case inEnv && (v == nil || v.def.rank < inEnvironment):
		return env == "true", nil
	}
	return v != nil && v.text == "true", nil
}

// list finds a key that holds a string, which is split at blanks, or a list of
// strings. The words of its variable come after those of files and before those of
// arguments. set reports whether anything gave the key.
func (c *Config) list(k key) (flags []Flag, set bool, err error) {
	if set, err = c.isSet(k); err != nil || !set {
		return nil, set, err
	}
	v, err := c.find(k)
	if err != nil {
		return nil, set, err
	}
	var items []*value
	if v != nil {
		switch v.kind {
		case toml.String:
			items = words(v.text, v.def)
		case toml.Array:
			items = append(items, v.items...)
		default:
			return nil, set, v.wrong(k.String(), "a string or a list of strings")
		}
	}
	if items, err = c.withEnv(k, items); err != nil {
		return nil, set, err
	}
	for _, item := range items {
		if item.kind != toml.String {
			return nil, set, item.wrong(k.String(), "a string")
		}
		flags = append(flags, Flag{item.text, k.origin(item.def)})
	}
	return flags, set, nil
}

// withEnv adds the words of a key's variable to a list.
func (c *Config) withEnv(k key, items []*value) ([]*value, error) {
	env, ok := c.lookupenv(k.env)
	if !ok {
		return items, nil
	}
	def := definition{rank: inEnvironment}
	if c.unstable["advanced-env"] && strings.HasPrefix(env, "[") && strings.HasSuffix(env, "]") {
		doc := toml.Parse(k.env, []byte("a = "+env))
		if err := doc.Err(); err != nil {
			return nil, failure("%w", err)
		}
		v, err := newValue(doc, doc.Root, def)
		if err != nil {
			return nil, err
		}
		items = append(items, v.table["a"].items...)
	} else {
		items = append(items, words(env, def)...)
	}
	sortItems(items)
	return items, nil
}

// words splits at blanks of all kinds, as Rust's split_whitespace does.
func words(text string, def definition) []*value {
	var out []*value
	for w := range strings.FieldsSeq(text) {
		out = append(out, &value{kind: toml.String, text: w, def: def})
	}
	return out
}
