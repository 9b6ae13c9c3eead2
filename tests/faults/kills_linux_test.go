package faults

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"x.go/tests/runx"
	"x.go/tests/testenv"
)

// killsVar says how many times TestKills kills each command.
const killsVar = "X_TEST_KILLS"

// killCase is a command that is killed at random points, over files of the user's. Then
// it runs again, or all is uninstalled.
type killCase struct {
	name  string
	args  []string
	start func(t *testing.T, dir string)
}

var killCases = []killCase{
	{"install", []string{"install", "-q", "--prefix", "prefix", "package"}, filesInTheWay},
	{"upgrade", []string{"install", "-q", "--prefix", "prefix", "newer"}, installedAndChanged},
	{"uninstall", []string{"uninstall", "-q", "--prefix", "prefix"}, installedAndChanged},
	{"repair", []string{"install", "--repair", "-q", "--prefix", "prefix", "package"}, damaged},
	{"install from an archive", []string{"install", "-q", "--prefix", "prefix", "package.tar.xz"}, filesInTheWay},
	{"upgrade from an archive", []string{"install", "-q", "--prefix", "prefix", "newer.tar.zst"}, installedAndChanged},
	{"repair from an archive", []string{"install", "--repair", "-q", "--prefix", "prefix", "package.tar.zst"}, damaged},
	{"install from images", []string{"install", "-q", "--sysroot", "sysroot", "--prefix", "prefix"}, imagesInTheWay},
}

// mine writes files of the user's: their content says so, and which they are.
func mine(t *testing.T, dir string, names ...string) {
	for _, name := range names {
		put(t, filepath.Join(dir, "prefix", name), "mine: "+name, 0o640)
	}
}

func put(t *testing.T, path, text string, mode os.FileMode) {
	testenv.Must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	testenv.Must(t, os.WriteFile(path, []byte(text), mode))
}

func filesInTheWay(t *testing.T, dir string) {
	mine(t, dir, "bin/tool", "bin/other", "lib/libone.so/in a directory", "share/doc/rust/html/notes", "share/doc/rust/html/page7.html", "etc/tool.conf")
}

func imagesInTheWay(t *testing.T, dir string) {
	runx.TinySysroot(t, filepath.Join(dir, "sysroot"))
	filesInTheWay(t, dir)
	// With a directory rustlib of the user's: one that a killed run has created before its
	// journal is nobody's in the digests of the next.
	mine(t, dir, "bin/rustc", "bin/cargo/in a directory", "lib/librustc_driver-0123.so", "lib/rustlib/notes/mine")
}

func installedAndChanged(t *testing.T, dir string) {
	runx.Must(t, dir, nil, "install", "-q", "--prefix", "prefix", "package")
	mine(t, dir, "bin/tool", "bin/other", "share/doc/rust/html/notes", "share/doc/rust/html/page7.html", "lib/new/one")
}

func damaged(t *testing.T, dir string) {
	installedAndChanged(t, dir)
	for _, name := range []string{"bin/helper", "lib/libone.so", "share/doc/rust/html/page3.html", "lib/rustlib/uninstall.sh"} {
		testenv.Must(t, os.Remove(filepath.Join(dir, "prefix", name)))
	}
	mine(t, dir, "lib/libone.so/in a directory")
	testenv.Must(t, os.Chmod(filepath.Join(dir, "prefix/lib/libtwo.so"), 0o600))
}

// writePackage writes an unpacked package of two components.
func writePackage(t *testing.T, dir, version string, more ...string) {
	programs := append([]string{"bin/tool", "bin/helper", "lib/libone.so", "lib/libtwo.so", "lib/private/data", "etc/tool.conf"}, more...)
	var list strings.Builder
	for _, name := range programs {
		put(t, filepath.Join(dir, "tool", name), version+" "+name, 0o755)
		fmt.Fprintf(&list, "file:%s\n", name)
	}
	put(t, filepath.Join(dir, "tool/manifest.in"), list.String(), 0o644)
	for i := range 12 {
		name := fmt.Sprintf("share/doc/rust/html/page%d.html", i)
		put(t, filepath.Join(dir, "tool-docs", name), version+" "+name, 0o644)
	}
	put(t, filepath.Join(dir, "tool-docs/manifest.in"), "dir:share/doc/rust/html\n", 0o644)
	put(t, filepath.Join(dir, "components"), "tool\ntool-docs\n", 0o644)
	put(t, filepath.Join(dir, "rust-installer-version"), "3\n", 0o644)
}

// pack makes an archive of the unpacked package name of dir, in two formats.
func pack(t *testing.T, dir, name string) {
	runx.Must(t, dir, nil, "installer", "tarball", "--input", name, "--work-dir", ".", "--output", name, "--compression-profile", "fast", "--compression-formats", "xz,zst")
}

// TestKills kills commands that change an installation, at random points of time. Nothing
// of the user's is lost, and the next command, the same one or x uninstall, leaves what it
// leaves without a kill: no file of ours that no record names.
//
//	X_TEST_KILLS=200 go test ./tests/faults -run TestKills
func TestKills(t *testing.T) {
	testenv.Long(t, "it runs each command many times")
	kills, err := strconv.Atoi("0" + os.Getenv(killsVar))
	testenv.Must(t, err)
	if kills == 0 {
		kills = 5
	}
	for _, c := range killCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newKillRun(t, c)
			for i := range kills {
				r.kill(t)
				if i%2 == 0 {
					runx.Must(t, r.dir, nil, c.args...)
					r.compare(t, "the same command", r.after)
				}
				runx.Must(t, r.dir, nil, "uninstall", "-q", "--prefix", "prefix")
				r.leavesOnlyMine(t)
			}
			t.Logf("%d of %d kills left a journal", r.middle, kills)
		})
	}
}

type killRun struct {
	killCase
	dir    string            // where the command runs
	before map[string]string // the prefix
	after  map[string]string
	takes  time.Duration // somewhat more than the command takes from its lock on
	middle int           // kills that left something to complete
}

func newKillRun(t *testing.T, c killCase) *killRun {
	dir, err := os.MkdirTemp("/dev/shm", "kills-") // each run flushes
	if err != nil {
		dir = t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	r := &killRun{killCase: c, dir: dir}
	writePackage(t, filepath.Join(dir, "package"), "old")
	writePackage(t, filepath.Join(dir, "newer"), "new", "bin/newer", "lib/new/one")
	if strings.HasSuffix(c.name, " an archive") {
		pack(t, dir, "package")
		pack(t, dir, "newer")
	}
	c.start(t, dir)
	testenv.Must(t, os.Rename(dir+"/prefix", dir+"/template"))
	r.before = testenv.Tree(t, dir+"/template")
	r.reset(t)
	cmd, ended := r.run(t)
	begin := time.Now()
	if err := <-ended; err != nil {
		t.Fatalf("%q: %v", cmd.Args, err)
	}
	r.takes = time.Since(begin)*5/4 + 1
	r.after = r.tree(t)
	if got, want := texts(r.after), texts(r.before); !cmp.Equal(got, want) {
		t.Fatalf("without a kill (-want +got):\n%s", cmp.Diff(want, got))
	}
	return r
}

func (r *killRun) reset(t *testing.T) {
	testenv.Must(t, os.RemoveAll(r.dir+"/prefix"))
	testenv.Must(t, os.CopyFS(r.dir+"/prefix", os.DirFS(r.dir+"/template")))
	for name := range r.before { // their times tell what is the user's
		from, to := filepath.Join(r.dir, "template", name), filepath.Join(r.dir, "prefix", name)
		info, err := os.Lstat(from)
		testenv.Must(t, err)
		testenv.Must(t, os.Chmod(to, info.Mode()))
		testenv.Must(t, os.Chtimes(to, info.ModTime(), info.ModTime()))
	}
}

// tree is what is in the prefix, without the log, which tells of each run.
func (r *killRun) tree(t *testing.T) map[string]string {
	tree := testenv.Tree(t, r.dir+"/prefix")
	delete(tree, "lib/rustlib/install.log")
	return tree
}

// texts returns the contents of the user's files, sorted.
func texts(tree map[string]string) []string {
	var out []string
	for _, text := range tree {
		if _, text, _ = strings.Cut(text, " "); strings.HasPrefix(text, "mine: ") {
			out = append(out, text)
		}
	}
	slices.Sort(out)
	return out
}

// run starts the command, and returns when it holds its lock, or has ended.
func (r *killRun) run(t *testing.T) (*exec.Cmd, <-chan error) {
	cmd := runx.Command(t, r.dir, nil, r.args...)
	testenv.Must(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for len(ended) == 0 {
		if _, err := os.Lstat(r.dir + "/prefix/lib/rustlib/.x-lock"); err == nil {
			break
		}
		time.Sleep(500 * time.Microsecond)
	}
	return cmd, ended
}

// kill kills the command at some time.
func (r *killRun) kill(t *testing.T) {
	r.reset(t)
	cmd, ended := r.run(t)
	time.Sleep(time.Duration(rand.Int64N(int64(r.takes))))
	_ = cmd.Process.Kill()
	<-ended
	if _, err := os.Lstat(r.dir + "/prefix/lib/rustlib/.x-install"); err == nil {
		r.middle++
	}
	r.keepsMine(t, "the kill")
}

func (r *killRun) keepsMine(t *testing.T, when string) {
	t.Helper()
	if diff := cmp.Diff(texts(r.before), texts(r.tree(t))); diff != "" {
		t.Fatalf("after %s, files of the user (-want +got):\n%s", when, diff)
	}
}

func (r *killRun) compare(t *testing.T, when string, want map[string]string) {
	t.Helper()
	if diff := cmp.Diff(want, r.tree(t)); diff != "" {
		t.Fatalf("after a kill and %s (-want +got):\n%s", when, diff)
	}
}

// leavesOnlyMine says that nothing but the user's files and their directories is left.
func (r *killRun) leavesOnlyMine(t *testing.T) {
	t.Helper()
	r.keepsMine(t, "a kill and x uninstall")
	left := testenv.Tree(t, r.dir+"/prefix")
	for name, text := range maps.Clone(left) {
		if strings.Contains(text, " mine: ") {
			delete(left, name)
			for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
				delete(left, dir+"/")
			}
		}
	}
	if len(left) > 0 {
		t.Fatalf("after a kill and x uninstall, more than the user's files is left: %q", left)
	}
}
