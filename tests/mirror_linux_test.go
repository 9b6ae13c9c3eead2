package tests

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"x.go/manifests"
	"x.go/tests/runx"
	"x.go/tests/testenv"
)

// TestMirror mirrors a channel through a proxy that wants a login, from a server that
// wants one, too, and has the real rustup install from the mirror, whole and in part.
func TestMirror(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sysroot := filepath.Join(dir, "usr")
	fullSysroot(t, sysroot)
	runx.Must(t, dir, nil, "dist", "--quiet", "--sysroot", sysroot, "--set", `dist.compression-formats=["gz"]`)

	rustup := testenv.Need(t, "rustup")
	program, err := os.ReadFile(rustup)
	testenv.Must(t, err)
	writeRustup(t, filepath.Join(dir, "build"), "x86_64-unknown-linux-gnu", "99.0.0", program)

	const secret = "s3cr3t"
	files := http.FileServer(http.Dir(filepath.Join(dir, "build")))
	dated := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if parts := strings.Split(r.URL.Path, "/"); len(parts) == 4 && !strings.HasPrefix(parts[3], "channel-") {
			r.URL.Path = "/dist/" + parts[3] // x dist has no directory of a day
		}
		files.ServeHTTP(w, r)
	})
	proxied := 0
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, ok := r.BasicAuth()
		switch {
		case r.Header.Get("Proxy-Authorization") == "":
			w.WriteHeader(http.StatusProxyAuthRequired)
		case r.URL.Host != "upstream.example" || !ok || user != "me" || password != secret:
			w.WriteHeader(http.StatusUnauthorized)
		default:
			proxied++
			dated.ServeHTTP(w, r)
		}
	}))
	defer proxy.Close()
	address, err := url.Parse(proxy.URL)
	testenv.Must(t, err)
	address.User = url.UserPassword("you", secret)
	netrc := filepath.Join(dir, "netrc")
	testenv.Must(t, os.WriteFile(netrc, []byte("machine upstream.example login me password "+secret+"\n"), 0o600))
	env := []string{"HTTP_PROXY=" + address.String(), "NETRC=" + netrc, "NO_PROXY=", "XDG_CACHE_HOME=" + filepath.Join(dir, "cache")}
	r := runx.Must(t, dir, env, "mirror", "--json", "--rustup", "http://upstream.example", "whole")
	if proxied == 0 || strings.Contains(r.Stdout+r.Stderr, secret) || !strings.Contains(r.Stdout, `"whole": true`) {
		t.Errorf("got %d requests through the proxy, %q and %q", proxied, r.Stdout, r.Stderr)
	}
	wrong := runx.X(t, dir, append(env, "NETRC="), "mirror", "http://me:"+secret+"x@upstream.example", "none")
	if wrong.Code == 0 || strings.Contains(wrong.Stdout+wrong.Stderr, secret) || !strings.Contains(wrong.Stderr, `got status "401`) {
		t.Errorf("a wrong login: got %q", wrong.Stderr)
	}
	runx.Must(t, dir, nil, "mirror", "whole", "part", "--hosts", "x86_64-unknown-linux-gnu", "--targets", "wasm32-wasip1", "--components", "rustfmt")
	runx.Must(t, dir, nil, "verify", "--store", "whole", "part")

	selfUpdate(t, filepath.Join(dir, "self"), filepath.Join(dir, "whole"), program)
	for _, store := range []string{"whole", "part"} {
		for _, args := range []string{"toolchain install stable --profile minimal --component rustfmt --no-self-update", "target add wasm32-wasip1 --toolchain stable", "toolchain install 1.95.0 --profile minimal --no-self-update"} {
			cmd := exec.Command(rustup, strings.Fields(args)...)
			cmd.Env = rustupEnv(filepath.Join(dir, "home-"+store), filepath.Join(dir, store))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("from the mirror %q: rustup %s: %v\n%s", store, args, err, out)
			}
		}
	}
}

// writeRustup writes rustup's own tree, as its publisher does, with program as the newest
// version.
func writeRustup(t *testing.T, dir, host, version string, program []byte) {
	t.Helper()
	files := map[string][]byte{"release-stable.toml": []byte("schema-version = \"1\"\nversion = \"" + version + "\"\n")}
	for _, at := range []string{"archive/" + version + "/" + host, "dist/" + host} {
		files[at+"/rustup-init"] = program
		files[at+"/rustup-init.sha256"] = []byte(manifests.HashOf(program).String() + " *target/" + host + "/release/rustup-init\n")
	}
	for name, data := range files {
		file := filepath.Join(dir, "rustup", name)
		testenv.Must(t, os.MkdirAll(filepath.Dir(file), 0o755))
		testenv.Must(t, os.WriteFile(file, data, 0o644))
	}
}

// selfUpdate has rustup, installed below home, update itself from a mirror by its address
// RUSTUP_UPDATE_ROOT, without which it asks its own publisher (tuna#1254).
func selfUpdate(t *testing.T, home, mirror string, program []byte) {
	t.Helper()
	bin := filepath.Join(home, "cargo", "bin")
	testenv.Must(t, os.MkdirAll(bin, 0o755))
	testenv.Must(t, os.WriteFile(filepath.Join(bin, "rustup"), program, 0o755))
	cmd := exec.Command(filepath.Join(bin, "rustup"), "self", "update")
	cmd.Env = append(rustupEnv(home, mirror), "RUSTUP_UPDATE_ROOT=file://"+mirror+"/rustup")
	out, err := cmd.CombinedOutput()
	if strings.Contains(string(out), "self-update is disabled") {
		return // a distribution's rustup
	}
	if err != nil || !strings.Contains(string(out), "99.0.0") {
		t.Errorf("rustup self update: got %v\n%s", err, out)
	}
}
