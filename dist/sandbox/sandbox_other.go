//go:build !linux

package sandbox

import (
	"context"
	"errors"
	"os/exec"
	"runtime"
)

// Probe finds out what this machine offers: nothing.
func Probe(context.Context) Support {
	return Support{Missing: []string{runtime.GOOS + " has no sandbox that x knows"}}
}

// Run runs nothing: [Probe] said that there is no sandbox.
func (p Policy) Run(context.Context, *exec.Cmd) (broken []string, err error) {
	return nil, errors.New("running in a sandbox: " + runtime.GOOS + " has none that x knows")
}

// ReadBeside returns nothing: there is no sandbox to let read.
func ReadBeside(string) []string { return nil }
