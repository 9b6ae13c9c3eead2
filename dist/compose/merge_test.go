package compose_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist/compose"
	"x.go/manifests"
	"x.go/targets"
	"x.go/tests/testenv"
)

func open(t *testing.T, place string) *compose.Source {
	t.Helper()
	s, err := compose.Open(t.Context(), place)
	testenv.Must(t, err)
	return s
}

// The real rustup installs from a merged channel, updates to one with more, and adds
// what only the other part had; a part of it installs, too.
func TestMergeForRustup(t *testing.T) {
	t.Parallel()
	const arm = "aarch64-unknown-linux-gnu"
	linux, _ := makeChannel(t, compose.MakeOptions{}, write(t, rustc(host), std(host)))
	other, _ := makeChannel(t, compose.MakeOptions{URL: "https://example.org/rust/dist"},
		write(t, rustc(arm), std(arm), std("wasm32-wasip1"), own("acme-data-1.0", "acme-data", "share/acme")))
	d, err := compose.Merge(t.Context(), []*compose.Source{open(t, linux), open(t, other)}, compose.MergeOptions{})
	testenv.Must(t, err)
	r := newRustup(t, linux)
	r.install("stable", "minimal")
	writeDraft(t, d, linux)
	r.run("update", "--no-self-update", "--force-non-host", "stable-"+host)
	r.run("target", "add", "--toolchain", "stable-"+host, "wasm32-wasip1")
	r.run("component", "add", "--toolchain", "stable-"+host, "acme-data")
	want := []string{"acme-data", "rust-std-wasm32-wasip1", "rust-std-" + host, "rustc-" + host}
	if diff := cmp.Diff(want, r.has("stable")); diff != "" {
		t.Errorf("installed (-want +got):\n%s", diff)
	}
	for key, dl := range parse(t, linux, "stable").Downloads() {
		if !strings.HasPrefix(dl.URL, compose.DefaultURL+"/") {
			t.Errorf("%s: got %q, want it below %s", key, dl.URL, compose.DefaultURL)
		}
	}
	triple, err := targets.ParseTriple(host)
	testenv.Must(t, err)
	part, err := compose.Subset(t.Context(), open(t, linux), manifests.Selection{Hosts: []targets.Triple{triple}, Targets: []targets.Triple{}}, compose.MergeOptions{})
	testenv.Must(t, err)
	out := writeDraft(t, part, filepath.Join(t.TempDir(), "dist"))
	if got := parse(t, out, "1.95").Hosts(); !cmp.Equal([]string{host}, got) {
		t.Errorf("got hosts %q", got)
	}
	small := newRustup(t, out)
	small.install("stable", "minimal")
}

// What cannot be merged is named; an archive with other bytes is not copied.
func TestMergeRefuses(t *testing.T) {
	t.Parallel()
	a, _ := makeChannel(t, compose.MakeOptions{}, write(t, rustc(host), std(host)))
	b, _ := makeChannel(t, compose.MakeOptions{Date: "2026-05-01"}, write(t, rustc(host), std(host), tool("cargo", "cargo")))
	if _, err := compose.Merge(t.Context(), []*compose.Source{open(t, a), open(t, b)}, compose.MergeOptions{}); err == nil || !strings.Contains(err.Error(), "date: got") {
		t.Errorf("got %v, want an error for two days", err)
	}
	if _, err := compose.Merge(t.Context(), []*compose.Source{open(t, a), open(t, b)}, compose.MergeOptions{AnyRelease: true}); err != nil {
		t.Error(err)
	}
	testenv.Must(t, os.WriteFile(filepath.Join(b, "cargo-1.95.0-"+host+".tar.gz"), []byte("changed"), 0o644))
	d, err := compose.Merge(t.Context(), []*compose.Source{open(t, b)}, compose.MergeOptions{})
	testenv.Must(t, err)
	root, err := os.OpenRoot(t.TempDir())
	testenv.Must(t, err)
	defer root.Close()
	if _, err := d.Write(t.Context(), root, nil); err == nil || !strings.Contains(err.Error(), "got sha256") {
		t.Errorf("got %v, want an error for other bytes", err)
	}
	if left := testenv.List(t, root.Name()); len(left) > 0 {
		t.Errorf("got files %q, want none", left)
	}
}
