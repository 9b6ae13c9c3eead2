package publishing

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/tests/runx"
	"x.go/tests/storetest"
	"x.go/tests/testenv"
)

// gated runs x publish with its gate.
func (p place) gated(t *testing.T, dir string, args ...string) runx.Result {
	t.Helper()
	return runx.X(t, t.TempDir(), p.env, append(append([]string{"publish"}, args...), dir, p.url)...)
}

// The gate has the real rustup install, add, remove and update from what the store has,
// and stops what it cannot. A release that gets its day from publication is tested as that.
func TestGate(t *testing.T) {
	t.Parallel()
	testenv.Need(t, "rustup")
	first := release{version: "1.97.0-nightly", date: "2026-04-16"}.write(t)
	second := release{version: "1.97.0-nightly", date: "2026-04-16", undated: true, salt: "other"}.write(t)
	bad := release{version: "1.97.0-nightly", date: "2026-04-18"}.write(t)
	p := place{url: t.TempDir()}
	p.must(t, first)
	if r := p.gated(t, second, "--gate", "channel,client", "--date", "2026-04-17"); r.Code != 0 {
		t.Fatalf("got %d\n%s", r.Code, r.Stderr)
	}
	s := p.open(t)
	before := storetest.Names(t, s, "")
	// What users have cannot be installed: nothing shows that they can update.
	cargo := "cargo-nightly-" + host + ".tar.xz"
	good := storetest.Read(t, s, "dist/2026-04-17/"+cargo, 0)
	storetest.Put(t, s, "dist/2026-04-17/"+cargo, "broken")
	if r := p.gated(t, bad, "--gate", "client"); r.Code != 1 || !strings.Contains(r.Stderr, "--allow-skip") || !strings.Contains(r.Stderr, "client/update") {
		t.Errorf("got %d\n%s", r.Code, r.Stderr)
	}
	storetest.Put(t, s, "dist/2026-04-17/"+cargo, good)
	testenv.Must(t, os.WriteFile(filepath.Join(bad, cargo), []byte("broken"), 0o644))
	if r := p.gated(t, bad, "--gate", "static"); r.Code != 1 || !strings.Contains(r.Stderr, "nothing was published") {
		t.Errorf("got %d\n%s", r.Code, r.Stderr)
	}
	if diff := cmp.Diff(before, storetest.Names(t, s, "")); diff != "" {
		t.Error(diff)
	}
}

// The gate as it is without flags: rustup installs each profile of a new channel, adds and
// removes each component, a target, and updates from what the store offers.
func TestDefaultGate(t *testing.T) {
	t.Parallel()
	testenv.Need(t, "rustup")
	components := append(slices.Clone(usual), "clippy", "rust-src")
	k := newKeys(t)
	first := release{version: "1.95.0", date: "2026-04-16", undated: true, components: components}.write(t)
	second := k.sign(t, release{version: "1.96.0", date: "2026-05-28", components: components}.write(t))
	onEach(t, func(t *testing.T, p place) {
		for _, args := range [][]string{{first}, {second, "--keyring", k.public, "--keyring", k.minisignPublic}} {
			r := p.gated(t, args[0], append(args[1:], "--verbose")...)
			if r.Code != 0 || !strings.Contains(r.Stderr, "x: the gate: 0 failed, 0 skipped") {
				t.Fatalf("got %d\n%s", r.Code, r.Stderr)
			}
			for _, want := range []string{"install minimal", "install default", "install complete", "component clippy-preview", "component rust-src", "update"} {
				if !strings.Contains(r.Stderr, "x: asking rustup: "+want) {
					t.Errorf("the gate does not %s:\n%s", want, r.Stderr)
				}
			}
		}
		s := p.open(t)
		sound(t, s)
		if got := offered(t, s, "stable"); got != "2026-05-28" {
			t.Errorf("stable is of %s", got)
		}
	})
}
