package inventory_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/bootstrap/inventory"
	"x.go/bootstrap/marks"
	"x.go/tests/foreign"
	"x.go/tests/testenv"
)

// take takes stock of a place.
func take(t *testing.T, places ...string) *inventory.Inventory {
	t.Helper()
	inv, err := inventory.Read(t.Context(), places, marks.Given{})
	testenv.Must(t, err)
	return inv
}

// step returns a step for a target.
func step(t *testing.T, inv *inventory.Inventory, name, target string) inventory.Step {
	t.Helper()
	i := slices.IndexFunc(inv.Steps, func(s inventory.Step) bool { return s.Step == name && s.Target.String() == target })
	if i < 0 {
		t.Fatalf("got no step %s for %s", name, target)
	}
	return inv.Steps[i]
}

// TestForeignHosts takes stock of toolchains that run elsewhere.
func TestForeignHosts(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]struct{ linker, files string }{
		"aarch64-unknown-linux-gnu": {"cc", "bin/rustc lib/librustc_driver-1.so lib/libstd-1.so"},
		"x86_64-pc-windows-msvc":    {"link.exe", "bin/rustc.exe bin/rustc_driver-1.dll bin/std-1.dll"},
		"aarch64-apple-darwin":      {"cc", "bin/rustc lib/librustc_driver-1.dylib lib/libstd-1.dylib"},
	} {
		inv := take(t, foreign.Sysroot(t, t.TempDir(), host))
		if inv.Host.String() != host || inv.Release != "1.95.0" {
			t.Errorf("got host %s and release %s, want %s and 1.95.0", inv.Host, inv.Release, host)
		}
		link := step(t, inv, "link", host)
		if link.Linker == nil || link.Linker.Program != want.linker {
			t.Errorf("%s: got linker %+v, want %s", host, link.Linker, want.linker)
		}
		program := strings.Fields(want.files)[0]
		if !slices.Contains(link.Files, program) || !slices.ContainsFunc(inv.Files, func(f inventory.File) bool { return f.Path == program && f.Executable }) {
			t.Errorf("%s: got files %q, want %s among them, executable", host, link.Files, program)
		}
	}
}

// TestOtherLibdir takes stock of a tree with rustlib in lib64: it is that of lib, but for
// the places.
func TestOtherLibdir(t *testing.T) {
	t.Parallel()
	const host = "aarch64-unknown-linux-gnu"
	dir := foreign.Sysroot(t, t.TempDir(), host)
	want := take(t, dir)
	testenv.Must(t, os.Mkdir(filepath.Join(dir, "lib64"), 0o755))
	testenv.Must(t, os.Rename(filepath.Join(dir, "lib/rustlib"), filepath.Join(dir, "lib64/rustlib")))
	got := take(t, dir)
	for _, f := range got.Files {
		if _, err := os.Stat(filepath.Join(dir, f.Path)); err != nil {
			t.Errorf("got the file %q, which the tree does not have", f.Path)
		}
	}
	text := func(inv *inventory.Inventory) string {
		data, err := json.MarshalIndent(inv.Steps, "", " ")
		testenv.Must(t, err)
		return string(data)
	}
	if diff := cmp.Diff(text(want), strings.ReplaceAll(text(got), "lib64/rustlib", "lib/rustlib")); diff != "" {
		t.Errorf("rustlib in lib64 (-in lib +there):\n%s", diff)
	}
}
