package inventory_test

import (
	"os"
	"testing"

	"x.go/tests/testenv"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == inRoot {
		enter(os.Args[2:])
	}
	os.Exit(testenv.Main(m))
}
