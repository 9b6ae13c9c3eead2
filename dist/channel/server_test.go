package channel_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"x.go/dist/channel"
	"x.go/manifests"
	"x.go/tests/testenv"
)

// site serves a directory as x serve does, with a list of names for each listing.
func site(t *testing.T, dir string, redirects ...string) (url string, log func() []channel.Access) {
	t.Helper()
	d, err := channel.OpenDir(dir)
	testenv.Must(t, err)
	var mu sync.Mutex
	var seen []channel.Access
	o := channel.Options{
		Listen: "127.0.0.1:0",
		Files:  func(context.Context) fs.FS { return d },
		ContentType: func(name string) string {
			return "application/x-" + strings.TrimPrefix(filepath.Ext(name), ".")
		},
		Listing: func(w io.Writer, l channel.Listing) error {
			for _, e := range l.Entries {
				fmt.Fprintf(w, "%s%s %d\n", l.Dir, e.Link, e.Size)
			}
			return nil
		},
		Log: func(a channel.Access) {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, a)
		},
	}
	for _, rule := range redirects {
		prefix, target, _ := strings.Cut(rule, "=")
		r, err := channel.NewRedirect(prefix, target)
		testenv.Must(t, err)
		o.Redirects = append(o.Redirects, r)
	}
	s, err := channel.Listen(o)
	testenv.Must(t, err)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		testenv.Must(t, d.Close())
	})
	return s.URL(), func() []channel.Access {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(seen)
	}
}

// ask sends a request whose target is not cleaned, and follows nothing.
func ask(t *testing.T, server, method, target string, headers ...string) (*http.Response, string) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(server, "http://"))
	testenv.Must(t, err)
	defer conn.Close()
	fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n", method, target, strings.Join(append(headers, ""), "\r\n"))
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	testenv.Must(t, err)
	body, err := io.ReadAll(resp.Body)
	testenv.Must(t, err)
	return resp, string(body)
}

// TestServerAnswers asks for what is there and for what must not be.
func TestServerAnswers(t *testing.T) {
	t.Parallel()
	dir := testenv.WriteTree(t, "outside/secret", "root/dist/2026-04-16/cargo.tar.xz", "root/dist/channel-rust-stable.toml",
		"root/dist/channel-rust-stable.toml.sha256", "root/dist/.x-1.tmp", "root/.git/config", "root/pool/a b&c#?.tar.xz", "root/dist/empty/",
		"root/dist/inside -> 2026-04-16/cargo.tar.xz", "root/dist/out -> ../../outside/secret", "root/dist/outdir -> ../../outside", "root/dist/dangling -> nowhere")
	url, log := site(t, filepath.Join(dir, "root"))
	const cargo = "root/dist/2026-04-16/cargo.tar.xz\n"
	tests := []struct {
		target string
		status int
		body   string // "-" for any
	}{
		{"/dist/2026-04-16/cargo.tar.xz", 200, cargo},
		{"//dist/2026-04-16//cargo.tar.xz", 200, cargo},
		{"/dist/2026-04-16/cargo.tar.xz?x=1", 200, cargo},
		{"http://x/dist/2026-04-16/cargo.tar.xz", 200, cargo},
		{"/dist/inside", 200, cargo},
		{"/pool/a%20b%26c%23%3F.tar.xz", 200, "root/pool/a b&c#?.tar.xz\n"},
		{"/", 200, "/dist/ 0\n/pool/ 0\n"},
		{"/pool/", 200, "/pool/a%20b&c%23%3F.tar.xz 25\n"},
		{"/dist/", 200, "/dist/2026-04-16/ 0\n/dist/channel-rust-stable.toml 35\n/dist/channel-rust-stable.toml.sha256 42\n/dist/empty/ 0\n/dist/inside 34\n"},
		{"/dist", 301, ""},
		{"/dist/2026-04-16/cargo.tar.xz/", 404, "-"},
		{"/dist/none", 404, "-"},
		{"/dist/none/", 404, "-"},
		{"/dist/2026-04-17/cargo.tar.xz", 404, "-"}, // only a flat directory has the files of any date
		{"/dist/.x-1.tmp", 404, "-"},
		{"/.git/config", 404, "-"},
		{"/dist/out", 404, "-"},
		{"/dist/outdir/secret", 404, "-"},
		{"/dist/dangling", 404, "-"},
		{"/../outside/secret", 404, "-"},
		{"/dist/../../outside/secret", 404, "-"},
		{"/dist/%2e%2e/%2e%2e/outside/secret", 404, "-"},
		{"/dist/..%2f..%2foutside/secret", 404, "-"},
		{`/dist\..\..\outside\secret`, 404, "-"},
		{"/dist/%00", 404, "-"},
		{"*", 404, "-"},
	}
	for _, tt := range tests {
		resp, body := ask(t, url, "GET", tt.target)
		if resp.StatusCode != tt.status || tt.body != "-" && body != tt.body {
			t.Errorf("%s: got status %d and %q, want %d and %q", tt.target, resp.StatusCode, body, tt.status, tt.body)
		}
		if strings.Contains(body, dir) {
			t.Errorf("%s: got %q, want no path of the machine", tt.target, body)
		}
	}
	if resp, _ := ask(t, url, "GET", "/dist"); resp.Header.Get("Location") != "dist/" {
		t.Errorf("a directory without slash: got location %q", resp.Header.Get("Location"))
	}
	if _, body := ask(t, url, "GET", "/pool/", "Accept: text/plain"); body != "a b&c#?.tar.xz\n" {
		t.Errorf("a list as plain text: got %q", body)
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "TRACE"} {
		if resp, _ := ask(t, url, method, "/dist/none", "Content-Length: 0"); resp.StatusCode != 405 || resp.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: got status %d, Allow %q", method, resp.StatusCode, resp.Header.Get("Allow"))
		}
	}
	if resp, _ := ask(t, url, "GET", "/", "X: "+strings.Repeat("x", 1<<17)); resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a large head: got status %d", resp.StatusCode)
	}
	first := log()[0]
	first.Remote, first.Took = "", 0
	want := channel.Access{Method: "GET", Target: "/dist/2026-04-16/cargo.tar.xz", Status: 200, Bytes: int64(len(cargo))}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

// TestServerConditions asks for parts of files, and for files that have changed.
func TestServerConditions(t *testing.T) {
	t.Parallel()
	dir := testenv.WriteTree(t, "dist/cargo.tar.xz")
	large := strings.Repeat("0123456789", 500_000) // more than is read at once
	testenv.Must(t, os.WriteFile(filepath.Join(dir, "dist/large.tar.xz"), []byte(large), 0o644))
	past := time.Date(2026, 4, 16, 0, 0, 0, 0, time.UTC)
	for _, name := range []string{"dist/cargo.tar.xz", "dist/large.tar.xz"} {
		testenv.Must(t, os.Chtimes(filepath.Join(dir, name), past, past))
	}
	url, _ := site(t, dir)
	for name, content := range map[string]string{"/dist/cargo.tar.xz": "dist/cargo.tar.xz\n", "/dist/large.tar.xz": large} {
		head, body := ask(t, url, "HEAD", name)
		tag := head.Header.Get("ETag")
		if body != "" || head.ContentLength != int64(len(content)) || !strings.HasPrefix(tag, `"`) || head.Header.Get("Last-Modified") != "Thu, 16 Apr 2026 00:00:00 GMT" ||
			head.Header.Get("Accept-Ranges") != "bytes" || head.Header.Get("Content-Type") != "application/x-xz" || head.Header.Get("Content-Encoding") != "" {
			t.Errorf("HEAD %s: got %d bytes, headers %v", name, len(body), head.Header)
		}
		end := len(content) - 1
		for _, tt := range []struct {
			headers string
			status  int
			body    string
		}{
			{"Range: bytes=2-5", 206, content[2:6]},
			{fmt.Sprintf("Range: bytes=%d-", end), 206, content[end:]},
			{"Range: bytes=-3", 206, content[end-2:]},
			{fmt.Sprintf("Range: bytes=%d-", end+1), 416, "-"},
			{"Range: lines=1-2", 416, "-"},
			{"If-None-Match: " + tag, 304, ""},
			{`If-None-Match: "other"`, 200, content},
			{"If-Match: " + tag, 200, content},
			{`If-Match: "other"`, 412, ""},
			{"If-Modified-Since: Thu, 16 Apr 2026 00:00:00 GMT", 304, ""},
			{"If-Modified-Since: Wed, 15 Apr 2026 00:00:00 GMT", 200, content},
			{"If-Unmodified-Since: Wed, 15 Apr 2026 00:00:00 GMT", 412, ""},
			{"Range: bytes=2-5\r\nIf-Range: " + tag, 206, content[2:6]},
			{"Range: bytes=2-5\r\nIf-Range: \"other\"", 200, content},
		} {
			if resp, body := ask(t, url, "GET", name, tt.headers); resp.StatusCode != tt.status || tt.body != "-" && body != tt.body {
				t.Errorf("%s with %q: got status %d and %d bytes, want %d and %d", name, tt.headers, resp.StatusCode, len(body), tt.status, len(tt.body))
			}
		}
		// Another content of the same size and time, as checksums may have.
		if name == "/dist/cargo.tar.xz" {
			path := filepath.Join(dir, name)
			testenv.Must(t, os.WriteFile(path, []byte(strings.ToUpper(content)), 0o644))
			testenv.Must(t, os.Chtimes(path, past, past))
			if resp, body := ask(t, url, "GET", name, "If-None-Match: "+tag); resp.StatusCode != 200 || body != strings.ToUpper(content) {
				t.Errorf("%s after a change: got status %d and %q", name, resp.StatusCode, body)
			}
		}
	}
}

// flatManifest is a manifest of a day whose one archive has a URL of another.
func flatManifest(date, urlDate string) string {
	return fmt.Sprintf("manifest-version = \"2\"\ndate = %q\n[pkg.cargo]\nversion = \"1\"\n[pkg.cargo.target.x]\navailable = true\nurl = \"%s/dist/%s/cargo.tar.gz\"\nhash = %q\n",
		date, manifests.OfficialServer, urlDate, manifests.HashOf(nil))
}

// TestServeFlat serves what x dist leaves: the days that its manifests name, and no
// other, have its files.
func TestServeFlat(t *testing.T) {
	t.Parallel()
	dir := testenv.WriteTree(t, "cargo.tar.gz", "dist.txt", "outside -> /etc/hostname")
	write := func(text string) {
		testenv.Must(t, os.WriteFile(filepath.Join(dir, "channel-rust-nightly.toml"), []byte(text), 0o644))
	}
	write(flatManifest("2026-04-16", "2026-04-15"))
	url, _ := site(t, dir, "/dist/2026-01-01=http://mirror.example/d/2026-01-01/")
	check := func(want map[string]int) {
		t.Helper()
		for target, status := range want {
			if resp, body := ask(t, url, "GET", target); resp.StatusCode != status {
				t.Errorf("%s: got status %d and %q, want %d", target, resp.StatusCode, body, status)
			}
		}
	}
	check(map[string]int{
		"/": 200, "/dist/": 200, "/dist/cargo.tar.gz": 200, "/cargo.tar.gz": 404, "/dist/outside": 404, "/dist/dist/": 404,
		"/dist/2026-04-15/cargo.tar.gz": 200, "/dist/2026-04-16/cargo.tar.gz": 200, "/dist/2026-04-17/cargo.tar.gz": 404,
		"/dist/2026-04-16/channel-rust-nightly.toml": 200, "/dist/2026-04-15/channel-rust-nightly.toml": 404,
		"/dist/2026-04-16/": 404, "/dist/2026-04-16/x/cargo.tar.gz": 404, "/dist/2026-01-01/cargo.tar.gz": 302,
	})
	write(flatManifest("2026-04-18", "2026-04-17"))
	check(map[string]int{"/dist/2026-04-15/cargo.tar.gz": 404, "/dist/2026-04-17/cargo.tar.gz": 200, "/dist/2026-04-18/channel-rust-nightly.toml": 200})
	if _, body := ask(t, url, "GET", "/"); body != "/dist/ 0\n" {
		t.Errorf("the root: got %q, want dist alone", body)
	}
}

// TestServerRedirects holds the rule of an overlay.
func TestServerRedirects(t *testing.T) {
	t.Parallel()
	dir := testenv.WriteTree(t, "dist/channel-rust-stable.toml", "dist/2026-04-16/own.tar.xz")
	url, _ := site(t, dir, "/=https://static.rust-lang.org/", "/dist/2026-04-15=http://mirror.example/rust/2026-04-15")
	for target, want := range map[string]string{
		"/dist/2026-04-16/own.tar.xz":            "200 ",
		"/dist/channel-rust-stable.toml":         "200 ",
		"/dist/channel-rust-stable.toml.sha256":  "404 ", // that of another manifest
		"/dist/channel-rust-stable.toml.asc":     "404 ",
		"/dist/2026-04-16/own.tar.xz.sha256":     "404 ",
		"/dist/channel-rust-beta.toml.sha256":    "302 https://static.rust-lang.org/dist/channel-rust-beta.toml.sha256",
		"/dist/2026-04-16/rustc-1.tar.xz":        "302 https://static.rust-lang.org/dist/2026-04-16/rustc-1.tar.xz",
		"/dist/2026-04-15/rustc-1.tar.xz":        "302 http://mirror.example/rust/2026-04-15/rustc-1.tar.xz",
		"/dist/2026-04-155/rustc-1.tar.xz":       "302 https://static.rust-lang.org/dist/2026-04-155/rustc-1.tar.xz",
		"/dist/a%20b%0d%0aX:%20y":                "302 https://static.rust-lang.org/dist/a%20b%0D%0AX:%20y",
		"//evil.example/x":                       "302 https://static.rust-lang.org/evil.example/x",
		"/@evil.example":                         "302 https://static.rust-lang.org/@evil.example",
		"/dist/2026-04-14/":                      "404 ",
		"/dist/../x":                             "404 ",
		"/rustup/release-stable.toml":            "302 https://static.rust-lang.org/rustup/release-stable.toml",
		"/dist/2026-04-15/rustc-1.tar.xz?q=%0d%": "302 http://mirror.example/rust/2026-04-15/rustc-1.tar.xz",
	} {
		resp, _ := ask(t, url, "GET", target)
		if got := fmt.Sprintf("%d %s", resp.StatusCode, resp.Header.Get("Location")); got != want {
			t.Errorf("%s: got %q, want %q", target, got, want)
		}
	}
	for _, rule := range []string{"dist=http://x", "/dist/../x=http://x", "//x=http://x", "/=ftp://x", "/=x", "/=", "/=http://", "/=http://me:seCReT@x/", "/=http://x/?token=seCReT", "/=http://x/#a", "/=http://%zz"} {
		prefix, target, _ := strings.Cut(rule, "=")
		if _, err := channel.NewRedirect(prefix, target); err == nil || strings.Contains(err.Error(), "seCReT") {
			t.Errorf("rule %q: got %v, want an error without a login", rule, err)
		}
	}
}

// TestOpenDir refuses directories that have no channel, and a dist that is elsewhere.
func TestOpenDir(t *testing.T) {
	t.Parallel()
	root := testenv.WriteTree(t, "empty/", "file", "linked/dist -> ../../elsewhere", "away/dist -> /usr", "file/../store/dist/", "dated/2026-04-16/a")
	for name, want := range map[string]string{
		"empty": "name the directory above dist", "file": "not a directory", "none": "no such file", "away": "links that lead away", "store": "", "dated": "",
	} {
		d, err := channel.OpenDir(filepath.Join(root, name))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
		if err == nil {
			testenv.Must(t, d.Close())
		}
	}
}

// TestServerStops lets a request under way end, and refuses an address that is taken.
func TestServerStops(t *testing.T) {
	t.Parallel()
	d, err := channel.OpenDir(testenv.WriteTree(t, "dist/a"))
	testenv.Must(t, err)
	defer d.Close()
	reading, goOn := make(chan bool), make(chan bool)
	s, err := channel.Listen(channel.Options{Listen: "127.0.0.1:0", Files: func(context.Context) fs.FS {
		close(reading)
		<-goOn
		return d
	}})
	testenv.Must(t, err)
	if _, err := channel.Listen(channel.Options{Listen: strings.TrimPrefix(s.URL(), "http://")}); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("a second server: got %v, want an error", err)
	}
	got := make(chan string)
	go func() {
		b, err := channel.Fetch(t.Context(), s.URL()+"/dist/a", 100)
		got <- fmt.Sprint(string(b), err)
	}()
	<-reading
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	testenv.Must(t, s.Wait(ctx))
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	time.Sleep(10 * time.Millisecond)
	close(goOn)
	if body := <-got; body != "dist/a\n<nil>" {
		t.Errorf("a request under way: got %q", body)
	}
	testenv.Must(t, <-closed)
}
