package tests

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"x.go/dist/sandbox"
	"x.go/tests/runx"
	"x.go/tests/testenv"
)

var update = flag.Bool("update", false, "rewrite the expected output in scripts and golden files")

// TestScripts runs the scripts in testdata/script: the contract of the command
// line. Each has its own directory and home, and in $SYSROOT a real toolchain.
func TestScripts(t *testing.T) {
	sysroot := runx.SlimSysroot(t)
	x, err := exec.LookPath("x")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Condition: func(name string) (bool, error) {
			if name == "sandbox" {
				return sandbox.Probe(t.Context()).Whole(), nil
			}
			if program, ok := strings.CutPrefix(name, "missing:"); ok {
				return testenv.Lacks(program)
			}
			return false, fmt.Errorf("unknown condition %q", name)
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("SYSROOT", sysroot)
			env.Setenv("X", x) // for scripts that change PATH
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("SOURCE_DATE_EPOCH", "")
			env.Setenv("TOOLCHAINS", os.Getenv("RUSTUP_HOME")) // for scripts that run the real cargo
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"files": cmdFiles, "exec-status": cmdExecStatus},
	})
}

// cmdExecStatus runs a program that must end with a status: "exec-status 2 x dist".
func cmdExecStatus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exec-status STATUS PROGRAM [ARG...]")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		got = e.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if want := args[0]; strconv.Itoa(got) != want {
		ts.Fatalf("%s: got exit status %d, want %s", strings.Join(args[1:], " "), got, want)
	}
}

// cmdFiles prints the names of all files below a directory to standard output:
// "files DIR FILE" writes them to FILE.
func cmdFiles(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: files DIR FILE")
	}
	out, err := os.Create(ts.MkAbs(args[1]))
	ts.Check(err)
	root := ts.MkAbs(args[0])
	ts.Check(filepath.WalkDir(root, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err == nil {
			_, err = out.WriteString(filepath.ToSlash(rel) + "\n")
		}
		return err
	}))
	ts.Check(out.Close())
}
