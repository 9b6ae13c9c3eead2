package linker_test

import (
	"testing"

	"x.go/tests/oracle"
)

func TestMain(m *testing.M) { oracle.Main(m) }
