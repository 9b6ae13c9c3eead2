//go:build !unix

package main

import (
	"os"
	"strconv"
)

// become runs the command, waits for it and ends with its exit code: this system
// cannot replace a process.
func become(c command) {
	process, err := os.StartProcess(c.path, c.args, &os.ProcAttr{Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}})
	if err != nil {
		fail("error running " + c.label + " child process: " + describe(err))
	}
	state, err := process.Wait()
	if err != nil {
		fail("error running " + c.label + " child process: " + describe(err))
	}
	if state.ExitCode() < 0 {
		fail(c.label + " child process exited with error: " + strconv.Quote(state.String()))
	}
	os.Exit(state.ExitCode())
}
