package testenv

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Sysroot returns the sysroot of one of rustup's toolchains, such as "stable",
// or ends the test if there is none.
func Sysroot(t testing.TB, toolchain string) string {
	t.Helper()
	rustup := Need(t, "rustup")
	out, err := exec.Command(rustup, "run", toolchain, "rustc", "--print", "sysroot").Output()
	if err != nil {
		Missing(t, "toolchain %q of rustup: %v", toolchain, err)
	}
	sysroot := strings.TrimSpace(string(out))
	if _, err := os.Stat(filepath.Join(sysroot, "bin")); err != nil {
		Missing(t, "toolchain %q of rustup: %v", toolchain, err)
	}
	return sysroot
}
