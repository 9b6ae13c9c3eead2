package manifests_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"x.go/manifests"
	"x.go/targets"
)

const (
	linuxARM = "aarch64-unknown-linux-gnu"
	wasm     = "wasm32-unknown-unknown"
)

// twoHosts are the archives of a channel with two hosts and one more target.
func twoHosts() []string {
	files := []string{"rust-src-1.95.0.tar.xz", "rustc-1.95.0-src.tar.xz", "rust-std-1.95.0-" + wasm + ".tar.xz"}
	return append(files, append(hostFiles(linuxGNU), hostFiles(linuxARM)...)...)
}

// hostFiles are the archives of one host.
func hostFiles(host string) []string {
	var files []string
	for _, c := range []string{"rustc", "rust-std", "cargo", "rust-docs", "rustfmt", "clippy", "rustc-dev", "llvm-tools"} {
		files = append(files, c+"-1.95.0-"+host+".tar.xz")
	}
	return files
}

// contents lists a channel in short: each package with its targets, then what
// each host lists, then all else that names packages.
func contents(c *manifests.Channel) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(c.Packages)) {
		out = append(out, name+": "+strings.Join(slices.Sorted(maps.Keys(c.Packages[name].Targets)), " "))
	}
	for _, host := range slices.Sorted(maps.Keys(c.Packages["rust"].Targets)) {
		t := c.Packages["rust"].Targets[host]
		out = append(out, host+" has "+refNames(t.Components), host+" may have "+refNames(t.Extensions))
	}
	for _, from := range slices.Sorted(maps.Keys(c.Renames)) {
		out = append(out, from+" is "+c.Renames[from])
	}
	for _, name := range slices.Sorted(maps.Keys(c.Profiles)) {
		out = append(out, name+" is "+strings.Join(c.Profiles[name], " "))
	}
	for _, kind := range slices.Sorted(maps.Keys(c.Artifacts)) {
		out = append(out, kind+" for "+strings.Join(slices.Sorted(maps.Keys(c.Artifacts[kind])), " "))
	}
	return out
}

func refNames(refs []manifests.ComponentRef) string {
	var names []string
	for _, r := range refs {
		names = append(names, r.Package+"/"+r.Target)
	}
	return strings.Join(names, " ")
}

func TestSubset(t *testing.T) {
	gnu, arm := triple(t, linuxGNU), triple(t, linuxARM)
	tests := []struct {
		name string
		s    manifests.Selection
		want []string
	}{
		{"one host, all targets", manifests.Selection{Hosts: []targets.Triple{gnu}, Packages: []string{"rustc", "rust-std"}}, []string{
			"rust: " + linuxGNU,
			"rust-std: " + linuxARM + " " + wasm + " " + linuxGNU,
			"rustc: " + linuxGNU,
			linuxGNU + " has rustc/" + linuxGNU + " rust-std/" + linuxGNU,
			linuxGNU + " may have rust-std/" + linuxARM + " rust-std/" + wasm,
			"complete is rustc rust-std", "default is rustc rust-std", "minimal is rustc rust-std",
			"source-code for *",
		}},
		{"one target of all hosts", manifests.Selection{
			Targets: []targets.Triple{triple(t, wasm)}, Packages: []string{"rust-std", "llvm-tools"}, Artifacts: []string{},
		}, []string{
			"llvm-tools-preview: " + linuxARM + " " + linuxGNU,
			"rust: " + linuxARM + " " + linuxGNU,
			"rust-std: " + linuxARM + " " + wasm + " " + linuxGNU,
			linuxARM + " has rust-std/" + linuxARM,
			linuxARM + " may have rust-std/" + wasm + " rust-std/" + linuxGNU + " llvm-tools-preview/" + linuxARM,
			linuxGNU + " has rust-std/" + linuxGNU,
			linuxGNU + " may have rust-std/" + linuxARM + " rust-std/" + wasm + " llvm-tools-preview/" + linuxGNU,
			"llvm-tools is llvm-tools-preview",
			"complete is rust-std llvm-tools-preview", "default is rust-std", "minimal is rust-std",
		}},
		{"renamed, and for every target", manifests.Selection{
			Hosts: []targets.Triple{arm}, Targets: []targets.Triple{}, Packages: []string{"rustc", "rustfmt", "clippy-preview", "rust-src"},
			Artifacts: []string{"source-code"},
		}, []string{
			"clippy-preview: " + linuxARM, "rust: " + linuxARM, "rust-src: *", "rustc: " + linuxARM, "rustfmt-preview: " + linuxARM,
			linuxARM + " has rustc/" + linuxARM,
			linuxARM + " may have clippy-preview/" + linuxARM + " rustfmt-preview/" + linuxARM + " rust-src/*",
			"clippy is clippy-preview", "rustfmt is rustfmt-preview",
			"complete is rustc rustfmt-preview clippy-preview rust-src", "default is rustc rustfmt-preview clippy-preview", "minimal is rustc",
			"source-code for *",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := build(t, plan(t, twoHosts()...))
			before := string(c.Encode(manifests.DialectDist))
			got := subset(t, c, tt.s)
			for _, f := range got.Validate() {
				t.Errorf("subset: %v", f)
			}
			text := contents(got)
			// The order of extensions is the channel's, which the tests of building hold.
			if diff := cmp.Diff(sortExtensions(tt.want), sortExtensions(text)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if string(c.Encode(manifests.DialectDist)) != before {
				t.Error("the channel itself was changed")
			}
		})
	}
}

// sortExtensions sorts what each host may have.
func sortExtensions(lines []string) []string {
	out := slices.Clone(lines)
	for i, line := range out {
		if head, list, ok := strings.Cut(line, " may have "); ok {
			out[i] = head + " may have " + strings.Join(slices.Sorted(slices.Values(strings.Fields(list))), " ")
		}
	}
	return out
}

func subset(t testing.TB, c *manifests.Channel, s manifests.Selection) *manifests.Channel {
	t.Helper()
	out, err := c.Subset(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSubsetErrors(t *testing.T) {
	_, err := build(t, plan(t, twoHosts()...)).Subset(manifests.Selection{
		Packages: []string{"rustc", "rust-fmt", "miri"}, Hosts: []targets.Triple{triple(t, wasm)},
		Targets: []targets.Triple{triple(t, "riscv64gc-unknown-linux-gnu")}, Artifacts: []string{"installer-msi"},
	})
	const want = `selecting from the channel of 2026-04-16: got package "rust-fmt", want one that the channel has
got package "miri", want one that the channel has
got host "wasm32-unknown-unknown", want one that the channel can be installed on
got target "riscv64gc-unknown-linux-gnu", want one that a package of the channel has
got artifacts "installer-msi", want a kind that the channel has`
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestRebase(t *testing.T) {
	c := smallChannel()
	got, err := c.Rebase("https://h/", "file:///srv/dist/")
	if err != nil {
		t.Fatal(err)
	}
	for key, d := range c.Downloads() {
		if !strings.HasPrefix(d.URL, "https://h/") {
			t.Errorf("%s: the channel itself was changed: %q", key, d.URL)
		}
	}
	text := strings.ReplaceAll(string(c.Encode(manifests.DialectDist)), "https://h/", "file:///srv/dist/")
	if diff := cmp.Diff(text, string(got.Encode(manifests.DialectDist))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestRebaseErrors(t *testing.T) {
	c := smallChannel()
	c.Packages["rust"].Targets["c-d"] = manifests.PackageTarget{GZ: manifests.Download{URL: "https://h2/x"}}
	tests := []struct{ from, to, want string }{
		{"https://h", "mirror", `rebasing the channel of 2026-04-16: got URL base "mirror", want an absolute`},
		{"https://h", "https://m", `rebasing the channel of 2026-04-16: pkg.rust.target.c-d.url: got "https://h2/x", want it below "https://h"`},
		{"https://h2", "https://m", "artifacts.source-code.target.\"*\"[1].url: got \"https://h/s.xz\", want it below \"https://h2\""},
	}
	for _, tt := range tests {
		if _, err := c.Rebase(tt.from, tt.to); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("from %s to %s: got %v\nwant %s", tt.from, tt.to, err, tt.want)
		}
	}
}

// TestMerge wants of channels of single machines what one channel of all their
// archives is.
func TestMerge(t *testing.T) {
	withoutDocs := func(files []string) []string {
		return slices.DeleteFunc(files, func(f string) bool { return strings.HasPrefix(f, "rust-docs-") })
	}
	all := withoutDocs(twoHosts()) // a host without its own documentation gets that of another
	declared := func(p manifests.ChannelPlan) manifests.ChannelPlan {
		p.Hosts = []targets.Triple{triple(t, linuxGNU), triple(t, linuxARM)}
		p.Targets = append(p.Hosts, triple(t, wasm))
		return p
	}
	plain := func(p manifests.ChannelPlan) manifests.ChannelPlan { return p }
	tests := []struct {
		name  string
		parts [][]string
		plan  func(manifests.ChannelPlan) manifests.ChannelPlan
	}{
		{"a host each", [][]string{all[:3], withoutDocs(hostFiles(linuxGNU)), withoutDocs(hostFiles(linuxARM))}, plain},
		{"not available here", [][]string{all[:3], withoutDocs(hostFiles(linuxARM)), withoutDocs(hostFiles(linuxGNU))}, declared},
		{"a part of a host", [][]string{all[3:7], all[:3], all[7:11], all[11:]}, plain},
		{"the same twice", [][]string{all, all[:8]}, plain},
		{"formats", [][]string{gzipped(all), all}, plain},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var union []string
			var merged *manifests.Channel
			for _, files := range tt.parts {
				for _, f := range files {
					if !slices.Contains(union, f) {
						union = append(union, f)
					}
				}
				c, err := tt.plan(plan(t, files...)).Channel()
				if err != nil {
					t.Fatal(err)
				}
				if merged == nil {
					merged = c
				} else {
					merged = merge(t, merged, c)
				}
			}
			want, err := tt.plan(plan(t, union...)).Channel()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want.Encode(manifests.DialectDist)), string(merged.Encode(manifests.DialectDist))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func gzipped(files []string) []string {
	out := slices.Clone(files)
	for i, f := range out {
		out[i] = strings.TrimSuffix(f, "xz") + "gz"
	}
	return out
}

func merge(t testing.TB, a, b *manifests.Channel) *manifests.Channel {
	t.Helper()
	out, err := a.Merge(b, manifests.MergeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestMergeErrors(t *testing.T) {
	tests := []struct {
		name   string
		change func(*manifests.Channel)
		want   string
	}{
		{"day", func(c *manifests.Channel) { c.Date = "2026-04-17" },
			`merging channels of 2026-04-16 and 2026-04-17: date: got "2026-04-16" in one channel and "2026-04-17" in the other, want them equal`},
		{"release", func(c *manifests.Channel) {
			editPackage("rust", func(p *manifests.Package) { p.Version = "1.95.1" })(c)
			editPackage("rustc", func(p *manifests.Package) { p.Version = "1.95.1" })(c)
		}, `merging channels of 2026-04-16 and 2026-04-16: pkg.rust.version: got "1.95.0 (59807616e 2026-04-14)" in one channel and "1.95.1" in the other, want them equal`},
		{"commit", editPackage("rust", func(p *manifests.Package) { p.CommitHash = strings.Repeat("0", 40) }),
			`merging channels of 2026-04-16 and 2026-04-16: pkg.rust.git_commit_hash: got "` + stable.CommitHash + `" in one channel and "` + strings.Repeat("0", 40) + `" in the other, want them equal`},
		{"everything else", func(c *manifests.Channel) {
			edit("cargo", linuxGNU, func(t *manifests.PackageTarget) { t.XZ.URL = "https://h/x" })(c)
			editPackage("cargo", func(p *manifests.Package) { p.Version = "0.97.0" })(c)
			c.Renames["rustfmt"] = "clippy-preview"
			c.Packages["rust-src"] = manifests.Package{Targets: map[string]manifests.PackageTarget{linuxGNU: {}}}
			c.Artifacts["source-code"]["*"][0].Hash = manifests.HashOf(nil)
			edit("rust", linuxGNU, func(t *manifests.PackageTarget) { t.Extensions = append(t.Extensions, t.Components[0]) })(c)
		}, `merging channels of 2026-04-16 and 2026-04-16: pkg.cargo.version: got "1.95.0 (59807616e 2026-04-14)" in one channel and "0.97.0" in the other, want them equal
pkg.cargo.target.` + linuxGNU + `.xz_url: got "file:///srv/dist/cargo-1.95.0-` + linuxGNU + `.tar.xz" in one channel and "https://h/x" in the other, want them equal
pkg.rust.target.` + linuxGNU + `: got "rustc" for "` + linuxGNU + `" as component in one channel and as extension in the other, want the same
pkg.rust-src: got "*" in one channel and triples in the other, want the one or the others
artifacts.source-code.target."*"[0].hash-sha256: got "` + manifests.HashOf([]byte("rustc-1.95.0-src.tar.xz")).String() + `" in one channel and "` + emptyDigest + `" in the other, want them equal
renames.rustfmt.to: got "rustfmt-preview" in one channel and "clippy-preview" in the other, want them equal`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, b := build(t, plan(t, twoHosts()...)), build(t, plan(t, twoHosts()...))
			tt.change(b)
			_, err := a.Merge(b, manifests.MergeOptions{})
			if err == nil {
				t.Fatal("got no error")
			}
			if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestMergeAnyRelease adds an own target to a channel of another day.
func TestMergeAnyRelease(t *testing.T) {
	official := build(t, plan(t, hostFiles(linuxGNU)...))
	p := plan(t, "rust-std-1.95.0-"+wasm+".tar.xz")
	p.Date, p.Version.Description, p.URLBase = "2026-05-01", "our own", "https://own.example.org"
	own, err := p.Channel()
	if err != nil {
		t.Fatal(err)
	}
	got, err := official.Merge(own, manifests.MergeOptions{AnyRelease: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range got.Validate() {
		t.Errorf("merged channel: %v", f)
	}
	if got.Date != day || got.Packages["rust-std"].Version != stable.String() {
		t.Errorf("got date %q and version %q, want those of the receiver", got.Date, got.Packages["rust-std"].Version)
	}
	ref := manifests.ComponentRef{Package: "rust-std", Target: wasm}
	if !slices.Contains(got.Packages["rust"].Targets[linuxGNU].Extensions, ref) {
		t.Errorf("the host does not offer %v", ref)
	}
}

// TestMergeKeepsUnlisted leaves a component out of a host's lists on purpose.
func TestMergeKeepsUnlisted(t *testing.T) {
	a, b := build(t, plan(t, hostFiles(linuxGNU)...)), build(t, plan(t, hostFiles(linuxARM)...))
	clippy := func(r manifests.ComponentRef) bool { return r.Package == "clippy-preview" }
	edit("rust", linuxGNU, func(t *manifests.PackageTarget) { t.Extensions = slices.DeleteFunc(t.Extensions, clippy) })(a)
	got := merge(t, a, b).Packages["rust"].Targets
	if slices.ContainsFunc(got[linuxGNU].Extensions, clippy) || !slices.ContainsFunc(got[linuxARM].Extensions, clippy) {
		t.Errorf("got clippy listed where it was not, or not where it was: %v", got)
	}
}

// TestSubsetsMerge takes channels apart in random ways: every part is sound, and
// all of them together are the channel again.
func TestSubsetsMerge(t *testing.T) {
	channels := map[string]*manifests.Channel{"two hosts": build(t, plan(t, twoHosts()...))}
	for _, name := range []string{"stable", "nightly"} {
		t.Run(name, func(t *testing.T) {
			c, err := manifests.ParseChannel(officialManifest(t, name))
			if err != nil {
				t.Fatal(err)
			}
			channels[name] = c
		})
	}
	for name, c := range channels {
		for seed := range uint64(4) {
			t.Run(fmt.Sprint(name, seed), func(t *testing.T) {
				t.Parallel()
				a, b := split(t, c, rand.New(rand.NewPCG(seed, 1)))
				parts := []*manifests.Channel{subset(t, c, a), subset(t, c, b)}
				for i, part := range parts {
					if a.Packages != nil {
						break // a part without components cannot be installed
					}
					for _, f := range part.Validate() {
						t.Errorf("part %d: %v", i, f)
					}
				}
				got := merge(t, parts[seed%2], parts[1-seed%2])
				if diff := cmp.Diff(c, got, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			})
		}
	}
}

// split halves a channel by its packages or by its hosts and targets.
func split(t *testing.T, c *manifests.Channel, r *rand.Rand) (a, b manifests.Selection) {
	if r.IntN(2) == 0 {
		a.Packages, b.Packages = halves(r, slices.Sorted(maps.Keys(c.Packages)))
		return a, b
	}
	var hosts []string
	for host, pt := range c.Packages["rust"].Targets {
		if len(pt.Components) > 0 {
			hosts = append(hosts, host)
		}
	}
	slices.Sort(hosts)
	first, second := halves(r, hosts)
	a.Hosts, b.Hosts = tripleList(t, first), tripleList(t, second)
	first, second = halves(r, slices.Sorted(maps.Keys(c.Packages["rust-std"].Targets)))
	a.Targets, b.Targets = tripleList(t, first), tripleList(t, second)
	return a, b
}

// halves deals names out; both get at least one.
func halves(r *rand.Rand, names []string) (a, b []string) {
	names = slices.Clone(names)
	r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	n := 1 + r.IntN(len(names)-1)
	return names[:n], names[n:]
}

func tripleList(t *testing.T, names []string) []targets.Triple {
	var out []targets.Triple
	for _, name := range names {
		out = append(out, triple(t, name))
	}
	return out
}

func TestDownloads(t *testing.T) {
	var got []string
	for key, d := range smallChannel().Downloads() {
		got = append(got, key+" "+path.Base(d.URL))
	}
	want := []string{
		`pkg.rust.target.a-b.url rust.gz`, `pkg.rust.target.a-b.xz_url rust.xz`, `pkg.rust-src.target."*".zst_url src.zst`,
		`artifacts.installer-msi.target.a-b[0].url a.msi`, `artifacts.installer-msi.target.c-d[0].url c.msi`,
		`artifacts.source-code.target."*"[0].url s.gz`, `artifacts.source-code.target."*"[1].url s.xz`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for range smallChannel().Downloads() {
		break
	}
}
