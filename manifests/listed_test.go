package manifests_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/manifests"
)

// listedManifest is a channel of two hosts, one more target and a tool of others.
const listedManifest = `manifest-version = "2"
date = "2026-04-16"
[pkg.rust]
version = "1.95.0 (59807616e 2026-04-14)"
[pkg.rust.target.x86_64-unknown-linux-gnu]
available = false
components = [{ pkg = "rustc", target = "x86_64-unknown-linux-gnu" }]
extensions = [{ pkg = "rust-std", target = "wasm32-unknown-unknown" }, { pkg = "clippy-preview", target = "x86_64-unknown-linux-gnu" }, { pkg = "acme", target = "*" }]
[pkg.rust.target.aarch64-unknown-linux-gnu]
available = false
components = [{ pkg = "rustc", target = "aarch64-unknown-linux-gnu" }]
extensions = [{ pkg = "clippy-preview", target = "aarch64-unknown-linux-gnu" }]
[pkg.rustc]
version = "1.95.0 (59807616e 2026-04-14)"
[pkg.rustc.target.x86_64-unknown-linux-gnu]
available = true
[pkg.rustc.target.aarch64-unknown-linux-gnu]
available = true
[pkg.rust-std]
version = "1.95.0 (59807616e 2026-04-14)"
[pkg.rust-std.target.wasm32-unknown-unknown]
available = true
[pkg.clippy-preview]
version = "0.1.95"
[pkg.clippy-preview.target.x86_64-unknown-linux-gnu]
available = true
[pkg.clippy-preview.target.aarch64-unknown-linux-gnu]
available = true
[pkg.acme]
version = "7"
[pkg.acme.target."*"]
available = true
[pkg.reproducible-artifacts]
version = "1.95.0 (59807616e 2026-04-14)"
[pkg.reproducible-artifacts.target.x86_64-unknown-linux-gnu]
available = true
[renames.clippy]
to = "clippy-preview"
`

// What rustup cannot add, since no list that it reads names it, is found.
func TestUnlistedPackages(t *testing.T) {
	const std = `{ pkg = "rust-std", target = "wasm32-unknown-unknown" }, `
	for _, tt := range []struct {
		name     string
		old, new string
		want     []string
	}{
		{name: "all listed"},
		{"a target that no host lists", std, "", []string{"component-unlisted pkg.rust-std.target.wasm32-unknown-unknown"}},
		{"a host's tool, listed by the other host", `{ pkg = "clippy-preview", target = "aarch64-unknown-linux-gnu" }`, `{ pkg = "clippy-preview", target = "x86_64-unknown-linux-gnu" }`,
			[]string{"component-unlisted pkg.clippy-preview.target.aarch64-unknown-linux-gnu"}},
		{"a tool of others", `, { pkg = "acme", target = "*" }`, "", []string{`component-unlisted pkg.acme.target."*"`}},
		{"a tool of others that is not available", "[pkg.acme.target.\"*\"]\navailable = true", "[pkg.acme.target.\"*\"]\navailable = false", nil},
		{"no rename", "[renames.clippy]\nto = \"clippy-preview\"\n", "", []string{"rename-missing renames.clippy"}},
		{"a rename to another", "to = \"clippy-preview\"", "to = \"rustc\"", []string{"rename-missing renames.clippy"}},
	} {
		text := strings.Replace(listedManifest, tt.old, tt.new, 1)
		_, findings, ignored := manifests.CheckChannel([]byte(text))
		var got []string
		for _, f := range findings {
			if f.ID == manifests.FindingComponentUnlisted || f.ID == manifests.FindingRenameMissing {
				got = append(got, string(f.ID)+" "+f.Path)
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || len(ignored) > 0 {
			t.Errorf("%s: (-want +got), ignored keys %v:\n%s", tt.name, ignored, diff)
		}
	}
}

// Keys that readers ignore are told from those that they know, with their place.
func TestIgnoredKeys(t *testing.T) {
	text := strings.NewReplacer(
		"date =", "signed-by = \"me\"\ndate =",
		"version = \"7\"", "version = \"7\"\ngit_comit_hash = \"x\"",
		"[pkg.acme.target.\"*\"]\n", "[pkg.acme.target.\"*\"]\nxz-url = \"x\"\nurl = \"https://example.com/a.tar.gz\"\n",
		"to = \"clippy-preview\"", "to = \"clippy-preview\"\nfrom = \"x\"",
		`{ pkg = "acme", target = "*" }`, `{ pkg = "acme", target = "*", is_extention = true }`,
	).Replace(listedManifest)
	_, _, ignored := manifests.CheckChannel([]byte(text))
	var got []string
	for _, f := range ignored {
		if f.Line == 0 {
			t.Errorf("%s: got no line", f.Path)
		}
		got = append(got, f.Path)
	}
	want := []string{
		"signed-by", "pkg.rust.target.x86_64-unknown-linux-gnu.extensions.is_extention", "pkg.acme.git_comit_hash", `pkg.acme.target."*".xz-url`, "renames.clippy.from",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
