package dist

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

func TestAddTreeRefusesPipe(t *testing.T) {
	root := t.TempDir()
	must(t, syscall.Mkfifo(filepath.Join(root, "pipe"), 0o644))
	var img Image
	if err := img.AddTree("", root, nil); err == nil || !strings.Contains(err.Error(), "neither a regular file") {
		t.Errorf("got %v", err)
	}
}

// asNobody runs f without the right to read other users' files. The thread never
// becomes root again; the runtime ends it with the goroutine.
func asNobody(t *testing.T, f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if os.Getuid() == 0 {
			if err := syscall.Setfsuid(65534); err != nil {
				t.Error(err)
				return
			}
		}
		f()
	}()
	<-done
}

func TestUnreadable(t *testing.T) {
	root := diskTree(t, "a", "b", "dir/c")
	must(t, os.Chmod(root, 0o755))
	must(t, os.Chmod(filepath.Join(root, "a"), 0))
	must(t, os.Chmod(filepath.Join(root, "dir"), 0))
	t.Cleanup(func() { os.Chmod(filepath.Join(root, "dir"), 0o755) })
	must(t, os.Chmod(filepath.Dir(root), 0o755))
	must(t, os.Chmod(filepath.Join(root, "b"), 0o644))
	asNobody(t, func() {
		var img Image
		err := img.AddTree("", root, nil)
		if err == nil || !strings.Contains(err.Error(), root+"/a: permission denied") || !strings.Contains(err.Error(), root+"/dir\": permission denied") {
			t.Errorf("got %v, want errors about a and dir", err)
		}
	})
}
