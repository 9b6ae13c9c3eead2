package channel_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"x.go/dist/channel"
	"x.go/manifests"
)

// In the layout of static.rust-lang.org, a file lies where its URL says, however
// the mirror is named: by a path, a file:// URL or an http:// URL.
func TestLocateInMirror(t *testing.T) {
	root := t.TempDir()
	write := func(name string) string {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const day = manifests.OfficialServer + "/dist/2026-04-16/"
	for _, dist := range []string{"dist", "dist/dist", "pub/dist/rust/dist"} {
		top, dated := write(dist+"/channel-rust-stable.toml"), write(dist+"/2026-04-16/channel-rust-stable.toml")
		file := write(dist + "/2026-04-16/cargo.tar.xz")
		for _, manifest := range []string{top, dated, "file://" + filepath.ToSlash(top), "file://" + filepath.ToSlash(dated)} {
			if got, err := channel.Locate(manifest, day+"cargo.tar.xz"); err != nil || got != file {
				t.Errorf("%s: got %q, %v; want %q", manifest, got, err, file)
			}
			_, err := channel.Locate(manifest, day+"rustc.tar.xz")
			if absent, ok := errors.AsType[*channel.AbsentError](err); !ok || !absent.Missing {
				t.Errorf("%s: got %v, want a missing file", manifest, err)
			}
			if _, err := channel.Locate(manifest, manifests.OfficialServer+"/dist/../../2026-04-16/none.tar.xz"); err == nil {
				t.Errorf("%s: got a file outside of the mirror", manifest)
			}
		}
		for _, server := range []string{"http://h:8080/", "http://me:secret@h/"} {
			for _, manifest := range []string{"/channel-rust-stable.toml", "/2026-04-16/channel-rust-nightly.toml"} {
				want := server + dist + "/2026-04-16/cargo.tar.xz"
				if got, err := channel.Locate(server+dist+manifest, day+"cargo.tar.xz"); err != nil || got != want {
					t.Errorf("%s%s: got %q, %v; want %q", dist, manifest, got, err, want)
				}
			}
		}
	}
	alone := write("elsewhere/channel-rust-stable.toml")
	_, err := channel.Locate(alone, day+"cargo.tar.xz")
	if absent, ok := errors.AsType[*channel.AbsentError](err); !ok || absent.Missing {
		t.Errorf("a manifest on its own: got %v, want a file that may be elsewhere", err)
	}
}

// No error shows what a URL has of a login.
func TestErrorsHideLogins(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	closed := httptest.NewServer(nil)
	closed.Close()
	redirect := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, strings.Replace(closed.URL, "://", "://me:seCReT@", 1)+"/x?token=seCReT", http.StatusFound)
	}))
	defer server.Close()
	defer redirect.Close()
	for _, url := range []string{server.URL, closed.URL, redirect.URL, "http://127.0.0.1:port"} {
		for _, login := range []string{"me:seCReT@", "seCReT@", "me:se@/seCReT@", ""} {
			place := strings.Replace(url, "://", "://"+login, 1) + "/x?sig=seCReT"
			if _, err := channel.Fetch(t.Context(), place, 100); err == nil || strings.Contains(err.Error(), "seCReT") {
				t.Errorf("%s: fetching: got %v, want an error without the login", place, err)
			}
			if _, err := channel.Hash(t.Context(), place); err == nil || strings.Contains(err.Error(), "seCReT") {
				t.Errorf("%s: digest: got %v, want an error without the login", place, err)
			}
		}
	}
}

// A channel of another server is served with what it has, dated directories included.
func TestServeOther(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{"dist/channel-rust-stable.toml": "manifest", "dist/2026-04-16/cargo.tar.xz": "cargo"} {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	other := httptest.NewServer(http.FileServer(http.Dir(root)))
	defer other.Close()
	for _, manifest := range []string{other.URL + "/dist/channel-rust-stable.toml", filepath.Join(root, "dist", "channel-rust-stable.toml")} {
		s, err := channel.Serve(manifest, nil)
		if err != nil {
			t.Fatal(err)
		}
		for path, want := range map[string]string{"/dist/channel-rust-stable.toml": "manifest", "/dist/2026-04-16/cargo.tar.xz": "cargo", "/dist/none": ""} {
			if got, err := channel.Fetch(t.Context(), s.URL()+path, 1<<10); string(got) != want || (err != nil) != (want == "") {
				t.Errorf("%s of %s: got %q, %v; want %q", path, manifest, got, err, want)
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
