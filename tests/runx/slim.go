package runx

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"x.go/tests/testenv"
)

// SlimComponents are the components of the sysroot that most tests use: what a
// program needs to be built, and one tool. Documentation is left out, which is
// half the bytes and nearly all the files of a toolchain.
var SlimComponents = []string{"rustc", "rust-std", "cargo", "rustfmt-preview"}

// SlimSysroot returns a sysroot with the slim components of rustup's stable
// toolchain: the real files, hard linked where that can be done.
func SlimSysroot(t testing.TB) string {
	t.Helper()
	stable := testenv.Sysroot(t, "stable")
	slimOnce.Do(func() { slimErr = MakeSlim(stable, filepath.Join(Scratch, "sysroot"), SlimComponents) })
	if slimErr != nil {
		t.Fatal(slimErr)
	}
	return filepath.Join(Scratch, "sysroot")
}

var (
	slimOnce sync.Once
	slimErr  error
)

// MakeSlim turns the directory dir into a sysroot with some components of another one.
func MakeSlim(stable, dir string, components []string) error {
	var names []string
	for _, c := range components {
		lists, err := filepath.Glob(filepath.Join(stable, "lib/rustlib", "manifest-"+c+"-*"))
		if err != nil {
			return err
		}
		for _, list := range lists {
			data, err := os.ReadFile(list)
			if err != nil {
				return err
			}
			names = append(names, filepath.Join("lib/rustlib", filepath.Base(list)))
			for line := range strings.Lines(string(data)) {
				if name, ok := strings.CutPrefix(strings.TrimSpace(line), "file:"); ok {
					names = append(names, name)
				}
			}
		}
	}
	for _, name := range names {
		to := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if os.Link(filepath.Join(stable, name), to) == nil {
			continue
		}
		if out, err := exec.Command("cp", "-p", filepath.Join(stable, name), to).CombinedOutput(); err != nil {
			return &exec.Error{Name: "cp " + string(out), Err: err}
		}
	}
	return nil
}
