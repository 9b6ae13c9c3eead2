// Package faults stops commands in the middle: by errors of the system, by kills, and by
// a loss of power.
package faults

import (
	"testing"

	"x.go/tests/runx"
)

func TestMain(m *testing.M) { runx.Main(m, nil) }
