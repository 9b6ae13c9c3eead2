package dist

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"x.go/tests/testenv"
)

func TestAddTreeRefusesPipe(t *testing.T) {
	root := t.TempDir()
	testenv.Must(t, syscall.Mkfifo(filepath.Join(root, "pipe"), 0o644))
	var img Image
	if err := img.AddTree("", root, nil); err == nil || !strings.Contains(err.Error(), "neither a regular file") {
		t.Errorf("got %v", err)
	}
}

func TestUnreadable(t *testing.T) {
	root := testenv.WriteTree(t, "a", "b", "dir/c")
	testenv.Must(t, os.Chmod(root, 0o755))
	testenv.Must(t, os.Chmod(filepath.Join(root, "a"), 0))
	testenv.Must(t, os.Chmod(filepath.Join(root, "dir"), 0))
	t.Cleanup(func() { os.Chmod(filepath.Join(root, "dir"), 0o755) })
	testenv.Must(t, os.Chmod(filepath.Dir(root), 0o755))
	testenv.Must(t, os.Chmod(filepath.Join(root, "b"), 0o644))
	testenv.AsNobody(t, func() {
		var img Image
		err := img.AddTree("", root, nil)
		if err == nil || !strings.Contains(err.Error(), root+"/a: permission denied") || !strings.Contains(err.Error(), root+"/dir\": permission denied") {
			t.Errorf("got %v, want errors about a and dir", err)
		}
	})
}
