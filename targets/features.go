package targets

import (
	"fmt"
	"strings"
)

// LinkerFeatures is the state of -Clinker-features: which features were
// switched on and which off. lld is the only one a user can write. The zero
// LinkerFeatures means that nothing was asked for.
type LinkerFeatures struct{ enabled, disabled featureSet }

type featureSet byte

const featureLLD featureSet = 1

// ParseLinkerFeatures reads one value of -Clinker-features.
func ParseLinkerFeatures(value string) (LinkerFeatures, error) {
	f, ok := LinkerFeatures{}.with(value)
	if !ok {
		return LinkerFeatures{}, fmt.Errorf("parsing linker features %q: want a list of +lld and -lld", value)
	}
	return f, nil
}

// with adds one more value of the option. Per feature the last word wins.
func (f LinkerFeatures) with(value string) (LinkerFeatures, bool) {
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

// EnablesLLD reports whether +lld is in force.
func (f LinkerFeatures) EnablesLLD() bool { return f.enabled&featureLLD != 0 }

// DisablesLLD reports whether -lld is in force.
func (f LinkerFeatures) DisablesLLD() bool { return f.disabled&featureLLD != 0 }

// IsZero reports whether the option was not given.
func (f LinkerFeatures) IsZero() bool { return f == LinkerFeatures{} }

// Adjust applies the features to a flavor.
func (f LinkerFeatures) Adjust(l LinkerFlavor) LinkerFlavor {
	switch {
	case f.EnablesLLD():
		return l.WithLLD(true)
	case f.DisablesLLD():
		return l.WithLLD(false)
	}
	return l
}

// String prints the value that [ParseLinkerFeatures] reads back, or "" where
// the option was not given.
func (f LinkerFeatures) String() string {
	switch {
	case f.EnablesLLD():
		return "+lld"
	case f.DisablesLLD():
		return "-lld"
	}
	return ""
}
