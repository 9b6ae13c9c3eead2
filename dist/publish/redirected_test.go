package publish

import (
	"context"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"x.go/dist/channel"
	"x.go/dist/mirror"
	"x.go/dist/store"
	"x.go/dist/verify"
	"x.go/manifests"
	"x.go/tests/testenv"
)

// overlay writes a channel whose component acme is here, and rustc at a server.
func overlay(t *testing.T, version, date, upstream string) string {
	t.Helper()
	dir := t.TempDir()
	c := channelOf(version, date, "rustc", "acme")
	for _, f := range manifests.ChannelFiles([]string{"stable"}, "", c, manifests.DialectDist) {
		testenv.Must(t, os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o644))
	}
	testenv.Must(t, os.WriteFile(filepath.Join(dir, "acme-"+host+".tar.xz"), []byte(version+"acme"), 0o644))
	rule, err := channel.NewRedirect("/dist", upstream+"/dist")
	testenv.Must(t, err)
	testenv.Must(t, os.WriteFile(filepath.Join(dir, channel.RedirectsFile), channel.FormatRedirects([]channel.Redirect{rule}), 0o644))
	return dir
}

// An overlay is published with its rules; what other servers have is not required in the
// store, but the gate asks for it.
func TestPublishOverlay(t *testing.T) {
	t.Parallel()
	const version, date = "1.95.0 (59807616e 2026-04-14)", "2026-04-16"
	rustc := "/dist/" + date + "/rustc-" + host + ".tar.xz"
	has := true
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != rustc || !has {
			http.NotFound(w, r)
		}
	}))
	defer upstream.Close()
	dir := overlay(t, version, date, upstream.URL)
	s, err := store.Open(t.Context(), t.TempDir())
	testenv.Must(t, err)
	defer s.Close()
	plan, err := New(t.Context(), s, Options{Dir: dir, Date: "2026-04-17", PublicURL: "https://rust.example.org"})
	testenv.Must(t, err)
	if plan.Redirected != 1 || !strings.Contains(strings.Join(plan.Notes, "\n"), "1 files stay on other servers") {
		t.Errorf("got %d files redirected, notes %q", plan.Redirected, plan.Notes)
	}
	gate := verify.Options{Groups: []verify.Group{verify.Channel}, Expect: verify.Auto}
	present := func() string {
		report, err := plan.Gate(t.Context(), gate)
		testenv.Must(t, err)
		for _, c := range report.Checks {
			if strings.HasSuffix(c.Name, "present") {
				return string(c.Status) + " " + c.Detail
			}
		}
		return ""
	}
	if got := present(); !strings.HasPrefix(got, "PASS") || !strings.Contains(got, "1 of them are on other servers, which have them: their digests were not checked") {
		t.Errorf("the gate: got %q", got)
	}
	has = false
	if got := present(); !strings.HasPrefix(got, "FAIL") || !strings.Contains(got, "404") {
		t.Errorf("the gate without the base: got %q", got)
	}
	_, err = plan.Run(t.Context())
	testenv.Must(t, err)
	// Of the two, the day of the publication has what is here; the base keeps its own.
	files := s.FS(t.Context())
	data, err := fs.ReadFile(files, "dist/channel-rust-stable.toml")
	testenv.Must(t, err)
	for _, url := range []string{rustc, "/dist/2026-04-17/acme-" + host + ".tar.xz"} {
		if !strings.Contains(string(data), `"`+manifests.OfficialServer+url+`"`) {
			t.Errorf("the manifest does not name %s", url)
		}
	}
	rules, err := channel.ReadRedirects(files)
	testenv.Must(t, err)
	if to, ok := channel.RedirectFor(rules, rustc[1:]); !ok || to != upstream.URL+rustc {
		t.Errorf("redirecting %s: got %q", rustc, to)
	}
	if to, ok := channel.RedirectFor(rules, "dist/2026-04-17/channel-rust-stable.toml"); ok {
		t.Errorf("the manifest of the day is looked for at %q", to)
	}
	server, err := channel.Listen(channel.Options{Listen: "127.0.0.1:0", Files: func(context.Context) fs.FS { return files }, Redirects: rules})
	testenv.Must(t, err)
	defer server.Close()
	has = true
	if err := channel.Ask(t.Context(), server.URL()+rustc); err != nil {
		t.Error(err)
	}
	r, err := mirror.Verify(t.Context(), s, mirror.VerifyOptions{})
	testenv.Must(t, err)
	if !r.Passed || r.Redirected != 1 || r.Unnamed != 0 {
		t.Errorf("verifying the store: got %+v", r)
	}
	again, err := New(t.Context(), s, Options{Dir: dir, Date: "2026-04-17"})
	testenv.Must(t, err)
	if n, err := again.Run(t.Context()); err != nil || n.Put+n.Replaced != 0 {
		t.Errorf("publishing again: got %+v, %v", n, err)
	}
	if _, err := New(t.Context(), s, Options{Dir: overlay(t, version, "2026-04-18", "https://other.example")}); err == nil || !strings.Contains(err.Error(), "--upstream") {
		t.Errorf("another server for the same path: got %v", err)
	}
}
