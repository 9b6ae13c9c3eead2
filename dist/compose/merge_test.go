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
	if _, err := compose.Merge(t.Context(), []*compose.Source{open(t, b)}, compose.MergeOptions{}); err == nil || !strings.Contains(err.Error(), "got sha256") {
		t.Errorf("got %v, want an error for other bytes", err)
	}
	d, err := compose.Subset(t.Context(), open(t, b), manifests.Selection{}, compose.MergeOptions{})
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

// Components that collide in one toolchain are refused by their contents, whichever
// channel has them.
func TestMergeCollisions(t *testing.T) {
	t.Parallel()
	linux := write(t, rustc(host), std(host), own("acme-1.0-"+host, "acme", "share/acme/a"))
	a, _ := makeChannel(t, compose.MakeOptions{}, linux)
	for name, test := range map[string]struct {
		other made
		want  string
	}{
		"host against any": {own("data-1.0", "data", "share/acme/a"), `"share/acme/a" belongs to`},
		"below a file":     {own("data-1.0", "data", "share/acme/a/b"), "which is a file of"},
		"two targets":      {made{stem: "rust-std-1.95.0-" + board, component: "rust-std-" + board, files: []string{"lib/rustlib/" + host + "/lib/libstd.rlib"}}, "belongs to"},
	} {
		mine := write(t, test.other)
		b, _ := makeChannel(t, compose.MakeOptions{}, write(t, rustc("aarch64-unknown-linux-gnu")), mine)
		_, err := compose.Merge(t.Context(), []*compose.Source{open(t, a), open(t, b)}, compose.MergeOptions{})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("merge, %s: got %v, want %q", name, err, test.want)
		}
		for _, redirect := range []bool{false, true} {
			_, err = compose.Overlay(t.Context(), open(t, a), []string{mine}, compose.OverlayOptions{Redirect: redirect})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("overlay, %s: got %v, want %q", name, err, test.want)
			}
		}
	}
}

// A release that rustup cannot ask for keeps a name that it takes in each command.
func TestMergeNames(t *testing.T) {
	t.Parallel()
	odd := func(m made) made {
		m.stem = strings.Replace(m.stem, "1.95.0", "1.88.0.0", 1)
		m.version, m.commit = "1.88.0.0", "-"
		return m
	}
	a, _ := makeChannel(t, compose.MakeOptions{Date: "2026-05-05"}, write(t, odd(rustc(host)), odd(std(host))))
	b, _ := makeChannel(t, compose.MakeOptions{Date: "2026-05-05"}, write(t, odd(rustc("aarch64-unknown-linux-gnu"))))
	merged, err := compose.Merge(t.Context(), []*compose.Source{open(t, a), open(t, b)}, compose.MergeOptions{})
	testenv.Must(t, err)
	over, err := compose.Overlay(t.Context(), open(t, a), []string{write(t, odd(std(board)))}, compose.OverlayOptions{})
	testenv.Must(t, err)
	for name, d := range map[string]*compose.Draft{"merge": merged, "overlay": over} {
		if diff := cmp.Diff([]string{"stable", "1.88.0", "1.88"}, d.Names); diff != "" {
			t.Errorf("%s: names (-want +got):\n%s", name, diff)
		}
		if !strings.Contains(strings.Join(d.Notes, "\n"), `rustup cannot ask for "1.88.0.0"`) {
			t.Errorf("%s: got notes %q, want one of the name", name, d.Notes)
		}
	}
}
