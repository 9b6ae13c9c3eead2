//go:build !linux

package measure

import "os/exec"

// RunAll is [Run] here.
func RunAll(cmd *exec.Cmd) (Figures, error) { return Run(cmd) }
