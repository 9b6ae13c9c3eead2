//go:build !unix

package process

import (
	"os"
	"strconv"
)

// Become runs the program at path, waits for it and ends with its exit code: this
// system cannot replace a process. args[0] is the program's name, and label is what
// messages call it. It returns only if that fails.
func Become(path string, args []string, label string) error {
	process, err := os.StartProcess(path, args, &os.ProcAttr{Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}})
	if err != nil {
		return Problem("error running " + Show(label) + " child process: " + Describe(err))
	}
	state, err := process.Wait()
	if err != nil {
		return Problem("error running " + Show(label) + " child process: " + Describe(err))
	}
	if state.ExitCode() < 0 {
		return Problem(Show(label) + " child process exited with error: " + strconv.Quote(state.String()))
	}
	os.Exit(state.ExitCode())
	return nil
}
