package targets

import (
	"fmt"
	"strings"
)

// Components is a set of the things rustc can ship for linking and use in
// place of the system's, as link-self-contained names them.
type Components byte

// The components, in the order of rustc's messages.
const (
	CrtObjects Components = 1 << iota
	Libc
	Unwind
	Linker
	Sanitizers
	MinGW
)

// AllComponents is every component.
const AllComponents = CrtObjects | Libc | Unwind | Linker | Sanitizers | MinGW

// componentNames is in the order of the bits.
var componentNames = [...]string{"crto", "libc", "unwind", "linker", "sanitizers", "mingw"}

// Has reports whether every component of o is in c.
func (c Components) Has(o Components) bool { return c&o == o }

// Names lists the components in rustc's order.
func (c Components) Names() []string {
	var names []string
	for i, name := range componentNames {
		if c&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// String joins the names with ", ", as rustc's messages do.
func (c Components) String() string { return strings.Join(c.Names(), ", ") }

// ParseComponent finds one component by name.
func ParseComponent(name string) (Components, error) {
	for i, n := range componentNames {
		if n == name {
			return 1 << i, nil
		}
	}
	return 0, fmt.Errorf("parsing self-contained component %q: want one of %s", name, strings.Join(componentNames[:], ", "))
}

// LinkSelfContained is the state of -Clink-self-contained. The zero value
// means that the option was not given.
//
// The option has two forms. y and n set or clear everything; a list of +x and
// -x adds to the two sets and takes back only the mark that y or n was used,
// so `y` then `-linker` is every component enabled and linker disabled too.
type LinkSelfContained struct {
	bulk              bulk
	enabled, disabled Components
}

type bulk byte

const (
	bulkNone bulk = iota
	bulkYes
	bulkNo
)

// ParseLinkSelfContained reads one value of -Clink-self-contained.
func ParseLinkSelfContained(value string) (LinkSelfContained, error) {
	s, ok := LinkSelfContained{}.with(value)
	if !ok {
		return LinkSelfContained{}, fmt.Errorf("parsing self-contained linking %q: want y, n or a list such as -linker", value)
	}
	return s, nil
}

// with adds one more value of the option.
func (s LinkSelfContained) with(value string) (LinkSelfContained, bool) {
	switch value {
	case "y", "yes", "on":
		return LinkSelfContained{bulk: bulkYes, enabled: AllComponents}, true
	case "n", "no", "off":
		return LinkSelfContained{bulk: bulkNo, disabled: AllComponents}, true
	}
	s.bulk = bulkNone
	for more := true; more; {
		var item string
		item, value, more = strings.Cut(value, ",")
		if len(item) < 2 {
			return s, false
		}
		c, err := ParseComponent(item[1:])
		switch {
		case err != nil:
			return s, false
		case item[0] == '+':
			s.enabled |= c
		case item[0] == '-':
			s.disabled |= c
		default:
			return s, false
		}
	}
	return s, true
}

// IsZero reports whether the option was not given.
func (s LinkSelfContained) IsZero() bool { return s == LinkSelfContained{} }

// Bulk returns what y or n said, and whether the last form used was one of them.
func (s LinkSelfContained) Bulk() (yes, given bool) { return s.bulk == bulkYes, s.bulk != bulkNone }

// Enables reports whether all of c were asked for by name or by y.
func (s LinkSelfContained) Enables(c Components) bool { return s.enabled.Has(c) }

// Disables reports whether all of c were refused by name or by n.
func (s LinkSelfContained) Disables(c Components) bool { return s.disabled.Has(c) }

// Conflicts returns the components both enabled and disabled.
func (s LinkSelfContained) Conflicts() Components { return s.enabled & s.disabled }

// String prints a value that [ParseLinkSelfContained] reads back to s, or ""
// where the option was not given.
func (s LinkSelfContained) String() string {
	switch s.bulk {
	case bulkYes:
		return "y"
	case bulkNo:
		return "n"
	}
	var items []string
	for _, n := range s.enabled.Names() {
		items = append(items, "+"+n)
	}
	for _, n := range s.disabled.Names() {
		items = append(items, "-"+n)
	}
	return strings.Join(items, ",")
}

// SelfContainedDefault is what a target's spec says about self-contained
// linking where the user says nothing. The zero value is invalid.
type SelfContainedDefault struct {
	mode       selfContainedMode
	components Components
}

type selfContainedMode byte

const (
	_ selfContainedMode = iota
	selfContainedFalse
	selfContainedTrue
	selfContainedMusl
	selfContainedMinGW
	selfContainedList
)

// selfContainedModes are the values of the spec's crt-objects-fallback. "wasm"
// is the old name of "true".
var selfContainedModes = map[string]selfContainedMode{
	"false": selfContainedFalse,
	"true":  selfContainedTrue,
	"wasm":  selfContainedTrue,
	"musl":  selfContainedMusl,
	"mingw": selfContainedMinGW,
}

// Forbidden reports whether the target refuses -Clink-self-contained=y and n.
func (d SelfContainedDefault) Forbidden() bool { return d.mode == selfContainedFalse }

// Components returns the explicit list, and whether there is one.
func (d SelfContainedDefault) Components() (Components, bool) {
	return d.components, d.mode == selfContainedList
}

// String describes the default: "false", "true", "musl", "mingw" or the list.
func (d SelfContainedDefault) String() string {
	switch d.mode {
	case selfContainedFalse:
		return "false"
	case selfContainedTrue:
		return "true"
	case selfContainedMusl:
		return "musl"
	case selfContainedMinGW:
		return "mingw"
	case selfContainedList:
		return "[" + d.components.String() + "]"
	}
	return ""
}
