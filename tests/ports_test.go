package tests

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"x.go/tests/testenv"
)

// TestPorts builds the programs that x puts into sysroots for one system of
// each kind of source file. Every pair of `go tool dist list` is too much.
func TestPorts(t *testing.T) {
	goTool := testenv.Need(t, "go")
	var programs []string
	for _, p := range goList(t, "../bootstrap/...") {
		if p.Name == "main" {
			programs = append(programs, p.ImportPath)
		}
	}
	if len(programs) == 0 {
		t.Fatal("got no programs below bootstrap")
	}
	for _, port := range []string{"windows/" + runtime.GOARCH, "darwin/" + runtime.GOARCH, "freebsd/" + runtime.GOARCH, "linux/arm"} {
		t.Run(port, func(t *testing.T) {
			goos, goarch, _ := strings.Cut(port, "/")
			cmd := exec.Command(goTool, append([]string{"build", "-o", t.TempDir() + "/"}, programs...)...)
			cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch)
			if text, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %v\n%s", cmd.Args, err, text)
			}
		})
	}
}
