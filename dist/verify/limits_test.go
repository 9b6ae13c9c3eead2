package verify

import "x.go/dist/sandbox"

// WithLimits bounds the archives' programs more than a user would.
func WithLimits(o Options, l sandbox.Limits) Options {
	o.limits = l
	return o
}
