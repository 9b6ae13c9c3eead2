package verify

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"x.go/tests/testenv"
)

// TestShimWithoutLinker holds the words by which a shim is known, on a machine
// that has no system linker, against those of the real one.
func TestShimWithoutLinker(t *testing.T) {
	shim := filepath.Join(t.TempDir(), "gcc-ld", "ld.lld")
	build := exec.CommandContext(t.Context(), testenv.Need(t, "go"), "build", "-ldflags", "-X main.mode=system", "-o", shim, "x.go/bootstrap/programs/lldwrapper")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the shim: %v\n%s", err, out)
	}
	run := exec.CommandContext(t.Context(), shim, "--version")
	run.Env = []string{"PATH=" + t.TempDir()}
	out, err := run.CombinedOutput()
	if err == nil || !strings.Contains(string(out), shimWithoutLinker) {
		t.Errorf("got %q, %v, want an error with %q", out, err, shimWithoutLinker)
	}
}
