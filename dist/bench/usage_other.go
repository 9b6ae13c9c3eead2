//go:build !unix

package bench

import (
	"os"
	"os/exec"
)

func killGroup(*exec.Cmd) {}

// peakMemory is not known.
func peakMemory(*os.ProcessState) int64 { return 0 }
