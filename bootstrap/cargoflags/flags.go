package cargoflags

import (
	"slices"
	"strings"
	"unicode/utf8"

	"x.go/targets"
)

// Flag is one argument of rustc and what set it: the name of a variable, or a
// file and a key in it.
type Flag struct {
	Arg    string `json:"arg"`
	Origin string `json:"origin"`
}

// Question is about one target of cargo's.
type Question struct {
	Target Target // zero for the host without --target
	Host   string // of the compiler
	// Cfgs asks the compiler for its conditions, as `rustc --print cfg` does,
	// given flags. An error ends the search for flags as it is.
	Cfgs func(flags []string) (Cfgs, error)
	// Package is what is built; zero for none.
	Package Package
}

// Answer is what cargo adds to rustc's command line for a package's binary. What
// `cargo rustc -- FLAGS` gives stands between Before and After.
type Answer struct {
	Before, After []Flag
	Notes         []string // what x cannot know, and what may surprise
}

// Flags returns what cargo adds to rustc's command line: before the user's own the
// profile's flags and the configured linker, after them the flags of RUSTFLAGS or
// configuration and those that stand for a build script.
func (c Config) Flags(q Question) (Answer, error) {
	c.notes = slices.Clip(c.notes)
	name := q.Target.short()
	if name == "" {
		name = q.Host
	}
	if err := c.checkBuild(); err != nil {
		return Answer{}, err
	}
	rustflags, cfgs, err := c.settle(name, q.Cfgs)
	if err != nil {
		return Answer{}, err
	}
	table, err := c.targetTable(name)
	if err != nil {
		return Answer{}, err
	}
	var a Answer
	if a.Before, err = c.profileFlags(q.Package); err != nil {
		return Answer{}, err
	}
	linker, err := c.linker(table, cfgs)
	if err != nil {
		return Answer{}, err
	}
	if q.Target.File {
		a.Before = append(a.Before, Flag{"-Zunstable-options", "cargo, for a target's file"})
	}
	a.Before = append(a.Before, linker...)
	script, replaced, err := c.override(table, name, q.Package.Links)
	if err != nil {
		return Answer{}, err
	}
	a.After = slices.Concat(rustflags, script)
	if q.Package.BuildScript && !replaced {
		c.note("%s is a build script: the flags that it prints (cargo::rustc-link-arg) come last and are not known here", q.Package.Script)
	}
	c.noteUnseen(name)
	slices.Sort(c.notes)
	a.Notes = slices.Compact(c.notes)
	return a, nil
}

// settle finds flags and conditions, which depend on each other: a flag --cfg turns
// conditions on, and those bring flags. Cargo asks the compiler twice at most:
// TargetInfo::new of target_info.rs.
func (c *Config) settle(name string, ask func([]string) (Cfgs, error)) ([]Flag, Cfgs, error) {
	flags, err := c.rustflags(name, nil)
	for range 2 {
		if err != nil {
			return nil, nil, err
		}
		cfgs, err := ask(arguments(flags))
		if err != nil {
			return nil, nil, err
		}
		next, err := c.rustflags(name, cfgs)
		if err != nil {
			return nil, nil, err
		}
		if slices.Equal(arguments(next), arguments(flags)) {
			return flags, cfgs, nil
		}
		flags = next
	}
	// After the second question cargo keeps the flags that it asked with.
	cfgs, err := ask(arguments(flags))
	return flags, cfgs, err
}

func arguments(flags []Flag) []string {
	out := make([]string, len(flags))
	for i, f := range flags {
		out[i] = f.Arg
	}
	return out
}

// rustflags finds the first of the four sources that has any: extra_args of
// target_info.rs. cfgs is nil before the compiler was asked.
func (c *Config) rustflags(name string, cfgs Cfgs) ([]Flag, error) {
	const encoded, plain = "CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS"
	for _, env := range []string{encoded, plain} {
		if v, ok := c.env[env]; ok && !utf8.ValidString(v) {
			c.note("%s is not UTF-8: cargo passes over it", env)
		}
	}
	if v, ok := c.lookupenv(encoded); ok {
		if v == "" { // no flags at all, whatever the files say
			return nil, nil
		}
		return split(v, "\x1f", encoded), nil
	}
	if v, ok := c.lookupenv(plain); ok {
		var out []Flag
		for _, f := range split(v, " ", plain) { // other blanks are part of a word
			if f.Arg = strings.TrimSpace(f.Arg); f.Arg != "" {
				out = append(out, f)
			}
		}
		return out, nil
	}
	flags, _, err := c.list(keyOf("target." + name + ".rustflags"))
	if err != nil {
		return nil, err
	}
	if cfgs != nil {
		conds, err := c.conditions()
		if err != nil {
			return nil, err
		}
		for _, cond := range c.holds(conds, cfgs, func(cond condition) bool { return cond.rustflags != nil }) {
			flags = append(flags, cond.rustflags...)
		}
	}
	if len(flags) > 0 {
		return flags, nil
	}
	flags, _, err = c.list(keyOf("build.rustflags"))
	return flags, err
}

func split(text, separator, origin string) []Flag {
	var out []Flag
	for arg := range strings.SplitSeq(text, separator) {
		out = append(out, Flag{arg, origin})
	}
	return out
}

// Cfgs says whether one condition holds: NAME, or NAME = "VALUE".
type Cfgs func(name string, value *string) targets.Tristate
