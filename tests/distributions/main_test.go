// Package distributions gives x the toolchains of distributions.
package distributions

import (
	"testing"

	"x.go/tests/runx"
)

func TestMain(m *testing.M) { runx.Main(m, nil) }
