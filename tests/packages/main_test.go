// Package packages builds packages of distributions from the trees that x stages.
package packages

import (
	"testing"

	"x.go/tests/runx"
)

func TestMain(m *testing.M) { runx.Main(m, nil) }
