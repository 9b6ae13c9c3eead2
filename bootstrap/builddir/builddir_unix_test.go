//go:build unix

package builddir

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist"
	"x.go/tests/testenv"
)

// TestCleanPlanted cleans build directories in which somebody has put links and
// special files in the places of x's own: nothing outside goes, nothing waits.
func TestCleanPlanted(t *testing.T) {
	tests := []struct {
		name string
		make func(dir, outside string) error
		want string // in the error; "" if there is none
	}{
		{"a link above what was created", func(dir, outside string) error {
			return symlink(dir, "l/victim\n", outside, "l")
		}, "it is a symbolic link, want a directory: remove it"},
		{"a link inside, above what was created", func(dir, outside string) error {
			return symlink(dir, "l/mine\n", ".", "l")
		}, "it is a symbolic link, want a directory: remove it"},
		{"a link in its place", func(dir, outside string) error {
			return symlink(dir, "dist\n", outside, "dist")
		}, ""},
		{"a link beside it", func(dir, outside string) error {
			if err := os.MkdirAll(filepath.Join(dir, "host/stage2"), 0o755); err != nil {
				return err
			}
			return symlink(dir, "host/stage2\n", outside, "host/.x-old-stage2")
		}, ""},
		{"names of outside", func(dir, outside string) error {
			return os.WriteFile(filepath.Join(dir, claimedName), []byte("../outside\n"), 0o644)
		}, "want a path below the build directory"},
		{"the directory itself", func(dir, outside string) error {
			return os.WriteFile(filepath.Join(dir, claimedName), []byte("a/..\n"), 0o644)
		}, "want a path below the build directory"},
		{"a list that is a link", func(dir, outside string) error {
			return os.Symlink(filepath.Join(outside, "list"), filepath.Join(dir, claimedName))
		}, "it is a symbolic link, want a regular file"},
		{"a list that is a FIFO", func(dir, outside string) error {
			return syscall.Mkfifo(filepath.Join(dir, claimedName), 0o644)
		}, "it is a FIFO, want a regular file"},
		{"a list without end", func(dir, outside string) error {
			if err := os.WriteFile(filepath.Join(dir, claimedName), nil, 0o644); err != nil {
				return err
			}
			return os.Truncate(filepath.Join(dir, claimedName), 1<<40)
		}, "more than 1 MiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			top := testenv.WriteTree(t, "build/mine", "outside/victim/f", "outside/list")
			testenv.Must(t, os.WriteFile(filepath.Join(top, "outside/list"), []byte("mine\n"), 0o644))
			dir, outside := filepath.Join(top, "build"), filepath.Join(top, "outside")
			testenv.Must(t, tt.make(dir, outside))
			before := testenv.Tree(t, outside)
			err := open(t, dir).Clean(func(string) {})
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got error %v, want %q", err, tt.want)
			}
			if diff := cmp.Diff(before, testenv.Tree(t, outside)); diff != "" {
				t.Errorf("outside (-want +got):\n%s", diff)
			}
			if left := testenv.List(t, dir); !slices.Contains(left, "mine") {
				t.Errorf("files left: %q, want mine among them", left)
			}
		})
	}
}

// symlink writes the list of what x created, and a link to target.
func symlink(dir, list, target, name string) error {
	if err := os.WriteFile(filepath.Join(dir, claimedName), []byte(list), 0o644); err != nil {
		return err
	}
	return os.Symlink(target, filepath.Join(dir, name))
}

// TestCleanLeavesNothing cleans up after a run that was killed at its worst moment.
func TestCleanLeavesNothing(t *testing.T) {
	dir := testenv.WriteTree(t, "host/.x-new-stage2/bin/tool", "host/.x-old-stage2/bin/tool", "dist/a.tar.gz", "dist/.x-1.tmp", ".x-2.tmp")
	testenv.Must(t, os.WriteFile(filepath.Join(dir, claimedName), []byte("dist\nhost/stage2\n"), 0o644))
	testenv.Must(t, open(t, dir).Clean(func(string) {}))
	if left := testenv.List(t, dir); len(left) > 0 {
		t.Errorf("files left: %q", left)
	}
}

// TestClaimPlanted has a link in the place of a directory that x writes to.
func TestClaimPlanted(t *testing.T) {
	outside := t.TempDir()
	for _, name := range []string{"dist", "host"} {
		dir := testenv.WriteTree(t, name+" -> "+outside)
		d := open(t, dir)
		for _, claim := range []string{name, name + "/stage2"} {
			if own, err := d.Claim(claim); own || err == nil || !strings.Contains(err.Error(), "it is a symbolic link, want a directory") {
				t.Errorf("%s: got %v and error %v", claim, own, err)
			}
		}
		if err := d.Stage(t.Context(), dist.Image{}, name+"/stage2"); err == nil {
			t.Errorf("%s: staged through a link", name)
		}
	}
	if left := testenv.List(t, outside); len(left) > 0 {
		t.Errorf("outside: got %q", left)
	}
}

// TestStageKeepsOld stages over an old tree that a failure must leave alone, and over
// what killed runs have left.
func TestStageKeepsOld(t *testing.T) {
	dir := testenv.WriteTree(t, "host/stage2/old", "src/file")
	var img dist.Image
	source := filepath.Join(dir, "src/file")
	testenv.Must(t, img.AddFile("new", source))
	d := open(t, dir)
	text, err := os.ReadFile(source)
	testenv.Must(t, err)
	testenv.Must(t, os.WriteFile(source, nil, 0o600)) // shrunk since it was added
	if err := d.Stage(t.Context(), img, "host/stage2"); err == nil || !strings.Contains(err.Error(), "file changed since it was added") {
		t.Errorf("got error %v", err)
	}
	if got := testenv.List(t, filepath.Join(dir, "host")); !slices.Equal(got, []string{"stage2"}) {
		t.Errorf("got files %q, want the old directory alone", got)
	}
	// A killed run has moved the old directory away: it must not be lost to a failure.
	testenv.Must(t, os.Rename(filepath.Join(dir, "host/stage2"), filepath.Join(dir, "host/.x-old-stage2")))
	if err := d.Stage(t.Context(), img, "host/stage2"); err == nil {
		t.Error("got no error")
	}
	if got := testenv.List(t, filepath.Join(dir, "host/stage2")); !slices.Equal(got, []string{"old"}) {
		t.Errorf("got files %q, want the old ones", got)
	}
	testenv.Must(t, os.WriteFile(source, text, 0o600))
	var again dist.Image
	testenv.Must(t, again.AddFile("new", source))
	testenv.Must(t, d.Stage(t.Context(), again, "host/stage2"))
	if got := testenv.List(t, filepath.Join(dir, "host")); !slices.Equal(got, []string{"stage2"}) {
		t.Errorf("got files %q, want the new directory alone", got)
	}
}
