package compose_test

import (
	"context"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist/channel"
	"x.go/dist/compose"
	"x.go/manifests"
	"x.go/targets"
	"x.go/tests/testenv"
)

const board = "riscv32-acme-none-elf"

// serve serves a flat directory and obeys its redirects.
func serve(t *testing.T, dir string) string {
	t.Helper()
	d, err := channel.OpenDir(dir)
	testenv.Must(t, err)
	rules, err := channel.ReadRedirects(d)
	testenv.Must(t, err)
	s, err := channel.Listen(channel.Options{Listen: "127.0.0.1:0", Files: func(context.Context) fs.FS { return d }, Redirects: rules})
	testenv.Must(t, err)
	t.Cleanup(func() { _ = s.Close(); _ = d.Close() })
	return s.URL()
}

// archives are the names of archives in a directory.
func archives(t *testing.T, dir string) []string {
	return slices.DeleteFunc(testenv.List(t, dir), func(name string) bool {
		_, _, ok := manifests.CutFormat(name)
		return !ok
	})
}

// answers returns the status of each path, and where else it is.
func answers(t *testing.T, server string, paths ...string) map[string]string {
	t.Helper()
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	out := map[string]string{}
	for _, path := range paths {
		resp, err := client.Get(server + path)
		testenv.Must(t, err)
		resp.Body.Close()
		out[path] = strings.TrimSpace(resp.Status[:3] + " " + resp.Header.Get("Location"))
	}
	return out
}

// The real rustup installs the base through a redirect and what lies over it from here,
// adds more after the channel moved to another server, and updates to the next overlay.
func TestOverlayForRustup(t *testing.T) {
	t.Parallel()
	const day = compose.DefaultURL + "/2026-04-14"
	base, _ := makeChannel(t, compose.MakeOptions{URL: day}, write(t, rustc(host), std(host), tool("cargo", "cargo")))
	upstream := serve(t, base)
	mine := write(t, std(board), own("acme-sdk-2.3-"+host, "acme-sdk", "bin/sdk"), own("acme-data-1.0", "acme-data", "share/acme/data"))
	lay := func(places ...string) (string, *compose.Draft) {
		d, err := compose.Overlay(t.Context(), open(t, upstream+"/dist/channel-rust-stable.toml"), places, compose.OverlayOptions{Redirect: true})
		testenv.Must(t, err)
		return writeDraft(t, d, filepath.Join(t.TempDir(), "dist")), d
	}
	out, d := lay(mine)
	if diff := cmp.Diff(archives(t, mine), archives(t, out)); diff != "" {
		t.Errorf("archives (-want +got):\n%s", diff)
	}
	if !strings.Contains(strings.Join(d.Notes, "\n"), "sign it") {
		t.Errorf("got notes %q, want one of signatures", d.Notes)
	}
	r := newRustup(t, out)
	r.server = serve(t, out)
	r.install("stable", "minimal")
	r.run("target", "add", "--toolchain", "stable-"+host, board)
	r.server = serve(t, out)
	r.run("component", "add", "--toolchain", "stable-"+host, "acme-data")
	r.run("component", "remove", "--toolchain", "stable-"+host, "cargo")
	r.run("component", "add", "--toolchain", "stable-"+host, "cargo")
	next, _ := lay(mine, write(t, std("wasm32-wasip1")))
	r.server = serve(t, next)
	r.run("update", "--no-self-update", "--force-non-host", "stable-"+host)
	r.run("target", "add", "--toolchain", "stable-"+host, "wasm32-wasip1")
	want := []string{"acme-data", "cargo-" + host, "rust-std-" + board, "rust-std-wasm32-wasip1", "rust-std-" + host, "rustc-" + host}
	if diff := cmp.Diff(want, r.has("stable")); diff != "" {
		t.Errorf("installed (-want +got):\n%s", diff)
	}

	// The same by copies, of a part of the base and with a host of one's own.
	triple, err := targets.ParseTriple(host)
	testenv.Must(t, err)
	const other = "powerpc64-acme-linux-gnu"
	places := []string{mine, write(t, rustc(other), std(other))}
	d, err = compose.Overlay(t.Context(), open(t, base), places, compose.OverlayOptions{Part: manifests.Selection{Hosts: []targets.Triple{triple}, Packages: []string{"rustc", "rust-std"}}})
	testenv.Must(t, err)
	copied := writeDraft(t, d, filepath.Join(t.TempDir(), "dist"))
	if got := len(archives(t, copied)); got != 7 || len(d.Redirects) > 0 {
		t.Errorf("got archives %q, rules %v", archives(t, copied), d.Redirects)
	}
	if got := parse(t, copied, "stable").Hosts(); !cmp.Equal([]string{other, host}, got) {
		t.Errorf("got hosts %q", got)
	}
	r = newRustup(t, copied)
	r.install("stable", "minimal")
	r.run("target", "add", "--toolchain", "stable-"+host, board)
}

// All URLs are below Rust's own server, whatever the base has: rustup keeps them in an
// installed toolchain.
func TestOverlayRules(t *testing.T) {
	t.Parallel()
	plain := func(url string) *compose.Source {
		dir, _ := makeChannel(t, compose.MakeOptions{URL: url}, write(t, rustc(host), std(host)))
		return open(t, dir)
	}
	mine := write(t, std(board))
	for _, test := range []struct {
		name, url, upstream string
		rules               map[string]string
		want                string // of the error
	}{
		{"official", compose.DefaultURL + "/2026-04-14", "", map[string]string{"/dist": "https://static.rust-lang.org/dist"}, ""},
		{"upstream", compose.DefaultURL, "https://mirror.example/rust/", map[string]string{"/dist": "https://mirror.example/rust/dist"}, ""},
		{"other server", "https://acme.example/rust/dist/2026-04-14", "", map[string]string{"/dist": "https://acme.example/rust/dist"}, ""},
		{"without dist", "https://acme.example/files", "", map[string]string{"/dist": "https://acme.example/files"}, ""},
		{"file", "file:///srv/dist", "", nil, "leave out --redirect"},
		{"login", "https://me:secret@acme.example/dist", "", nil, "a host and a path alone"},
	} {
		d, err := compose.Overlay(t.Context(), plain(test.url), []string{mine}, compose.OverlayOptions{Redirect: true, Upstream: test.upstream})
		if test.want != "" {
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: got %v, want %q", test.name, err, test.want)
			}
			continue
		}
		testenv.Must(t, err)
		got := map[string]string{}
		for _, r := range d.Redirects {
			if r.Target() != "" {
				got[r.Prefix()] = r.Target()
			}
		}
		if diff := cmp.Diff(test.rules, got); diff != "" {
			t.Errorf("%s: rules (-want +got):\n%s", test.name, diff)
		}
		for key, dl := range d.Channel.Downloads() {
			if !strings.HasPrefix(dl.URL, compose.DefaultURL+"/") {
				t.Errorf("%s: %s: got %q, want it below %s", test.name, key, dl.URL, compose.DefaultURL)
			}
		}
	}
}

// What does not fit the base is refused.
func TestOverlayRefuses(t *testing.T) {
	t.Parallel()
	dir, _ := makeChannel(t, compose.MakeOptions{}, write(t, rustc(host), std(host), tool("cargo", "cargo")))
	base := open(t, dir)
	with := func(m made, change func(*made)) made { change(&m); return m }
	bigger := with(rustc(host), func(m *made) { m.files = append(m.files, "bin/rustdoc") })
	for name, test := range map[string]struct {
		place string
		want  string
	}{
		"other commit":   {write(t, with(std(board), func(m *made) { m.commit = strings.Repeat("1", 40) })), "want one release and one commit"},
		"other version":  {write(t, with(std(board), func(m *made) { m.version = "1.95.1" })), "--any-release"},
		"base has it":    {write(t, bigger), "say --replace"},
		"the same":       {write(t, std(host)), "has all of the archives already"},
		"no host for it": {write(t, made{stem: "clippy-1.95.0-" + board, component: "clippy-preview", files: []string{"bin/clippy"}}), "component-unlisted"},
		"collision":      {write(t, own("a-1.0", "a", "share/x"), own("b-1.0", "b", "share/x")), "belongs to"},
	} {
		_, err := compose.Overlay(t.Context(), base, []string{test.place}, compose.OverlayOptions{})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
	d, err := compose.Overlay(t.Context(), base, []string{write(t, bigger)}, compose.OverlayOptions{Replace: true})
	testenv.Must(t, err)
	if notes := strings.Join(d.Notes, "\n"); !strings.Contains(notes, `replaced in the base: "rustc"`) {
		t.Errorf("got notes %q, want one of what is replaced", d.Notes)
	}
	out := writeDraft(t, d, filepath.Join(t.TempDir(), "dist"))
	newRustup(t, out).install("stable", "default")
	data, err := os.ReadFile(filepath.Join(out, "rustc-1.95.0-"+host+".tar.gz.sha256"))
	testenv.Must(t, err)
	want, _, err := manifests.ParseChecksum(data)
	testenv.Must(t, err)
	if got := parse(t, out, "stable").Packages["rustc"].Targets[host].GZ.Hash; got != want {
		t.Errorf("rustc: got sha256 %s, want %s", got, want)
	}
}
