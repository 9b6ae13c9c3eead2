package tests

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"x.go/manifests"
	"x.go/tests/runx"
	"x.go/tests/testenv"
)

// TestHostileServer has every command that reads a channel of a server meet one that
// means harm, or is broken: each refuses it, says why, reads no more than is reasonable,
// and leaves no file.
func TestHostileServer(t *testing.T) {
	t.Parallel()
	const host = "x86_64-unknown-linux-gnu"
	manifest := func(url string) string {
		return fmt.Sprintf("manifest-version = \"2\"\ndate = \"2026-04-16\"\n[pkg.rust]\nversion = \"1.95.0 (59807616e 2026-04-14)\"\n"+
			"[pkg.rust.target.%s]\navailable = true\ncomponents = [{pkg = \"rustc\", target = %q}]\n"+
			"[pkg.rustc]\nversion = \"1.95.0 (59807616e 2026-04-14)\"\n[pkg.rustc.target.%s]\navailable = true\nxz_url = %q\nxz_hash = %q\n", host, host, host, url, manifests.HashOf([]byte("archive")))
	}
	const name = "rustc-1.95.0-" + host + ".tar.xz"
	at := manifests.OfficialServer + "/dist/2026-04-16/" + name
	text := func(s string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(s)) }
	}
	cut := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte("manifest-version"))
	}
	var sent atomic.Int64
	endless := func(w http.ResponseWriter, _ *http.Request) {
		for block := bytes.Repeat([]byte("# nothing\n"), 1<<16); ; {
			n, err := w.Write(block)
			if sent.Add(int64(n)); err != nil {
				return
			}
		}
	}
	all := []string{"show", "diff", "subset", "merge", "install", "verify", "mirror"}
	tests := map[string]struct {
		manifest, sum, archive http.HandlerFunc // sum nil is the right one
		commands               []string
		want                   string
	}{
		"endless manifest":   {endless, nil, nil, []string{"show", "mirror"}, "more than 64 MiB"}, // the others read as show does, and each would read it all
		"truncated manifest": {cut, nil, nil, all, "unexpected EOF"},
		"web page":           {text("<html>"), nil, nil, all, "channel-rust-stable.toml"},
		"nothing":            {text(""), nil, nil, all, "channel-rust-stable.toml"},
		"deep":               {text(strings.Repeat("[", 100000)), nil, nil, all, "channel-rust-stable.toml"},
		"wrong checksum":     {text(manifest(at)), text(manifests.HashOf(nil).String()), nil, all, manifests.HashOf(nil).String()},
		"endless checksum":   {text(manifest(at)), endless, nil, all, "more than"},
		"escape":             {text(manifest(manifests.OfficialServer + "/dist/../../../etc/" + name)), nil, text("archive"), []string{"mirror"}, "/etc/"},
		"wrong archive":      {text(manifest(at)), nil, text("other"), []string{"merge", "subset", "install", "mirror"}, "sha256"},
		"truncated archive":  {text(manifest(at)), nil, cut, []string{"merge", "subset", "mirror"}, "EOF"},
		"long archive":       {text(manifest(at)), nil, text("archive and more"), []string{"merge", "subset", "install", "mirror"}, "sha256"},
	}
	for fault, tt := range tests {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch base := path.Base(r.URL.Path); {
				case base == "channel-rust-stable.toml":
					tt.manifest(w, r)
				case base == "channel-rust-stable.toml.sha256":
					if tt.sum != nil {
						tt.sum(w, r)
						return
					}
					rec := httptest.NewRecorder()
					if strings.Contains(fault, "endless") || strings.Contains(fault, "truncated m") {
						http.NotFound(w, r)
						return
					}
					tt.manifest(rec, r)
					fmt.Fprintln(w, manifests.HashOf(rec.Body.Bytes()))
				case base == name && tt.archive != nil:
					tt.archive(w, r)
				default:
					http.NotFound(w, r)
				}
			}))
			defer server.Close()
			url := server.URL + "/dist/channel-rust-stable.toml"
			for i, command := range tt.commands {
				dir := t.TempDir()
				out := "out" + strconv.Itoa(i)
				args := map[string][]string{
					"show": {"channel", "show", url}, "diff": {"channel", "diff", url, url}, "subset": {"channel", "subset", "--out", out, url}, "merge": {"channel", "merge", "--out", out, url, url},
					"install": {"install", "--prefix", out, url}, "verify": {"verify", "--checks", "channel", url}, "mirror": {"mirror", server.URL, out},
				}[command]
				r := runx.X(t, dir, []string{"XDG_CACHE_HOME=" + dir + "/cache"}, args...)
				failed := 1
				if command == "diff" {
					failed = 2 // as diff has it
				}
				if said := r.Stdout + r.Stderr; r.Code != failed || !strings.Contains(said, tt.want) || len(said) > 10000 {
					t.Errorf("x %s: got exit status %d, want %d, and %q\n%.2000s", strings.Join(args, " "), r.Code, failed, tt.want, said)
				}
				for file := range testenv.Tree(t, dir) {
					if base := path.Base(file); strings.HasPrefix(file, out) && (base == name || strings.HasSuffix(base, ".toml")) {
						t.Errorf("x %s: it has left %s", strings.Join(args, " "), file)
					}
				}
			}
		})
	}
	t.Cleanup(func() {
		// What lies in buffers is sent, too.
		if most := int64(len(all) * (80 << 20)); sent.Load() > most {
			t.Errorf("got %d bytes of endless files read, want at most %d", sent.Load(), most)
		}
	})
}
