package manifests_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/manifests"
	"x.go/tests/testenv"
)

// officialManifest returns the manifest that rustup keeps of Rust's own
// channel: about 1 MB.
func officialManifest(t testing.TB, channel string) []byte {
	t.Helper()
	name := filepath.Join(os.Getenv("RUSTUP_HOME"), "toolchains", channel+"-"+linuxGNU, "lib/rustlib/multirust-channel-manifest.toml")
	data, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		testenv.Missing(t, "manifest %s", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestOfficialManifests(t *testing.T) {
	for _, channel := range []string{"stable", "nightly"} {
		t.Run(channel, func(t *testing.T) {
			data := officialManifest(t, channel)
			c, findings, _ := manifests.CheckChannel(data)
			for _, f := range findings {
				t.Errorf("sound manifest: %v", f)
			}
			if got := c.Encode(manifests.DialectInstalled); !bytes.Equal(got, data) {
				t.Errorf("encoding gives other bytes: %s", firstDifference(got, data))
			}
			for _, d := range []manifests.Dialect{manifests.DialectDist, manifests.DialectDist05} {
				again, err := manifests.ParseChannel(c.Encode(d))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(c, again); diff != "" {
					t.Errorf("dialect %d: (-want +got)\n%s", d, diff)
				}
			}
		})
	}
}

// TestOfficialArchiveNames takes the name of every archive of Rust apart.
func TestOfficialArchiveNames(t *testing.T) {
	for _, channel := range []string{"stable", "nightly"} {
		c, err := manifests.ParseChannel(officialManifest(t, channel))
		if err != nil {
			t.Fatal(err)
		}
		for name, p := range c.Packages {
			for target, pt := range p.Targets {
				for f, d := range pt.Downloads() {
					file := filepath.Base(d.URL)
					a, err := manifests.ParseArchiveName(file)
					if err != nil {
						t.Error(err)
						continue
					}
					if a.Component.Package != name || a.Format != f || a.String() != file {
						t.Errorf("%s of %s for %s: got %+v", file, name, target, a)
					}
				}
			}
		}
	}
}

func firstDifference(a, b []byte) string {
	la, lb := strings.SplitAfter(string(a), "\n"), strings.SplitAfter(string(b), "\n")
	for i := range min(len(la), len(lb)) {
		if la[i] != lb[i] {
			return fmt.Sprintf("line %d: got %q, want %q", i+1, la[i], lb[i])
		}
	}
	return fmt.Sprintf("got %d lines, want %d", len(la), len(lb))
}

// smallChannel has one of everything that a dialect lays out.
func smallChannel() *manifests.Channel {
	h := func(s string) manifests.Hash { return manifests.HashOf([]byte(s)) }
	return &manifests.Channel{
		Date: "2026-04-16",
		Packages: map[string]manifests.Package{
			"rust": {Version: "1.95.0", CommitHash: stable.CommitHash, Targets: map[string]manifests.PackageTarget{
				"a-b": {
					Available:  true,
					GZ:         manifests.Download{URL: "https://h/rust.gz", Hash: h("gz")},
					XZ:         manifests.Download{URL: "https://h/rust.xz", Hash: h("xz")},
					Components: []manifests.ComponentRef{{Package: "rustc", Target: "a-b"}},
					Extensions: []manifests.ComponentRef{{Package: "rust-src", Target: "*"}},
				},
				"c-d": {},
			}},
			"rust-src": {Version: "1.95.0", Targets: map[string]manifests.PackageTarget{
				"*": {Available: true, Zst: manifests.Download{URL: "https://h/src.zst", Hash: h("zst")}},
			}},
			"rustc": {Version: `q"\` + "\t\x01\x7fé", Targets: map[string]manifests.PackageTarget{"a-b": {}, "thumbv8m.base-none-eabi": {}}},
		},
		Artifacts: map[string]map[string][]manifests.Download{
			"installer-msi": {"a-b": {{URL: "https://h/a.msi", Hash: h("msi")}}, "c-d": {{URL: "https://h/c.msi", Hash: h("msi")}}},
			"source-code":   {"*": {{URL: "https://h/s.gz", Hash: h("s")}, {URL: "https://h/s.xz", Hash: h("s")}}},
		},
		Renames:  map[string]string{"rustfmt": "rustfmt-preview", "clippy": "clippy-preview"},
		Profiles: map[string][]string{"minimal": {"rustc"}, "default": {"rustc", "rust-docs"}, "complete": {"rustc"}},
	}
}

var update = flag.Bool("update", false, "rewrite the goldens in testdata")

// TestEncodeDialects compares with goldens that
//
//	go test ./manifests -run TestEncodeDialects -update
//
// wrote, and that were read against the layout of Rust's own manifests.
func TestEncodeDialects(t *testing.T) {
	for name, d := range map[string]manifests.Dialect{
		"dist": manifests.DialectDist, "dist05": manifests.DialectDist05, "installed": manifests.DialectInstalled,
	} {
		t.Run(name, func(t *testing.T) {
			golden := filepath.Join("testdata", name+".toml")
			if *update {
				if err := os.WriteFile(golden, smallChannel().Encode(d), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(smallChannel().Encode(d))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestParseChannelReadsItsEncoding(t *testing.T) {
	for _, d := range []manifests.Dialect{manifests.DialectDist, manifests.DialectDist05} {
		got, err := manifests.ParseChannel(smallChannel().Encode(d))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(smallChannel(), got); diff != "" {
			t.Errorf("dialect %d: (-want +got)\n%s", d, diff)
		}
	}
}

func TestParseChannelIgnoresUnknownKeys(t *testing.T) {
	const text = `manifest-version = "2"
date = "2026-04-16"
future = { a = [1, 2], b = 2026-01-01 }

[pkg.rustc]
version = "1"
origin = "here"

[pkg.rustc.target.a-b]
available = false
tar_url = "x"

[next.table]
x = 1
`
	got, err := manifests.ParseChannel([]byte("\ufeff" + text))
	if err != nil {
		t.Fatal(err)
	}
	want := &manifests.Channel{
		Date:     "2026-04-16",
		Packages: map[string]manifests.Package{"rustc": {Version: "1", Targets: map[string]manifests.PackageTarget{"a-b": {}}}},
		Renames:  map[string]string{}, Profiles: map[string][]string{},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestParseChannelErrors(t *testing.T) {
	const head = "manifest-version = \"2\"\ndate = \"2026-04-16\"\n"
	tests := []struct {
		name, in string
		want     []string
	}{
		{"empty", "", []string{`date: got nothing, want a string (key-missing)`, `manifest-version: got nothing, want "2" (manifest-version)`}},
		{"not TOML", head + "x = = 1\n", []string{`3:5: `}},
		{"number as version", "manifest-version = 2\ndate = \"x\"\n", []string{`1:20: manifest-version: `}},
		{"version 1", "manifest-version = \"1\"\ndate = \"x\"\n", []string{`1:1: manifest-version: got "1", want "2"`}},
		{"key twice", head + "date = \"x\"\n", []string{"3:1: "}},
		{"wrong type", head + "[pkg.a]\nversion = \"1\"\n[pkg.a.target.b-c]\navailable = 1\n", []string{"6:13: pkg.a.target.b-c.available: "}},
		{"all missing keys", head + "[pkg.a]\n[pkg.a.target.\"*\"]\n[[pkg.a.target.\"*\".components]]\npkg = \"b\"\n[renames.x]\n", []string{
			"3:6: pkg.a.version: got nothing, want a string (key-missing)",
			`4:15: pkg.a.target."*".available: got nothing, want true or false (key-missing)`,
			`5:20: pkg.a.target."*".components[0].target: got nothing, want a string (key-missing)`,
			"7:10: renames.x.to: got nothing, want a string (key-missing)",
		}},
		{"hashes", head + "[pkg.a]\nversion = \"1\"\n[pkg.a.target.b-c]\navailable = true\nhash = \"\"\nxz_hash = \"" + strings.ToUpper(emptyDigest) + "\"\n", []string{
			`7:1: pkg.a.target.b-c.hash: got "", want 64 lower-case hexadecimal digits (hash)`,
			`8:1: pkg.a.target.b-c.xz_hash: got "E3B0`,
		}},
		{"inline", head + "pkg = { a = { version = \"1\", target = { \"*\" = { available = true, zst_hash = \"q\", extensions = [{ pkg = \"x\" }] } } } }\n", []string{
			`3:67: pkg.a.target."*".zst_hash: got "q"`, `3:83: pkg.a.target."*".extensions[0].target: got nothing`,
		}},
		{"artifact hash", head + "[[artifacts.source-code.target.\"*\"]]\nurl = \"x\"\nhash-sha256 = \"q\"\n", []string{
			`5:1: artifacts.source-code.target."*"[0].hash-sha256: got "q"`,
		}},
		{"unknown profile", head + "[profiles]\nfull = []\n", []string{`4:1: profiles.full: got "full", want minimal, default or complete (profile-name)`}},
		{"deep header", head + "[" + strings.Repeat("a.", 80) + "a]\n", []string{"nested more than 64 deep"}},
		{"long name", head + "[pkg." + strings.Repeat("a", 300) + "]\n", []string{"3:6: pkg: got a name of 300 bytes, want at most 256 (size)"}},
		{"no table", head + "[pkg]\na = 1\n[renames]\nb = 'c'\n[profiles]\nminimal = [1]\n", []string{
			"4:5: pkg.a: got integer 1, want a table", "6:5: renames.b: got string", "8:12: profiles.minimal[0]: got integer 1, want a string",
		}},
		{"large", strings.Repeat("#", 5<<20), []string{"got 5242880 bytes, want at most 4194304 (size)"}},
		{"deep value", head + "x = " + strings.Repeat("[", 1<<20), []string{"3:"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := manifests.ParseChannel([]byte(tt.in))
			var findings manifests.Findings
			if c != nil || !errors.As(err, &findings) {
				t.Fatalf("got %v, %v, want findings", c, err)
			}
			if len(findings) != len(tt.want) {
				t.Errorf("got %d findings, want %d", len(findings), len(tt.want))
			}
			for _, want := range tt.want {
				if !strings.Contains("\n"+err.Error(), "\n"+want) && !strings.Contains(err.Error(), want) {
					t.Errorf("got %v\nwant %s", err, want)
				}
			}
		})
	}
}

func FuzzParseChannel(f *testing.F) {
	for _, d := range []manifests.Dialect{manifests.DialectDist, manifests.DialectDist05, manifests.DialectInstalled} {
		f.Add(smallChannel().Encode(d))
	}
	f.Add([]byte("manifest-version='2'\ndate=''\npkg.a={version='',target.'*'={available=true,components=[{pkg='',target=''}]}}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, findings, _ := manifests.CheckChannel(data)
		if c == nil {
			if len(findings) == 0 {
				t.Fatal("got neither a channel nor a finding")
			}
			return
		}
		for _, d := range []manifests.Dialect{manifests.DialectDist, manifests.DialectDist05} {
			text := c.Encode(d)
			again, err := manifests.ParseChannel(text)
			if err != nil {
				t.Fatalf("dialect %d does not parse: %v\n%s", d, err, text)
			}
			if diff := cmp.Diff(c, again); diff != "" {
				t.Fatalf("dialect %d: (-want +got)\n%s", d, diff)
			}
		}
		installed := c.Encode(manifests.DialectInstalled)
		again, err := manifests.ParseChannel(installed)
		if err != nil {
			t.Fatalf("installed dialect does not parse: %v\n%s", err, installed)
		}
		if !bytes.Equal(again.Encode(manifests.DialectInstalled), installed) {
			t.Fatalf("installed dialect is no fixpoint:\n%s", installed)
		}
	})
}

func BenchmarkParseChannel(b *testing.B) {
	data := officialManifest(b, "stable")
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := manifests.ParseChannel(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeChannel(b *testing.B) {
	data := officialManifest(b, "stable")
	c, err := manifests.ParseChannel(data)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		c.Encode(manifests.DialectInstalled)
	}
}

func BenchmarkValidateChannel(b *testing.B) {
	c, err := manifests.ParseChannel(officialManifest(b, "stable"))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if findings := c.Validate(); findings != nil {
			b.Fatal(findings)
		}
	}
}
