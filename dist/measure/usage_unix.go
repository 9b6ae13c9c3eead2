//go:build unix

package measure

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// KillGroup makes the end of cmd's context end the program's children, too.
func KillGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}

// peakMemory returns the most memory that an ended process had resident, in
// bytes.
func peakMemory(state *os.ProcessState) int64 {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return rss(usage)
}

// rss is the memory of a usage, in bytes.
func rss(usage *syscall.Rusage) int64 {
	unit := int64(1 << 10)
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		unit = 1 // getrusage(2) counts in bytes there
	}
	return int64(usage.Maxrss) * unit
}
