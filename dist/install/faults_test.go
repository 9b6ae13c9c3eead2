package install

import (
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist"
	"x.go/tests/testenv"
)

// scenario is a run over a prefix that already has files, some of them the user's.
type scenario struct {
	name  string
	start func(t *testing.T, prefix string)
	run   func(t *testing.T, opts Options) (Installed, error)
	// mine is content that must be below the prefix whatever happens.
	mine []string
}

// put writes a file with its directories.
func put(t *testing.T, path, text string) {
	t.Helper()
	testenv.Must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	testenv.Must(t, os.WriteFile(path, []byte(text), 0o644))
}

func firstTools(t *testing.T) []dist.Component {
	return []dist.Component{
		{Name: "rustc", Image: image(t, "bin/rustc*", "bin/gone*", "lib/same", "lib/was-file", "libexec/old/helper*")},
		{Name: "rust-docs", Image: image(t, "share/doc/rust/html/index.html", "share/doc/rust/html/a/old.html", "share/doc/rust/html/b"), BulkDirs: []string{"share/doc/rust/html"}},
	}
}

func secondTools(t *testing.T) []dist.Component {
	rustc := image(t, "lib/same", "lib/was-file/now-dir", "etc/new.conf", "bin/new*")
	testenv.Must(t, rustc.AddBytes("bin/rustc", []byte("second"), dist.ModeExec))
	docs := image(t, "share/doc/rust/html/a/new.html", "share/doc/rust/html/b/index.html", "share/doc/rust/html/empty/")
	testenv.Must(t, docs.AddBytes("share/doc/rust/html/index.html", []byte("second"), dist.ModeFile))
	return []dist.Component{{Name: "rustc", Image: rustc}, {Name: "rust-docs", Image: docs, BulkDirs: []string{"share/doc/rust/html"}}}
}

func scenarios() []scenario {
	inWay := func(t *testing.T, prefix string) {
		put(t, prefix+"/bin/rustc", "my program")
		put(t, prefix+"/lib/same/deep/note", "my note in a directory")
		put(t, prefix+"/share/doc/rust/html/my-notes", "my note in html")
		testenv.Must(t, os.Symlink("/dev/null", prefix+"/bin/gone"))
	}
	installed := func(t *testing.T, prefix string) {
		script, err := dist.Package{}.Script()
		testenv.Must(t, err)
		_, err = Run(t.Context(), Options{Prefix: prefix, Uninstaller: script}, firstTools(t))
		testenv.Must(t, err)
		put(t, prefix+"/lib/was-file", "my own change")
		put(t, prefix+"/share/doc/rust/html/my-notes", "my note in html")
		put(t, prefix+"/bin/new", "my program")
		put(t, prefix+"/bin/mine", "my other program")
	}
	damaged := func(t *testing.T, prefix string) {
		installed(t, prefix)
		testenv.Must(t, os.Remove(prefix+"/bin/rustc"))
		put(t, prefix+"/bin/rustc/mine", "my file in a directory")
		testenv.Must(t, os.Remove(prefix+"/bin/gone"))
		testenv.Must(t, os.Chmod(prefix+"/lib/same", 0o600))
		testenv.Must(t, os.RemoveAll(prefix+"/share/doc/rust/html/a"))
		put(t, prefix+"/share/doc/rust/html/a", "my page in the place of a directory")
		testenv.Must(t, os.Rename(prefix+"/libexec", prefix+"/elsewhere"))
		put(t, prefix+"/elsewhere/old/helper", "my helper")
		testenv.Must(t, os.Symlink("elsewhere", prefix+"/libexec"))
		testenv.Must(t, os.Remove(prefix+"/lib/rustlib/components"))
		put(t, prefix+"/lib/rustlib/uninstall.sh", "cut")
	}
	changed := []string{"my own change", "my note in html", "my program", "my other program"}
	return []scenario{
		{"install over files", inWay, func(t *testing.T, opts Options) (Installed, error) {
			return Run(t.Context(), opts, firstTools(t))
		}, []string{"my program", "my note in a directory", "my note in html"}},
		{"upgrade", installed, func(t *testing.T, opts Options) (Installed, error) {
			return Run(t.Context(), opts, secondTools(t))
		}, changed},
		{"uninstall", installed, func(t *testing.T, opts Options) (Installed, error) {
			return Uninstall(t.Context(), opts)
		}, changed},
		{"uninstall one", installed, func(t *testing.T, opts Options) (Installed, error) {
			return Uninstall(t.Context(), opts, "rust-docs")
		}, changed},
		{"repair", damaged, func(t *testing.T, opts Options) (Installed, error) {
			opts.Repair = true
			return Run(t.Context(), opts, firstTools(t))
		}, append([]string{"my file in a directory", "my page in the place of a directory", "my helper"}, changed...)},
	}
}

// oneByOne has f called by one goroutine at a time: files are written by several.
func oneByOne(f func(op, path string) error) func(op, path string) error {
	var mu sync.Mutex
	return func(op, path string) error {
		mu.Lock()
		defer mu.Unlock()
		return f(op, path)
	}
}

// faultCase is a scenario with its trees.
type faultCase struct {
	scenario
	prefix, template string
	before, after    map[string]string
	opts             Options
	steps            []string
}

// memoryDir is a directory in memory, where there is one: these tests flush very often.
func memoryDir(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "install-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func newFaultCase(t *testing.T, s scenario) *faultCase {
	top := memoryDir(t)
	c := &faultCase{scenario: s, prefix: filepath.Join(top, "p"), template: filepath.Join(top, "template")}
	testenv.Must(t, os.Mkdir(c.prefix, 0o755))
	c.start(t, c.prefix)
	testenv.Must(t, os.Rename(c.prefix, c.template))
	c.before = testenv.Tree(t, c.template)
	script, err := dist.Package{}.Script()
	testenv.Must(t, err)
	c.opts = Options{Prefix: c.prefix, Uninstaller: script}
	c.reset(t)
	opts := c.opts
	opts.fault = oneByOne(func(op, path string) error {
		c.steps = append(c.steps, op+" "+path)
		return nil
	})
	done, err := c.run(t, opts)
	testenv.Must(t, err)
	for _, b := range done.Backups {
		if _, err := os.Lstat(b.Old); err != nil {
			t.Errorf("the result tells of %v: %v", b, err)
		}
	}
	c.after = c.tree(t)
	return c
}

func (c *faultCase) reset(t *testing.T) {
	testenv.Must(t, os.RemoveAll(c.prefix))
	if out, err := exec.Command(testenv.Need(t, "cp"), "-a", c.template, c.prefix).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// tree is what is in the prefix, without the log, which tells of each run.
func (c *faultCase) tree(t *testing.T) map[string]string {
	tree := testenv.Tree(t, c.prefix)
	delete(tree, "lib/rustlib/"+logName)
	return tree
}

// keepsMine fails unless all that is the user's is still there.
func (c *faultCase) keepsMine(t *testing.T, when string) {
	t.Helper()
	texts := map[string]bool{}
	for _, text := range testenv.Tree(t, c.prefix) {
		_, text, _ = strings.Cut(text, " ")
		texts[text] = true
	}
	for _, text := range c.mine {
		if !texts[text] {
			t.Fatalf("%s: %q is lost: %q", when, text, slices.Sorted(maps.Keys(testenv.Tree(t, c.prefix))))
		}
	}
}

var errInjected = errors.New("injected error")

// TestErrorsRollBack has a change of the disk fail once: then everything is as
// before, or all new.
func TestErrorsRollBack(t *testing.T) {
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			c := newFaultCase(t, s)
			delete(c.before, "lib/rustlib/"+logName)
			for i, n := range c.sample() {
				c.reset(t)
				at, step := 0, ""
				opts := c.opts
				opts.fault = oneByOne(func(op, path string) error {
					if at++; at == n+1 {
						step = op + " " + path
						return errInjected
					}
					return nil
				})
				_, err := c.run(t, opts)
				now := c.tree(t)
				if diff := cmp.Diff(c.before, now); diff != "" && err != nil {
					if !strings.Contains(err.Error(), "all new ones are in place") {
						t.Fatalf("%s: error %v, and not as before (-before +now):\n%s", step, err, diff)
					}
				}
				c.keepsMine(t, step)
				if err != nil && i%4 != 0 {
					continue
				}
				if err != nil {
					_, err = c.run(t, c.opts)
					testenv.Must(t, err)
				}
				if diff := cmp.Diff(c.after, c.tree(t)); diff != "" && !strings.HasPrefix(step, "rmdir ") {
					t.Fatalf("%s: after another run (-want +got):\n%s", step, diff)
				}
			}
		})
	}
}

// TestErrorsInRollBack has a change of the disk fail, and then one of those that undo:
// nothing of the user's is lost, and the next run makes all new.
func TestErrorsInRollBack(t *testing.T) {
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			c := newFaultCase(t, s)
			for _, n := range c.sample() {
				c.reset(t)
				at, steps, second := 0, []string(nil), n+1+rand.IntN(12)
				opts := c.opts
				opts.fault = oneByOne(func(op, path string) error {
					if at++; at == n+1 || at == second+1 {
						steps = append(steps, op+" "+path)
						return errInjected
					}
					return nil
				})
				_, _ = c.run(t, opts)
				when := strings.Join(steps, ", then ")
				c.keepsMine(t, when)
				if _, err := c.run(t, c.opts); err != nil {
					t.Fatalf("%s: the next run: %v", when, err)
				}
				c.keepsMine(t, when)
				if diff := cmp.Diff(c.after, c.tree(t)); diff != "" && !strings.Contains(when, "rmdir ") {
					t.Fatalf("%s: after the next run (-want +got):\n%s", when, diff)
				}
			}
		})
	}
}

// TestKilled stops before a change of the disk. Whatever comes next, nothing of the user's
// is lost: another run completes it, an uninstallation leaves what is the user's, and
// uninstall.sh may come between.
func TestKilled(t *testing.T) {
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			c := newFaultCase(t, s)
			for i, n := range c.sample() {
				c.kill(t, n)
				if i%2 == 0 {
					c.runAgain(t, n)
				} else {
					c.uninstallAfter(t, n, i%8 == 1)
				}
			}
		})
	}
}

// sample returns the numbers of some steps, others in each run; of all with
// X_TEST_FAULTS=all.
func (c *faultCase) sample() []int {
	const some = 30
	steps := rand.Perm(len(c.steps))
	if os.Getenv("X_TEST_FAULTS") != "all" {
		steps = steps[:min(some, len(steps))]
	}
	return steps
}

// runAgain is what comes after most kills.
func (c *faultCase) runAgain(t *testing.T, n int) {
	if _, err := c.run(t, c.opts); err != nil {
		t.Fatalf("%s: the next run: %v", c.steps[n], err)
	}
	c.keepsMine(t, c.steps[n])
	if diff := cmp.Diff(c.after, c.tree(t)); diff != "" {
		t.Fatalf("%s: after the next run (-want +got):\n%s", c.steps[n], diff)
	}
}

// uninstallAfter uninstalls after a kill, perhaps with uninstall.sh first. That knows
// nothing of digests: it removes what the records name, also if the user has changed it.
func (c *faultCase) uninstallAfter(t *testing.T, n int, byScript bool) {
	when := c.steps[n]
	if byScript = byScript && runtime.GOOS != "windows"; byScript {
		when += ", then uninstall.sh"
		_, _ = exec.Command(testenv.Need(t, "sh"), c.prefix+"/lib/rustlib/uninstall.sh").CombinedOutput()
	}
	_, err := Uninstall(t.Context(), c.opts)
	testenv.Must(t, err)
	if !byScript || c.name == "install over files" {
		c.keepsMine(t, when)
	}
	for name, text := range testenv.Tree(t, c.prefix) {
		switch own := strings.Contains("/"+name, "/"+ownPrefix); {
		case own && byScript: // it may have taken the journal with it
		case own, !strings.HasSuffix(name, "/") && !strings.Contains(text, " my ") && !strings.Contains(name, "gone") && !strings.HasSuffix(text, "elsewhere"):
			t.Fatalf("%s: after uninstalling, %q is left: %q", when, name, text)
		}
	}
}

// kill runs until the nth change of the disk, and then does nothing more.
func (c *faultCase) kill(t *testing.T, n int) {
	c.reset(t)
	at := 0
	opts := c.opts
	opts.fault = oneByOne(func(string, string) error {
		if at++; at > n {
			return errInjected
		}
		return nil
	})
	_, _ = c.run(t, opts)
	c.keepsMine(t, c.steps[n])
}
