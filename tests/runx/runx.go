// Package runx runs x as its users do, for tests from outside.
package runx

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"x.go/bootstrap/cli"
	"x.go/tests/testenv"
)

// Scratch is a directory for what several tests of a package share. It goes with the
// process.
var Scratch string

// Main runs the tests of a package as [testenv.Main] does, with x in PATH. That x is the
// test's own program. Further programs are functions that end the process.
func Main(m *testing.M, programs map[string]func()) {
	all := map[string]func(){"x": main}
	names := []string{"x"}
	for name, run := range programs {
		all[name] = run
		names = append(names, name)
	}
	testscript.Main(isolated{m, names}, all)
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(cli.Main(ctx, os.Args[1:], cli.OS()))
}

// isolated is called by [testscript.Main] with the programs in PATH.
type isolated struct {
	m     *testing.M
	names []string
}

func (i isolated) Run() int { return testenv.Main(scratched{i.m}, i.names...) }

// scratched creates and removes [Scratch] around the tests.
type scratched struct{ m *testing.M }

func (s scratched) Run() int {
	dir, err := os.MkdirTemp("", "x-tests-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	Scratch = dir
	return s.m.Run()
}

// Result is what a run of x left.
type Result struct {
	Stdout, Stderr string
	Code           int
}

// X runs x in the directory dir with more environment variables.
func X(t testing.TB, dir string, env []string, args ...string) Result {
	t.Helper()
	cmd := Command(t, dir, env, args...)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	return Result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// Command prepares a run of x.
func Command(t testing.TB, dir string, env []string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "x", args...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "SOURCE_DATE_EPOCH="), env...)
	return cmd
}

// Must runs x and ends the test if it fails.
func Must(t testing.TB, dir string, env []string, args ...string) Result {
	t.Helper()
	r := X(t, dir, env, args...)
	if r.Code != 0 {
		t.Fatalf("x %s: got exit status %d, want 0\nstdout:\n%s\nstderr:\n%s", strings.Join(args, " "), r.Code, r.Stdout, r.Stderr)
	}
	return r
}

// Build builds x as it is shipped, once for all tests of a package: one static program.
// That of the scripts is this test's own: it has more in it to start.
func Build(t testing.TB) string {
	t.Helper()
	goTool := testenv.Need(t, "go")
	out := filepath.Join(Scratch, "shipped", "x")
	shippedOnce.Do(func() {
		cmd := exec.Command(goTool, "build", "-o", out, "x.go")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if text, err := cmd.CombinedOutput(); err != nil {
			shippedErr = fmt.Errorf("go build: %w\n%s", err, text)
		}
	})
	testenv.Must(t, shippedErr)
	return out
}

var (
	shippedOnce sync.Once
	shippedErr  error
)
