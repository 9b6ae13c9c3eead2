package measure

import (
	"errors"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// RunAll is [Run] for a process that does nothing else and has no other children. It also
// waits for what the program leaves behind, as mold and Wild do to return sooner, and
// counts that as part of it. Wall ends with the program.
func RunAll(cmd *exec.Cmd) (Figures, error) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return Run(cmd) // what is left behind is not counted then
	}
	f, err := Run(cmd)
	for {
		var status syscall.WaitStatus
		var usage syscall.Rusage
		switch _, waitErr := syscall.Wait4(-1, &status, 0, &usage); {
		case errors.Is(waitErr, syscall.EINTR):
			continue
		case waitErr != nil:
			return f, err
		}
		f.CPU += (time.Duration(usage.Utime.Nano()) + time.Duration(usage.Stime.Nano())).Seconds()
		f.Peak.Bytes = max(f.Peak.Bytes, rss(&usage))
		f.Peak.Bound = f.Peak.Bytes > 0 && f.Peak.Bytes <= ownMemory()+countSlack
	}
}
