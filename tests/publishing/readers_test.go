package publishing

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"x.go/manifests"
	"x.go/tests/runx"
	"x.go/tests/storetest"
	"x.go/tests/testenv"
)

// What reads a store and what cleans it up does so on each kind of store: a page for
// people, a server, a check of all of it, a retention rule.
func TestReaders(t *testing.T) {
	t.Parallel()
	dirs := []string{
		release{version: "1.97.0-nightly", date: "2026-04-16", components: append(slices.Clone(usual), "clippy")}.write(t),
		release{version: "1.97.0-nightly", date: "2026-04-17"}.write(t),
	}
	onEach(t, func(t *testing.T, p place) {
		p.must(t, dirs[0])
		p.must(t, dirs[1], "--allow-gone", "clippy-preview")
		s := p.open(t)
		dir := t.TempDir()
		runx.Must(t, dir, p.env, "channel", "page", "--out", "page", p.url)
		var page strings.Builder
		for name, text := range testenv.Tree(t, filepath.Join(dir, "page")) {
			page.WriteString(name + text)
		}
		for _, want := range []string{"2026-04-17", "clippy"} {
			if !strings.Contains(page.String(), want) {
				t.Errorf("the page has no %q", want)
			}
		}
		served(t, p)
		runx.Must(t, dir, p.env, "verify", "--store", p.url)

		if r := runx.X(t, dir, p.env, "channel", "prune", p.url); r.Code != 2 || !strings.Contains(r.Stderr, "--keep-days") {
			t.Errorf("no rule: got %d, %s", r.Code, r.Stderr)
		}
		before := storetest.Names(t, s, "")
		runx.Must(t, dir, p.env, "channel", "prune", "--newest", "1", p.url)
		if got := storetest.Names(t, s, ""); !slices.Equal(got, before) {
			t.Errorf("without --yes: got %q, want %q", got, before)
		}
		runx.Must(t, dir, p.env, "channel", "prune", "--newest", "1", "--yes", p.url)
		if got := storetest.Names(t, s, "dist/2026-04-16/"); got != nil {
			t.Errorf("pruned, and yet the store has %q", got)
		}
		sound(t, s)
		runx.Must(t, dir, p.env, "verify", "--store", p.url)
	})
}

// served requires that x serve answers for a store as for a directory: whole files, parts
// of them, and lists.
func served(t *testing.T, p place) {
	t.Helper()
	cmd := runx.Command(t, t.TempDir(), p.env, "serve", "--listen", "127.0.0.1:0", p.url)
	stdout, err := cmd.StdoutPipe()
	testenv.Must(t, err)
	testenv.Must(t, cmd.Start())
	defer func() {
		testenv.Must(t, cmd.Process.Signal(os.Interrupt))
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	testenv.Must(t, err)
	url, _ := strings.CutPrefix(strings.TrimSpace(line), "export RUSTUP_DIST_SERVER=")
	const cargo = "/dist/2026-04-17/cargo-nightly-" + host + ".tar.xz"
	want := storetest.Read(t, p.open(t), cargo[1:], 0)
	for _, tt := range []struct {
		path, header string
		status       int
		body         string // that or, of a list, a part of it
	}{
		{cargo, "", http.StatusOK, want},
		{cargo, "bytes=5-14", http.StatusPartialContent, want[5:15]},
		{cargo + ".sha256", "", http.StatusOK, string(manifests.FormatChecksum(manifests.HashOf([]byte(want)), filepath.Base(cargo)))},
		{"/dist/", "", http.StatusOK, "channel-rust-nightly.toml"},
		{"/dist/none", "", http.StatusNotFound, ""},
	} {
		req, err := http.NewRequest(http.MethodGet, url+tt.path, nil)
		testenv.Must(t, err)
		if tt.header != "" {
			req.Header.Set("Range", tt.header)
		}
		resp, err := http.DefaultClient.Do(req)
		testenv.Must(t, err)
		data, err := io.ReadAll(resp.Body)
		testenv.Must(t, errors.Join(err, resp.Body.Close()))
		status, body := resp.StatusCode, string(data)
		if status != tt.status || body != tt.body && !(strings.HasSuffix(tt.path, "/") && strings.Contains(body, tt.body)) && tt.body != "" {
			t.Errorf("%s %s: got status %d and %.80q, want %d and %.80q", tt.path, tt.header, status, body, tt.status, tt.body)
		}
	}
}
