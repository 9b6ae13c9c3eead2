package inspect_test

import (
	"os"
	"testing"

	"x.go/tests/testenv"
)

func TestMain(m *testing.M) {
	os.Exit(testenv.Main(m, "ld.lld", "mold", "ld.mold", "llvm-ar", "llvm-ar-14"))
}
