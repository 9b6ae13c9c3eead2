//go:build unix

package conformance

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"x.go/tests/testenv"
)

// script prepares a run of the install.sh of m's package, or of another script.
func (m *machine) script(path string, args ...string) *exec.Cmd {
	m.t.Helper()
	if path == "" {
		path = filepath.Join(m.pkg.build(m.t).dir, m.pkg.name, "install.sh")
	}
	argv := slices.Concat(m.by.argv, []string{path}, args)
	cmd := exec.CommandContext(m.t.Context(), argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = m.root, os.Environ()
	return cmd
}

// must runs a script and returns its output; ok says whether it must succeed.
func (m *machine) must(ok bool, cmd *exec.Cmd) string {
	m.t.Helper()
	out, err := cmd.CombinedOutput()
	if (err == nil) != ok {
		m.t.Fatalf("%q: %v\n%s", cmd.Args, err, out)
	}
	return string(out)
}

func shellMachine(t *testing.T, i int, p pkg) *machine {
	t.Parallel()
	m := newMachine(t, shellsOf(i, false)[0])
	m.pkg = p
	return m
}

func Test_uninstall_from_installed_script_with_args_fails(t *testing.T) {
	m := shellMachine(t, 0, rustc)
	m.must(true, m.script("", "--prefix="+m.root, "--disable-ldconfig"))
	out := m.must(false, m.script(m.root+"/lib/rustlib/uninstall.sh", "--prefix=foo"))
	if !strings.Contains(out, "uninstall.sh does not take any arguments") {
		t.Errorf("got %q", out)
	}
}

// asUser returns a run of install.sh with args by one who is not root, from a copy of the
// package that this one may read.
func asUser(t *testing.T, m *machine, args ...string) *exec.Cmd {
	work := m.pkg.build(t).dir
	cmd := m.script(m.root + "/src/install.sh")
	// That of the tests is below a directory of this user's alone.
	sh, err := filepath.EvalSymlinks(cmd.Path)
	testenv.Must(t, err)
	cmd.Path, cmd.Env = sh, append(cmd.Env, "PATH=/usr/bin:/bin")
	if os.Getuid() == 0 {
		testenv.Must(t, os.Chmod(filepath.Dir(m.root), 0o755))
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	testenv.Must(t, os.CopyFS(m.root+"/src", os.DirFS(filepath.Join(work, "package"))))
	cmd.Args = append(cmd.Args, args...)
	return cmd
}

// As root, everything can be written to.
func Test_cannot_write_error(t *testing.T) {
	m := shellMachine(t, 1, one("package", image1))
	cmd := asUser(t, m, "--prefix="+m.root+"/p", "--disable-ldconfig")
	testenv.Must(t, os.Mkdir(m.root+"/p", 0o555))
	if out := m.must(false, cmd); !strings.Contains(out, "can't write to destination. consider `sudo`.") {
		t.Errorf("got %q", out)
	}
	if names := testenv.List(t, m.root+"/p"); names != nil {
		t.Errorf("got %q", names)
	}
}

func Test_create_log(t *testing.T) {
	m := shellMachine(t, 2, rustc)
	m.must(true, m.script("", "--prefix="+m.root, "--disable-ldconfig"))
	log, err := os.ReadFile(m.root + "/lib/rustlib/install.log")
	testenv.Must(t, err)
	if want := "install: installing component 'rustc'\n"; !strings.Contains(string(log), want) {
		t.Errorf("got log %q, want %q in it", log, want)
	}
}

// A list of components that may not be written to stops the installation. As root, it
// can be written to.
func Test_leave_log_after_failure(t *testing.T) {
	m := shellMachine(t, 0, one("package", image3))
	cmd := asUser(t, m, "--prefix="+m.root+"/p", "--disable-ldconfig")
	records := m.root + "/p/lib/rustlib"
	testenv.Must(t, os.MkdirAll(records, 0o777))
	for _, dir := range []string{m.root + "/p", m.root + "/p/lib", records} {
		testenv.Must(t, os.Chmod(dir, 0o777))
	}
	testenv.Must(t, os.WriteFile(records+"/components", nil, 0o444))
	m.must(false, cmd)
	checkLog(t, records)
	if want, got := []string{"lib"}, testenv.List(t, m.root+"/p"); !slices.Equal(got, want) {
		t.Errorf("got %q in the prefix, want %q", got, want)
	}
}

// A file that cannot be written whole does, too.
func TestFileTooLarge(t *testing.T) {
	m := shellMachine(t, 0, one("package", image3))
	testenv.Must(t, os.CopyFS(m.root+"/src", os.DirFS(filepath.Join(m.pkg.build(t).dir, "package"))))
	testenv.Must(t, os.WriteFile(m.root+"/src/package/bin/cargo", make([]byte, 4<<20), 0o755))
	m.by.argv = append([]string{"sh", "-c", `ulimit -f 4000; exec "$@"`, "sh"}, m.by.argv...)
	m.must(false, m.script(m.root+"/src/install.sh", "--prefix="+m.root, "--disable-ldconfig"))
	checkLog(t, m.root+"/lib/rustlib")
}

func checkLog(t *testing.T, records string) {
	t.Helper()
	log, err := os.ReadFile(records + "/install.log")
	testenv.Must(t, err)
	if want := "see logs at '" + records + "/install.log'"; !strings.Contains(string(log), want) {
		t.Errorf("got log %q, want %q in it", log, want)
	}
}

func Test_CDPATH_does_not_destroy_things(t *testing.T) {
	m := shellMachine(t, 1, one("package", image3))
	work := m.pkg.build(t).dir
	install := m.script("package/install.sh", "--prefix="+m.root+"/p", "--disable-ldconfig")
	install.Dir = work
	install.Env = append(install.Env, "CDPATH=../"+filepath.Base(work)+"/foo")
	m.must(true, install)
	uninstall := m.script("lib/rustlib/uninstall.sh")
	uninstall.Dir = m.root + "/p"
	uninstall.Env = append(uninstall.Env, "CDPATH=../p")
	m.must(true, uninstall)
	step{do: "uninstall.sh"}.check(m)
}

// TestKilled kills install.sh at random points, where files of the user are in the way.
// Another run completes the installation, uninstall.sh and --uninstall remove it, and
// nothing of the user's is lost.
func TestKilled(t *testing.T) {
	if upstream() != "" {
		return // it leaves other files, and a blank line in components
	}
	var files []string
	for i := range 40 {
		files = append(files, fmt.Sprintf("lib/rustlib/t%d/lib/lib%d.rlib", i%8, i))
	}
	p := pkg{name: "rust", parts: []pkg{rustc, one("rust-std", strings.Join(files, "|")), {name: "rust-docs", image: manyBelow, bulk: "share/doc/rust/html"}}}
	mine := []string{"bin/program", "lib/rustlib/t3/lib/lib3.rlib", "share/doc/rust/html/notes", "dir-to-install/foo/mine", "bin/other"}
	const kills = 9
	for i := range kills {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			m := shellMachine(t, i, p)
			for _, name := range mine {
				m.change([]string{"put", "~/p/" + name})
			}
			install := m.script("", "--prefix="+m.root+"/p", "--disable-ldconfig")
			install.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			testenv.Must(t, install.Start())
			// Most of a run's time, whatever the machine.
			time.Sleep(time.Duration(rand.Int64N(int64(600 * time.Millisecond))))
			_ = syscall.Kill(-install.Process.Pid, syscall.SIGKILL)
			_ = install.Wait()
			if got := m.userFiles(); got != len(mine) {
				t.Fatalf("after the kill: got %d files of the user, want %d", got, len(mine))
			}
			uninstaller := m.root + "/p/lib/rustlib/uninstall.sh"
			_, err := os.Stat(uninstaller)
			switch {
			case i%3 == 0:
				m.must(true, m.script("", "--prefix="+m.root+"/p", "--disable-ldconfig"))
				m.must(true, m.script(uninstaller))
			case i%3 == 1 && err == nil:
				m.must(true, m.script(uninstaller))
			default:
				_, _ = m.script("", "--prefix="+m.root+"/p", "--uninstall").CombinedOutput()
			}
			left := m.snapshot()
			maps.DeleteFunc(left, func(_, text string) bool { return strings.HasSuffix(text, " mine") })
			if diff := cmp.Diff(map[string]string{}, left); diff != "" {
				t.Errorf("after uninstalling (-want +got):\n%s", diff)
			}
			if got := m.userFiles(); got != len(mine) {
				t.Errorf("after uninstalling: got %d files of the user, want %d", got, len(mine))
			}
		})
	}
}

// userFiles counts the files that have the content of [machine.change].
func (m *machine) userFiles() int {
	n := 0
	for _, text := range m.snapshot() {
		if strings.HasSuffix(text, " mine") {
			n++
		}
	}
	return n
}
