package optouts_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/tests/testenv"
)

// TestReasons has one option each, in cargo's configuration unless a file is named.
func TestReasons(t *testing.T) {
	t.Parallel()
	config := func(flags, comment string) string {
		return "-- .cargo/config.toml --\n[build]\nrustflags = \"" + flags + "\"" + comment + "\n"
	}
	crate := func(name, version string) string {
		return "-- Cargo.lock --\n[[package]]\nname = \"" + name + "\"\nversion = \"" + version + "\"\n"
	}
	flake := func(modified string) string {
		return "-- flake.lock --\n{\"nodes\":{\"rust-overlay\":{\"locked\":{\"lastModified\":" + modified + ",\"repo\":\"rust-overlay\"}}}}\n"
	}
	const off = "-Clinker-features=-lld"
	for _, tt := range []struct{ name, files, release, target, want string }{
		{"linkme, before", config(off, " # linkme"), "1.88.0", "", "refused yes start-stop-gc"},
		{"linkme, since", config(off, " # see dtolnay/linkme#94"), "1.89.0", "", "refused no start-stop-gc"},
		{"linkme in the lock file", config(off, "") + crate("linkme", "0.3.28"), "1.95.0", "", "lld-off no start-stop-gc"},
		{"linkme in the manifest", config(off, "") + "-- Cargo.toml --\n[dependencies]\nlinkme = { version = \"0.3\" }\n", "1.95.0", "", "lld-off no start-stop-gc"},
		{"linkme in the lock file, before", config("-Clink-arg=-fuse-ld=lld -Clink-arg=-Wl,-z,nostart-stop-gc", "") + crate("linkme", "0.3.5"), "1.80.0", "", "lld-on yes faster-links; changes yes start-stop-gc"},
		{"issue of rustc", config(off, " # https://github.com/rust-lang/rust/issues/130397"), "1.95.0", "", "lld-off no start-stop-gc"},
		{"old ctor", config(off, "") + crate("ctor", "0.1.10"), "1.95.0", "", "lld-off yes ctors"},
		{"new ctor", config(off, " # ctor does not run") + crate("ctor", "0.2.6"), "1.95.0", "", "lld-off no ctors"},
		{"ctor of unknown version", config(off, " # .ctors"), "1.95.0", "", "lld-off ? ctors"},
		{"two dependencies, one of them a reason", config(off, "") + "-- Cargo.lock --\n[[package]]\nname = \"linkme\"\nversion = \"0.3.1\"\n[[package]]\nname = \"ctor\"\nversion = \"0.1.9\"\n", "1.95.0", "", "lld-off yes ctors"},
		{"inventory", config(off, "") + crate("inventory", "0.3.15"), "1.95.0", "", "lld-off no inventory"},
		{"GCC LTO", config(off, " # rust-lang/rust#146952"), "1.95.0", "", "lld-off yes gcc-lto"},
		{"comment over the array", "-- .cargo/config.toml --\n[build]\n# slim LTO objects\nrustflags = [\n  \"" + off + "\",\n]\n", "1.95.0", "", "lld-off yes gcc-lto"},
		{"comment over another statement", "-- a.sh --\n# linkme\nx=1\n\nRUSTFLAGS=" + off + "\n", "1.95.0", "", "lld-off ?"},
		{"Nix", "-- flake.nix --\n{ RUSTFLAGS = \"" + off + "\"; }\n", "1.95.0", "", "lld-off ? nix-wrapper"},
		{"Nix with a new overlay", "-- flake.nix --\n{ RUSTFLAGS = \"" + off + "\"; }\n" + flake("1760000000"), "1.95.0", "", "lld-off no nix-wrapper"},
		{"Nix with an old overlay", "-- flake.nix --\n{ RUSTFLAGS = \"" + off + "\"; }\n" + flake("1700000000"), "1.95.0", "", "lld-off yes nix-wrapper"},
		{"old gcc", config(off, " # gcc 8 does not know it"), "1.95.0", "", "lld-off ? old-driver"},
		{"libunwind", config("-Clink-arg=-Wl,--allow-shlib-undefined", " # libunwind"), "1.95.0", "", "changes ? shlib-undefined"},
		{"LLD by hand, before it was the default", config("-Clink-arg=-fuse-ld=lld", ""), "1.89.0", "", "lld-on yes faster-links"},
		{"LLD by hand, since", config("-Clink-arg=-fuse-ld=lld", " # faster"), "1.90.0", "", "none no faster-links"},
		{"old option of nightly", config("-Zgcc-ld=lld", ""), "1.97.0-nightly", "", "refused no faster-links"},
		{"old option of nightly, then", config("-Zgcc-ld=lld", ""), "1.74.0-nightly", "", "lld-on yes faster-links"},
		{"-Z of old, then", config("-Zlinker-features=-lld", ""), "1.89.0-nightly", "", "none no"},
		{"-Z of old, since", config("-Zlinker-features=-lld", " # linkme"), "1.90.0-nightly", "", "refused no start-stop-gc"},
		{"unstable options for nothing", config("-Zunstable-options "+off, ""), "1.95.0-nightly", "", "none no; lld-off ?"},
		{"unstable options for +lld", config("-Zunstable-options -Clinker-features=+lld", ""), "1.89.0-nightly", "", "none no; refused ? faster-links"},
		{"refused for the target", config(off, ""), "1.95.0", "aarch64-unknown-linux-gnu", "refused ?"},
		{"ignored for the target", config("-Zunstable-options "+off, ""), "1.97.0-nightly", "wasm32-unknown-unknown", "changes yes; none no"},
		{"components that nobody reads", config("-Zunstable-options -Clink-self-contained=+crto", ""), "1.97.0-nightly", "", "changes yes; none no"},
		{"wild by -B", config(off+" -Clink-arg=-B/opt/wild", ""), "1.95.0", "", "lld-off yes chosen-linker; changes ? chosen-linker"},
		{"two that do the same", config(off+" -Clink-self-contained=-linker", ""), "1.95.0", "", "lld-off ?; same ?"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := run(t, write(t, tt.files), options(t, tt.release, tt.target))
			var got []string
			for _, f := range r.Findings {
				_, result, _ := strings.Cut(summary(f), " | ")
				got = append(got, result)
			}
			if got := strings.Join(got, "; "); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
				for _, f := range r.Findings {
					t.Logf("%s\n  %s\n  %s\n  %s", f.Option, f.Effect, f.Reason, f.Why)
				}
			}
		})
	}
}

// TestSARIF compares one whole result, and the paths.
func TestSARIF(t *testing.T) {
	t.Parallel()
	dir := write(t, "-- a b/.cargo/config.toml --\n[build]\nrustflags = [\"-C\", \"linker-features=-lld\"] # linkme\n-- README.md --\n-Clinker-features=-lld\n")
	r := run(t, dir, options(t, "1.95.0", ""))
	text, err := r.SARIF("1.2.3", dir)
	testenv.Must(t, err)
	var log struct {
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct {
					Name  string
					Rules []struct{ ID string }
				}
			}
			Results []struct {
				RuleID    string
				RuleIndex int
				Level     string
				Message   struct{ Text string }
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           map[string]int
					}
				}
			}
		}
	}
	testenv.Must(t, json.Unmarshal(text, &log))
	if log.Version != "2.1.0" || len(log.Runs) != 1 || len(log.Runs[0].Results) != 2 {
		t.Fatalf("got %s", text)
	}
	driver, results := log.Runs[0].Tool.Driver, log.Runs[0].Results
	for i, want := range []struct {
		uri, level string
		region     map[string]int
	}{
		{"README.md", "note", map[string]int{"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 23}},
		{"a%20b/.cargo/config.toml", "warning", map[string]int{"startLine": 2, "startColumn": 15, "endLine": 2, "endColumn": 41}},
	} {
		got := results[i]
		at := got.Locations[0].PhysicalLocation
		if at.ArtifactLocation.URI != want.uri || got.Level != want.level || driver.Rules[got.RuleIndex].ID != got.RuleID || got.Message.Text == "" {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if diff := cmp.Diff(want.region, at.Region); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
	// From elsewhere, paths are those in the directory that was named.
	text, err = r.SARIF("1.2.3", filepath.Join(dir, "a b", ".cargo"))
	testenv.Must(t, err)
	if !strings.Contains(string(text), `"uri": "README.md"`) {
		t.Errorf("got %s", text)
	}
}
