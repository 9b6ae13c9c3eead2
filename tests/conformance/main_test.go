// Package conformance installs packages as rust-installer's users do: by their install.sh
// in several shells, and by x. A table has what must come of it. Each scenario of
// rust-installer's own test.sh is there under its name.
//
// With X_TEST_RUST_INSTALLER=PROGRAM, that rust-installer makes the packages: then its own
// install.sh runs, in bash, and is held against the same table. Rows that say how it
// differs are left out. Build the program from its sources (rust-lang/rust-installer,
// or src/tools/rust-installer in rust-lang/rust) with cargo build; Debian packages all
// crates that it needs.
package conformance

import (
	"testing"

	"x.go/tests/runx"
)

func TestMain(m *testing.M) { runx.Main(m, nil) }
