//go:build linux

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"x.go/tests/testenv"
)

// tokens are distinct: a user must put back the bytes that it took.
const tokens = "abcdefghijklmnopqrstuvwxyz"

// pool is a pipe as make or cargo make it, holding the first n tokens.
func pool(t *testing.T, n int) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	if _, err := w.WriteString(tokens[:n]); err != nil {
		t.Fatal(err)
	}
	return r, w
}

// drain returns what a pool holds, in the order of the alphabet.
func drain(t *testing.T, r *os.File) string {
	t.Helper()
	fd := int(r.Fd())
	if err := syscall.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	n, err := syscall.Read(fd, buf)
	if err != nil && err != syscall.EAGAIN {
		t.Fatal(err)
	}
	var sorted strings.Builder
	for _, c := range tokens {
		if bytes.ContainsRune(buf[:max(n, 0)], c) {
			sorted.WriteRune(c)
		}
	}
	return sorted.String()
}

// spare is how many of n tokens a link takes here.
func spare(n int) int { return min(n, runtime.NumCPU()-1, 15) }

func jobserverWrapper(t *testing.T, rustLLD string) string {
	t.Helper()
	needGuest(t)
	root := t.TempDir()
	install(t, guest.wrapper(t, jobs...), root+"/gcc-ld/ld.lld")
	write(t, root+"/rust-lld", rustLLD, 0o755)
	return root + "/gcc-ld/ld.lld"
}

func TestJobserver(t *testing.T) {
	threads := func(n int) string { return "<--threads=" + strconv.Itoa(1+n) + ">" }
	for _, tt := range []struct {
		name string
		free int
		env  []string // the inherited pool is 3,4
		args []string
		want string
	}{
		{name: "none", want: "<-o>"},
		{name: "cargo", free: 20, env: []string{"CARGO_MAKEFLAGS=-j --jobserver-fds=3,4 --jobserver-auth=3,4"}, want: threads(spare(20)) + "<-o>"},
		{name: "make", free: 20, env: []string{"MAKEFLAGS=s -j3 --jobserver-auth=3,4"}, want: threads(spare(20)) + "<-o>"},
		{name: "old make", free: 20, env: []string{"MAKEFLAGS= -j --jobserver-fds=3,4"}, want: threads(spare(20)) + "<-o>"},
		{name: "cargo before make", free: 1, env: []string{"CARGO_MAKEFLAGS=--jobserver-auth=3,4", "MAKEFLAGS=--jobserver-auth=90,91"}, want: threads(spare(1)) + "<-o>"},
		{name: "make where cargo's is gone", free: 1, env: []string{"CARGO_MAKEFLAGS=--jobserver-auth=90,91", "MAKEFLAGS=--jobserver-auth=3,4"}, want: threads(spare(1)) + "<-o>"},
		{name: "last option counts", free: 1, env: []string{"MAKEFLAGS=--jobserver-auth=90,91 --jobserver-auth=3,4"}, want: threads(spare(1)) + "<-o>"},
		{name: "nothing free", env: []string{"MAKEFLAGS=--jobserver-auth=3,4"}, want: threads(0) + "<-o>"},
		{name: "no option", free: 1, env: []string{"MAKEFLAGS=s -j8"}, want: "<-o>"},
		{name: "a variable of make", free: 1, env: []string{"MAKEFLAGS=s -j8 -- A=b --jobserver-auth=3,4"}, want: "<-o>"},
		// A pool that is named, and not to be used: there is one job, as make says.
		{name: "closed by make", free: 1, env: []string{"MAKEFLAGS=--jobserver-auth=-2,-2"}, want: threads(0) + "<-o>"},
		{name: "descriptors of other files", free: 1, env: []string{"MAKEFLAGS=--jobserver-auth=0,1"}, want: threads(0) + "<-o>"},
		{name: "one end of a pipe", free: 1, env: []string{"MAKEFLAGS=--jobserver-auth=3,3"}, want: threads(0) + "<-o>"},
		{name: "ends exchanged", free: 1, env: []string{"MAKEFLAGS=--jobserver-auth=4,3"}, want: threads(0) + "<-o>"},
		{name: "closed descriptors", free: 1, env: []string{"MAKEFLAGS=--jobserver-auth=90,91"}, want: threads(0) + "<-o>"},
		{name: "huge numbers", free: 1, env: []string{"MAKEFLAGS=--jobserver-auth=4294967299,4294967300"}, want: threads(0) + "<-o>"},
		{name: "more than a number", free: 1, env: []string{"MAKEFLAGS=--jobserver-auth=3,4,5"}, want: threads(0) + "<-o>"},
		{name: "malformed", free: 1, env: []string{"MAKEFLAGS=--jobserver-auth=3 --jobserver-auth=x,y"}, want: threads(0) + "<-o>"},
		{name: "threads given", free: 1, env: []string{"MAKEFLAGS=--jobserver-auth=3,4"}, args: []string{"a", "--threads=9"}, want: "<-o><a><--threads=9>"},
		{name: "threads given apart", free: 1, env: []string{"MAKEFLAGS=--jobserver-auth=3,4"}, args: []string{"a", "-threads", "9"}, want: "<-o><a><-threads><9>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := jobserverWrapper(t, "#!/bin/sh\nshift\nprintf '<%s>' \"$@\"\n")
			r, w := pool(t, tt.free)
			cmd := exec.Command(path, append([]string{"-o"}, tt.args...)...)
			cmd.Env = append(tt.env, "PATH="+os.Getenv("PATH"))
			cmd.ExtraFiles = []*os.File{r, w}
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff("<gnu>"+tt.want, string(out)); diff != "" {
				t.Errorf("arguments (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tokens[:tt.free], drain(t, r)); diff != "" {
				t.Errorf("tokens (-want +got):\n%s", diff)
			}
		})
	}
}

// make puts a backslash before blanks and backslashes, and doubles dollars.
func TestJobserverFIFO(t *testing.T) {
	path := jobserverWrapper(t, "#!/bin/sh\nprintf %s \"$3\"\n")
	dir := filepath.Join(t.TempDir(), `a b\c$d`)
	testenv.Must(t, os.Mkdir(dir, 0o755))
	fifo := filepath.Join(dir, "GMfifo1")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(fifo, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(tokens[:1]); err != nil {
		t.Fatal(err)
	}
	got := run(t, []string{"MAKEFLAGS= -j2 --jobserver-auth=fifo:" + strings.NewReplacer(" ", `\ `, `\`, `\\`, "$", "$$").Replace(fifo)}, path)
	if diff := cmp.Diff(result{0, "--threads=" + strconv.Itoa(1+spare(1)), ""}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := drain(t, f); got != tokens[:1] {
		t.Errorf("tokens: got %q, want %q", got, tokens[:1])
	}
}

// sleeper is an LLD that says when it runs.
const sleeper = "#!/bin/sh\necho up\nexec sleep 60\n"

// However LLD or the wrapper ends, the tokens come back and the status tells.
func TestJobserverEnds(t *testing.T) {
	for _, tt := range []struct {
		name, rustLLD string
		signal        syscall.Signal // sent to the wrapper
		want          string
	}{
		{"failure", "#!/bin/sh\nexit 3\n", 0, "exit status 3"},
		{"LLD killed", "#!/bin/sh\nkill -KILL $$\n", 0, "signal: killed"},
		{"LLD crashed", "#!/bin/sh\nkill -SEGV $$\n", 0, "signal: segmentation fault"},
		{"no rust-lld", "", 0, "exit status 1"},
		{"LLD keeps on", "#!/bin/sh\ntrap 'exit 5' TERM\necho up\nwhile :; do sleep 0.01; done\n", syscall.SIGTERM, "exit status 5"},
		{"terminated", sleeper, syscall.SIGTERM, "signal: terminated"},
		{"interrupted", sleeper, syscall.SIGINT, "signal: interrupt"},
		{"hung up", sleeper, syscall.SIGHUP, "signal: hangup"},
		{"quit", sleeper, syscall.SIGQUIT, "signal: quit"},
		{"user's signal", sleeper, syscall.SIGUSR1, "signal: user defined signal 1"},
		{"alarm", sleeper, syscall.SIGALRM, "signal: alarm clock"},
		{"out of time", sleeper, syscall.SIGXCPU, "signal: CPU time limit exceeded"},
		{"segmentation fault sent", sleeper, syscall.SIGSEGV, "signal: segmentation fault"},
		{"aborted", sleeper, syscall.SIGABRT, "signal: aborted"},
		{"real-time signal", sleeper, 40, "signal: signal 40"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := jobserverWrapper(t, tt.rustLLD)
			if tt.rustLLD == "" {
				if err := os.Remove(filepath.Join(filepath.Dir(path), "../rust-lld")); err != nil {
					t.Fatal(err)
				}
			}
			r, w := pool(t, 3)
			cmd := exec.Command(path)
			cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "MAKEFLAGS=--jobserver-auth=3,4"}
			cmd.ExtraFiles = []*os.File{r, w}
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if tt.signal != 0 {
				if _, err := out.Read(make([]byte, 2)); err != nil {
					t.Fatal(err)
				}
				if err := cmd.Process.Signal(tt.signal); err != nil {
					t.Fatal(err)
				}
			}
			cmd.Wait()
			if got := strings.TrimSuffix(cmd.ProcessState.String(), " (core dumped)"); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if got := drain(t, r); got != tokens[:3] {
				t.Errorf("tokens: got %q, want %q", got, tokens[:3])
			}
		})
	}
}

// A killed wrapper takes LLD with it: nobody is left who would write the output.
func TestJobserverWrapperKilled(t *testing.T) {
	path := jobserverWrapper(t, sleeper)
	r, w := pool(t, 0)
	cmd := exec.Command(path)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "MAKEFLAGS=--jobserver-auth=3,4"}
	cmd.ExtraFiles = []*os.File{r, w}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 3)
	if _, err := out.Read(buf); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan bool)
	go func() {
		out.Read(buf) // ends once no process holds the pipe
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		t.Error("LLD still runs")
	}
	cmd.Wait()
}

// The thread count is no part of the output.
func TestLinkUnderJobserver(t *testing.T) {
	needGuest(t)
	gcc := testenv.Need(t, "gcc")
	dir := t.TempDir()
	write(t, dir+"/a.c", hello, 0o644)
	shim := gccLD(t, guest.wrapper(t, jobs...))
	for _, free := range []int{0, 4} {
		r, w := pool(t, free)
		cmd := exec.Command(gcc, "-B"+shim, "-fuse-ld=lld", dir+"/a.c", "-o", dir+"/"+strconv.Itoa(free))
		cmd.Env = append(environment(), "CARGO_MAKEFLAGS=-j --jobserver-fds=3,4 --jobserver-auth=3,4")
		cmd.ExtraFiles = []*os.File{r, w}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if got := drain(t, r); got != tokens[:free] {
			t.Errorf("tokens: got %q, want %q", got, tokens[:free])
		}
	}
	if r := run(t, environment(), gcc, "-B"+gccLD(t, guest.wrapper(t, lld...)), "-fuse-ld=lld", dir+"/a.c", "-o", dir+"/plain"); r.Code != 0 {
		t.Fatalf("%+v", r)
	}
	for _, name := range []string{"0", "4"} {
		if !bytes.Equal(read(t, dir+"/plain"), read(t, dir+"/"+name)) {
			t.Errorf("output with %s free tokens differs from that without a jobserver", name)
		}
	}
}
