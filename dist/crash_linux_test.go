package dist

import (
	"bufio"
	"bytes"
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

	"x.go/tests/testenv"
)

// childVar makes the test binary do one of the children's works instead of tests.
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

var children = map[string]func(dir string) error{"write": writeForever, "full": writeToFullDisk, "recompress": recompressForever}

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
				if _, err := ReadMeta(t.Context(), path, Limits{}); err != nil {
					t.Errorf("round %d: %v", round, err)
				}
			}
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d stale files", stale)
	_, err := RemoveStale(dir)
	must(t, err)
	_, err = Writer{Formats: []Format{GZ, Zst}}.Write(t.Context(), dir, bulkPackage(t, "p", 2<<20))
	must(t, err)
	if got := list(t, dir); len(got) != 4 {
		t.Errorf("got files %q, want two archives and their sums", got)
	}
}

// recompressForever replaces the archives of a folder over and over, with other
// settings each time, and says so.
func recompressForever(dir string) error {
	for n := 0; ; n++ {
		r := Recompressor{Profile: []Profile{Fast, Balanced}[n%2], Formats: []Format{GZ, XZ, Zst}}
		c, err := r.Plan(context.Background(), []string{dir})
		if err == nil {
			_, err = c.Run(context.Background())
		}
		if err != nil {
			return err
		}
		fmt.Println("recompressed", n)
	}
}

// TestKillRecompress kills runs that replace their own input: at any moment it is
// there, whole, and no checksum lies beside an archive that it is not of.
func TestKillRecompress(t *testing.T) {
	dir := t.TempDir()
	content := tarOf(t, 1, 300_000)
	path := pack(t, dir, "a", content, XZ)[0]
	r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	for round := range 14 {
		cmd := child(t, "recompress", dir)
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		if round%3 > 0 {
			_, err := bufio.NewReader(out).ReadString('\n') // a whole run
			must(t, err)
		}
		time.Sleep(time.Duration(r.IntN(80)) * time.Millisecond)
		must(t, cmd.Process.Kill())
		cmd.Wait()

		for _, f := range []Format{GZ, XZ, Zst} {
			path := filepath.Join(dir, "a"+f.Ext())
			if _, err := os.Stat(path); err != nil && f != XZ {
				continue
			}
			if !bytes.Equal(unpacked(t, path), content) {
				t.Fatalf("round %d: %s: the content changed", round, path)
			}
		}
		checkSums(t, dir)
		if t.Failed() {
			return
		}
	}
	_, err := RemoveStale(dir)
	must(t, err)
	recompress(t, Recompressor{Profile: Fast, Formats: []Format{GZ, XZ, Zst}}, dir)
	if got := list(t, dir); len(got) != 7 || checkSums(t, dir) != 3 || !bytes.Equal(unpacked(t, path), content) {
		t.Errorf("got files %q, want three archives with their sums and the record", got)
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

func TestUnwritableFolder(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o555))
	asNobody(t, func() {
		// The work of goroutines is out of reach of asNobody: this is its first step.
		if _, err := newOutput(dir, "a.tar.gz"); err == nil || !strings.Contains(err.Error(), "a.tar.gz\": open "+dir+"/.x-") || !strings.Contains(err.Error(), "permission denied") {
			t.Errorf("got %v", err)
		}
	})
}
