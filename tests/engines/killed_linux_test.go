package engines

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"x.go/tests/runx"
	"x.go/tests/testenv"
)

// TestKilledTask has the next task on a machine remove what a killed one left.
func TestKilledTask(t *testing.T) {
	t.Parallel()
	dir := planned(t, 1)
	s := newSlowStore(t, time.Hour)
	testenv.Must(t, os.Mkdir(filepath.Join(dir, "temp"), 0o755))
	task := []string{"recompress", "task", "--plan", "plan.json", "--task", "0", "--temp", "temp"}
	cmd := runx.Command(t, dir, credentials, append(task, "--store", s.place)...)
	testenv.Must(t, cmd.Start())
	for range 600 {
		if s.putting(keys(t, dir)[0]) {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	testenv.Must(t, cmd.Process.Kill())
	_ = cmd.Wait()
	if left := testenv.List(t, filepath.Join(dir, "temp")); len(left) != 1 || !strings.HasPrefix(left[0], "x-recompress-") {
		t.Fatalf("got %q, want what the killed task had", left)
	}
	runx.Must(t, dir, nil, append(task, "--store", "kept")...)
	if left := testenv.List(t, filepath.Join(dir, "temp")); len(left) > 0 {
		t.Errorf("got %q, want nothing", left)
	}
}
