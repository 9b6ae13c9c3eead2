package channel_test

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"x.go/dist/channel"
	"x.go/manifests"
)

func TestLocalPath(t *testing.T) {
	tests := []struct {
		place, path string
		local, url  bool
	}{
		{"dist/channel-rust-stable.toml", "dist/channel-rust-stable.toml", true, false},
		{"/srv/a b", "/srv/a b", true, false},
		{"file:///srv/a%20b", "/srv/a b", true, true},
		{"file://localhost/srv", "/srv", true, true},
		{"file://elsewhere/srv", "", false, true},
		{"https://static.rust-lang.org/dist/x", "", false, true},
		{"http://127.0.0.1:8080/dist/x", "", false, true},
	}
	for _, tt := range tests {
		path, local := channel.LocalPath(tt.place)
		if local != tt.local || local && path != tt.path || channel.IsURL(tt.place) != tt.url {
			t.Errorf("%q: got path %q, local %t, URL %t", tt.place, path, local, channel.IsURL(tt.place))
		}
	}
}

// A file is found where rustup looks for it, or beside a manifest on disk.
func TestLocate(t *testing.T) {
	dir := t.TempDir()
	beside := filepath.Join(dir, "cargo.tar.xz")
	if err := os.WriteFile(beside, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	manifest := filepath.Join(dir, "channel-rust-stable.toml")
	const official = manifests.OfficialServer + "/dist/2026-04-16/"
	tests := []struct{ manifest, url, want string }{
		{manifest, official + "cargo.tar.xz", beside},
		{"file://" + filepath.ToSlash(manifest), official + "cargo.tar.xz", beside},
		{manifest, official + "rustc.tar.xz", ""},
		{manifest, "file:///srv/rustc.tar.xz", filepath.FromSlash("/srv/rustc.tar.xz")},
		{"https://mirror.example/rust/dist/channel-rust-stable.toml", official + "cargo.tar.xz", "https://mirror.example/rust/dist/2026-04-16/cargo.tar.xz"},
		{"https://mirror.example/rust/dist/channel-rust-stable.toml", "https://other.example/cargo.tar.xz", "https://other.example/cargo.tar.xz"},
		{manifests.OfficialServer + "/dist/channel-rust-stable.toml", official + "cargo.tar.xz", official + "cargo.tar.xz"},
		{"https://mirror.example/channel-rust-stable.toml", official + "cargo.tar.xz", official + "cargo.tar.xz"},
	}
	for _, tt := range tests {
		got, err := channel.Locate(tt.manifest, tt.url)
		if got != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("%q in %q: got %q, %v; want %q", tt.url, tt.manifest, got, err, tt.want)
		}
	}
}

// A server's files are read as those on disk are, and within the same limit.
func TestFetch(t *testing.T) {
	dir := t.TempDir()
	const text = "0123456789"
	path := filepath.Join(dir, "date.txt")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer server.Close()
	for _, place := range []string{path, "file://" + filepath.ToSlash(path), server.URL + "/date.txt"} {
		if b, err := channel.Fetch(t.Context(), place, int64(len(text))); err != nil || string(b) != text {
			t.Errorf("%s: got %q, %v", place, b, err)
		}
		if _, err := channel.Fetch(t.Context(), place, 4); err == nil || !strings.HasSuffix(err.Error(), "more than 4 bytes") {
			t.Errorf("%s: got %v, want an error of the limit", place, err)
		}
		if h, err := channel.Hash(t.Context(), place); err != nil || h != manifests.HashOf([]byte(text)) {
			t.Errorf("%s: got %s, %v", place, h, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := channel.Hash(ctx, place); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want the context's error", place, err)
		}
	}
	if _, err := channel.Fetch(t.Context(), path+".none", 4); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want an error of a missing file", err)
	}
	if _, err := channel.Hash(t.Context(), server.URL+"/none"); err == nil || !strings.Contains(err.Error(), `got status "404 `) {
		t.Errorf("got %v, want the status", err)
	}
}

// The dated directory need not exist, and nothing outside of dist is served.
func TestServe(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "m.toml"), []byte("on disk"), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := channel.Serve(filepath.Join(dir, "channel-rust-stable.toml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	get := func(path string) string {
		b, err := channel.Fetch(t.Context(), s.URL()+path, 1<<10)
		if err != nil {
			return "error"
		}
		return string(b)
	}
	s.Override("n.toml", []byte("changed"))
	for path, want := range map[string]string{
		"/dist/m.toml": "on disk", "/dist/2026-04-16/m.toml": "on disk", "/m.toml": "error", "/dist/none": "error", "/dist/..": "error",
		"/dist/n.toml": "changed", "/dist/n.toml.sha256": string(manifests.FormatChecksum(manifests.HashOf([]byte("changed")), "n.toml")),
	} {
		if got := get(path); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
	s.Override("n.toml", nil)
	if got := get("/dist/n.toml"); got != "error" {
		t.Errorf("after the override: got %q, want no such file", got)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
