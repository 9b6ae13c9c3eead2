package hosts

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist/linkage"
	"x.go/manifests"
	"x.go/targets"
	"x.go/tests/debian"
	"x.go/tests/runx"
	"x.go/tests/testenv"
)

// wide is the variable that asks for all architectures and releases: gigabytes of
// downloads, and minutes.
const wide = "X_TEST_DEBIAN_HOSTS"

// host is an architecture of Debian, and what Rust calls it.
type host struct{ arch, triple string }

// release is a set of packages of one release of Rust.
type release struct {
	version  string
	packages []string
	targets  []string // packages of standard libraries for other targets, of this machine's architecture
	hosts    []host
	wide     bool
}

var (
	arm64 = host{"arm64", "aarch64-unknown-linux-gnu"}
	armhf = host{"armhf", "armv7-unknown-linux-gnueabihf"}
	i386  = host{"i386", "i686-unknown-linux-gnu"}
	ppc   = host{"ppc64el", "powerpc64le-unknown-linux-gnu"}
	s390x = host{"s390x", "s390x-unknown-linux-gnu"}
	amd64 = host{"amd64", "x86_64-unknown-linux-gnu"}

	of163 = []string{"rustc", "libstd-rust-1.63", "libstd-rust-dev"}
	of185 = []string{"rustc-web=1.85.0+dfsg3-1~deb12u3", "libstd-rust-web-1.85=1.85.0+dfsg3-1~deb12u3", "libstd-rust-web-dev=1.85.0+dfsg3-1~deb12u3"}
	of196 = []string{"rustc-web", "libstd-rust-web-1.96", "libstd-rust-web-dev"}

	releases = []release{
		{"1.63.0", of163, nil, []host{arm64, s390x}, false},
		{"1.63.0", of163, []string{"libstd-rust-dev-windows", "libstd-rust-dev-wasm32"}, []host{amd64, arm64, armhf, {"armel", "armv5te-unknown-linux-gnueabi"}, i386, ppc, s390x, {"mips64el", "mips64el-unknown-linux-gnuabi64"}}, true},
		{"1.85.0", of185, nil, []host{amd64, armhf, i386, ppc, s390x}, true},
		{"1.96.0", of196, nil, []host{amd64, arm64}, true},
	}
)

// system are the packages of the libraries that rustc 1.63 needs.
var system = []string{"libc6", "libgcc-s1", "libstdc++6", "libllvm14", "libffi8", "libedit2", "libz3-4", "zlib1g", "libtinfo6", "libxml2", "libicu72", "liblzma5", "libbsd0", "libmd0"}

// TestReleases packs the toolchains of several hosts at once into one channel. Its facts
// are those of the packages, and rustup installs each host.
func TestReleases(t *testing.T) {
	for _, r := range releases {
		name := r.version
		if r.wide {
			name += " on all hosts"
		}
		if r.wide && os.Getenv(wide) == "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			debian.On(t)
			t.Parallel()
			dir := t.TempDir()
			args := []string{"dist", "--quiet", "--set", "rust.lld=false", "--set", "build.extended=false", "--set", `dist.compression-formats=["gz"]`}
			for i, h := range r.hosts {
				packages := r.packages
				if i == 0 {
					packages = slices.Concat(packages, r.targets)
				}
				debian.FetchFor(t, h.arch, filepath.Join(dir, h.arch), packages...)
				args = append(args, "--sysroot", filepath.Join(dir, h.arch, "usr"))
			}
			runx.Must(t, dir, nil, append(args, "rustc", "rust-std")...)
			channel := facts(t, dir, r)
			if r.wide {
				verified(t, dir, r, channel)
				install(t, dir, r.hosts)
			} else { // what is dear for one host only
				install(t, dir, r.hosts[:1])
				emulated(t, dir)
			}
		})
	}
}

// facts requires that the channel has the hosts and the release of the packages.
func facts(t *testing.T, dir string, r release) *manifests.Channel {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "build/dist/channel-rust-stable.toml"))
	testenv.Must(t, err)
	channel, err := manifests.ParseChannel(text)
	testenv.Must(t, err)
	var got, want []string
	for triple := range channel.Packages["rustc"].Targets {
		got = append(got, triple)
	}
	for _, h := range r.hosts {
		want = append(want, h.triple)
	}
	slices.Sort(got)
	slices.Sort(want)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("hosts of the channel (-want +got):\n%s", d)
	}
	if len(r.targets) > 0 && len(channel.Packages["rust-std"].Targets) < len(r.hosts)+2 {
		t.Errorf("got %d standard libraries, want more than hosts", len(channel.Packages["rust-std"].Targets))
	}
	if version := channel.Packages["rustc"].Version; !strings.HasPrefix(version, r.version) {
		t.Errorf("got the version %q, want %s", version, r.version)
	}
	return channel
}

// verified requires that the files of each compiler tell its host and its release.
func verified(t *testing.T, dir string, r release, channel *manifests.Channel) {
	t.Helper()
	var report struct {
		Foreign []struct{ Host, Version string }
	}
	v := runx.X(t, dir, nil, "verify", "--json", "--checks", "static,sysroot", "build/dist")
	testenv.Must(t, json.Unmarshal([]byte(v.Stdout), &report))
	var read, want []string
	for _, f := range report.Foreign {
		read = append(read, f.Host)
		if f.Version != channel.Packages["rustc"].Version {
			t.Errorf("%s: got the version %q by its files, want %q", f.Host, f.Version, channel.Packages["rustc"].Version)
		}
	}
	for _, h := range r.hosts {
		if h != amd64 {
			want = append(want, h.triple)
		}
	}
	slices.Sort(read)
	slices.Sort(want)
	if d := cmp.Diff(want, read); d != "" {
		t.Errorf("compilers of other machines (-want +got):\n%s\n%s", d, v.Stderr)
	}
}

// install has rustup install each host from the channel.
func install(t *testing.T, dir string, hosts []host) {
	t.Helper()
	rustup := testenv.Need(t, "rustup")
	for _, h := range hosts {
		home := filepath.Join(dir, "rustup", h.arch)
		cmd := exec.Command(rustup, "toolchain", "install", "stable-"+h.triple, "--force-non-host", "--profile", "minimal", "--no-self-update")
		cmd.Env = append(os.Environ(), "RUSTUP_HOME="+home, "CARGO_HOME="+home, "RUSTUP_DIST_SERVER=file://"+filepath.Join(dir, "build"), "RUSTUP_TOOLCHAIN=")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("rustup installs no %s: %v\n%s", h.triple, err, out)
		}
		if _, err := os.Stat(filepath.Join(home, "toolchains", "stable-"+h.triple, "bin/rustc")); err != nil {
			t.Error(err)
		}
		testenv.Must(t, os.RemoveAll(home))
	}
}

// emulated unpacks the archives for arm64 and runs their compiler by QEMU: it says of itself
// what x read from its files, and what it links tells the linker.
func emulated(t *testing.T, dir string) {
	t.Helper()
	qemu, gcc := testenv.Need(t, "qemu-aarch64-static"), testenv.Need(t, "aarch64-linux-gnu-gcc")
	root, prefix := filepath.Join(dir, "system"), filepath.Join(dir, "prefix")
	debian.FetchFor(t, arm64.arch, root, system...)
	for _, name := range []string{"rustc", "rust-std"} {
		archive := filepath.Join(dir, "build/dist", name+"-1.63.0-"+arm64.triple+".tar.gz")
		if out, err := exec.Command("tar", "-xf", archive, "-C", dir).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		script := filepath.Join(dir, strings.TrimSuffix(filepath.Base(archive), ".tar.gz"), "install.sh")
		if out, err := exec.Command("sh", script, "--prefix="+prefix, "--disable-ldconfig").CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	rustc := func(args ...string) string {
		cmd := exec.Command(qemu, append([]string{"-L", root, "-E", "LD_LIBRARY_PATH=" + filepath.Join(prefix, "lib/aarch64-linux-gnu"), filepath.Join(prefix, "bin/rustc")}, args...)...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("rustc %q: %v\n%s", args, err, out)
		}
		return string(out)
	}
	says, err := manifests.ParseRustc(rustc("-vV"))
	testenv.Must(t, err)
	want, err := targets.ParseTriple(arm64.triple)
	testenv.Must(t, err)
	if says.Host != want || says.Version.String() != "1.63.0" {
		t.Errorf("got rustc %s for %s, want 1.63.0 for %s", says.Version, says.Host, want)
	}
	testenv.Must(t, os.WriteFile(filepath.Join(dir, "main.rs"), []byte("fn main() { println!(\"linked and run\") }\n"), 0o644))
	rustc("main.rs", "-Clinker="+gcc)
	info, err := linkage.ReadFile(filepath.Join(dir, "main"))
	testenv.Must(t, err)
	if info.Linker != linkage.BFD {
		t.Errorf("got a program linked by %s, want GNU ld", info.Linker)
	}
	if out, err := exec.Command(qemu, "-L", root, filepath.Join(dir, "main")).CombinedOutput(); err != nil || string(out) != "linked and run\n" {
		t.Errorf("running the program: got %q, %v", out, err)
	}
}
