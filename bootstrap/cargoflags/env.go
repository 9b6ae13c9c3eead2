package cargoflags

import (
	"maps"
	"slices"

	"x.go/bootstrap/toml"
)

// Environ returns the environment that cargo gives to rustc: its own, and the
// variables of [env]. Those that are set already stay, unless force says otherwise.
func (c *Config) Environ() ([]string, error) {
	out := slices.Clone(c.src.Env)
	table, err := c.tableOf(keyOf("env"))
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"} {
		if v := table[name]; v != nil {
			return nil, failure("%s: env.%s: cargo refuses to set this variable", v.position(), name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(table)) {
		text, force, err := c.variable(name, table[name])
		if err != nil {
			return nil, err
		}
		if _, set := c.env[name]; force || !set {
			out = append(out, name+"="+text)
		}
	}
	return out, nil
}

// variable reads env.NAME: a string, or a table of value, force and relative.
func (c *Config) variable(name string, v *value) (text string, force bool, err error) {
	k := keyOf("env").child(name)
	if v.kind != toml.Table {
		s, err := c.text(k)
		return s.text, false, err
	}
	if v.table["value"] == nil {
		return "", false, v.wrong(k.String(), "a string, or a table with value")
	}
	s, err := c.text(k.child("value"))
	if err != nil {
		return "", false, err
	}
	if force, err = c.boolean(k.child("force")); err != nil {
		return "", false, err
	}
	relative, err := c.boolean(k.child("relative"))
	if relative {
		if c.src.Release.Compare(envValueRoot) < 0 {
			s.def = v.def
		}
		return s.path(c.src.Dir), force, err
	}
	return s.text, force, err
}
