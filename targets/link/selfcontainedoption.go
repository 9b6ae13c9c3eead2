package link

import (
	"strings"

	"x.go/targets"
)

// linkSelfContained is the state of -Clink-self-contained. The zero value
// means that the option was not given.
//
// The option has two forms. y and n set or clear everything; a list of +x and
// -x adds to the two sets and takes back only the mark that y or n was used,
// so `y` then `-linker` is every component enabled and linker disabled too.
type linkSelfContained struct {
	bulk              bulk
	enabled, disabled targets.Components
}

type bulk byte

const (
	bulkNone bulk = iota
	bulkYes
	bulkNo
)

// with adds one more value of the option.
func (s linkSelfContained) with(value string) (linkSelfContained, bool) {
	switch value {
	case "y", "yes", "on":
		return linkSelfContained{bulk: bulkYes, enabled: targets.AllComponents}, true
	case "n", "no", "off":
		return linkSelfContained{bulk: bulkNo, disabled: targets.AllComponents}, true
	}
	s.bulk = bulkNone
	for more := true; more; {
		var item string
		item, value, more = strings.Cut(value, ",")
		if len(item) < 2 {
			return s, false
		}
		c, err := targets.ParseComponent(item[1:])
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

// bulkValue returns what y or n said, and whether the last form used was one of them.
func (s linkSelfContained) bulkValue() (yes, given bool) {
	return s.bulk == bulkYes, s.bulk != bulkNone
}

// enables reports whether all of c were asked for by name or by y.
func (s linkSelfContained) enables(c targets.Components) bool { return s.enabled.Has(c) }

// disables reports whether all of c were refused by name or by n.
func (s linkSelfContained) disables(c targets.Components) bool { return s.disabled.Has(c) }

// conflicts returns the components both enabled and disabled.
func (s linkSelfContained) conflicts() targets.Components { return s.enabled & s.disabled }
