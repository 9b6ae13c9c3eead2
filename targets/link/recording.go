package link

import (
	"strings"

	"x.go/targets"
)

// What follows is how the recordings of real compilers (testdata/README.md)
// write a question. A [Batch] takes their lines as they are.

// noLLDNote follows the triple in recordings of a compiler built with
// rust.lld = false, which were made in a bare sysroot.
const noLLDNote = " (spec of a rust.lld=false compiler)"

// translate turns a recorded question into a plain one.
func (c *question) translate() {
	target, ok := strings.CutSuffix(c.Target, noLLDNote)
	if !ok {
		return
	}
	c.Target, c.LLDDefault = target, new(false)
	if c.Sysroot == "" {
		c.Sysroot = "explicit-bare"
	}
}

// relativeSysroot is the relative path that was given with --sysroot.
func relativeSysroot(r targets.Release) string {
	if r.Channel() == "nightly" {
		return "../research/oracle/tc/nightly"
	}
	return "../research/oracle/tc/stable"
}
