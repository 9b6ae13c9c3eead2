package tests

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/tests/runx"
	"x.go/tests/testenv"
)

// TestChannelGrows writes the parts of a channel one after the other.
func TestChannelGrows(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sysroot := filepath.Join(dir, "usr")
	fullSysroot(t, sysroot)
	dist := func(component string) runx.Result {
		t.Helper()
		return runx.Must(t, dir, nil, "dist", "--sysroot", sysroot, component, "--set", `dist.compression-formats=["zst"]`)
	}
	manifest := filepath.Join(dir, "build/dist/channel-rust-1.95.0.toml")
	if r := dist("cargo"); !strings.Contains(r.Stderr, "no channel is written") {
		t.Errorf("cargo alone: got %q, want a note that no channel is written", r.Stderr)
	}
	if _, err := os.Stat(manifest); !os.IsNotExist(err) {
		t.Errorf("channel without rustc: got %v, want it not to exist", err)
	}
	dist("rustc")
	if r := dist("rustfmt"); !strings.Contains(r.Stderr, "also lists 1 archives of earlier runs") {
		t.Errorf("rustfmt after rustc: got %q, want a note of earlier archives", r.Stderr)
	}
	data, err := os.ReadFile(manifest)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"/rustc-1.95.0-", "/rustfmt-1.95.0-"} {
		if !bytes.Contains(data, []byte(want)) {
			t.Errorf("channel: got no archive %s", want)
		}
	}
	if err := os.Remove(filepath.Join(dir, "build/dist/rustfmt-1.95.0-x86_64-unknown-linux-gnu.tar.zst")); err != nil {
		t.Fatal(err)
	}
	dist("rustc")
	if data, err = os.ReadFile(manifest); err != nil || bytes.Contains(data, []byte("/rustfmt-1.95.0-")) {
		t.Errorf("channel after an archive was removed: it is still listed (%v)", err)
	}
}

// TestRustupProfile has the real rustup install the default profile of a channel by the
// name of another one than its release. No file of that toolchain is a large one.
func TestRustupProfile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sysroot := filepath.Join(dir, "usr")
	fullSysroot(t, sysroot)
	runx.Must(t, dir, nil, "dist", "--quiet", "--sysroot", sysroot, "--set", `dist.compression-formats=["gz"]`)
	rustup := func(args ...string) string {
		t.Helper()
		cmd := exec.Command(testenv.Need(t, "rustup"), args...)
		cmd.Dir = dir
		cmd.Env = rustupEnv(dir, filepath.Join(dir, "build"))
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("rustup %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	rustup("toolchain", "install", "stable", "--profile", "default", "--no-self-update")
	rustup("target", "add", "wasm32-wasip1", "--toolchain", "stable")
	got := strings.Fields(rustup("component", "list", "--toolchain", "stable", "--installed"))
	const host = "-x86_64-unknown-linux-gnu"
	want := []string{"cargo" + host, "clippy" + host, "rust-docs" + host, "rust-std-wasm32-wasip1", "rust-std" + host, "rustc" + host, "rustfmt" + host}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("installed components (-want +got):\n%s", diff)
	}
}
