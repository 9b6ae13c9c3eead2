//go:build !unix

package measure

import (
	"os"
	"os/exec"
)

// KillGroup does nothing here.
func KillGroup(*exec.Cmd) {}

// peakMemory is not known.
func peakMemory(*os.ProcessState) int64 { return 0 }
