// Package hosts packs Debian's toolchains of other machines.
package hosts

import (
	"testing"

	"x.go/tests/runx"
)

func TestMain(m *testing.M) { runx.Main(m, nil) }
