package engines

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"x.go/tests/runx"
	"x.go/tests/testenv"
)

// TestFarm makes components on two machines without compressing them to the end, does
// that in tasks, and makes a channel of what is collected: it has the archives that one
// machine writes, which then finds them all in the store.
func TestFarm(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	runx.TinySysroot(t, filepath.Join(dir, "sysroot"))
	dist := func(build string, args ...string) runx.Result {
		return runx.Must(t, dir, nil, append([]string{"dist", "--sysroot", "sysroot", "--build-dir", build}, args...)...)
	}
	formats := []string{"--set", `dist.compression-formats=["gz", "xz"]`, "--set", `dist.compression-profile="fast"`}
	dist("a", "--compress-later", "rustc")
	dist("b", "--compress-later", "rust-std")
	testenv.Must(t, os.Mkdir(filepath.Join(dir, "ci"), 0o755))
	for _, build := range []string{"a", "b"} {
		names := testenv.List(t, filepath.Join(dir, build, "dist"))
		for _, name := range names {
			if strings.HasSuffix(name, ".tar.xz") {
				t.Errorf("%s has %s: it was to be compressed later", build, name)
			}
			if strings.HasSuffix(name, ".tar.gz") {
				testenv.Must(t, os.Rename(filepath.Join(dir, build, "dist", name), filepath.Join(dir, "ci", name)))
			}
		}
	}
	runx.Must(t, dir, nil, "recompress", "plan", "--profile", "fast", "--out", "plan.json", "ci")
	for task := range 2 {
		runx.Must(t, dir, nil, "recompress", "task", "--plan", "plan.json", "--store", "kept", "--task", fmt.Sprint(task))
	}
	runx.Must(t, dir, nil, "recompress", "collect", "--plan", "plan.json", "--store", "kept", "--out", "release")
	runx.Must(t, dir, nil, "channel", "make", "--out", "channel", "release")
	if show := runx.Must(t, dir, nil, "channel", "show", "channel").Stdout; !strings.Contains(show, "rust-std") {
		t.Errorf("got channel\n%s", show)
	}
	if r := dist("one", append(formats, "--json", "--store", "kept", "rustc", "rust-std")...); strings.Count(r.Stdout, `"kept": true`) != 4 {
		t.Errorf("got an answer without four archives from the store:\n%s%s", r.Stderr, r.Stdout)
	}
	one, released := testenv.Contents(t, filepath.Join(dir, "one", "dist")), testenv.Contents(t, filepath.Join(dir, "channel"))
	for name, content := range one {
		if strings.Contains(name, ".tar.") && released[name] != content {
			t.Errorf("%s of the farm has other bytes than that of one machine", name)
		}
	}
}

// TestDistOutdated has archives of another format and of content that has changed go: a
// client that prefers their format would get old files.
func TestDistOutdated(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	runx.TinySysroot(t, filepath.Join(dir, "sysroot"))
	list := func(env []string, args ...string) string {
		runx.Must(t, dir, env, append([]string{"dist", "--sysroot", "sysroot", "rust-std"}, args...)...)
		var out []string
		for _, name := range testenv.List(t, filepath.Join(dir, "build", "dist")) {
			if i := strings.LastIndex(name, ".tar."); i >= 0 {
				out = append(out, name[i:])
			}
		}
		return strings.Join(out, " ")
	}
	const both = ".tar.gz .tar.gz.sha256 .tar.xz .tar.xz.sha256"
	if got := list(nil); got != both {
		t.Errorf("got %s, want %s", got, both)
	}
	if got := list(nil, "--compress-later"); got != both {
		t.Errorf("same content: got %s, want %s", got, both)
	}
	if got, want := list([]string{"SOURCE_DATE_EPOCH=5"}, "--compress-later"), ".tar.gz .tar.gz.sha256"; got != want {
		t.Errorf("other content: got %s, want %s", got, want)
	}
}
