package sandbox_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"x.go/dist/sandbox"
	"x.go/tests/testenv"
)

// script runs shell text in a sandbox, with a writable directory as its own.
func script(t *testing.T, p sandbox.Policy, text string) (output string, broken []string, err error) {
	t.Helper()
	if !sandbox.Probe(t.Context()).Whole() {
		testenv.Missing(t, "a sandbox: %s", sandbox.Probe(t.Context()))
	}
	dir := t.TempDir()
	p.Write = append(p.Write, dir)
	p.Read = append(p.Read, sandbox.ReadBeside(os.Getenv("PATH"))...)
	cmd := exec.Command(testenv.Need(t, "bash"), "-c", text)
	var out bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &out
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	broken, err = p.Run(ctx, cmd)
	return out.String(), broken, err
}

// A program that keeps to its bounds runs as it would anywhere.
func TestGoodProgram(t *testing.T) {
	t.Parallel()
	out, broken, err := script(t, sandbox.Policy{}, `echo one >f; mkdir -p d; mkdir -p $PWD/d; mv f d/g; ln -s /bin/sh l; mv l m; rm m; rm -f /etc/nothing; chmod 600 d/g; touch d/g; cat d/g; cat /etc/passwd >/dev/null && echo "$HOME" | grep -c /; (exit 3)`)
	if out != "one\n1\n" || broken != nil || fmt.Sprint(err) != "exit status 3" {
		t.Errorf("got %q, %q, %v", out, broken, err)
	}
	_, broken, err = script(t, sandbox.Policy{}, `kill -SEGV $$`)
	if broken != nil || fmt.Sprint(err) != "signal: segmentation fault" {
		t.Errorf("a signal: got %q, %v", broken, err)
	}
}

// Each way out is closed, and told.
func TestHostilePrograms(t *testing.T) {
	outside := t.TempDir() // as a home: nothing in it is the program's
	secret := filepath.Join(outside, "id_ed25519")
	if err := os.WriteFile(secret, []byte("PRIVATE KEY\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	abstractName := fmt.Sprintf("x-sandbox-test-%d", os.Getpid())
	abstract, err := net.Listen("unix", "@"+abstractName)
	if err != nil {
		t.Fatal(err)
	}
	defer abstract.Close()
	dialer := abstractDialer(t)
	tests := []struct {
		name, text string
		limits     sandbox.Limits
		want       string // in what it broke
	}{
		{name: "writes outside", text: "echo evil >" + outside + "/evil", want: "it tried to write to"},
		{name: "reads a key", text: "cat " + secret, want: "it tried to read"},
		{name: "changes a mode", text: "chmod 777 " + secret, want: "it tried to change the mode of"},
		{name: "removes a file", text: "rm -f " + secret, want: "it tried to remove"},
		{name: "moves a file", text: "mv " + secret + " .", want: "it tried to move"},
		{name: "creates a directory", text: "mkdir -p " + outside + "/a/b", want: "it tried to create"},
		{name: "by a link of its own", text: "ln -s " + outside + " l; rm l/id_ed25519", want: "it tried to remove"},
		{name: "connects", text: "exec 5<>/dev/tcp/127.0.0.1/" + fmt.Sprint(server.Addr().(*net.TCPAddr).Port), want: "it tried to reach the network"},
		{name: "connects to an abstract socket", text: dialer + " " + abstractName, want: "it tried to connect to the abstract socket"},
		{name: "leaves a daemon", text: "(sleep 1000 >/dev/null 2>&1 &)", want: `it left a process behind: "sleep"`},
		{name: "kills its parent", text: "kill -9 $PPID; sleep 0.1; echo alive", want: "it tried to kill processes that are not its own"},
		{name: "kills everybody", text: "kill -9 -1; echo alive", want: "it tried to kill processes that are not its own"},
		{name: "kills its group", text: "kill -9 0", want: ""},
		{name: "forks without end", text: "f() { f | f & }; f; sleep 100", limits: sandbox.Limits{Processes: 40}, want: "it ran more than 40 processes at once"},
		{name: "fills the disk", text: "while :; do i=$((i + 1)); head -c 5000000 /dev/zero >f$i; done", limits: sandbox.Limits{Disk: 20e6}, want: "it wrote more than 19 MiB"},
		{name: "writes one huge file", text: "cat /dev/zero >f; ls -l f", limits: sandbox.Limits{File: 1 << 20}, want: "it wrote a file of 1 MiB, the most that it may"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, broken, err := script(t, sandbox.Policy{Limits: tt.limits, Read: []string{dialer}}, tt.text)
			if got := strings.Join(broken, "; "); !strings.Contains(got, tt.want) || tt.want == "" && got != "" {
				t.Errorf("got %q, want %q in it; it ended with %v and said %q", got, tt.want, err, out)
			}
			if strings.Contains(out, "PRIVATE") {
				t.Error("it read the key")
			}
			if entries, err := os.ReadDir(outside); err != nil || len(entries) != 1 {
				t.Errorf("got %v, %v outside", entries, err)
			}
			if info, err := os.Stat(secret); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("got %v, %v", info, err)
			}
		})
	}
}

// What a program broke is told however long it is.
func TestLongNames(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	_, broken, err := script(t, sandbox.Policy{}, `name=$(printf '\001%.0s' {1..3000}); for i in {1..30}; do : 2>/dev/null >`+outside+`/$name$i; done; exit 3`)
	if len(broken) != 20 || fmt.Sprint(err) != "exit status 3" {
		t.Errorf("got %d bounds broken, %v", len(broken), err)
	}
}

// threadsSource starts threads until it gets no more.
const threadsSource = `
#include <pthread.h>
#include <unistd.h>
static void *idle(void *p) { pause(); return p; }
int main(void) {
	pthread_attr_t small;
	pthread_t t;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 65536);
	while (pthread_create(&t, &small, idle, NULL) == 0);
	usleep(500000);
	return 7;
}
`

// A program that takes all threads of its namespace does not end its supervisor, which
// needs some too.
func TestThreadsWithoutEnd(t *testing.T) {
	t.Parallel()
	program := build(t, threadsSource, "-pthread")
	for range 4 { // threads may have been enough by chance
		cmd := exec.Command(program)
		cmd.Dir = t.TempDir()
		broken, err := sandbox.Policy{Read: []string{program}, Limits: sandbox.Limits{Processes: 10}}.Run(t.Context(), cmd)
		if len(broken) > 0 || fmt.Sprint(err) != "exit status 7" {
			t.Errorf("got %q, %v", broken, err)
		}
	}
}

// dialerSource connects to the abstract socket of a name: a shell has no word for that.
const dialerSource = `
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
int main(int n, char **args) {
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	strncpy(to.sun_path + 1, args[1], sizeof to.sun_path - 2);
	return s < 0 || connect(s, (struct sockaddr *)&to, offsetof(struct sockaddr_un, sun_path) + 1 + strlen(args[1])) != 0;
}
`

// build compiles a C program.
func build(t *testing.T, source string, flags ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "program")
	cmd := exec.Command(testenv.Need(t, "cc"), append(flags, "-x", "c", "-o", out, "-")...)
	cmd.Stdin = strings.NewReader(source)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return out
}

// abstractDialer builds dialerSource. Outside of a sandbox it connects.
func abstractDialer(t *testing.T) string {
	t.Helper()
	out := build(t, dialerSource)
	server, err := net.Listen("unix", fmt.Sprintf("@x-sandbox-dialer-%d", os.Getpid()))
	testenv.Must(t, err)
	defer server.Close()
	if err := exec.Command(out, strings.TrimPrefix(server.Addr().String(), "@")).Run(); err != nil {
		t.Fatalf("outside of a sandbox: %v", err)
	}
	return out
}

// Canceling ends all that was started.
func TestCancel(t *testing.T) {
	t.Parallel()
	if !sandbox.Probe(t.Context()).Whole() {
		testenv.Missing(t, "a sandbox: %s", sandbox.Probe(t.Context()))
	}
	dir := t.TempDir()
	cmd := exec.Command(testenv.Need(t, "bash"), "-c", "trap '' TERM; (sleep 1000 &) ; touch started; while :; do sleep 1; done")
	cmd.Dir, cmd.Env = dir, []string{"PATH=" + os.Getenv("PATH")}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for ctx.Err() == nil {
			if _, err := os.Stat(filepath.Join(dir, "started")); err == nil {
				cancel()
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	p := sandbox.Policy{Write: []string{dir}, Read: sandbox.ReadBeside(os.Getenv("PATH"))}
	if _, err := p.Run(ctx, cmd); err == nil {
		t.Error("got no error")
	}
}
