// Package mirroring measures x mirror and x verify --store against the programs that
// people copy mirrors with.
package mirroring

import (
	"os"
	"testing"

	"x.go/tests/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m, "aws")) }
