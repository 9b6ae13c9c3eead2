package cargoflags

import (
	"fmt"
	"strconv"
	"strings"

	"x.go/targets"
)

// maxDepth bounds the nesting of conditions.
const maxDepth = 64

// evalCfg judges a key such as cfg(all(unix, target_arch = "x86_64")). It returns
// Unknown for what depends on more than the target, such as target_feature.
func evalCfg(key string, target *targets.Spec) (targets.Tristate, error) {
	p := cfgParser{rest: strings.TrimSuffix(strings.TrimPrefix(key, "cfg("), ")"), target: target}
	v, err := p.predicate(0)
	if err == nil && p.skip() != 0 {
		err = fmt.Errorf("got %q after the condition", p.rest)
	}
	return v, err
}

// cfgParser evaluates while it reads.
type cfgParser struct {
	rest   string
	target *targets.Spec
}

// skip skips blanks and returns the next byte, 0 at the end.
func (p *cfgParser) skip() byte {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	if p.rest == "" {
		return 0
	}
	return p.rest[0]
}

// take consumes c if it comes next.
func (p *cfgParser) take(c byte) bool {
	if p.skip() != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

func (p *cfgParser) word() string {
	p.skip()
	end := 0
	for end < len(p.rest) && (p.rest[end] == '_' || p.rest[end]|0x20 >= 'a' && p.rest[end]|0x20 <= 'z' || end > 0 && p.rest[end] >= '0' && p.rest[end] <= '9') {
		end++
	}
	w := p.rest[:end]
	p.rest = p.rest[end:]
	return w
}

func (p *cfgParser) predicate(depth int) (targets.Tristate, error) {
	name := p.word()
	switch {
	case name == "":
		return 0, fmt.Errorf("got %q, want a condition", p.rest)
	case depth > maxDepth:
		return 0, fmt.Errorf("conditions nest deeper than %d", maxDepth)
	case p.take('('):
		return p.combination(name, depth)
	case p.take('='):
		return p.comparison(name)
	case name == "true" || name == "unix" && p.target.HasFamily("unix") || name == "windows" && p.target.HasFamily("windows"):
		return targets.Yes, nil
	case name == "debug_assertions" || name == "overflow_checks" || name == "ub_checks" || name == "target_thread_local":
		return targets.Unknown, nil
	}
	return targets.No, nil
}

// combination reads the list after all(, any( or not(.
func (p *cfgParser) combination(name string, depth int) (targets.Tristate, error) {
	var yes, no, n int
	for !p.take(')') {
		v, err := p.predicate(depth + 1)
		if err != nil {
			return 0, err
		}
		n++
		switch v {
		case targets.Yes:
			yes++
		case targets.No:
			no++
		}
		if !p.take(',') && p.skip() != ')' {
			return 0, fmt.Errorf("got %q, want a comma or a closing bracket", p.rest)
		}
	}
	switch {
	case name == "not" && n != 1:
		return 0, fmt.Errorf("got not() of %d conditions, want one", n)
	case name == "all" && no > 0, name == "any" && yes+no == n && yes == 0, name == "not" && yes == 1:
		return targets.No, nil
	case name == "all" && yes == n, name == "any" && yes > 0, name == "not" && no == 1:
		return targets.Yes, nil
	case name == "all" || name == "any" || name == "not":
		return targets.Unknown, nil
	}
	return 0, fmt.Errorf("got %q, want all, any or not", name)
}

// comparison reads the string after NAME =.
func (p *cfgParser) comparison(name string) (targets.Tristate, error) {
	if !p.take('"') {
		return 0, fmt.Errorf("got %q after %s =, want a quoted string", p.rest, name)
	}
	value, rest, closed := strings.Cut(p.rest, `"`)
	if !closed {
		return 0, fmt.Errorf("got %q, want a closing quote", p.rest)
	}
	p.rest = rest
	endian := "little"
	if p.target.BigEndian {
		endian = "big"
	}
	t := p.target
	is := func(b bool) (targets.Tristate, error) { return targets.TristateOf(b), nil }
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
		return is(value == endian)
	case "target_pointer_width":
		return is(value == strconv.Itoa(t.PointerWidth))
	case "target_feature", "target_has_atomic", "panic", "relocation_model":
		return targets.Unknown, nil
	}
	return targets.No, nil
}
