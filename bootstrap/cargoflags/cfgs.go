package cargoflags

import (
	"fmt"
	"strconv"
	"strings"

	"x.go/targets"
)

// ParseCfgs reads the lines that `rustc --print cfg` prints. Everything that they do
// not have does not hold.
func ParseCfgs(lines []string) (Cfgs, error) {
	type pair struct{ name, value string }
	names, pairs := map[string]bool{}, map[pair]bool{}
	for _, line := range lines {
		p := cfgParser{rest: line, cfgs: func(name string, value *string) targets.Tristate {
			switch {
			case value != nil:
				pairs[pair{name, *value}] = true
			case name != "proc_macro":
				names[name] = true
			}
			return targets.Yes
		}}
		name, _ := p.word()
		var err error
		switch {
		case name == "":
			err = fmt.Errorf("want a name")
		case p.take("="):
			_, err = p.comparison(name)
		default:
			p.cfgs(name, nil)
		}
		if err == nil && p.skip() != "" {
			err = fmt.Errorf("got %q after the condition", p.rest)
		}
		if err != nil {
			return nil, fmt.Errorf("reading %q of rustc --print cfg: %w", line, err)
		}
	}
	return func(name string, value *string) targets.Tristate {
		if value == nil {
			return targets.TristateOf(names[name])
		}
		return targets.TristateOf(pairs[pair{name, *value}])
	}, nil
}

// SpecCfgs judges by a target's description, without a compiler. It returns Unknown
// for what depends on more, such as target_feature. set are the values of --cfg
// among the flags.
func SpecCfgs(t *targets.Spec, set []string) Cfgs {
	given, err := ParseCfgs(set)
	if err != nil {
		// The compiler would have refused them.
		given = func(string, *string) targets.Tristate { return targets.Unknown }
	}
	return func(name string, value *string) targets.Tristate {
		if v := given(name, value); v != targets.No {
			return v
		}
		if value == nil {
			return specName(t, name)
		}
		return specPair(t, name, *value)
	}
}

func specName(t *targets.Spec, name string) targets.Tristate {
	switch name {
	case "unix", "windows":
		return targets.TristateOf(t.HasFamily(name))
	case "debug_assertions", "overflow_checks", "ub_checks", "target_thread_local", "target_has_atomic", "target_has_atomic_load_store", "panic":
		return targets.Unknown
	}
	return targets.No
}

func specPair(t *targets.Spec, name, value string) targets.Tristate {
	is := targets.TristateOf
	switch name {
	case "target_os":
		return is(value == t.OS)
	case "target_arch":
		return is(value == t.Arch)
	case "target_env":
		return is(value == t.Env)
	case "target_abi":
		return is(value == t.ABI)
	case "target_vendor":
		return is(value == t.Vendor)
	case "target_family":
		return is(t.HasFamily(value))
	case "target_endian":
		return is(value == "big" && t.BigEndian || value == "little" && !t.BigEndian)
	case "target_pointer_width":
		return is(value == strconv.Itoa(t.PointerWidth))
	}
	for _, unknown := range []string{"target_feature", "target_has_", "panic", "relocation_model", "target_object_format"} {
		if strings.HasPrefix(name, unknown) {
			return targets.Unknown
		}
	}
	return targets.No
}
