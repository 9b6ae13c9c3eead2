package link

import (
	"strings"

	"x.go/targets"
)

// linkerFeatures is the state of -Clinker-features: the features switched on and
// those switched off. lld is the only one that the option takes. The zero
// linkerFeatures is that of no option.
type linkerFeatures struct{ enabled, disabled featureSet }

type featureSet byte

const featureLLD featureSet = 1

// with adds one more value of the option. Per feature the last word wins.
func (f linkerFeatures) with(value string) (linkerFeatures, bool) {
	for more := true; more; {
		var item string
		item, value, more = strings.Cut(value, ",")
		switch item {
		case "+lld":
			f.enabled, f.disabled = f.enabled|featureLLD, f.disabled&^featureLLD
		case "-lld":
			f.enabled, f.disabled = f.enabled&^featureLLD, f.disabled|featureLLD
		default:
			return f, false
		}
	}
	return f, true
}

// enablesLLD reports whether +lld is in force.
func (f linkerFeatures) enablesLLD() bool { return f.enabled&featureLLD != 0 }

// disablesLLD reports whether -lld is in force.
func (f linkerFeatures) disablesLLD() bool { return f.disabled&featureLLD != 0 }

// adjust applies the features to a flavor.
func (f linkerFeatures) adjust(l targets.LinkerFlavor) targets.LinkerFlavor {
	switch {
	case f.enablesLLD():
		return l.WithLLD(true)
	case f.disablesLLD():
		return l.WithLLD(false)
	}
	return l
}
