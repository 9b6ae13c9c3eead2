package manifests_test

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/manifests"
	"x.go/targets"
	"x.go/tests/testenv"
)

// stable is the release that the tests publish.
var stable = manifests.Version{
	Release: release("1.95.0"), CommitHash: "59807616e1234567890123456789012345678901", CommitDate: "2026-04-14",
}

// day is that of their publication.
const day = "2026-04-16"

func release(text string) targets.Release {
	r, err := targets.ParseRelease(text)
	if err != nil {
		panic(err)
	}
	return r
}

// archive makes up an archive from its file name.
func archive(t testing.TB, file, version string) manifests.ListedArchive {
	t.Helper()
	name, err := manifests.ParseArchiveName(file)
	if err != nil {
		t.Fatal(err)
	}
	return manifests.ListedArchive{ArchiveName: name, Hash: manifests.HashOf([]byte(file)), VersionText: version}
}

func plan(t testing.TB, files ...string) manifests.ChannelPlan {
	p := manifests.ChannelPlan{Version: stable, Date: day, URLBase: "file:///srv/dist"}
	for _, f := range files {
		p.Archives = append(p.Archives, archive(t, f, ""))
	}
	return p
}

func build(t testing.TB, p manifests.ChannelPlan) *manifests.Channel {
	t.Helper()
	c, err := p.Channel()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range c.Validate() {
		t.Errorf("built channel: %v", f)
	}
	return c
}

// TestBuildOfficialChannels takes Rust's own channels for lists of archives
// and builds the same channels from them, to the byte.
func TestBuildOfficialChannels(t *testing.T) {
	for _, tt := range []struct{ channel, version string }{{"stable", "1.95.0"}, {"nightly", "1.97.0-nightly"}} {
		t.Run(tt.channel, func(t *testing.T) {
			data := officialManifest(t, tt.channel)
			want, err := manifests.ParseChannel(data)
			if err != nil {
				t.Fatal(err)
			}
			v := manifests.Version{Release: release(tt.version)}
			version := want.Packages["rust"].Version // 1.95.0 (59807616e 2026-04-14)
			if version[:len(tt.version)] != tt.version {
				testenv.Missing(t, "toolchain %s %s, which is %s", tt.channel, tt.version, version)
			}
			open := strings.IndexByte(version, '(')
			v.CommitHash = version[open+1:open+10] + strings.Repeat("0", 31) // the rest is not in the file
			v.CommitDate = version[open+11 : open+21]
			p := manifests.ChannelPlan{Version: v, Date: want.Date, URLBase: "https://static.rust-lang.org/dist/" + want.Date}
			p.Hosts = triples(t, want.Packages["rust"])
			p.Targets = triples(t, want.Packages["rust-std"])
			p.Archives = archivesOf(t, want)
			got := build(t, p).Encode(manifests.DialectInstalled)
			if string(got) != string(data) {
				t.Error(firstDifference(got, data))
			}
		})
	}
}

func triples(t *testing.T, p manifests.Package) []targets.Triple {
	var list []targets.Triple
	for name := range p.Targets {
		list = append(list, triple(t, name))
	}
	return list
}

// archivesOf lists each archive of a channel once.
func archivesOf(t *testing.T, c *manifests.Channel) []manifests.ListedArchive {
	seen := map[string]bool{}
	var list []manifests.ListedArchive
	for _, p := range c.Packages {
		for _, pt := range p.Targets {
			for _, d := range pt.Downloads() {
				if seen[d.URL] {
					continue
				}
				seen[d.URL] = true
				a := archive(t, path.Base(d.URL), p.Version)
				a.Hash = d.Hash
				list = append(list, a)
			}
		}
	}
	return list
}

func TestBuildSingleHost(t *testing.T) {
	p := plan(t,
		"rust-1.95.0-"+linuxGNU+".tar.xz", "rustc-1.95.0-"+linuxGNU+".tar.xz", "rustc-1.95.0-"+linuxGNU+".tar.gz",
		"rustc-1.95.0-"+linuxGNU+".tar.zst", "rust-std-1.95.0-"+linuxGNU+".tar.xz", "rust-src-1.95.0.tar.xz",
		"rustfmt-1.95.0-"+linuxGNU+".tar.xz", "rustc-1.95.0-src.tar.xz", "miri-1.95.0-"+linuxGNU+".tar.xz", "rust-dev-1.95.0-"+linuxGNU+".tar.xz")
	p.Archives = append(p.Archives, archive(t, "cargo-1.95.0-"+linuxGNU+".tar.xz", "0.96.0 (f2d3ce0bd 2026-03-21)"))
	d := func(file string) manifests.Download {
		return manifests.Download{URL: "file:///srv/dist/" + file, Hash: manifests.HashOf([]byte(file))}
	}
	one := func(version string, t manifests.PackageTarget, target string) manifests.Package {
		t.Available = true
		return manifests.Package{Version: version, CommitHash: stable.CommitHash, Targets: map[string]manifests.PackageTarget{target: t}}
	}
	const version = "1.95.0 (59807616e 2026-04-14)"
	want := &manifests.Channel{
		Date: "2026-04-16",
		Packages: map[string]manifests.Package{
			"rust": one(version, manifests.PackageTarget{
				XZ:         d("rust-1.95.0-" + linuxGNU + ".tar.xz"),
				Components: []manifests.ComponentRef{{Package: "rustc", Target: linuxGNU}, {Package: "rust-std", Target: linuxGNU}, {Package: "cargo", Target: linuxGNU}},
				Extensions: []manifests.ComponentRef{{Package: "rust-src", Target: "*"}, {Package: "rustfmt-preview", Target: linuxGNU}},
			}, linuxGNU),
			"rustc": one(version, manifests.PackageTarget{
				GZ: d("rustc-1.95.0-" + linuxGNU + ".tar.gz"), XZ: d("rustc-1.95.0-" + linuxGNU + ".tar.xz"), Zst: d("rustc-1.95.0-" + linuxGNU + ".tar.zst"),
			}, linuxGNU),
			"rust-std":        one(version, manifests.PackageTarget{XZ: d("rust-std-1.95.0-" + linuxGNU + ".tar.xz")}, linuxGNU),
			"cargo":           one("0.96.0 (f2d3ce0bd 2026-03-21)", manifests.PackageTarget{XZ: d("cargo-1.95.0-" + linuxGNU + ".tar.xz")}, linuxGNU),
			"rustfmt-preview": one(version, manifests.PackageTarget{XZ: d("rustfmt-1.95.0-" + linuxGNU + ".tar.xz")}, linuxGNU),
			"rust-src":        one(version, manifests.PackageTarget{XZ: d("rust-src-1.95.0.tar.xz")}, "*"),
		},
		Artifacts: map[string]map[string][]manifests.Download{"source-code": {"*": {d("rustc-1.95.0-src.tar.xz")}}},
		Renames:   map[string]string{"rustfmt": "rustfmt-preview"},
		Profiles: map[string][]string{
			"minimal":  {"rustc", "cargo", "rust-std"},
			"default":  {"rustc", "cargo", "rust-std", "rustfmt-preview"},
			"complete": {"rustc", "cargo", "rust-std", "rustfmt-preview", "rust-src"},
		},
	}
	if diff := cmp.Diff(want, build(t, p)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestBuildMergesHosts checks lists, documentation and MinGW of several hosts.
func TestBuildMergesHosts(t *testing.T) {
	const arm, win, msvc, wasm = "aarch64-unknown-linux-musl", "x86_64-pc-windows-gnu", "x86_64-pc-windows-msvc", "wasm32-unknown-unknown"
	var files []string
	for _, host := range []string{linuxGNU, arm, win, msvc} {
		for _, name := range []string{"rust", "rustc", "rustc-dev", "rust-std"} {
			files = append(files, fmt.Sprintf("%s-1.95.0-%s.tar.xz", name, host))
		}
	}
	files = append(files, "rust-std-1.95.0-"+wasm+".tar.xz", "rust-mingw-1.95.0-"+win+".tar.xz", "rust-mingw-1.95.0-i686-pc-windows-gnu.tar.xz",
		"rust-docs-1.95.0-"+linuxGNU+".tar.xz", "rust-docs-1.95.0-aarch64-unknown-linux-gnu.tar.xz")
	c := build(t, plan(t, files...))
	list := func(refs []manifests.ComponentRef, pkg string) (targets []string) {
		for _, r := range refs {
			if r.Package == pkg {
				targets = append(targets, r.Target)
			}
		}
		return targets
	}
	for _, tt := range []struct {
		host, pkg string
		required  bool
		want      []string
	}{
		{linuxGNU, "rust-std", true, []string{linuxGNU}},
		{linuxGNU, "rust-std", false, []string{arm, wasm, win, msvc}},
		{linuxGNU, "rustc-dev", false, []string{arm, win, msvc, linuxGNU}},
		{linuxGNU, "rust-mingw", true, nil},
		{linuxGNU, "rust-mingw", false, nil},
		{win, "rust-mingw", true, []string{win}},
		{win, "rust-mingw", false, []string{"i686-pc-windows-gnu"}},
		{msvc, "rust-mingw", false, nil},
		{arm, "rust-docs", true, []string{arm}},
	} {
		refs := c.Packages["rust"].Targets[tt.host].Extensions
		if tt.required {
			refs = c.Packages["rust"].Targets[tt.host].Components
		}
		if diff := cmp.Diff(tt.want, list(refs, tt.pkg)); diff != "" {
			t.Errorf("%s of %s, required %v: (-want +got)\n%s", tt.pkg, tt.host, tt.required, diff)
		}
	}
	for host, want := range map[string]string{arm: "aarch64-unknown-linux-gnu", msvc: linuxGNU, linuxGNU: linuxGNU} {
		if got := c.Packages["rust-docs"].Targets[host].XZ.URL; got != "file:///srv/dist/rust-docs-1.95.0-"+want+".tar.xz" {
			t.Errorf("docs of %s: got %s, want those of %s", host, got, want)
		}
	}
	if !slices.Equal(c.Profiles["minimal"], []string{"rustc", "rust-std", "rust-mingw"}) {
		t.Errorf("minimal: got %q", c.Profiles["minimal"])
	}
}

func TestBuildErrors(t *testing.T) {
	p := plan(t, "rustc-1.94.0-"+linuxGNU+".tar.xz", "rust-src-1.95.0.tar.xz", "rust-src-1.95.0.tar.xz", "rust-std-1.95.0-a-b.tar.xz")
	p.Archives[3].Hash = manifests.Hash{}
	p.Archives = append(p.Archives, archive(t, "cargo-1.95.0-a-b.tar.xz", "0.96.0"), archive(t, "cargo-1.95.0-c-d.tar.xz", "0.97.0"))
	p.URLBase = "dist"
	p.Date = "yesterday"
	_, err := p.Channel()
	if err == nil {
		t.Fatal("got no error")
	}
	for _, want := range []string{
		`got date "yesterday"`, `got URL base "dist"`, `got version "1.94.0", want "1.95.0"`, `"rust-src-1.95.0.tar.xz": got it twice`,
		`"rust-std-1.95.0-a-b.tar.xz": got no hash`, `got version "0.97.0", want "0.96.0"`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s in it", err, want)
		}
	}
}

func TestChannelFiles(t *testing.T) {
	c := build(t, plan(t, "rustc-1.95.0-"+linuxGNU+".tar.xz"))
	files := manifests.ChannelFiles(stable.Names(), stable.CommitHash, c, manifests.DialectDist)
	written := map[string][]byte{}
	var names []string
	for _, f := range files {
		if target, ok := strings.CutSuffix(f.Name, ".sha256"); ok {
			h, name, err := manifests.ParseChecksum(f.Data)
			if err != nil || name != target || h != manifests.HashOf(written[target]) || written[target] == nil {
				t.Errorf("%s: got %v %q, %v for what was written before", f.Name, h, name, err)
			}
		}
		written[f.Name] = f.Data
		names = append(names, f.Name)
	}
	var want []string
	for _, n := range []string{"stable", "1.95.0", "1.95"} {
		for _, end := range []string{"-date.txt", "-git-commit-hash.txt", ".toml"} {
			want = append(want, "channel-rust-"+n+end, "channel-rust-"+n+end+".sha256")
		}
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("names (-want +got)\n%s", diff)
	}
	for name, want := range map[string]string{"channel-rust-1.95-date.txt": "2026-04-16", "channel-rust-stable-git-commit-hash.txt": stable.CommitHash} {
		if got := string(written[name]); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
