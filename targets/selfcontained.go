package targets

import (
	"fmt"
	"strings"
)

// Components is a set of what rustc can ship and link in place of the system's,
// by the names of link-self-contained.
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

// names lists the components in rustc's order.
func (c Components) names() []string {
	var names []string
	for i, name := range componentNames {
		if c&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// String joins the names with ", ", as rustc's messages do.
func (c Components) String() string { return strings.Join(c.names(), ", ") }

// ParseComponent finds one component by name.
func ParseComponent(name string) (Components, error) {
	for i, n := range componentNames {
		if n == name {
			return 1 << i, nil
		}
	}
	return 0, fmt.Errorf("parsing self-contained component %q: want one of %s", name, strings.Join(componentNames[:], ", "))
}

// SelfContainedDefault is what a target's spec says about self-contained
// linking where the user says nothing. The zero value is invalid.
type SelfContainedDefault struct {
	mode       selfContainedMode
	components Components // of mode selfContainedList
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

// InForce returns the components that rustc takes from its own sysroot where
// the command line says nothing (self_contained_components in
// rustc_codegen_ssa/src/back/link.rs). crtStatic says that the C runtime is
// linked statically, noMinGW that the machine has no MinGW; InForce calls it only
// where it decides.
func (d SelfContainedDefault) InForce(crtStatic bool, noMinGW func() bool) Components {
	switch {
	case d.mode == selfContainedList:
		return d.components
	case d.mode == selfContainedTrue, d.mode == selfContainedMusl && crtStatic, d.mode == selfContainedMinGW && noMinGW():
		return AllComponents
	}
	return 0
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
