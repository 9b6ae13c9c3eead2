package verify_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"x.go/dist/verify"
	"x.go/tests/testenv"
)

// The real client installs, adds, removes and updates from a small channel of
// real components without a compiler. It runs in homes of its own.
func TestClient(t *testing.T) {
	t.Parallel()
	rustup := testenv.Need(t, "rustup")
	dir, _ := channelDir(t, "https://static.rust-lang.org/dist/2026-04-16")
	report := verifyAll(t, verify.Options{Inputs: []string{dir}, Groups: []verify.Group{verify.Client}, Rustup: rustup})
	if got := report.Status(); got != verify.Pass {
		t.Errorf("got %s, failures %q", got, failedNames(report))
	}
	var names []string
	for _, c := range report.Checks {
		names = append(names, c.Name)
	}
	for _, want := range []string{"client/install", "client/component-add", "client/component-remove", "client/target-add", "client/update"} {
		if !slices.Contains(names, want) {
			t.Errorf("got checks %q, want %s among them", names, want)
		}
	}
}

// A refusal is reported with the client's own words.
func TestClientRefuses(t *testing.T) {
	t.Parallel()
	rustup := testenv.Need(t, "rustup")
	dir, _ := channelDir(t, "")
	archives, err := filepath.Glob(filepath.Join(dir, "cargo-*.tar.zst"))
	if err != nil || len(archives) != 1 {
		t.Fatalf("got archives %q, %v; want one", archives, err)
	}
	if err := os.WriteFile(archives[0], []byte("broken"), 0o644); err != nil {
		t.Fatal(err)
	}
	report := verifyAll(t, verify.Options{Inputs: []string{dir}, Groups: []verify.Group{verify.Client}, Rustup: rustup})
	for _, c := range report.Checks {
		if c.Name == "client/install" && (c.Status != verify.Fail || !strings.Contains(c.Detail, "checksum failed")) {
			t.Errorf("got %s, %q; want FAIL with the client's words about a checksum", c.Status, c.Detail)
		}
	}
}

func TestNoClient(t *testing.T) {
	t.Parallel()
	dir, _ := channelDir(t, "")
	report := verifyAll(t, verify.Options{Inputs: []string{dir}, Groups: []verify.Group{verify.Client}})
	if got := report.Status(); got != verify.Skip {
		t.Errorf("got %s, want SKIP", got)
	}
}
