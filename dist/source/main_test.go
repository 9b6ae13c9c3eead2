package source

import (
	"os"
	"testing"

	"x.go/tests/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }
