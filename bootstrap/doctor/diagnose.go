package doctor

import (
	"context"
	"fmt"
	"io"

	"x.go/targets"
)

// Options say what a diagnosis may assume and look at. The zero Options look at the
// log alone, and assume the newest stable compiler for x86_64-unknown-linux-gnu where
// the log does not tell.
type Options struct {
	// Dir is the directory that relative names in the log start from; "" keeps the
	// diagnosis away from files.
	Dir string
	// Target and Release are the ones that remedies are for. Zero: what the log tells.
	Target  targets.Triple
	Release targets.Release
}

// Diagnose reads the log of a build, and the files named in it if o.Dir is set. name is
// what evidence calls the log. Memory does not depend on the length of the log. The
// error is that of r or of ctx; no text is an error.
func Diagnose(ctx context.Context, name string, r io.Reader, o Options) (Report, error) {
	d := newDiagnosis(name, o)
	if err := scan(ctx, r, d.words, d.line); err != nil {
		return Report{}, fmt.Errorf("reading log %q: %w", name, err)
	}
	return d.report(), nil
}

const (
	maxEvidence = 16  // of a finding
	maxText     = 300 // bytes of a piece of evidence
)
