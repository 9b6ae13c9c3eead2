//go:build unix

package tests

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"x.go/tests/runx"
)

// TestLock starts a second run in the build directory of the first.
func TestLock(t *testing.T) {
	sysroot := runx.SlimSysroot(t)
	dir := t.TempDir()
	args := []string{"dist", "--sysroot", sysroot, "cargo", "--set", `dist.compression-formats=["gz"]`}
	first := runx.Command(t, dir, nil, args...)
	var out bytes.Buffer
	first.Stdout, first.Stderr = &out, &out
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	for { // until the first holds the lock
		if data, err := os.ReadFile(filepath.Join(dir, "build/.x-lock")); err == nil && len(data) > 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if err := first.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	second := runx.Command(t, dir, nil, args...)
	stderr, err := second.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Start(); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	buf := make([]byte, 4096)
	for !strings.Contains(said.String(), "waiting for the directory") {
		n, err := stderr.Read(buf)
		said.Write(buf[:n])
		if err != nil {
			t.Fatalf("the second run ended: %v\n%s", err, said.String())
		}
	}
	if err := first.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if err := first.Wait(); err != nil {
		t.Errorf("first run: %v\n%s", err, out.String())
	}
	go func() {
		for {
			if _, err := stderr.Read(buf); err != nil {
				return
			}
		}
	}()
	if err := second.Wait(); err != nil {
		t.Errorf("second run: %v", err)
	}
}
