// Package tests looks at x from outside: scripts of its command line, and the
// whole way from a real toolchain through archives to rustup, install.sh and a
// linked program.
package tests

import (
	"testing"

	"x.go/tests/runx"
)

func TestMain(m *testing.M) { runx.Main(m, scriptPrograms) }

// scriptPrograms are those that scripts run besides the machine's.
var scriptPrograms = map[string]func(){}
