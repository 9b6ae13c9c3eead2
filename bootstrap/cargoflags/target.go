package cargoflags

import (
	"maps"
	"slices"
	"strings"

	"x.go/bootstrap/toml"
	"x.go/targets"
)

// targetTable is what [target.TRIPLE] says.
type targetTable struct {
	linker setting
	// links are the tables that replace a build script, by the name of the
	// library that it links.
	links map[string]*value
}

// targetTable reads [target.NAME] and its variables: load_config_table.
func (c *Config) targetTable(name string) (targetTable, error) {
	var t targetTable
	k := keyOf("target." + name)
	for _, list := range []string{"runner", "rustflags", "rustdocflags"} {
		if _, _, err := c.list(keyOf("target." + name + "." + list)); err != nil {
			return t, err
		}
	}
	var err error
	linker := keyOf("target." + name + ".linker")
	if t.linker, err = c.text(linker); err != nil {
		return t, err
	}
	// Cargo takes a longer variable for a part of this key, and then misses its value.
	for _, env := range slices.Sorted(maps.Keys(c.env)) {
		if t.linker.origin() == "" && strings.HasPrefix(env, linker.env+"_") {
			return t, failure("%s: cargo stops at this variable, which is no key: unset it", env)
		}
	}
	table, err := c.tableOf(k)
	if err != nil {
		return t, err
	}
	t.links = map[string]*value{}
	for _, links := range slices.Sorted(maps.Keys(table)) {
		v := table[links]
		switch links {
		case "ar", "linker", "runner", "rustflags", "rustdocflags":
			continue
		}
		if v.kind != toml.Table {
			return t, v.wrong(k.String()+"."+links, "a table that replaces a build script")
		}
		t.links[links] = v
	}
	for _, links := range slices.Sorted(maps.Keys(t.links)) { // one of a wrong type stops cargo, used or not
		if _, _, err := c.override(t, name, links); err != nil {
			return t, err
		}
	}
	return t, nil
}

// condition is one table [target.'cfg(…)'].
type condition struct {
	key       string
	rustflags []Flag
	linker    setting
}

// conditions reads all tables of [target], as cargo does, and returns those with a
// condition, sorted.
func (c *Config) conditions() ([]condition, error) {
	table, err := c.tableOf(keyOf("target"))
	if err != nil {
		return nil, err
	}
	var out []condition
	for _, name := range slices.Sorted(maps.Keys(table)) {
		k := keyOf("target").child(name)
		fields, err := c.tableOf(k)
		if err != nil {
			return nil, err
		}
		cond := condition{key: name}
		if fields["rustflags"] != nil {
			if cond.rustflags, _, err = c.list(k.child("rustflags")); err != nil {
				return nil, err
			}
		}
		if fields["linker"] != nil {
			if cond.linker, err = c.text(k.child("linker")); err != nil {
				return nil, err
			}
		}
		if fields["runner"] != nil {
			if _, _, err = c.list(k.child("runner")); err != nil {
				return nil, err
			}
		}
		if strings.HasPrefix(name, "cfg(") {
			out = append(out, cond)
		}
	}
	return out, nil
}

// holds judges the conditions that have say something about it; Unknown ones do
// not hold and are noted.
func (c *Config) holds(conds []condition, cfgs Cfgs, says func(condition) bool) []condition {
	var out []condition
	for _, cond := range conds {
		if !says(cond) {
			continue
		}
		verdict, err := Holds(cond.key, cfgs)
		switch {
		case err != nil:
			c.note("target.'%s' never applies: cargo passes over what it cannot read: %v", cond.key, err)
		case verdict == targets.Yes:
			out = append(out, cond)
		case verdict == targets.Unknown:
			c.note("whether target.'%s' applies only the compiler knows: it is left out; --rustc asks one", cond.key)
		}
	}
	return out
}

// linker finds the linker of a target: target_linker of compilation.rs.
func (c *Config) linker(t targetTable, cfgs Cfgs) ([]Flag, error) {
	s := t.linker
	if s.origin() == "" {
		conds, err := c.conditions()
		if err != nil {
			return nil, err
		}
		matching := c.holds(conds, cfgs, func(cond condition) bool { return cond.linker.origin() != "" })
		switch {
		case len(matching) > 1:
			return nil, failure("two conditions give a linker, which cargo refuses: %s and %s", matching[0].linker.origin(), matching[1].linker.origin())
		case len(matching) == 1:
			s = matching[0].linker
		}
	}
	if s.origin() == "" {
		return nil, nil
	}
	return []Flag{{"-Clinker=" + s.program(c.src.Dir), s.origin()}}, nil
}

// override returns the flags of [target.TRIPLE.LINKS], which stand for those of the
// build script of a package with that links. ok reports whether there is one.
func (c *Config) override(t targetTable, target, links string) (flags []Flag, ok bool, err error) {
	v := t.links[links]
	if v == nil || links == "" {
		return nil, false, nil
	}
	k := keyOf("target." + target).child(links)
	var cfgs []Flag
	for _, name := range slices.Sorted(maps.Keys(v.table)) {
		item := v.table[name]
		switch name {
		case "rustc-link-arg", "rustc-link-arg-bins", "rustc-cfg":
			list, _, err := c.list(k.child(name))
			if err != nil {
				return nil, false, err
			}
			if item.kind != toml.Array {
				return nil, false, item.wrong(k.child(name).String(), "a list of strings")
			}
			for _, f := range list {
				if name == "rustc-cfg" {
					cfgs = append(cfgs, Flag{"--cfg", f.Origin}, f)
				} else {
					flags = append(flags, Flag{"-Clink-arg=" + f.Arg, f.Origin})
				}
			}
		case "warning", "rerun-if-changed", "rerun-if-env-changed":
			return nil, false, failure("%s: %s: cargo takes no such key here", item.position(), k.child(name))
		}
	}
	return append(flags, cfgs...), true, nil
}

// noteUnseen names tables of the target that cargo does not find: it splits a
// target's name at dots, so that [target."a.b"] is another table than the one it
// reads.
func (c *Config) noteUnseen(name string) {
	if !strings.Contains(name, ".") {
		return
	}
	if table, err := c.tableOf(keyOf("target")); err == nil && table[name] != nil {
		c.note("%s: cargo does not see [target.%q]: it splits the name at its dots and finds it only without quotes, [target.%[3]s]",
			table[name].position(), name, name)
	}
}
