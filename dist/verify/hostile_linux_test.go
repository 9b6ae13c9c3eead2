package verify_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"x.go/dist"
	"x.go/dist/sandbox"
	"x.go/dist/verify"
	"x.go/tests/testenv"
)

// hostileRustc answers as a compiler does, after it did what BAD says.
const hostileRustc = `
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
static void put(const char *path, long size) {
	static char block[1 << 16];
	int f = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	for (long n = 0; n < size && write(f, block, sizeof block) > 0; n += sizeof block);
	close(f);
}
static void dial(int family, const void *to, socklen_t size) {
	int s = socket(family, SOCK_STREAM, 0);
	if (connect(s, to, size) == 0) write(s, "secret", 6);
}
static void tcp(int port) {
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	dial(AF_INET, &to, sizeof to);
}
static void abstract(const char *name) {
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	strncpy(to.sun_path + 1, name, sizeof to.sun_path - 2);
	dial(AF_UNIX, &to, offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
}
static void print(const char *path) {
	char b[100] = "";
	int f = open(path, O_RDONLY);
	if (f >= 0) { read(f, b, sizeof b - 1); printf("%s\n", b); }
}
static void forks(void) { for (;;) fork(); }
static void fills(void) { char name[20]; for (int i = 0;; i++) { sprintf(name, "f%d", i); put(name, 4 << 20); } }
static void daemonize(const char *name) {
	if (fork()) return;
	setsid();
	if (fork()) _exit(0);
	for (int i = 0; i < 100; i++) close(i);
	execlp("sleep", name, "100000", NULL);
	_exit(1);
}
int main(int n, char **args) {
	BAD;
	puts("rustc 1.95.0 (59807616e 2026-04-14)\nbinary: rustc\ncommit-hash: 59807616e1fa2540724bfbac14d7976d7e4a3860\n"
		"commit-date: 2026-04-14\nhost: HOST\nrelease: 1.95.0\nLLVM version: 22.1.2");
	return 0;
}
`

// hostileArchives writes the archive of a compiler that is hostile.
func hostileArchives(t *testing.T, bad string) string {
	t.Helper()
	c, err := thisCompiler()
	testenv.Must(t, err)
	program := filepath.Join(t.TempDir(), "rustc")
	build := exec.Command(testenv.Need(t, "cc"), "-x", "c", "-w", "-D", "BAD="+bad, "-o", program, "-")
	build.Stdin = strings.NewReader(strings.Replace(hostileRustc, "HOST", c.host.String(), 1))
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var image dist.Image
	testenv.Must(t, image.AddFile("bin/rustc", program))
	return writeArchive(t, image)
}

// A toolchain may do what it likes: nothing of it reaches the machine, the report names
// it, and nothing of it is left.
func TestHostileCompiler(t *testing.T) {
	testenv.Need(t, "rustc")
	if s := sandbox.Probe(t.Context()); !s.Whole() {
		testenv.Missing(t, "a sandbox: %s", s)
	}
	home := t.TempDir()
	key := filepath.Join(home, "id_ed25519")
	server, err := net.Listen("tcp", "127.0.0.1:0")
	testenv.Must(t, err)
	defer server.Close()
	name := fmt.Sprintf("x-verify-hostile-%d", os.Getpid())
	abstract, err := net.Listen("unix", "@"+name)
	testenv.Must(t, err)
	defer abstract.Close()
	for _, l := range []net.Listener{server, abstract} {
		go func() {
			if c, err := l.Accept(); err == nil {
				t.Error("it connected to", c.LocalAddr())
			}
		}()
	}
	left := "x-left-" + strconv.Itoa(os.Getpid())
	quote := func(text string) string { return strconv.Quote(text) }
	for _, tt := range []struct{ name, bad, want string }{
		{"writes to a home", "put(" + quote(home+"/.profile") + ", 10)", "it tried to write to"},
		{"creates a directory", "mkdir(" + quote(home+"/.cargo") + ", 0755)", "it tried to create"},
		{"reads a private key", "print(" + quote(key) + ")", "it tried to read"},
		{"changes a mode", "chmod(" + quote(key) + ", 0777)", "it tried to change the mode of"},
		{"removes a file", "unlink(" + quote(key) + ")", "it tried to remove"},
		{"connects by TCP", fmt.Sprintf("tcp(%d)", server.Addr().(*net.TCPAddr).Port), "it tried to reach the network"},
		{"connects to an abstract socket", "abstract(" + quote(name) + ")", "it tried to connect to the abstract socket"},
		{"forks without end", "forks()", "processes at once"},
		{"fills the disk", "fills()", "it wrote more than"},
		{"writes one huge file", `put("f", 1L << 40)`, "the most that it may"},
		{"kills its parent", "kill(getppid(), SIGKILL)", "it tried to kill processes"},
		{"kills everybody", "kill(-1, SIGKILL)", "it tried to kill processes"},
		{"leaves a daemon behind", "daemonize(" + quote(left) + ")", "it left a process behind"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			testenv.Must(t, os.WriteFile(key, []byte("PRIVATE KEY\n"), 0o600))
			opts := verify.Options{Inputs: []string{hostileArchives(t, tt.bad)}, Groups: []verify.Group{verify.Sysroot, verify.Link}, Legs: []string{"default", "cdylib"}}
			report := verifyAll(t, verify.WithLimits(opts, sandbox.Limits{Disk: 64 << 20, File: 32 << 20, Processes: 60}))
			found := false
			for _, c := range report.Checks {
				found = found || c.Name == "sysroot/contained" && c.Status == verify.Fail && strings.Contains(c.Detail, tt.want)
				if strings.Contains(c.Detail, "PRIVATE") {
					t.Errorf("%s: it read the key", c.Name)
				}
			}
			if !found {
				for _, c := range report.Checks {
					t.Logf("%s %s %s: %s", c.Status, c.Name, c.Subject, c.Detail)
				}
				t.Errorf("got no failure of sysroot/contained with %q", tt.want)
			}
		})
	}
	t.Cleanup(func() { // when all have ended
		if entries, err := os.ReadDir(home); err != nil || len(entries) != 1 {
			t.Errorf("got %v, %v in the home", entries, err)
		}
		if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("got %v, %v of the key", info, err)
		}
		processes, err := filepath.Glob("/proc/[0-9]*/cmdline")
		testenv.Must(t, err)
		for _, p := range processes {
			if b, err := os.ReadFile(p); err == nil && strings.HasPrefix(string(b), left) {
				t.Errorf("%s is left of the daemon", p)
			}
		}
	})
}
