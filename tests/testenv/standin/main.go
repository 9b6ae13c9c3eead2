// Command standin is a program in the place of another, for trees in which a script
// would not do. It runs the shell script TREE.scripts/NAME with its arguments, where
// TREE/bin/NAME is its own path.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

func main() {
	self, err := os.Executable()
	if err != nil {
		fail(err)
	}
	bin, name := filepath.Split(self)
	script := filepath.Dir(filepath.Clean(bin)) + ".scripts/" + name
	cmd := exec.Command("/bin/sh", append([]string{script}, os.Args[1:]...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		if cmd.ProcessState != nil {
			os.Exit(cmd.ProcessState.ExitCode())
		}
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "standin:", err)
	os.Exit(127)
}
