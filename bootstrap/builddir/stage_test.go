package builddir

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist"
)

func TestStage(t *testing.T) {
	src := t.TempDir()
	private := filepath.Join(src, "private")
	if err := os.WriteFile(private, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	var img dist.Image
	for _, err := range []error{
		img.AddFile("bin/tool", private), img.AddBytes("made", []byte("bytes"), dist.ModeExec), img.AddDir("empty"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	build := open(t, t.TempDir())
	dir := filepath.Join(build.root.Name(), "host", "stage2")
	for range 2 { // the second time it replaces what is there
		if err := build.Stage(t.Context(), img, "host/stage2"); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "stray"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := build.Stage(t.Context(), img, "host/stage2"); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	err := filepath.WalkDir(filepath.Dir(dir), func(p string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		text := ""
		if fi.Mode().IsRegular() {
			data, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			text = string(data)
		}
		rel, _ := filepath.Rel(filepath.Dir(dir), p)
		got[rel] = fi.Mode().String() + " " + text
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		".": "drwxr-xr-x ", "stage2": "drwxr-xr-x ", "stage2/bin": "drwxr-xr-x ", "stage2/empty": "drwxr-xr-x ",
		"stage2/bin/tool": "-rw-r--r-- text", "stage2/made": "-rwxr-xr-x bytes",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("staged tree (-want +got):\n%s", diff)
	}
	if fi, err := os.Stat(private); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("the original's mode: got %v, %v, want it untouched", fi.Mode(), err)
	}
}

// open takes a build directory for a test.
func open(t *testing.T, path string) *Dir {
	t.Helper()
	d, err := Open(t.Context(), path, func(string) { t.Error("the directory is free") })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}
