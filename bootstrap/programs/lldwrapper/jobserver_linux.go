//go:build jobserver

package main

import (
	"errors"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"x.go/bootstrap/programs/process"
)

// maxThreads is how many threads LLD uses by default at most (lld::elf).
const maxThreads = 16

// runUnderJobserver takes tokens that make or cargo can spare, runs LLD with as many
// threads, gives the tokens back, and ends this program. It returns if there is no
// jobserver or c does not run LLD. Without it, each of the links that run at once
// starts a thread for each CPU.
func runUnderJobserver(c command) {
	if !c.threads || choosesThreads(c.args) {
		return
	}
	pool, ok := openJobserver()
	if !ok {
		return
	}
	tokens := pool.take(min(runtime.NumCPU(), maxThreads) - 1)
	code := runToEnd(withThreads(c, 1+len(tokens)))
	pool.give(tokens)
	os.Exit(code)
}

func choosesThreads(args []string) bool {
	for _, arg := range args {
		name := strings.TrimLeft(arg, "-")
		if name != arg && (name == "threads" || name == "no-threads" || strings.HasPrefix(name, "threads=")) {
			return true
		}
	}
	return false
}

// withThreads puts the option behind the flavor, so that one in a response file
// comes later and wins.
func withThreads(c command, n int) command {
	for i, arg := range c.args {
		if arg == "-flavor" {
			c.args = append(c.args[:i+2:i+2], append([]string{"--threads=" + strconv.Itoa(n)}, c.args[i+2:]...)...)
			break
		}
	}
	return c
}

// jobserver is a pipe that holds a byte for each process or thread that may yet
// start. Its users must put back the very bytes that they took.
type jobserver struct{ read, write int }

// openJobserver opens the pool that the environment names: cargo's first, for a make
// that runs cargo may have one of its own. It opens the pipe again, so that only its
// own reads do not block: O_NONBLOCK on the inherited descriptor would be everybody's.
func openJobserver() (jobserver, bool) {
	for _, name := range []string{"CARGO_MAKEFLAGS", "MAKEFLAGS"} {
		read, write, ok := poolNames(os.Getenv(name))
		if !ok {
			continue
		}
		r, err := openPipe(read, syscall.O_RDONLY)
		if err != nil {
			continue
		}
		if w, err := openPipe(write, syscall.O_WRONLY); err == nil {
			return jobserver{r, w}, true
		}
		syscall.Close(r)
	}
	return jobserver{}, false
}

// poolNames returns the paths of both ends: of a named pipe with make 4.4, of
// inherited descriptors before. The last of several options counts, as in make.
func poolNames(makeflags string) (read, write string, ok bool) {
	for flag := range strings.FieldsSeq(makeflags) {
		value, found := strings.CutPrefix(flag, "--jobserver-auth=")
		if !found {
			if value, found = strings.CutPrefix(flag, "--jobserver-fds="); !found {
				continue
			}
		}
		if path, fifo := strings.CutPrefix(value, "fifo:"); fifo {
			read, write, ok = path, path, true
			continue
		}
		r, w, _ := strings.Cut(value, ",")
		_, errR := strconv.ParseUint(r, 10, 31)
		_, errW := strconv.ParseUint(w, 10, 31)
		// make writes negative numbers for a command that gets no pool.
		read, write, ok = "/proc/self/fd/"+r, "/proc/self/fd/"+w, errR == nil && errW == nil
	}
	return read, write, ok
}

// openPipe refuses what is no pipe: in a command that make gives no pool, the numbers
// may name other files.
func openPipe(path string, how int) (int, error) {
	var st syscall.Stat_t
	if err := syscall.Stat(path, &st); err != nil {
		return -1, err
	}
	if st.Mode&syscall.S_IFMT != syscall.S_IFIFO {
		return -1, syscall.EINVAL
	}
	return syscall.Open(path, how|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
}

// take returns up to n tokens, those that are free now.
func (j jobserver) take(n int) []byte {
	tokens := make([]byte, n)
	for {
		got, err := syscall.Read(j.read, tokens)
		if err == syscall.EINTR {
			continue
		}
		return tokens[:max(got, 0)]
	}
}

// give puts tokens back. The pipe has room for what came out of it.
func (j jobserver) give(tokens []byte) {
	for len(tokens) > 0 {
		n, err := syscall.Write(j.write, tokens)
		if err != nil && err != syscall.EINTR {
			process.Complain("lld-wrapper: could not return " + strconv.Itoa(len(tokens)) + " jobserver tokens: " + process.Describe(err) + "\n")
			return
		}
		tokens = tokens[max(n, 0):]
	}
}

// runToEnd runs c to its end and returns the status for this program. Signals that would
// end this program go to c, so that the tokens still come back; c ends if this
// program is killed.
func runToEnd(c command) int {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	runtime.LockOSThread() // Pdeathsig is about the thread that starts the process
	child, err := os.StartProcess(c.path, c.args, &os.ProcAttr{
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
		Sys:   &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL},
	})
	if err != nil {
		var number syscall.Errno
		errors.As(err, &number)
		process.Complain("lld-wrapper: could not exec " + c.label + ": " + process.Describe(number) + "\n")
		return 1
	}
	go func() {
		for s := range signals {
			child.Signal(s) // fails once the child has ended, which is soon enough
		}
	}()
	state, err := child.Wait()
	if err != nil {
		process.Complain("lld-wrapper: error running " + c.label + " child process: " + err.Error() + "\n")
		return 1
	}
	status := state.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}
