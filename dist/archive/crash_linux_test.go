package archive

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"x.go/dist"
	"x.go/tests/testenv"
)

// childVar tells the test binary to do the work of a child instead of tests.
const childVar = "X_DIST_TEST_CHILD"

func TestMain(m *testing.M) {
	work, dir, ok := strings.Cut(os.Getenv(childVar), " ")
	if !ok {
		os.Exit(testenv.Main(m))
	}
	if err := children[work](dir); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

var children = map[string]func(dir string) error{"write": writeForever, "full": writeToFullDisk}

func child(t *testing.T, work, dir string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	must(t, err)
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childVar+"="+work+" "+dir)
	return cmd
}

// writeForever writes the same package over and over, and says so each time.
func writeForever(dir string) error {
	p := bulkPackage(&testing.B{}, "p", 2<<20)
	for n := 0; ; n++ {
		if _, err := (Writer{Formats: []Format{GZ, Zst}}).Write(context.Background(), dir, p); err != nil {
			return err
		}
		fmt.Println("written", n)
	}
}

// TestKill kills runs at any moment: when nothing is there yet, and when archives
// are being replaced.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	stale := 0
	for round := range 12 {
		cmd := child(t, "write", dir)
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		if round%3 > 0 {
			_, err := bufio.NewReader(out).ReadString('\n') // a whole run
			must(t, err)
		}
		time.Sleep(time.Duration(r.IntN(60)) * time.Millisecond)
		must(t, cmd.Process.Kill())
		cmd.Wait()

		for _, name := range list(t, dir) {
			path := filepath.Join(dir, name)
			switch {
			case strings.HasPrefix(name, ".x-"):
				stale++
			case strings.HasSuffix(name, ".sha256"):
				check := exec.Command(testenv.Need(t, "sha256sum"), "--strict", "-c", path)
				check.Dir = dir
				if out, err := check.CombinedOutput(); err != nil {
					t.Errorf("round %d: %v: %s", round, err, out)
				}
			default:
				p, err := ReadPackage(t.Context(), path, ReadOptions{})
				if err != nil {
					t.Errorf("round %d: %v", round, err)
					continue
				}
				must(t, p.Close())
			}
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d stale files", stale)
	root, err := os.OpenRoot(dir)
	must(t, err)
	defer root.Close()
	_, err = dist.RemoveStale(root)
	must(t, err)
	_, err = Writer{Formats: []Format{GZ, Zst}}.Write(t.Context(), dir, bulkPackage(t, "p", 2<<20))
	must(t, err)
	if got := list(t, dir); len(got) != 4 {
		t.Errorf("got files %q, want two archives and their sums", got)
	}
}

// writeToFullDisk mounts a small file system on dir, which only this process and
// its children see.
func writeToFullDisk(dir string) error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return err
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		return err
	}
	_, err := Writer{}.Write(context.Background(), dir, bulkPackage(&testing.B{}, "p", 2<<20))
	entries, lerr := os.ReadDir(dir)
	if lerr != nil {
		return lerr
	}
	return fmt.Errorf("%d files left: %w", len(entries), err)
}

func TestFullDisk(t *testing.T) {
	cmd := child(t, "full", t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if len(out) == 0 || strings.Contains(string(out), "operation not permitted") {
		testenv.Missing(t, "right to mount: %v: %s", err, out)
	}
	for _, want := range []string{"0 files left", `writing package "p-1.0"`, "p-1.0.tar", "no space left on device"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("got %q, want %q in it", out, want)
		}
	}
}

func TestUnwritableDir(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o555))
	root, err := os.OpenRoot(dir)
	must(t, err)
	defer root.Close()
	testenv.AsNobody(t, func() {
		// The work of goroutines is out of reach of asNobody: this is its first step.
		if _, err := dist.CreateFile(root, "a.tar.gz"); err == nil || err.Error() != "creating \""+dir+"/a.tar.gz\": permission denied" {
			t.Errorf("got %v", err)
		}
	})
}
