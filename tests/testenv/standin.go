package testenv

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// standIn is command standin, built once.
var standIn = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "x-standin-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "standin")
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-o", out, "x.go/tests/testenv/standin")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		os.Stderr.Write(text)
		return nil, err
	}
	return os.ReadFile(out)
})

// StandIn writes a program as tree/bin/name that does what the shell script does: a
// script in its place is no program.
func StandIn(t testing.TB, tree, name, script string) {
	t.Helper()
	Need(t, "go")
	program, err := standIn()
	Must(t, err)
	for path, data := range map[string][]byte{filepath.Join(tree, "bin", name): program, filepath.Join(tree+".scripts", name): []byte(script)} {
		Must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		Must(t, os.WriteFile(path, data, 0o755))
	}
}
