package dist

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/tests/testenv"
)

func TestTempDirRemovesDeadOnes(t *testing.T) {
	t.Parallel()
	parent := testenv.WriteTree(t,
		"x-purpose-"+machine()+"-1/deep/file", "x-purpose-"+machine()+"-2/"+lockName, // killed
		"x-purpose-elsewhere-3/file", "x-other-"+machine()+"-4/file", "x-purpose-"+machine()+"-file", "file")
	testenv.Must(t, os.Symlink(filepath.Join(parent, "x-purpose-elsewhere-3"), filepath.Join(parent, "x-purpose-"+machine()+"-link")))
	kept := testenv.List(t, parent)[:0:0]
	for _, name := range testenv.List(t, parent) {
		if name != "x-purpose-"+machine()+"-1" && name != "x-purpose-"+machine()+"-2" {
			kept = append(kept, name)
		}
	}
	alive, err := NewTempDir(parent, "x-purpose")
	testenv.Must(t, err)
	second, err := NewTempDir(parent, "x-purpose")
	testenv.Must(t, err)
	testenv.Must(t, os.WriteFile(filepath.Join(alive.Path, "file"), nil, 0o644)) // it is still there
	testenv.Must(t, alive.Remove())
	testenv.Must(t, second.Remove())
	if diff := cmp.Diff(kept, testenv.List(t, parent)); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
	if data := testenv.List(t, filepath.Join(parent, "x-purpose-elsewhere-3")); len(data) != 1 {
		t.Errorf("behind the link: got %q, want the file", data)
	}
	if _, err := NewTempDir(filepath.Join(parent, "missing"), "x-purpose"); err == nil {
		t.Error("got no error for a directory that is not there")
	}
}

// TestTempDirsAtOnce has many processes begin and end at the same time: none takes the
// directory of another.
func TestTempDirsAtOnce(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				d, err := NewTempDir(parent, "x-purpose")
				if err != nil {
					t.Error(err)
					return
				}
				if err := os.WriteFile(filepath.Join(d.Path, "file"), nil, 0o644); err != nil {
					t.Error(err)
				}
				if err := d.Remove(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if names := testenv.List(t, parent); len(names) != 0 {
		t.Errorf("left %q", names)
	}
}
