package tests

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"x.go/dist/linkage"
	"x.go/tests/runx"
	"x.go/tests/testenv"
)

var sharedOnce sync.Once

// sharedDist writes the slim dist once, gz only, and returns its build directory.
func sharedDist(t *testing.T) string {
	t.Helper()
	sysroot := runx.SlimSysroot(t)
	build := filepath.Join(runx.Scratch, "build")
	sharedOnce.Do(func() {
		runx.Must(t, runx.Scratch, nil, "dist", "--quiet", "--sysroot", sysroot, "--build-dir", build, "--set", `dist.compression-formats=["gz"]`)
	})
	if _, err := os.Stat(filepath.Join(build, "dist")); err != nil {
		t.Fatalf("the test that had to write the dist failed: %v", err)
	}
	return build
}

// unpack unpacks an archive with the real tar.
func unpack(t *testing.T, archive, dir string) {
	t.Helper()
	if out, err := exec.Command(testenv.Need(t, "tar"), "-xf", archive, "-C", dir).CombinedOutput(); err != nil {
		t.Fatalf("tar -xf %s: %v\n%s", archive, err, out)
	}
}

// cleanEnv is an environment without anything of Rust in it but the proxies of
// rustup.
func cleanEnv(home string) []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "LC_ALL=C"}
}

// rustupEnv is an environment in which rustup has nothing but homes of its own, and the
// directory server for the server.
func rustupEnv(home, server string) []string {
	return append(cleanEnv(home), "RUSTUP_HOME="+filepath.Join(home, "rustup"), "CARGO_HOME="+filepath.Join(home, "cargo"),
		"RUSTUP_DIST_SERVER=file://"+server)
}

// linkedBy compiles a program with the toolchain at prefix, runs it, and
// returns what its linker was.
func linkedBy(t *testing.T, prefix string, flags ...string) linkage.Info {
	t.Helper()
	testenv.Need(t, "cc")
	dir := t.TempDir()
	src, bin := filepath.Join(dir, "main.rs"), filepath.Join(dir, "main")
	if err := os.WriteFile(src, []byte(`fn main() { println!("{}", (1..=4).product::<u32>()); }`), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(prefix, "bin/rustc"), append(flags, "-o", bin, src)...)
	cmd.Env = cleanEnv(dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	out, err := exec.Command(bin).Output()
	if err != nil || string(out) != "24\n" {
		t.Fatalf("the program printed %q, %v, want 24", out, err)
	}
	info, err := linkage.ReadFile(bin)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// TestInstallScript unpacks the combined archive with the real tar, installs it
// with its install.sh, compares that with `x install`, file by file, and links with what
// was installed. The script under more shells is for package installsh.
func TestInstallScript(t *testing.T) {
	t.Parallel()
	build := sharedDist(t)
	shell := testenv.Need(t, "dash")
	dir := t.TempDir()
	unpack(t, filepath.Join(build, "dist/rust-1.95.0-x86_64-unknown-linux-gnu.tar.gz"), dir)
	unpacked := filepath.Join(dir, "rust-1.95.0-x86_64-unknown-linux-gnu")
	prefix, other := filepath.Join(dir, "a prefix"), filepath.Join(dir, "x")
	if out, err := exec.Command(shell, filepath.Join(unpacked, "install.sh"), "--prefix="+prefix, "--disable-ldconfig").CombinedOutput(); err != nil {
		t.Fatalf("install.sh: %v\n%s", err, out)
	}
	testenv.Must(t, os.RemoveAll(unpacked))
	runx.Must(t, dir, nil, "install", "--quiet", "--sysroot", runx.SlimSysroot(t), "--prefix", other)
	want, got := digests(t, prefix), digests(t, other)
	for _, m := range []map[string]string{want, got} {
		for name := range m {
			if rest, ok := strings.CutPrefix(name, "lib/rustlib/"); ok && !strings.Contains(rest, "/") {
				delete(m, name) // logs and lists carry the prefix
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("installed files (-install.sh +x install):\n%s", diff)
	}
	if info := linkedBy(t, prefix); info.Linker != linkage.LLD {
		t.Errorf("a default link: got %s, want %s", info.Linker, linkage.LLD)
	}
	if info := linkedBy(t, prefix, "-Clinker-features=-lld"); info.Linker == linkage.LLD {
		t.Errorf("a link with -Clinker-features=-lld: got %s", info.Linker)
	}
	if out, err := exec.Command(shell, filepath.Join(prefix, "lib/rustlib/uninstall.sh")).CombinedOutput(); err != nil {
		t.Fatalf("uninstall.sh: %v\n%s", err, out)
	}
	if left := files(t, prefix); len(left) > 0 {
		t.Errorf("uninstall.sh left %d files: %v", len(left), left)
	}
}

// TestRustup installs from the channel with the real rustup.
func TestRustup(t *testing.T) {
	t.Parallel()
	build := sharedDist(t)
	home := t.TempDir()
	rustup := func(args ...string) string {
		t.Helper()
		cmd := exec.Command(testenv.Need(t, "rustup"), args...)
		cmd.Dir = home
		cmd.Env = rustupEnv(home, build)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("rustup %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	rustup("toolchain", "install", "1.95.0", "--profile", "minimal", "--no-self-update")
	rustup("component", "add", "rustfmt", "--toolchain", "1.95.0")
	prefix := filepath.Join(home, "rustup/toolchains/1.95.0-x86_64-unknown-linux-gnu")
	if info := linkedBy(t, prefix); info.Linker != linkage.LLD {
		t.Errorf("a default link: got %s, want %s", info.Linker, linkage.LLD)
	}
	if out := rustup("run", "1.95.0", "rustfmt", "--version"); !strings.Contains(out, "rustfmt 1.") {
		t.Errorf("rustfmt --version: got %q", out)
	}
}

// TestVerify runs the dist test on the dist. The group client, which installs a whole
// toolchain for each profile and three times more, is for package verify, with small
// components: TestRustup has the client install large ones.
func TestVerify(t *testing.T) {
	t.Parallel()
	testenv.Need(t, "cc")
	testenv.Need(t, "rustup")
	dist := filepath.Join(sharedDist(t), "dist")
	r := runx.X(t, runx.Scratch, nil, "verify", "--expect", "lld", "--checks", "static,sysroot,link,channel", dist)
	if r.Code != 0 {
		t.Errorf("got exit status %d, want 0\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
}

// TestWithoutLLD builds a rust.lld = false toolchain from a compiler that was
// built to use LLD, and lets the dist test judge its archives.
func TestWithoutLLD(t *testing.T) {
	t.Parallel()
	testenv.Need(t, "cc")
	testenv.Need(t, "rustup")
	dir := t.TempDir()
	runx.Must(t, dir, nil, "dist", "--quiet", "--sysroot", runx.SlimSysroot(t), "--set", "rust.lld=false", "--set", `dist.compression-formats=["zst"]`, "rustc", "rust-std", "cargo")
	r := runx.X(t, dir, nil, "verify", "--expect", "system", "--checks", "sysroot,link")
	if r.Code != 0 {
		t.Errorf("verify --expect system: got exit status %d, want 0\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	testenv.Need(t, "zstd")
	unpack(t, filepath.Join(dir, "build/dist/rustc-1.95.0-x86_64-unknown-linux-gnu.tar.zst"), dir)
	bin := filepath.Join(dir, "rustc-1.95.0-x86_64-unknown-linux-gnu/rustc/lib/rustlib/x86_64-unknown-linux-gnu/bin")
	if _, err := os.Lstat(filepath.Join(bin, "rust-lld")); !os.IsNotExist(err) {
		t.Errorf("rust-lld: got %v, want it not to exist", err)
	}
	if info, err := linkage.ReadFile(filepath.Join(bin, "gcc-ld/ld.lld")); err != nil || len(info.Needed) > 0 {
		t.Errorf("gcc-ld/ld.lld: got %v, NEEDED %q, want a static program", err, info.Needed)
	}
	if _, err := os.Stat(filepath.Join(runx.SlimSysroot(t), "lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld")); err != nil {
		t.Errorf("the input was changed: %v", err)
	}
}

// TestReproducible writes the same archives under circumstances that must not
// show in them.
func TestReproducible(t *testing.T) {
	t.Parallel()
	sysroot := runx.SlimSysroot(t)
	run := func(umask string, env []string, formats string, args ...string) map[string]string {
		t.Helper()
		dir := t.TempDir()
		cmd := runx.Command(t, dir, env, append([]string{"dist", "--quiet", "--sysroot", sysroot, "rustfmt",
			"--set", "dist.compression-formats=" + formats}, args...)...)
		cmd.Args = append([]string{"sh", "-c", "umask " + umask + "; exec \"$@\"", "sh", cmd.Path}, cmd.Args[1:]...)
		cmd.Path = testenv.Need(t, "sh")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("x dist: %v\n%s", err, out)
		}
		return digests(t, filepath.Join(dir, "build/dist"))
	}
	const all, archive = `["gz", "xz", "zst"]`, "rustfmt-1.95.0-x86_64-unknown-linux-gnu.tar.gz"
	first := run("022", []string{"TZ=UTC", "LC_ALL=C", "SOURCE_DATE_EPOCH=1700000000"}, all, "--jobs", "1")
	second := run("077", []string{"TZ=Asia/Kathmandu", "LC_ALL=tr_TR.UTF-8", "SOURCE_DATE_EPOCH=1700000000"}, all, "--jobs", "3")
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("two runs (-first +second):\n%s", diff)
	}
	if other := run("022", []string{"SOURCE_DATE_EPOCH=1700086400"}, `["gz"]`); first[archive] == "" || other[archive] == "" || first[archive] == other[archive] {
		t.Errorf("%s: got %q, and with another SOURCE_DATE_EPOCH %q, want two different ones", archive, first[archive], other[archive])
	}
}

// TestKill kills x at many moments of a dist. Whatever has a final name then
// must be whole, and the next run must just work.
func TestKill(t *testing.T) {
	sysroot := runx.SlimSysroot(t)
	dir := t.TempDir()
	args := []string{"dist", "--quiet", "--sysroot", sysroot, "rustfmt", "--set", `dist.compression-formats=["gz", "zst"]`}
	start := time.Now()
	runx.Must(t, dir, nil, args...)
	whole := time.Since(start)
	want := digests(t, filepath.Join(dir, "build/dist"))
	if err := os.RemoveAll(filepath.Join(dir, "build")); err != nil {
		t.Fatal(err)
	}
	const moments = 12
	for i := range moments {
		cmd := runx.Command(t, dir, nil, args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(whole * time.Duration(i+1) / moments)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if _, err := os.Stat(filepath.Join(dir, "build/dist")); err != nil {
			continue
		}
		for name, sum := range digests(t, filepath.Join(dir, "build/dist")) {
			if strings.HasPrefix(name, ".x-") {
				continue // a temporary name
			}
			if sum != want[name] {
				t.Errorf("killed at moment %d: %s is not what a whole run makes", i, name)
			}
		}
	}
	runx.Must(t, dir, nil, args...)
	if diff := cmp.Diff(want, digests(t, filepath.Join(dir, "build/dist"))); diff != "" {
		t.Errorf("the run after (-want +got):\n%s", diff)
	}
}

// digests returns the SHA-256 of every file below dir with its mode.
func digests(t *testing.T, dir string) map[string]string {
	t.Helper()
	sums := map[string]string{}
	for _, name := range files(t, dir) {
		p := filepath.Join(dir, name)
		data, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		fi, err := os.Stat(p)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(data)
		sums[name] = fi.Mode().String() + " " + hex.EncodeToString(sum[:])
	}
	return sums
}

// files returns the names of all files below dir.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		names = append(names, rel)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
