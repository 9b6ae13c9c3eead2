package mirror_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"x.go/dist/mirror"
	"x.go/manifests"
	"x.go/tests/testenv"
)

// small publishes one stable release.
func small(t testing.TB) *server {
	up := newServer(t)
	up.publish(t, release{version: "1.96.0", date: day(1), hosts: []string{gnu}})
	return up
}

var victim = "dist/" + day(1) + "/cargo-1.96.0-" + gnu + ".tar.xz"

// rewrite changes the manifests of a server, and their checksums.
func (s *server) rewrite(t testing.TB, from, to string) {
	t.Helper()
	for name, text := range tree(t, s.dir) {
		if strings.HasSuffix(name, ".toml") {
			text = strings.ReplaceAll(text, from, to)
			s.signed(t, name, text)
		}
	}
}

// A source that means harm, or is broken, is refused: in bounded time, with an error
// that says why, and with nothing under the final name. The channel does not move.
func TestHostileUpstream(t *testing.T) {
	t.Parallel()
	official := manifests.OfficialServer + "/dist/" + day(1) + "/cargo-1.96.0-" + gnu + ".tar.xz"
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader("x"))
	}))
	t.Cleanup(elsewhere.Close)
	on := func(name string, do http.HandlerFunc) func(*server) {
		return func(s *server) {
			s.answer(func(w http.ResponseWriter, r *http.Request) bool {
				if strings.TrimPrefix(r.URL.Path, "/") != name {
					return false
				}
				do(w, r)
				return true
			})
		}
	}
	manifest := "dist/channel-rust-stable.toml"
	url := func(to string) func(*server) { return func(s *server) { s.rewrite(t, official, to) } }
	tests := map[string]struct {
		change func(*server)
		want   string
	}{
		"huge manifest": {on(manifest, func(w http.ResponseWriter, _ *http.Request) {
			for block := bytes.Repeat([]byte("# nothing\n"), 1<<16); ; {
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		}), "more than 64 MiB"},
		"deep manifest":   {func(s *server) { s.rewrite(t, "manifest-version", strings.Repeat("[", 100000)+"x") }, "reading manifest"},
		"escape":          {url(manifests.OfficialServer + "/dist/../../../etc/passwd"), "neither in dist nor"},
		"escape in a day": {url(manifests.OfficialServer + "/dist/" + day(1) + "/../../x.tar.xz"), "neither in dist nor"},
		"encoded escape":  {url(manifests.OfficialServer + "/dist/%2e%2e%2f%2e%2e%2fx.tar.xz"), "behind a %"},
		"encoded dots":    {url(manifests.OfficialServer + "/dist/%2e%2e/x.tar.xz"), "neither in dist nor"},
		"backslash":       {url(manifests.OfficialServer + `/dist/..\\..\\x.tar.xz`), "backslash"},
		"control":         {url(manifests.OfficialServer + "/dist/a%0ab.tar.xz"), "plain address"},
		"a manifest":      {url(manifests.OfficialServer + "/dist/channel-rust-stable.toml"), "name of a manifest"},
		"a checksum":      {url(manifests.OfficialServer + "/dist/x.tar.xz.sha256"), "name of a manifest"},
		"own names":       {url(manifests.OfficialServer + "/dist/.x-lock"), "hidden"},
		"other place":     {url("https://elsewhere.example/dist/x.tar.xz"), "want it below " + manifests.OfficialServer},
		"other tree":      {url(manifests.OfficialServer + "/rustup/release-stable.toml"), "want it below " + manifests.OfficialServer},
		"file":            {url("file:///etc/passwd"), "want it below"},
		"redirect": {on(victim, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+"/x", http.StatusFound)
		}),
			"sends on to another one"},
		"redirect of a manifest": {on(manifest, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+"/x", http.StatusFound)
		}), "sends on to another one"},
		"redirect in a ring": {on(victim, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }), "redirects"},
		"slow": {on(victim, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000000")
			for r.Context().Err() == nil {
				_, _ = w.Write([]byte("x"))
				_ = http.NewResponseController(w).Flush()
				time.Sleep(time.Millisecond)
			}
		}), "too slowly"},
		"slow manifest": {on(manifest+".sha256", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = w.Write([]byte("x"))
				_ = http.NewResponseController(w).Flush()
				time.Sleep(time.Millisecond)
			}
		}), "too slowly"},
		"too long": {on(victim, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bytes.Repeat([]byte("x"), 100)) }), "got sha256"},
		"endless": {on(victim, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(1<<40))
			w.WriteHeader(http.StatusOK)
		}), "EOF"},
		"without size": {on(victim, func(w http.ResponseWriter, _ *http.Request) {
			_ = http.NewResponseController(w).Flush()
			_, _ = w.Write([]byte("x"))
		}), "does not tell the size"},
		"slow to answer": {on(victim, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), "too slowly"},
		"wrong digest": {on(victim, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("cargo-1.96.0-" + gnu + ".tar.xz is " + day(1)))
		}), "got sha256"},
		"truncated": {on(victim, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("cargo"))
		}), "unexpected EOF"},
		"gone":           {func(s *server) { testenv.Must(t, os.Remove(filepath.Join(s.dir, victim))) }, `got status "404`},
		"error":          {on(victim, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }), `got status "500`},
		"torn":           {func(s *server) { s.write(t, manifest+".sha256", strings.Repeat("0", 63)+"1\n") }, "as its checksum file says"},
		"no digest":      {func(s *server) { s.rewrite(t, "xz_hash", "other_hash") }, "got no digest"},
		"not a manifest": {func(s *server) { s.signed(t, manifest, "<html>") }, "reading manifest"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			up := small(t)
			s, dir := openStore(t)
			tt.change(up)
			o := mirror.Options{Source: up.url, Channels: []string{"stable"}}
			if strings.HasPrefix(name, "slow") {
				o.Patience = 300 * time.Millisecond
			}
			_, err := mirror.Run(t.Context(), s, o)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
			if strings.Contains(fmt.Sprint(err), "\x1b") || len(fmt.Sprint(err)) > 8000 {
				t.Errorf("got an error of %d bytes", len(err.Error()))
			}
			if has(t, dir, "") {
				for name := range tree(t, dir) {
					if path.Base(name) == path.Base(victim) || strings.HasPrefix(path.Base(name), "channel-rust-") || !strings.HasPrefix(name, "dist/"+day(1)+"/") {
						t.Errorf("%s is there", name)
					}
				}
			}
		})
	}
}

// A server that may be sent on to is one of the options; archives are checked anyway.
func TestAllowedRedirect(t *testing.T) {
	t.Parallel()
	up, cdn := small(t), small(t)
	up.answer(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, ".tar.xz") {
			http.Redirect(w, r, cdn.url+r.URL.Path, http.StatusFound)
			return true
		}
		return false
	})
	s, _ := openStore(t)
	host := val(url.Parse(cdn.url))(t).Host
	run(t, s, mirror.Options{Source: up.url, Channels: []string{"stable"}, Redirects: []string{host}})
	intact(t, s)
}

// A connection that breaks is taken up where it broke, and what a killed run has got of
// a large file is not fetched again.
func TestResume(t *testing.T) {
	t.Parallel()
	up := small(t)
	large := bytes.Repeat([]byte("0123456789abcdef"), 20<<20/16)
	small := large[:1<<20]
	s, dir := openStore(t)
	cache := val(os.OpenRoot(t.TempDir()))(t)
	defer cache.Close()
	for _, content := range [][]byte{small, large} {
		old := val(os.ReadFile(filepath.Join(up.dir, victim)))(t)
		up.signed(t, victim, string(content))
		up.rewrite(t, manifests.HashOf(old).String(), manifests.Hash(sha256.Sum256(content)).String())
		var sent, ranges atomic.Int64
		var dead atomic.Bool // after one part, the server is gone
		dead.Store(len(content) == len(large))
		up.answer(func(w http.ResponseWriter, r *http.Request) bool {
			if "/"+victim != r.URL.Path {
				return false
			}
			from := 0
			if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from); err == nil {
				ranges.Add(1)
			}
			if dead.Load() && from > 0 {
				panic(http.ErrAbortHandler)
			}
			w.Header().Set("Content-Length", strconv.Itoa(len(content)-from))
			if from > 0 {
				w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(content)-1, len(content)))
				w.WriteHeader(http.StatusPartialContent)
			}
			n, _ := w.Write(content[from:min(len(content), from+len(content)*3/5)])
			sent.Add(int64(n))
			if from+n < len(content) {
				_ = http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			}
			return true
		})
		o := mirror.Options{Source: up.url, Channels: []string{"stable"}, Cache: cache}
		if dead.Load() {
			if _, err := mirror.Run(t.Context(), s, o); err == nil {
				t.Error("a server that is gone: got no error")
			}
			dead.Store(false)
		}
		run(t, s, o)
		if got := val(os.ReadFile(filepath.Join(dir, victim)))(t); !bytes.Equal(got, content) {
			t.Errorf("%d bytes: got others", len(content))
		}
		if ranges.Load() == 0 || sent.Load() > int64(len(content))*2 {
			t.Errorf("%d bytes: got %d requests for a rest and %d bytes sent", len(content), ranges.Load(), sent.Load())
		}
		intact(t, s)
	}
	if left := tree(t, cache.Name()); len(left) > 0 {
		t.Errorf("the cache still has %d files", len(left))
	}
}

// A file that fails does not cost the others: the next run brings what is missing. The
// channel keeps the old release meanwhile.
func TestFailedChannelStays(t *testing.T) {
	t.Parallel()
	up := small(t)
	s, dir := openStore(t)
	o := mirror.Options{Source: up.url, Channels: []string{"stable", "1.96.0"}}
	run(t, s, o)
	before := tree(t, dir)["dist/channel-rust-stable.toml"]
	up.publish(t, release{version: "1.97.0", date: day(2), hosts: []string{gnu}})
	bad := "/dist/" + day(2) + "/cargo-1.97.0-" + gnu + ".tar.xz"
	up.answer(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == bad {
			_, _ = w.Write([]byte("wrong"))
			return true
		}
		return false
	})
	r, err := mirror.Run(t.Context(), s, o)
	if err == nil || !strings.Contains(err.Error(), "channel stable: ") || len(r.Channels) != 1 || r.Channels[0].Name != "1.96.0" {
		t.Errorf("got %v and channels %v, want an error of stable alone", err, r.Channels)
	}
	if tree(t, dir)["dist/channel-rust-stable.toml"] != before || has(t, dir, strings.TrimPrefix(bad, "/")) {
		t.Error("the channel has moved, or the wrong file is there")
	}
	intact(t, s)
	up.hook.Store(nil)
	up.archives()
	run(t, s, o)
	if got := up.archives(); len(got) != 1 || "/"+got[0] != bad {
		t.Errorf("the next run asked for %q, want the file that had failed", got)
	}
	intact(t, s)
}
