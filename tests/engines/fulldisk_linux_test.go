package engines

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"x.go/tests/runx"
	"x.go/tests/testenv"
)

// TestFullDisk has no room for what is not complete, in the store, or in the release.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	unshare := testenv.Need(t, "unshare")
	testenv.Need(t, "mount")
	flags := "-rm"
	if os.Getuid() == 0 {
		flags = "-m" // a machine may forbid namespaces of users
	}
	// The file system is only seen by the command; what is on it is counted there.
	// It has two pages, some of them taken.
	const small = `dir=$0; taken=$1; shift; mkdir -p "$dir" && mount -t tmpfs -o size=8k none "$dir" && dd if=/dev/zero of="$dir/taken" bs=4k count=$taken 2>/dev/null &&
		{ "$@"; code=$?; find "$dir" -type f ! -name taken; exit $code; }`
	if out, err := exec.Command(unshare, flags, "sh", "-c", small, t.TempDir(), "1", "true").CombinedOutput(); err != nil {
		testenv.Missing(t, "a mount namespace: %v: %s", err, out)
	}
	dir := planned(t, 1)
	runx.Must(t, dir, nil, "recompress", "task", "--plan", "plan.json", "--store", "kept", "--task", "0")
	for full, c := range map[string]struct{ taken, args string }{
		"temp":    {"2", "task --task 0 --store new --temp temp"},
		"small":   {"1", "task --task 0 --store small"},
		"release": {"2", "collect --store kept --out release"},
	} {
		args := strings.Fields(c.args)
		cmd := runx.Command(t, dir, nil, append([]string{"recompress", args[0], "--plan", "plan.json"}, args[1:]...)...)
		line := append([]string{flags, "sh", "-c", small, filepath.Join(dir, full), c.taken, cmd.Path}, cmd.Args[1:]...)
		inside := exec.Command(unshare, line...)
		inside.Dir, inside.Env = cmd.Dir, cmd.Env
		out, err := inside.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "no space left on device") {
			t.Errorf("%s: got %v and %s, want no space left", full, err, out)
		}
		if strings.Contains(string(out), "\n"+dir) { // only digests, which come first and are whole
			for line := range strings.Lines(string(out)) {
				if strings.HasPrefix(line, dir) && !strings.HasSuffix(line, ".sha256\n") && !strings.Contains(line, "/.x-users") {
					t.Errorf("%s: %s is left", full, strings.TrimSpace(line))
				}
			}
		}
	}
	if left := testenv.List(t, dir); strings.Contains(strings.Join(left, " "), "new") {
		t.Errorf("got %q, want no new store", left)
	}
}
