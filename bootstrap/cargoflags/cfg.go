package cargoflags

import (
	"fmt"
	"strings"

	"x.go/targets"
)

// maxDepth bounds the nesting of conditions.
const maxDepth = 1000

// Holds judges a key such as cfg(all(unix, target_arch = "x86_64")), in the
// grammar of cargo-platform: only spaces are blanks, and r#NAME is NAME, but no
// operator.
func Holds(key string, cfgs Cfgs) (targets.Tristate, error) {
	text, ok := strings.CutSuffix(strings.TrimPrefix(key, "cfg("), ")")
	if !ok {
		return 0, fmt.Errorf("got no closing bracket")
	}
	p := cfgParser{rest: text, cfgs: cfgs}
	v, err := p.expression(0)
	if err == nil && p.skip() != "" {
		err = fmt.Errorf("got %q after the condition", p.rest)
	}
	return v, err
}

// cfgParser evaluates while it reads.
type cfgParser struct {
	rest string
	cfgs Cfgs
}

// skip skips blanks and returns the rest.
func (p *cfgParser) skip() string {
	p.rest = strings.TrimLeft(p.rest, " ")
	return p.rest
}

// take consumes c if it comes next.
func (p *cfgParser) take(c string) bool {
	rest, ok := strings.CutPrefix(p.skip(), c)
	if ok {
		p.rest = rest
	}
	return ok
}

// word reads a name; it is "" where none comes next.
func (p *cfgParser) word() (name string, raw bool) {
	raw = p.take("r#")
	if !raw {
		p.skip()
	}
	end := 0
	for end < len(p.rest) && (p.rest[end] == '_' || p.rest[end]|0x20 >= 'a' && p.rest[end]|0x20 <= 'z' || end > 0 && p.rest[end] >= '0' && p.rest[end] <= '9') {
		end++
	}
	name = p.rest[:end]
	p.rest = p.rest[end:]
	return name, raw
}

func (p *cfgParser) expression(depth int) (targets.Tristate, error) {
	name, raw := p.word()
	switch {
	case name == "":
		return 0, fmt.Errorf("got %q, want a condition", p.rest)
	case depth > maxDepth:
		return 0, fmt.Errorf("conditions nest deeper than %d", maxDepth)
	case !raw && (name == "all" || name == "any" || name == "not"):
		if !p.take("(") {
			return 0, fmt.Errorf("got %q after %s, want an opening bracket", p.rest, name)
		}
		return p.combination(name, depth)
	case p.take("="):
		return p.comparison(name)
	case name == "true" || name == "false":
		return targets.TristateOf(name == "true"), nil
	}
	return p.cfgs(name, nil), nil
}

// combination reads the list after all(, any( or not(.
func (p *cfgParser) combination(name string, depth int) (targets.Tristate, error) {
	var yes, no, n int
	for name == "not" && n == 0 || !p.take(")") {
		v, err := p.expression(depth + 1)
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
		if name != "not" && p.take(",") {
			continue
		}
		if !p.take(")") {
			return 0, fmt.Errorf("got %q, want a closing bracket", p.rest)
		}
		break
	}
	switch {
	case name == "all" && no > 0, name == "any" && no == n, name == "not" && yes == 1:
		return targets.No, nil
	case name == "all" && yes == n, name == "any" && yes > 0, name == "not" && no == 1:
		return targets.Yes, nil
	}
	return targets.Unknown, nil
}

// comparison reads the string after NAME =.
func (p *cfgParser) comparison(name string) (targets.Tristate, error) {
	if !p.take(`"`) {
		return 0, fmt.Errorf("got %q after %s =, want a quoted string", p.rest, name)
	}
	value, rest, closed := strings.Cut(p.rest, `"`)
	if !closed {
		return 0, fmt.Errorf("got %q, want a closing quote", p.rest)
	}
	p.rest = rest
	return p.cfgs(name, &value), nil
}
