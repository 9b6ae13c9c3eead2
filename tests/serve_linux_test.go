package tests

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/tests/runx"
	"x.go/tests/testenv"
)

// serve starts x serve and returns what it says to set for rustup, and what stops it and
// returns what it wrote to stderr.
func serve(t *testing.T, dir string, args ...string) (url string, stop func() string) {
	t.Helper()
	cmd := runx.Command(t, dir, nil, append([]string{"serve", "--verbose", "--listen", "127.0.0.1:0"}, args...)...)
	stdout, err := cmd.StdoutPipe()
	testenv.Must(t, err)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	testenv.Must(t, cmd.Start())
	lines := bufio.NewReader(stdout)
	line, err := lines.ReadString('\n')
	if err != nil {
		t.Fatalf("x serve: %v, %v\n%s", err, cmd.Wait(), &stderr)
	}
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "export RUSTUP_DIST_SERVER=")
	if !ok {
		t.Fatalf("x serve: got %q, want the line to copy", line)
	}
	return url, func() string {
		t.Helper()
		testenv.Must(t, cmd.Process.Signal(syscall.SIGTERM))
		rest, err := io.ReadAll(lines)
		testenv.Must(t, err)
		if err := cmd.Wait(); err != nil || len(rest) > 0 {
			t.Errorf("x serve: got %q and %v at its end, want nothing\n%s", rest, err, &stderr)
		}
		return stderr.String()
	}
}

// repairRustups damages the toolchain that rustup has installed below dir, and has x
// repair it from the channel that it came from.
func repairRustups(t *testing.T, dir, server string) {
	t.Helper()
	toolchain := filepath.Join(dir, "rustup/toolchains/stable-x86_64-unknown-linux-gnu")
	channel := server + "/dist/channel-rust-stable.toml"
	clean := testenv.Tree(t, toolchain)
	at := func(name string) string { return filepath.Join(toolchain, name) }
	testenv.Must(t, os.Remove(at("bin/rustc")))
	testenv.Must(t, os.WriteFile(at("lib/librustc_driver-0123.so"), []byte("changed"), 0o644))
	testenv.Must(t, os.Chmod(at("bin/rustfmt"), 0o600))
	testenv.Must(t, os.Remove(at("lib/rustlib/manifest-rustfmt-preview-x86_64-unknown-linux-gnu")))
	damaged := testenv.Tree(t, toolchain)
	got := runx.X(t, dir, nil, "verify", "--installed", toolchain, channel)
	for _, name := range []string{"bin/rustc", "lib/librustc_driver-0123.so", "bin/rustfmt", "manifest-rustfmt-preview-"} {
		if got.Code != 1 || !strings.Contains(got.Stdout, name) {
			t.Errorf("x verify --installed: exit status %d, without %s:\n%s%s", got.Code, name, got.Stdout, got.Stderr)
		}
	}
	runx.Must(t, dir, nil, "install", "--repair", "--dry-run", "--prefix", toolchain, "--from", channel)
	if diff := cmp.Diff(damaged, testenv.Tree(t, toolchain)); diff != "" {
		t.Errorf("a dry run changed (-before +after):\n%s", diff)
	}
	runx.Must(t, dir, nil, "install", "--repair", "--prefix", toolchain, "--from", channel)
	runx.Must(t, dir, nil, "verify", "--installed", toolchain, channel)
	const kept = "lib/librustc_driver-0123.so.old"
	mended := testenv.Tree(t, toolchain)
	if mended[kept] != "-rwxr-xr-x changed" {
		t.Errorf("%s: got %q, want what was there", kept, mended[kept])
	}
	delete(mended, kept)
	if diff := cmp.Diff(clean, mended); diff != "" {
		t.Errorf("repaired (-as rustup installed it +got):\n%s", diff)
	}
	testenv.Must(t, os.Remove(at(kept)))
}

// TestServeRustup has the real rustup install, add, remove and update from x serve, with
// a flat directory and then with a store, at another address.
func TestServeRustup(t *testing.T) {
	t.Parallel()
	curl := testenv.Need(t, "curl")
	dir := t.TempDir()
	fullSysroot(t, filepath.Join(dir, "usr"))
	dist := func(epoch string) {
		runx.Must(t, dir, []string{"SOURCE_DATE_EPOCH=" + epoch}, "dist", "--quiet", "--sysroot", "usr", "--set", `dist.compression-formats=["gz"]`)
	}
	dist("1776297600") // 2026-04-16
	url, stop := serve(t, dir, "build/dist")
	run := func(program string, args ...string) string {
		t.Helper()
		cmd := exec.Command(program, args...)
		cmd.Dir = dir
		cmd.Env = append(rustupEnv(dir, ""), "RUSTUP_DIST_SERVER="+url)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	rustup := testenv.Need(t, "rustup")
	run(rustup, "toolchain", "install", "stable", "--profile", "minimal", "--no-self-update")
	run(rustup, "component", "add", "rustfmt", "--toolchain", "stable")
	repairRustups(t, dir, url)
	run(rustup, "component", "remove", "rustfmt", "--toolchain", "stable")
	run(rustup, "toolchain", "install", "stable-2026-04-16", "--profile", "minimal", "--no-self-update")
	manifest := url + "/dist/channel-rust-stable.toml"
	if out := run(curl, "-sS", "-r", "0-15", manifest); out != `manifest-version` {
		t.Errorf("curl -r: got %q", out)
	}
	if out := run(curl, "-sS", "-z", filepath.Join(dir, "build/dist/channel-rust-stable.toml"), "-w", "%{http_code}", manifest); out != "304" {
		t.Errorf("curl -z: got %q, want 304", out)
	}
	if out := run(curl, "-sS", url+"/dist/"); !strings.Contains(out, `<a href="channel-rust-stable.toml">channel-rust-stable.toml</a>`) || strings.Contains(out, "<style>") {
		t.Errorf("the list for curl: got %q", out)
	}
	log := stop()
	if !strings.Contains(log, ` GET "/dist/2026-04-16/channel-rust-stable.toml" 200 `) || !strings.Contains(log, `"rustup/`) {
		t.Errorf("log: got %s", log)
	}

	dist("1776384000") // a day later
	testenv.Must(t, os.Mkdir(filepath.Join(dir, "store"), 0o755))
	testenv.Must(t, os.Rename(filepath.Join(dir, "build/dist"), filepath.Join(dir, "store/dist")))
	url, stop = serve(t, dir, "store")
	if out := run(rustup, "update", "stable", "--no-self-update"); !strings.Contains(out, "updated") {
		t.Errorf("rustup update: got %q", out)
	}
	run(rustup, "target", "add", "wasm32-wasip1", "--toolchain", "stable")
	run(rustup, "target", "remove", "wasm32-wasip1", "--toolchain", "stable")
	stop()

	// An overlay has its manifest; the archives are elsewhere.
	base, stopBase := serve(t, dir, "store")
	testenv.Must(t, os.MkdirAll(filepath.Join(dir, "overlay/dist"), 0o755))
	for _, name := range []string{"channel-rust-stable.toml", "channel-rust-stable.toml.sha256"} {
		testenv.Must(t, os.Link(filepath.Join(dir, "store/dist", name), filepath.Join(dir, "overlay/dist", name)))
	}
	url, stop = serve(t, dir, "--upstream", base, "overlay")
	run(rustup, "component", "add", "clippy", "--toolchain", "stable")
	if log := stop(); !strings.Contains(log, " 302 ") {
		t.Errorf("log: got %s, want a redirect", log)
	}
	stopBase()
}
