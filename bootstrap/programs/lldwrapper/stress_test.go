//go:build linux

package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"x.go/tests/testenv"
)

// fifoPool is a named pipe as make 4.4 makes it, holding the first n tokens. It returns
// the option that names it.
func fifoPool(t *testing.T, n int) (*os.File, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "GMfifo1")
	testenv.Must(t, syscall.Mkfifo(path, 0o600))
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	testenv.Must(t, err)
	t.Cleanup(func() { f.Close() })
	_, err = f.WriteString(tokens[:n])
	testenv.Must(t, err)
	return f, "MAKEFLAGS= -j" + strconv.Itoa(n+1) + " --jobserver-auth=fifo:" + path
}

// deadly are the signals that end a program which does not expect them, and that it
// could catch.
var deadly = []syscall.Signal{
	syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGALRM, syscall.SIGPIPE, syscall.SIGXCPU, 34, 64,
}

// Links end at random, by themselves, by signals to the wrapper or by any signal to LLD,
// and every token is back in the end.
func TestJobserverStress(t *testing.T) {
	// It waits for a while, and tells its process before.
	path := jobserverWrapper(t, "#!/bin/sh\necho $$\nexec sleep $2\n")
	const free, workers, links = 5, 8, 15
	for _, style := range []string{"pipe", "fifo"} {
		t.Run(style, func(t *testing.T) {
			r, w := pool(t, 0)
			env := "MAKEFLAGS= -j6 --jobserver-auth=3,4"
			if style == "fifo" {
				r, env = fifoPool(t, free)
			} else if _, err := w.WriteString(tokens[:free]); err != nil {
				t.Fatal(err)
			}
			var all sync.WaitGroup
			for seed := range workers {
				all.Go(func() {
					random := rand.New(rand.NewPCG(uint64(seed), 1))
					for range links {
						endOne(t, random, path, env, r, w)
					}
				})
			}
			all.Wait()
			if got := drain(t, r); got != tokens[:free] {
				t.Errorf("tokens: got %q, want %q", got, tokens[:free])
			}
		})
	}
}

// endOne starts a link, and ends it in some way after some time.
func endOne(t *testing.T, random *rand.Rand, path, env string, files ...*os.File) {
	cmd := exec.Command(path)
	cmd.Args = []string{path}
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), env}
	cmd.ExtraFiles = files
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Error(err)
		return
	}
	if err := cmd.Start(); err != nil {
		t.Error(err)
		return
	}
	buf := make([]byte, 20)
	how := random.IntN(4)
	if how > 0 { // else at once, before LLD may run
		n, _ := out.Read(buf)
		buf = buf[:n]
	}
	time.Sleep(time.Duration(random.IntN(5)) * time.Millisecond)
	signal := deadly[random.IntN(len(deadly))]
	if lld, err := strconv.Atoi(string(bytes.TrimSpace(buf))); how == 1 && err == nil {
		syscall.Kill(lld, []syscall.Signal{syscall.SIGKILL, syscall.SIGSEGV, signal}[random.IntN(3)])
	} else {
		cmd.Process.Signal(signal)
	}
	cmd.Wait()
}

// logger is an LLD that tells in LOG of its start and its end, with its threads.
const logger = `#!/bin/sh
n=${3#--threads=}
echo "+$n $$" >>"$LOG"
sleep 0.0$(($$ % 7 + 1))
echo "-$n $$" >>"$LOG"
`

// most returns the most threads that ran at a time, and how many links there were.
func most(t *testing.T, log string) (threads, links int) {
	t.Helper()
	now := 0
	for line := range strings.Lines(log) {
		number, _, _ := strings.Cut(line, " ")
		n, err := strconv.Atoi(number)
		testenv.Must(t, err)
		if now += n; n > 0 {
			links++
		}
		threads = max(threads, now)
	}
	return threads, links
}

// Under make there are never more threads than jobs, whether make gives its pool to the
// command or not, and whether the driver has hidden it.
func TestJobserverOfMake(t *testing.T) {
	makes := testenv.Need(t, "make")
	path := jobserverWrapper(t, logger)
	const strip = `MAKEFLAGS="$${MAKEFLAGS%%--jobs*}" `
	for _, tt := range []struct{ name, recipe string }{
		{"given", "+@$(W)"},
		{"closed", "@$(W)"},
		{"closed and hidden", "@sh -c '" + strip + "$(W); :'"},
		{"given and hidden", "+@sh -c '" + strip + "$(W); :'"},
		{"closed by another", "+@exec 3>&- 4>&-; $(W)"},
		{"under another make", "+@$(MAKE) -s -f $(F) W=$(W) one"},
	} {
		for _, jobs := range []int{2, 4} {
			t.Run(fmt.Sprintf("%s, %d", tt.name, jobs), func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				write(t, dir+"/make.mk", "all: a b c d e f g h\na b c d e f g h:\n\t"+tt.recipe+"\none:\n\t+@$(W)\n.PHONY: all a b c d e f g h one\n", 0o644)
				cmd := exec.Command(makes, "-s", "-j"+strconv.Itoa(jobs), "-f", dir+"/make.mk", "W="+path, "F="+dir+"/make.mk")
				cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LOG=" + dir + "/log", "X_LLD_LOG=" + dir + "/choices"}
				out, err := cmd.CombinedOutput()
				if err != nil || len(out) > 0 {
					t.Errorf("make: %v\n%s", err, out)
				}
				threads, links := most(t, string(read(t, dir+"/log")))
				if threads > jobs || links != 8 {
					t.Errorf("got %d threads in %d links, want at most %d in 8", threads, links, jobs)
				}
				if choices := string(read(t, dir+"/choices")); strings.Count(choices, "had tokens") != 8 {
					t.Errorf("got other choices than by tokens:\n%s", choices)
				}
			})
		}
	}
}

// make counts its tokens at the end, and says so if some are lost.
func TestJobserverOfMakeWithKills(t *testing.T) {
	makes := testenv.Need(t, "make")
	path := jobserverWrapper(t, "#!/bin/sh\necho $PPID $$\nexec sleep 0.05\n")
	dir := t.TempDir()
	write(t, dir+"/make.mk", "T := $(shell seq 60)\nall: $(T)\n$(T):\n\t-+@$(W)\n.PHONY: all $(T)\n", 0o644)
	cmd := exec.Command(makes, "-s", "-j4", "-f", dir+"/make.mk", "W="+path)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	out, err := cmd.StdoutPipe()
	testenv.Must(t, err)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	testenv.Must(t, cmd.Start())
	random := rand.New(rand.NewPCG(1, 1))
	for {
		var wrapper, lld int
		if _, err := fmt.Fscan(out, &wrapper, &lld); err != nil {
			break
		}
		signal := deadly[random.IntN(len(deadly))]
		switch random.IntN(3) {
		case 0:
			// Without a token, the wrapper became LLD, and its parent is make.
			if comm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", wrapper)); string(comm) == "ld.lld\n" {
				syscall.Kill(wrapper, signal)
			}
		case 1:
			syscall.Kill(lld, signal)
		}
	}
	testenv.Must(t, cmd.Wait())
	if strings.Contains(stderr.String(), "token") {
		t.Errorf("got %s", stderr.String())
	}
}

// cargo and rustc share a pool with the links, and links are killed. All tokens are back
// in the end: rustc gives back bytes of its own, so they are counted.
func TestJobserverOfCargoWithKills(t *testing.T) {
	testenv.Long(t, "it builds with cargo")
	cargo, rustc := testenv.Need(t, "cargo"), testenv.Need(t, "rustc")
	path := jobserverWrapper(t, "")
	write(t, filepath.Dir(path)+"/../rust-lld", "#!/bin/sh\necho $PPID $$ >>\"$LOG\"\nsleep 0.02\nexec \"$LLD\" \"$@\"\n", 0o755)
	dir := t.TempDir()
	write(t, dir+"/Cargo.toml", "[package]\nname = \"p\"\nversion = \"0.1.0\"\nedition = \"2021\"\n", 0o644)
	write(t, dir+"/build.rs", "fn main() {}\n", 0o644)
	for i := range 4 {
		write(t, fmt.Sprintf("%s/src/bin/b%d.rs", dir, i), "fn main() { println!(\"hello\"); }\n", 0o644)
	}
	const free = 3
	r, w := pool(t, free)
	random := rand.New(rand.NewPCG(2, 2))
	for range 3 {
		os.Remove(dir + "/log")
		cmd := exec.Command(cargo, "build", "-q", "--offline", "--keep-going")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "RUSTC="+rustc, "LOG="+dir+"/log", "LLD="+filepath.Join(original(t), "../rust-lld"),
			"CARGO_TARGET_DIR="+filepath.Join(t.TempDir(), "target"), "MAKEFLAGS= -j4 --jobserver-auth=3,4",
			"RUSTFLAGS=-Clink-self-contained=-linker -Clink-arg=-fuse-ld=lld -Clink-arg=-B"+filepath.Dir(path))
		cmd.ExtraFiles = []*os.File{r, w}
		testenv.Must(t, cmd.Start())
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		killSome(random, dir+"/log", ended)
	}
	if got := held(t, r); got != free {
		t.Errorf("got %d tokens, want %d", got, free)
	}
}

// killSome ends some of the links in a log until the build ends.
func killSome(random *rand.Rand, log string, ended <-chan error) {
	seen := 0
	for {
		select {
		case <-ended:
			return
		case <-time.After(5 * time.Millisecond):
		}
		text, _ := os.ReadFile(log)
		lines := strings.Split(string(text), "\n")
		for ; seen < len(lines)-1; seen++ {
			var wrapper, lld int
			fmt.Sscan(lines[seen], &wrapper, &lld)
			comm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", wrapper))
			if string(comm) == "ld.lld\n" && random.IntN(3) == 0 {
				syscall.Kill(wrapper, deadly[random.IntN(len(deadly))])
			}
		}
	}
}

// held returns how many bytes a pool holds.
func held(t *testing.T, r *os.File) int {
	t.Helper()
	testenv.Must(t, syscall.SetNonblock(int(r.Fd()), true))
	n, err := syscall.Read(int(r.Fd()), make([]byte, 100))
	if err != nil && err != syscall.EAGAIN {
		t.Fatal(err)
	}
	return max(n, 0)
}

// What MAKEFLAGS names may be anything: nothing is read that is no pool, and nobody waits.
func TestJobserverHostile(t *testing.T) {
	path := jobserverWrapper(t, "#!/bin/sh\nprintf %s \"$3\"\n")
	dir := t.TempDir()
	write(t, dir+"/regular", "abc", 0o644)
	testenv.Must(t, syscall.Mkfifo(dir+"/empty", 0o600)) // nobody has it open
	testenv.Must(t, syscall.Mkfifo(dir+"/locked", 0))
	symlink(t, dir+"/loop", dir+"/loop")
	file, err := os.Open(dir + "/regular")
	testenv.Must(t, err)
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	testenv.Must(t, err)
	defer file.Close()
	defer null.Close()
	r, w := pool(t, 3)
	_, other := pool(t, 0)
	for _, auth := range []string{
		"", ",", "3", "3,", ",4", "-1,-1", "-3,4", "+3,4", " 3,4", "03,x4", "3,4,", "5,6", "6,5", "5,5", "7,7", "3,8", "3,99", "99,4", "0,1", "2,2",
		"2147483648,4", "18446744073709551619,18446744073709551620", "3.0,4.0", "3;4", strings.Repeat("9", 5000) + ",4", "3,4\n",
		"fifo:", "fifo:" + dir, "fifo:" + dir + "/regular", "fifo:" + dir + "/none", "fifo:" + dir + "/none/x", "fifo:/dev/null", "fifo:/dev/tty",
		"fifo:" + dir + "/loop", "fifo:" + dir + "/empty", "fifo:" + dir + "/locked", "fifo:" + dir + "/\xff", "fifo:3,4", "fifo:" + strings.Repeat("x", 5000),
		"FIFO:" + dir + "/empty", "sem:x",
	} {
		cmd := exec.Command(path)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "MAKEFLAGS= -j8 --jobserver-auth=" + auth}
		cmd.ExtraFiles = []*os.File{r, w, file, null, file, other}
		var out strings.Builder
		cmd.Stdout = &out
		cmd.WaitDelay = time.Minute
		if err := cmd.Run(); err != nil {
			t.Errorf("%q: %v", auth, err)
		}
		if got := out.String(); got != "--threads=1" && got != "" {
			t.Errorf("%q: got %q, want one thread or no option", auth, got)
		}
	}
	if got := drain(t, r); got != tokens[:3] {
		t.Errorf("tokens: got %q, want %q", got, tokens[:3])
	}
	if at, err := file.Seek(0, 1); at != 0 || err != nil {
		t.Errorf("the regular file was read up to %d, %v", at, err)
	}
}

// The descriptors that others share keep their flags: one who does not expect
// O_NONBLOCK would fail.
func TestJobserverLeavesFlags(t *testing.T) {
	path := jobserverWrapper(t, "#!/bin/sh\ngrep ^flags /proc/self/fdinfo/3 /proc/self/fdinfo/4\n")
	r, w := pool(t, 3)
	r.Fd() // blocks from now on
	w.Fd()
	flags := func(env string) string {
		cmd := exec.Command(path)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), env}
		cmd.ExtraFiles = []*os.File{r, w}
		out, err := cmd.Output()
		testenv.Must(t, err)
		return string(out)
	}
	want, got := flags("A=b"), flags("MAKEFLAGS=--jobserver-auth=3,4")
	if got != want || strings.Contains(got, "4000\n") {
		t.Errorf("got %s, want %s", got, want)
	}
}

// LLD itself starts no thread if there is no token, and as many as there are else: its
// main thread waits for them, and another one removes the old output.
func TestThreadsThatStart(t *testing.T) {
	strace := testenv.Need(t, "strace")
	gcc := testenv.Need(t, "gcc")
	path := jobserverWrapper(t, "")
	dir := t.TempDir()
	write(t, filepath.Dir(path)+"/../rust-lld", "#!/bin/sh\nexec "+strace+" -f -qq -e trace=clone,clone3 -o "+dir+"/trace "+filepath.Join(original(t), "../rust-lld")+" \"$@\"\n", 0o755)
	write(t, dir+"/a.c", hello, 0o644)
	for _, free := range []int{0, 3} {
		r, w := pool(t, free)
		cmd := exec.Command(gcc, "-B"+filepath.Dir(path), "-fuse-ld=lld", dir+"/a.c", "-o", dir+"/a")
		cmd.Env = append(environment(), "MAKEFLAGS=--jobserver-auth=3,4")
		cmd.ExtraFiles = []*os.File{r, w}
		if out, err := cmd.CombinedOutput(); err != nil {
			testenv.Missing(t, "strace that can trace: %v: %s", err, out)
		}
		started := bytes.Count(read(t, dir+"/trace"), []byte("clone"))
		if n := spare(free); n == 0 && started > 0 || n > 0 && started > 1+n+1 {
			t.Errorf("with %d tokens on %d processors: got %d threads beside the main one", free, runtime.NumCPU(), started)
		}
	}
}
