package compose_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"x.go/dist/channel"
	"x.go/dist/compose"
	"x.go/tests/testenv"
)

// rules are redirects of a test.
func rules(t *testing.T, pairs ...string) []channel.Redirect {
	t.Helper()
	var out []channel.Redirect
	for i := 0; i < len(pairs); i += 2 {
		r, err := channel.NoRedirect(pairs[i])
		if pairs[i+1] != "" {
			r, err = channel.NewRedirect(pairs[i], pairs[i+1])
		}
		testenv.Must(t, err)
		out = append(out, r)
	}
	return out
}

// nginx, Caddy and x serve answer alike by one set of rules.
func TestRedirectConfig(t *testing.T) {
	t.Parallel()
	root := testenv.WriteTree(t, "dist/channel-rust-stable.toml", "dist/channel-rust-stable.toml.sha256", "dist/own-1.0.tar.gz", "dist/own-1.0.tar.gz.sha256")
	testenv.Must(t, os.Chmod(root, 0o755))
	all := rules(t, "/dist/2026-04-14/channel-rust-stable.toml", "", "/dist/vendor", "http://vendor.example:9090/a/b", "/dist", "https://static.rust-lang.org/dist")
	testenv.Must(t, os.WriteFile(filepath.Join(root, "dist", channel.RedirectsFile), channel.FormatRedirects(all), 0o644))
	want := map[string]string{
		"/dist/channel-rust-stable.toml":                   "200",
		"/dist/channel-rust-stable.toml.sha256":            "200",
		"/dist/channel-rust-stable.toml.asc":               "404",
		"/dist/own-1.0.tar.gz":                             "200",
		"/dist/own-1.0.tar.gz.asc":                         "404",
		"/dist/2026-04-14/channel-rust-stable.toml":        "404",
		"/dist/2026-04-14/channel-rust-stable.toml.sha256": "404",
		"/dist/2026-04-14/cargo-1.95.0+b.tar.xz":           "302 https://static.rust-lang.org/dist/2026-04-14/cargo-1.95.0+b.tar.xz",
		"/dist/2026-04-14/cargo.tar.xz.asc":                "302 https://static.rust-lang.org/dist/2026-04-14/cargo.tar.xz.asc",
		"/dist/channel-rust-nightly.toml.sha256":           "302 https://static.rust-lang.org/dist/channel-rust-nightly.toml.sha256",
		"/dist/vendor/x.tar.gz":                            "302 http://vendor.example:9090/a/b/x.tar.gz",
		"/dist/none/":                                      "404",
		"/rustup/release-stable.toml":                      "404",
	}
	var paths []string
	for path := range want {
		paths = append(paths, path)
	}
	check := func(name, server string) {
		t.Helper()
		if diff := cmp.Diff(want, answers(t, server, paths...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	check("x serve", serve(t, root))

	dir := t.TempDir()
	config := func(server, listen, prefix string) (file, address string) {
		text, err := compose.RedirectConfig(server, root, all)
		testenv.Must(t, err)
		l, err := net.Listen("tcp", "127.0.0.1:0")
		testenv.Must(t, err)
		address = l.Addr().String()
		testenv.Must(t, l.Close())
		changed := strings.ReplaceAll(string(text), listen, prefix+address)
		file = filepath.Join(dir, server)
		testenv.Must(t, os.WriteFile(file, []byte(changed), 0o644))
		return file, address
	}
	t.Run("nginx", func(t *testing.T) {
		program := testenv.Need(t, "nginx")
		file, address := config("nginx", "listen 80", "listen ")
		main := filepath.Join(dir, "nginx.conf")
		testenv.Must(t, os.WriteFile(main, fmt.Appendf(nil, `
daemon off; master_process off; pid %[1]s/pid; error_log stderr;
events {}
http {
    access_log off; client_body_temp_path %[1]s; proxy_temp_path %[1]s; fastcgi_temp_path %[1]s; uwsgi_temp_path %[1]s; scgi_temp_path %[1]s;
    include %[2]s;
}`, dir, file), 0o644))
		if out, err := exec.Command(program, "-t", "-e", "stderr", "-c", main).CombinedOutput(); err != nil {
			t.Fatalf("nginx -t: %v\n%s", err, out)
		}
		check("nginx", start(t, address, program, "-e", "stderr", "-c", main))
	})
	t.Run("caddy", func(t *testing.T) {
		program := testenv.Need(t, "caddy")
		file, address := config("caddy", ":80", "http://")
		text, err := os.ReadFile(file)
		testenv.Must(t, err)
		testenv.Must(t, os.WriteFile(file, append([]byte("{\n\tadmin off\n}\n"), text...), 0o644))
		check("caddy", start(t, address, program, "run", "--adapter", "caddyfile", "--config", file))
	})
}

// start runs a web server until the end of the test.
func start(t *testing.T, address, program string, args ...string) string {
	t.Helper()
	var out strings.Builder
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	testenv.Must(t, cmd.Start())
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-done
	})
	for range 3000 {
		select {
		case err := <-done:
			done <- err
			t.Fatalf("%s %q: %v\n%s", program, args, err, &out)
		case <-time.After(10 * time.Millisecond):
		}
		if resp, err := http.Get("http://" + address + "/"); err == nil {
			resp.Body.Close()
			return "http://" + address
		}
	}
	t.Fatalf("%s %q does not answer at %s", program, args, address)
	return ""
}

// The website configuration of a bucket has the names that Amazon's API has, and what
// would mean something else in a configuration is refused.
func TestRedirectConfigText(t *testing.T) {
	t.Parallel()
	text, err := compose.RedirectConfig("s3", "/srv/rust", rules(t, "/dist/2026-04-14/channel-rust-stable.toml", "", "/dist", "https://static.rust-lang.org/dist", "/", "http://a.example:81"))
	testenv.Must(t, err)
	var got any
	testenv.Must(t, json.Unmarshal(text, &got))
	rule := func(prefix, status, scheme, host, with string) any {
		condition, redirect := map[string]any{"HttpErrorCodeReturnedEquals": status}, map[string]any{"Protocol": scheme, "HostName": host, "HttpRedirectCode": "302"}
		if prefix != "" {
			condition["KeyPrefixEquals"], redirect["ReplaceKeyPrefixWith"] = prefix, with
		}
		return map[string]any{"Condition": condition, "Redirect": redirect}
	}
	want := map[string]any{"IndexDocument": map[string]any{"Suffix": "index.html"}, "RoutingRules": []any{
		rule("dist/", "404", "https", "static.rust-lang.org", "dist/"), rule("dist/", "403", "https", "static.rust-lang.org", "dist/"),
		rule("", "404", "http", "a.example:81", ""), rule("", "403", "http", "a.example:81", ""),
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("s3 (-want +got):\n%s", diff)
	}
	for _, server := range compose.WebServers() {
		if _, err := compose.RedirectConfig(server, "/srv/rust", rules(t, "/dist", "https://a.example/$x;}")); err == nil {
			t.Errorf("%s: got no error for $ and ;", server)
		}
		if _, err := compose.RedirectConfig(server, "/srv/\"rust", nil); err == nil {
			t.Errorf("%s: got no error for a quote", server)
		}
	}
}
