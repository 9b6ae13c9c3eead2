// Package tests looks at x from outside: scripts of its command line, and the
// whole way from a real toolchain through archives to rustup, install.sh and a
// linked program.
package tests

import (
	"context"
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

// scratch is a directory for what several tests share; it goes with the process.
var scratch string

func TestMain(m *testing.M) {
	testscript.Main(scratchMain{m}, scriptPrograms)
}

// scriptPrograms are those that scripts run besides the machine's.
var scriptPrograms = map[string]func(){
	"x": func() {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		os.Exit(cli.Main(ctx, os.Args[1:], cli.OS()))
	},
}

// scratchMain is called by [testscript.Main] with x in PATH.
type scratchMain struct{ m *testing.M }

func (s scratchMain) Run() int { return testenv.Main(scratchTests(s), "x", "withhold") }

// scratchTests creates and removes scratch around the tests.
type scratchTests struct{ m *testing.M }

func (s scratchTests) Run() int {
	dir, err := os.MkdirTemp("", "x-tests-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	scratch = dir
	return s.m.Run()
}

// slimComponents are the components of the sysroot that most tests use: what a
// program needs to be built, and one tool. Documentation is left out, which is
// half the bytes and nearly all the files of a toolchain.
var slimComponents = []string{"rustc", "rust-std", "cargo", "rustfmt-preview"}

// slimSysroot returns a sysroot with the slim components of rustup's stable
// toolchain: the real files, hard linked where that can be done.
func slimSysroot(t testing.TB) string {
	t.Helper()
	stable := testenv.Sysroot(t, "stable")
	slimOnce.Do(func() { slimErr = makeSlim(stable, filepath.Join(scratch, "sysroot"), slimComponents) })
	if slimErr != nil {
		t.Fatal(slimErr)
	}
	return filepath.Join(scratch, "sysroot")
}

var (
	slimOnce sync.Once
	slimErr  error
)

// makeSlim turns the directory dir into a sysroot with some components of another one.
func makeSlim(stable, dir string, components []string) error {
	var names []string
	for _, c := range components {
		lists, err := filepath.Glob(filepath.Join(stable, "lib/rustlib", "manifest-"+c+"-*"))
		if err != nil {
			return err
		}
		for _, list := range lists {
			data, err := os.ReadFile(list)
			if err != nil {
				return err
			}
			names = append(names, filepath.Join("lib/rustlib", filepath.Base(list)))
			for line := range strings.Lines(string(data)) {
				if name, ok := strings.CutPrefix(strings.TrimSpace(line), "file:"); ok {
					names = append(names, name)
				}
			}
		}
	}
	for _, name := range names {
		to := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if os.Link(filepath.Join(stable, name), to) == nil {
			continue
		}
		if out, err := exec.Command("cp", "-p", filepath.Join(stable, name), to).CombinedOutput(); err != nil {
			return &exec.Error{Name: "cp " + string(out), Err: err}
		}
	}
	return nil
}

// result is what a run of x left.
type result struct {
	stdout, stderr string
	code           int
}

// x runs x in the directory dir with more environment variables.
func x(t testing.TB, dir string, env []string, args ...string) result {
	t.Helper()
	cmd := xCommand(t, dir, env, args...)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// xCommand prepares a run of x.
func xCommand(t testing.TB, dir string, env []string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "x", args...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "SOURCE_DATE_EPOCH="), env...)
	return cmd
}

// mustX runs x and ends the test if it fails.
func mustX(t testing.TB, dir string, env []string, args ...string) result {
	t.Helper()
	r := x(t, dir, env, args...)
	if r.code != 0 {
		t.Fatalf("x %s: got exit status %d, want 0\nstdout:\n%s\nstderr:\n%s", strings.Join(args, " "), r.code, r.stdout, r.stderr)
	}
	return r
}
