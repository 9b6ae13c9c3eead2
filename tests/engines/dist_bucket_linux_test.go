package engines

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"x.go/tests/runx"
	"x.go/tests/storetest"
	"x.go/tests/testenv"
)

// TestDistBucket has machines share the archives of x dist in S3: in versitygw where it is
// installed, and in memory, where what is there is damaged, and requests are refused.
func TestDistBucket(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	runx.TinySysroot(t, filepath.Join(dir, "sysroot"))
	dist := func(build, place string, args ...string) runx.Result {
		t.Helper()
		all := []string{"dist", "--json", "--sysroot", "sysroot", "--build-dir", build, "rust-std"}
		if place != "" {
			all = append(all, "--store", place)
		}
		return runx.X(t, dir, append(credentials, "AWS_MAX_ATTEMPTS=1"), append(all, args...)...)
	}
	kept := func(build, place string, want int) runx.Result {
		t.Helper()
		r := dist(build, place)
		if got := strings.Count(r.Stdout, `"kept": true`); r.Code != 0 || got != want {
			t.Errorf("%s: got status %d and %d kept, want %d:\n%s", build, r.Code, got, want, r.Stderr)
		}
		return r
	}
	archives := func(build string) map[string]string {
		out := map[string]string{}
		if _, err := os.Stat(filepath.Join(dir, build, "dist")); err != nil {
			return out
		}
		for name, text := range testenv.Contents(t, filepath.Join(dir, build, "dist")) {
			if strings.Contains(name, ".tar.") {
				out[name] = text
			}
		}
		return out
	}
	if _, err := exec.LookPath("versitygw"); err == nil {
		place := storetest.S3(t)
		kept("gw1", place, 0)
		kept("gw2", place, 2)
	}
	b := newBucket(t)
	kept("one", b.url, 0)
	kept("two", b.url, 2)
	key, before := b.damage(t, ".tar.xz")
	if r := kept("three", b.url, 1); !strings.Contains(r.Stderr, "is damaged: got sha256") || b.get(key) != before {
		t.Errorf("got the same bytes: %v, want the damage told and mended:\n%s", b.get(key) == before, r.Stderr)
	}
	for name, text := range archives("one") {
		if archives("two")[name] != text || archives("three")[name] != text {
			t.Errorf("%s has other bytes on another machine", name)
		}
	}
	for _, tt := range []struct{ build, place, said string }{
		{"one", "", "kept if files and settings are those of before"}, {"new", "", ""}, {"new", b.url, "looked for in the store"},
	} {
		r := dist(tt.build, tt.place, "--dry-run")
		if r.Code != 0 || tt.said != "" && strings.Count(r.Stdout, tt.said) != 2 || tt.said == "" && (strings.Contains(r.Stdout, "kept") || strings.Contains(r.Stdout, "store")) {
			t.Errorf("dry run of %s with store %q: want %q of two archives:\n%s", tt.build, tt.place, tt.said, r.Stdout)
		}
	}
	for name, tt := range map[string]struct {
		place, want string
		only        string // the method that is refused; "" is all
	}{
		"unreachable": {"s3://rust/kept?use_path_style=true&endpoint=http://127.0.0.1:1", "connection refused", ""},
		"forbidden":   {b.url, "the credentials do not allow it", ""},
		"read-only":   {b.url, "AccessDenied", http.MethodPut},
	} {
		b.set(func(method, _ string) (int, string) {
			if tt.only == "" || tt.only == method {
				return http.StatusForbidden, "AccessDenied"
			}
			return 0, ""
		})
		r := dist(name, tt.place, "--set", "dist.compression-profile=balanced") // which the store does not have
		if r.Code != 1 || !strings.Contains(r.Stderr, tt.want) || len(archives(name)) > 0 {
			t.Errorf("%s: got status %d, %d archives and %s, want %q and none", name, r.Code, len(archives(name)), r.Stderr, tt.want)
		}
	}
}
