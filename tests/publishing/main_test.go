// Package publishing tests x publish and x channel withdraw on each kind of store, with
// channels of a few kilobytes that the real rustup installs.
package publishing

import (
	"testing"

	"x.go/tests/runx"
)

func TestMain(m *testing.M) { runx.Main(m, nil) }
