//go:build linux

package main

import (
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"x.go/tests/testenv"
)

// LLD dies where it can't start a thread. Under limits, it gets no more than can start.
func TestThreadsUnderLimits(t *testing.T) {
	testenv.Need(t, "bash")
	path := jobserverWrapper(t, "#!/bin/sh\nshift 2\nprintf '<%s>' \"$@\"\n")
	plain := strings.TrimSuffix(path, "gcc-ld/ld.lld") + "plain/ld.lld"
	install(t, guest.wrapper(t, lld...), plain)
	one, free := "<--threads=1><a>", ""
	if runtime.NumCPU() == 1 {
		one = "<a>" // what LLD would choose
	}
	if n := spare(20); n > 0 {
		free = "<--threads=" + strconv.Itoa(1+n) + "><a>"
	} else {
		free = "<--threads=1><a>"
	}
	const pool = "exec 3<>$FIFO; printf abcdefghijklmnopqrst >&3; export MAKEFLAGS=--jobserver-auth=3,3;"
	for _, tt := range []struct{ name, program, limit, args, want string }{
		{"none", plain, "", "a", "<a>"},
		{"address space", plain, "ulimit -v 300000;", "a", one},
		{"data", plain, "ulimit -d 300000;", "a", one},
		{"processes", plain, "ulimit -u 100;", "a", one},
		// A user may not raise a limit: that of processes is 15000 on a machine with 4 GB.
		{"plenty", plain, "ulimit -v 16000000 -u 1000;", "a", "<a>"},
		{"the user's", plain, "ulimit -v 300000;", "--threads=8 a", "<--threads=8><a>"},
		{"jobserver", path, pool, "a", free},
		{"jobserver and address space", path, pool + "ulimit -v 300000;", "a", "<--threads=1><a>"},
		{"jobserver and processes", path, pool + "ulimit -u 100;", "a", "<--threads=1><a>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fifo := t.TempDir() + "/fifo"
			testenv.Must(t, syscall.Mkfifo(fifo, 0o600))
			env := []string{"PATH=" + os.Getenv("PATH"), "FIFO=" + fifo}
			r := run(t, env, append([]string{"bash", "-c", tt.limit + ` exec "$@"`, "bash", tt.program}, strings.Fields(tt.args)...)...)
			if want := (result{0, tt.want, ""}); r != want {
				t.Errorf("got %+v, want %+v", r, want)
			}
		})
	}
}

// What the wrapper opens never stands in for a closed input or output: LLD would write
// its messages to the jobserver.
func TestJobserverClosedDescriptors(t *testing.T) {
	testenv.Need(t, "bash")
	fifo := t.TempDir() + "/fifo"
	testenv.Must(t, syscall.Mkfifo(fifo, 0o600))
	f, err := os.OpenFile(fifo, os.O_RDWR, 0)
	testenv.Must(t, err)
	defer f.Close()
	_, err = f.WriteString(tokens[:3])
	testenv.Must(t, err)
	path := jobserverWrapper(t, "#!/bin/sh\necho ABC; echo DEF >&2; exit 3\n")
	for _, closed := range []string{"<&-", ">&-", "2>&-", "<&- >&- 2>&-"} {
		cmd := exec.Command("bash", "-c", `exec "$0" `+closed, path)
		cmd.Env = []string{"MAKEFLAGS=--jobserver-auth=fifo:" + fifo}
		cmd.Run()
		if got := cmd.ProcessState.ExitCode(); got != 3 && got != 2 { // 2: the shell's, for its closed output
			t.Errorf("%s: got exit status %d, want 3", closed, got)
		}
	}
	if got := drain(t, f); got != tokens[:3] {
		t.Errorf("tokens: got %q, want %q", got, tokens[:3])
	}
}

// The caller may ignore the signal that tells the end of a child.
func TestJobserverIgnoredSignal(t *testing.T) {
	testenv.Need(t, "bash")
	path := jobserverWrapper(t, "#!/bin/sh\nexit 3\n")
	r, w := pool(t, 3)
	cmd := exec.Command("bash", "-c", `trap '' CHLD INT; exec "$0"`, path)
	cmd.Env = []string{"MAKEFLAGS=--jobserver-auth=3,4"}
	cmd.ExtraFiles = []*os.File{r, w}
	cmd.Run()
	if got := cmd.ProcessState.ExitCode(); got != 3 {
		t.Errorf("got exit status %d, want 3", got)
	}
	if got := drain(t, r); got != tokens[:3] {
		t.Errorf("tokens: got %q, want %q", got, tokens[:3])
	}
}
