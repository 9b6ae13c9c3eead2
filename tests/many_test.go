package tests

import (
	"debug/macho"
	"debug/pe"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/manifests"
	"x.go/tests/foreign"
	"x.go/tests/runx"
	"x.go/tests/testenv"
)

const (
	linuxARM   = "aarch64-unknown-linux-gnu"
	linuxZ     = "s390x-unknown-linux-gnu"
	windowsGNU = "x86_64-pc-windows-gnu"
	macARM     = "aarch64-apple-darwin"
	wasm       = "wasm32-unknown-unknown"
)

// gzOnly keeps tests of many archives short.
const gzOnly = `dist.compression-formats=["gz"]`

// TestManyHosts packages the toolchains in a build directory of x.py, and the same ones
// named each: the bytes are equal. Standard libraries lie where x.py has them.
func TestManyHosts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tree := func(host string, more ...string) string {
		return foreign.Sysroot(t, filepath.Join(dir, "build", host, "stage2"), host, more...)
	}
	std := foreign.Std(wasm, foreign.Full)
	trees := []string{
		tree(linuxARM, std, foreign.Std(linuxZ, foreign.Full)), tree(linuxZ, "lib/rustlib/"+linuxZ+"/lib", std), tree(windowsGNU, std), tree(macARM),
	}
	args := []string{"dist", "--json", "--set", gzOnly, "--set", fmt.Sprintf(`build.target=["%s","%s"]`, linuxZ, wasm)}
	run := func(more ...string) (names map[string]manifests.Hash, hosts []string) {
		r := runx.Must(t, dir, nil, append(slices.Clip(args), more...)...)
		var answer struct {
			Hosts    []struct{ Host string }
			Archives []struct {
				Name   string
				SHA256 manifests.Hash
			}
		}
		testenv.Must(t, json.Unmarshal([]byte(r.Stdout), &answer))
		names = map[string]manifests.Hash{}
		for _, a := range answer.Archives {
			names[a.Name] = a.SHA256
		}
		for _, h := range answer.Hosts {
			hosts = append(hosts, h.Host)
		}
		return names, hosts
	}
	got, hosts := run("--sysroot", "build", "--build-dir", "a")
	var want []string
	for _, host := range []string{macARM, linuxARM, linuxZ, windowsGNU} {
		for _, c := range []string{"cargo", "rust", "rust-std", "rustc"} {
			want = append(want, c+"-1.95.0-"+host+".tar.gz")
		}
	}
	want = append(want, "rust-src-1.95.0.tar.gz", "rust-std-1.95.0-"+wasm+".tar.gz")
	names := func(m map[string]manifests.Hash) (out []string) {
		for name := range m {
			out = append(out, name)
		}
		slices.Sort(out)
		return out
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, names(got)); diff != "" {
		t.Errorf("archives (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{macARM, linuxARM, linuxZ, windowsGNU}, hosts); diff != "" {
		t.Errorf("hosts (-want +got):\n%s", diff)
	}
	again, _ := run("--build-dir", "b", "--sysroot", trees[3], "--sysroot", trees[1], "--sysroot", trees[0], "--sysroot", trees[2])
	if diff := cmp.Diff(got, again); diff != "" {
		t.Errorf("named in another order (-build directory +named):\n%s", diff)
	}
	data, err := os.ReadFile(filepath.Join(dir, "a/dist/channel-rust-stable.toml"))
	testenv.Must(t, err)
	channel, err := manifests.ParseChannel(data)
	testenv.Must(t, err)
	if got := len(channel.Packages["rust"].Targets); got != 4 {
		t.Errorf("got %d hosts in the channel, want 4", got)
	}
	if got := len(channel.Packages["rust-std"].Targets); got != 5 {
		t.Errorf("got %d standard libraries in the channel, want 5", got)
	}
	some, hosts := run("--sysroot", "build", "--build-dir", "c", "--host", windowsGNU+","+linuxARM, "rustc")
	if diff := cmp.Diff([]string{"rustc-1.95.0-" + linuxARM + ".tar.gz", "rustc-1.95.0-" + windowsGNU + ".tar.gz"}, names(some)); diff != "" {
		t.Errorf("picked by --host (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{linuxARM, windowsGNU}, hosts); diff != "" {
		t.Errorf("hosts of --host (-want +got):\n%s", diff)
	}
}

// TestManyBuilt has the toolchains of build.host in the build directory, and assembles
// and installs them.
func TestManyBuilt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, host := range []string{linuxARM, windowsGNU} {
		foreign.Sysroot(t, filepath.Join(dir, "build", host, "stage2"), host)
	}
	hosts := fmt.Sprintf(`build.host=["%s","%s"]`, windowsGNU, linuxARM)
	plan := runx.Must(t, dir, nil, "dist", "--dry-run", "--set", gzOnly, "--set", hosts, "cargo").Stdout
	want := ""
	for _, host := range []string{linuxARM, windowsGNU} {
		want += fmt.Sprintf("emit    %s/build/dist/cargo-1.95.0-%s.tar.gz", dir, host)
	}
	var emits string
	for line := range strings.Lines(plan) {
		if strings.HasPrefix(line, "emit") {
			emit, _, _ := strings.Cut(line, " (")
			emits += emit
		}
	}
	if diff := cmp.Diff(want, emits); diff != "" {
		t.Errorf("the plan (-want +got):\n%s", diff)
	}
	r := runx.Must(t, dir, nil, "build", "--sysroot", "build", "--build-dir", "out")
	if diff := cmp.Diff(fmt.Sprintf("%[1]s/out/%[2]s/stage2\n%[1]s/out/%[3]s/stage2\n", dir, linuxARM, windowsGNU), r.Stdout); diff != "" {
		t.Errorf("x build (-want +got):\n%s", diff)
	}
	if r := runx.X(t, dir, nil, "install", "--sysroot", "build", "--prefix", filepath.Join(dir, "to")); r.Code == 0 || !strings.Contains(r.Stderr, "name one with --host") {
		t.Errorf("x install of two hosts: got exit status %d\n%s", r.Code, r.Stderr)
	}
	runx.Must(t, dir, nil, "install", "--sysroot", "build", "--host", windowsGNU, "--prefix", filepath.Join(dir, "to"))
	if _, err := os.Stat(filepath.Join(dir, "to/bin/rustc.exe")); err != nil {
		t.Error(err)
	}
	var report struct{ Toolchains []struct{ Host string } }
	testenv.Must(t, json.Unmarshal([]byte(runx.Must(t, dir, nil, "check", "--json", "--set", hosts).Stdout), &report))
	if len(report.Toolchains) != 2 {
		t.Errorf("x check: got %d toolchains, want 2", len(report.Toolchains))
	}
}

// TestWrappersOfHosts has x build the gcc-ld programs that toolchains lack: each is a
// program for its host, under the name that such a host has.
func TestWrappersOfHosts(t *testing.T) {
	t.Parallel()
	testenv.Need(t, "go")
	testenv.Long(t, "builds programs for two hosts")
	dir := t.TempDir()
	args := []string{"build"}
	for _, host := range []string{windowsGNU, macARM} {
		tree := foreign.Sysroot(t, filepath.Join(dir, host), host, "lib/rustlib/"+host+"/bin/gcc-ld")
		args = append(args, "--sysroot", tree)
	}
	runx.Must(t, dir, nil, args...)
	for host, want := range map[string]struct{ exe, platform string }{
		windowsGNU: {".exe", "pe amd64"},
		macARM:     {"", "mach-o arm64"},
	} {
		for _, name := range manifests.GCCLDPrograms() {
			file := filepath.Join(dir, "build", host, "stage2/lib/rustlib", host, "bin/gcc-ld", name+want.exe)
			if got := platformOf(t, file); got != want.platform {
				t.Errorf("%s: got a program %q, want %q", file, got, want.platform)
			}
		}
	}
}

// platformOf says what a program is for.
func platformOf(t *testing.T, file string) string {
	t.Helper()
	f, err := os.Open(file)
	testenv.Must(t, err)
	defer f.Close()
	if p, err := pe.NewFile(f); err == nil && p.Machine == pe.IMAGE_FILE_MACHINE_AMD64 {
		return "pe amd64"
	}
	if m, err := macho.NewFile(f); err == nil && m.Cpu == macho.CpuArm64 {
		return "mach-o arm64"
	}
	return "of another machine"
}

// TestManyWrong wants clear errors of toolchains that do not belong together.
func TestManyWrong(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tree := func(name, host string, more ...string) {
		foreign.Sysroot(t, filepath.Join(dir, name), host, more...)
	}
	const other = "1.96.0 (ac68faa20 2026-05-25)"
	tree("arm", linuxARM)
	tree("arm2", linuxARM)
	tree("z", linuxZ, foreign.Std(wasm, foreign.Full))
	tree("old", linuxZ, "lib/librustc_driver-1.so: @"+other, foreign.Std(linuxZ, other))
	tree("changed", macARM, "lib/rustlib/src/rust/library/core/src/lib.rs: other", foreign.Std(wasm, foreign.Full)+"x")
	tree("mixed", linuxARM, foreign.Std(wasm, other))
	tree("named/"+linuxZ+"/stage2", linuxARM)
	for _, tt := range []struct{ name, args, want string }{
		{"two releases", "--sysroot arm --sysroot old", `/arm" is rustc 1.95.0 (59807616e 2026-04-14): one channel holds one release`},
		{"two releases in a tree", "--sysroot mixed", "rustc 1.96.0 (ac68faa20 2026-05-25) compiled it, but the compiler is rustc 1.95.0"},
		{"two of a host", "--sysroot arm --sysroot arm2", `/arm2" are both for aarch64-unknown-linux-gnu`},
		{"sources that differ", "--sysroot arm --sysroot changed", `differ in "lib/rustlib/src/rust/library/core/src/lib.rs"`},
		{"libraries that differ", "--sysroot z --sysroot changed rust-std", `packaging rust-std-1.95.0-wasm32-unknown-unknown: "`},
		{"a host without a toolchain", `--sysroot arm --set build.host=["` + linuxARM + `","` + linuxZ + `"]`, "build.host names s390x-unknown-linux-gnu, and there is no toolchain for it"},
		{"another host", `--sysroot arm --set build.host=["` + linuxZ + `"]`, "build.host names s390x-unknown-linux-gnu, and there is only"},
		{"a host of --host", "--sysroot arm --sysroot z --host " + linuxARM + "," + macARM, "--host names aarch64-apple-darwin"},
		{"a directory of another host", "--sysroot named", "got s390x-unknown-linux-gnu by the name of the directory, but the compiler is for aarch64-unknown-linux-gnu"},
		{"a target of none", `--sysroot arm --sysroot z --set build.target=["riscv64gc-unknown-linux-gnu"]`, "the toolchain has no rust-std for it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := runx.X(t, dir, nil, append([]string{"dist", "--dry-run"}, strings.Fields(tt.args)...)...)
			if r.Code == 0 || !strings.Contains(r.Stderr, tt.want) {
				t.Errorf("got exit status %d, want %q in\n%s", r.Code, tt.want, r.Stderr)
			}
		})
	}
	r := runx.Must(t, dir, nil, "dist", "--dry-run", "--sysroot", "arm", "--sysroot", "changed", "--set", "build.build="+macARM)
	if !strings.Contains(r.Stderr, "warning: rust-src-1.95.0 is that of ") {
		t.Errorf("got no warning of the sources of build.build:\n%s", r.Stderr)
	}
	if r := runx.X(t, dir, nil, "explain", "link", "--sysroot", "arm", "--sysroot", "z"); r.Code != 2 || !strings.Contains(r.Stderr, "got --sysroot 2 times, want it once") {
		t.Errorf("x explain of two: got exit status %d\n%s", r.Code, r.Stderr)
	}
}

// TestLibdirs packages toolchains whose libraries are where install.libdir has them. In
// archives they are where x.py has them.
func TestLibdirs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, libdir, driver, set string }{
		{"lib64", "lib64", "lib64", "rust.lld=true"},
		{"Debian's libraries", "lib", "lib/aarch64-linux-gnu", "rust.lld=true"},
		{"all of Debian's", "lib/aarch64-linux-gnu", "lib/aarch64-linux-gnu", "rust.lld=true"},
		{"a directory of its own", "lib/rust/1.95", "lib/rust/1.95", "install.libdir=/usr/local/lib/rust/1.95"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			root := foreign.Sysroot(t, filepath.Join(dir, "tree"), linuxARM)
			for _, move := range [][2]string{{"lib/rustlib", tt.libdir + "/rustlib"}, {"lib/librustc_driver-1.so", tt.driver + "/librustc_driver-1.so"}, {"lib/libstd-1.so", tt.driver + "/libstd-1.so"}} {
				to := filepath.Join(root, move[1])
				if move[0] == move[1] {
					continue
				}
				testenv.Must(t, os.MkdirAll(filepath.Dir(to), 0o755))
				testenv.Must(t, os.Rename(filepath.Join(root, move[0]), to))
			}
			r := runx.Must(t, dir, nil, "dist", "--sysroot", "tree", "--set", gzOnly, "--set", tt.set)
			for _, lost := range []string{"no component owns", "left out"} {
				if strings.Contains(r.Stderr, lost) {
					t.Errorf("got %q in\n%s", lost, r.Stderr)
				}
			}
			for archive, file := range map[string]string{
				"rustc-1.95.0-" + linuxARM:    "rustc/lib/rustlib/" + linuxARM + "/bin/gcc-ld/ld.lld",
				"rust-std-1.95.0-" + linuxARM: "rust-std-" + linuxARM + "/lib/rustlib/" + linuxARM + "/lib/libcore-1.rlib",
				"rust-src-1.95.0":             "rust-src/lib/rustlib/src/rust/library/std/Cargo.toml",
				"rust-1.95.0-" + linuxARM:     "rustc/" + tt.driver + "/librustc_driver-1.so",
			} {
				list, err := exec.Command(testenv.Need(t, "tar"), "-tzf", filepath.Join(dir, "build/dist", archive+".tar.gz")).Output()
				testenv.Must(t, err)
				if !strings.Contains(string(list), file) {
					t.Errorf("got no %s in %s:\n%s", file, archive, list)
				}
			}
		})
	}
}

// TestExplainUnrun asks about compilers that do not run here. cargo's question to the
// compiler, which conditions hold, is answered by the registry.
func TestExplainUnrun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, host := range []string{linuxZ, windowsGNU} {
		foreign.Sysroot(t, filepath.Join(dir, "build", host, "stage2"), host)
	}
	foreign.Tree(t, dir, foreign.S390X, "Cargo.toml: [package]\nname = \"a\"\n", "src/main.rs: fn main() {}", ".cargo/config.toml: [target.'cfg(target_os = \"linux\")']\nrustflags = [\"-Clink-arg=-fuse-ld=lld\"]\n")
	if r := runx.X(t, dir, nil, "explain", "--sysroot", "build"); r.Code == 0 || !strings.Contains(r.Stderr, "name one with --host") {
		t.Errorf("of several hosts: got exit status %d\n%s", r.Code, r.Stderr)
	}
	for host, want := range map[string]string{linuxZ: "-fuse-ld=lld", windowsGNU: "x86_64-w64-mingw32-gcc"} {
		r := runx.Must(t, dir, nil, "explain", "--sysroot", "build", "--host", host)
		if !strings.Contains(r.Stdout, want) || !strings.Contains(r.Stdout, "the compiler does not run here, so its facts were read from its files") {
			t.Errorf("%s: got no %q in\n%s", host, want, r.Stdout)
		}
	}
}
