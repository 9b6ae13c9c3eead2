package cargoflags

import (
	"fmt"
	"path/filepath"
	"strings"

	"x.go/targets"
)

// Flag is one argument of rustc and what set it: the name of a variable, or a
// file and a key in it.
type Flag struct {
	Arg    string `json:"arg"`
	Origin string `json:"origin"`
}

// Target returns the target that cargo builds for where no --target is given:
// CARGO_BUILD_TARGET, else build.target, else "" for the host. A list of
// targets counts as none. A JSON file is named from where it is set.
func (c Config) Target() (name, origin string) {
	name, root, origin, err := c.text("CARGO_BUILD_TARGET", "build", "target")
	if err != nil {
		return "", ""
	}
	if strings.HasSuffix(name, ".json") && !filepath.IsAbs(name) {
		name = filepath.Join(root, name)
	}
	return name, origin
}

// Flags returns what cargo adds to rustc's command line for a target: the
// configured linker as -Clinker, then the flags. Notes name the conditions that
// only the compiler can judge; they count as false.
func (c Config) Flags(target *targets.Spec) (flags []Flag, notes []string, err error) {
	matching, notes, err := c.matching(target)
	if err != nil {
		return nil, nil, err
	}
	flags, err = c.linker(target.Triple, matching)
	if err != nil {
		return nil, nil, err
	}
	more, err := c.rustflags(target.Triple, matching)
	return append(flags, more...), notes, err
}

// matching lists the conditions that hold for a target.
func (c *Config) matching(target *targets.Spec) (keys, notes []string, err error) {
	for _, key := range c.conditions() {
		holds, err := evalCfg(key, target)
		if err != nil {
			return nil, nil, fmt.Errorf("reading cargo's configuration: target.'%s': %w", key, err)
		}
		switch holds {
		case targets.Yes:
			keys = append(keys, key)
		case targets.Unknown:
			notes = append(notes, fmt.Sprintf("whether target.'%s' applies only the compiler knows: it is left out", key))
		}
	}
	return keys, notes, nil
}

// linker finds target.TRIPLE.linker, else that of the one matching condition.
func (c *Config) linker(t targets.Triple, matching []string) ([]Flag, error) {
	value, root, origin, err := c.text(targetEnv(t, "LINKER"), "target", t.String(), "linker")
	if err != nil {
		return nil, err
	}
	for _, key := range matching {
		if origin != "" && !strings.Contains(origin, "'cfg(") {
			break
		}
		v, r, o, err := c.text("", "target", key, "linker")
		switch {
		case err != nil:
			return nil, err
		case o == "":
			continue
		case origin != "":
			return nil, fmt.Errorf("reading cargo's configuration: two conditions give a linker, which cargo refuses: %s and %s", origin, o)
		}
		value, root, origin = v, r, o
	}
	if origin == "" {
		return nil, nil
	}
	// A name without a slash is searched for in PATH by rustc.
	if strings.ContainsRune(value, filepath.Separator) && !filepath.IsAbs(value) {
		value = filepath.Join(root, value)
	}
	return []Flag{{"-Clinker=" + value, origin}}, nil
}

// rustflags finds the first of the four sources that has any.
func (c *Config) rustflags(t targets.Triple, matching []string) ([]Flag, error) {
	const encoded, plain = "CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS"
	if v, ok := c.lookupenv(encoded); ok {
		var out []Flag
		if v != "" { // set and empty: no flags at all, whatever the files say
			for arg := range strings.SplitSeq(v, "\x1f") {
				out = append(out, Flag{arg, encoded})
			}
		}
		return out, nil
	}
	if v, ok := c.lookupenv(plain); ok {
		return words(v, plain), nil
	}
	flags, err := c.list(targetEnv(t, "RUSTFLAGS"), "target", t.String(), "rustflags")
	if err != nil {
		return nil, err
	}
	for _, key := range matching {
		more, err := c.list("", "target", key, "rustflags")
		if err != nil {
			return nil, err
		}
		flags = append(flags, more...)
	}
	if len(flags) > 0 {
		return flags, nil
	}
	return c.list("CARGO_BUILD_RUSTFLAGS", "build", "rustflags")
}

// targetEnv is the variable that stands for a key of [target.TRIPLE].
func targetEnv(t targets.Triple, key string) string {
	name := strings.NewReplacer("-", "_", ".", "_").Replace(strings.ToUpper(t.String()))
	return "CARGO_TARGET_" + name + "_" + key
}
