// Package engines runs the jobs that x prints for engines: a real Slurm, and the
// commands of the others as they are written.
package engines

import (
	"testing"

	"x.go/tests/runx"
)

func TestMain(m *testing.M) { runx.Main(m, nil) }
