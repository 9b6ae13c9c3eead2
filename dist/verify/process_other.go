//go:build !unix

package verify

import (
	"os"
	"os/exec"
)

func killGroup(*exec.Cmd) {}

func isExecutable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
