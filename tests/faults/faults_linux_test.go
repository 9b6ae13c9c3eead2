package faults

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"x.go/manifests"
	"x.go/tests/runx"
	"x.go/tests/testenv"
)

// faultsVar says how many faults TestFaults injects into each command: a number, or
// "all". seedVar chooses which.
const (
	faultsVar = "X_TEST_FAULTS"
	seedVar   = "X_TEST_SEED"
)

// faultCase is a command that changes a directory, and what must hold of it whenever
// the command is stopped.
type faultCase struct {
	name string
	args []string // of x, which runs in the directory
	// start fills the directory before the command.
	start func(t *testing.T, dir, sysroot string)
	// mixed reports whether a file may be neither that of before nor that of after.
	mixed func(name string) bool
	// consistent is what holds beside that each file is the old or the new one.
	consistent func(old, after, got tree) error
}

// tree maps the slash paths of files to their content.
type tree map[string]string

// own are the files that x keeps for itself.
func own(name string) bool { return strings.Contains("/"+name, "/.x-") }

var faultCases = []faultCase{
	{
		name: "dist", args: []string{"dist", "-q", "--sysroot", "sysroot"}, consistent: consistentDist,
		start: func(t *testing.T, dir, _ string) { runx.Must(t, dir, firstDate, "dist", "-q", "--sysroot", "sysroot") },
	},
	{
		name: "build", args: []string{"build", "-q", "--sysroot", "sysroot"}, consistent: wholeStage,
		start: func(t *testing.T, dir, _ string) {
			runx.Must(t, dir, nil, "build", "-q", "--sysroot", "sysroot")
			testenv.Must(t, os.WriteFile(filepath.Join(dir, "build/x86_64-unknown-linux-gnu/stage2/old"), nil, 0o644))
		},
	},
	{
		name: "install", args: []string{"install", "-q", "--sysroot", "sysroot", "--prefix", "prefix"}, consistent: recorded,
		mixed: isLog,
		start: func(t *testing.T, dir, _ string) {
			const oldLibrary = "sysroot/lib/rustlib/x86_64-unknown-linux-gnu/lib/libold-0123.rlib"
			// An older version, which has other files, and one that is the user's by now.
			older := filepath.Join(dir, "sysroot/bin/rustdoc")
			text, err := os.ReadFile(older)
			testenv.Must(t, err)
			testenv.Must(t, os.WriteFile(older, []byte("an older file"), 0o755))
			testenv.Must(t, os.WriteFile(filepath.Join(dir, oldLibrary), []byte("an older library"), 0o644))
			runx.Must(t, dir, nil, "install", "-q", "--sysroot", "sysroot", "--prefix", "prefix")
			testenv.Must(t, os.Remove(filepath.Join(dir, oldLibrary)))
			testenv.Must(t, os.WriteFile(older, text, 0o755))
			testenv.Must(t, os.WriteFile(filepath.Join(dir, "prefix/lib/librustc_driver-0123.so"), []byte("the user's file"), 0o755))
			testenv.Must(t, os.RemoveAll(filepath.Join(dir, "build")))
		},
	},
	{
		name: "install from a package", args: []string{"install", "-q", "--prefix", "prefix", "newer"}, consistent: mineIsThere, mixed: isLog,
		start: func(t *testing.T, dir, _ string) { startWithPackages(t, dir, installedAndChanged) },
	},
	{
		name: "install from an archive", args: []string{"install", "-q", "--prefix", "prefix", "newer.tar.zst"}, consistent: mineIsThere, mixed: isLog,
		start: func(t *testing.T, dir, _ string) {
			startWithPackages(t, dir, installedAndChanged)
			pack(t, dir, "newer")
		},
	},
	{
		name: "repair from an archive", args: []string{"install", "--repair", "-q", "--prefix", "prefix", "package.tar.xz"}, consistent: mineIsThere, mixed: isLog,
		start: func(t *testing.T, dir, _ string) {
			startWithPackages(t, dir, damaged)
			pack(t, dir, "package")
		},
	},
	{
		name: "uninstall", args: []string{"uninstall", "-q", "--prefix", "prefix"}, consistent: mineIsThere, mixed: isLog,
		start: func(t *testing.T, dir, _ string) { startWithPackages(t, dir, installedAndChanged) },
	},
	{
		name: "repair", args: []string{"install", "--repair", "-q", "--prefix", "prefix", "package"}, consistent: mineIsThere, mixed: isLog,
		start: func(t *testing.T, dir, _ string) { startWithPackages(t, dir, damaged) },
	},
	{
		name: "recompress", args: []string{"recompress", "-q", "--profile", "fast", "--formats", "gz,xz", "archives"}, consistent: sumsMatch,
		start: func(t *testing.T, dir, _ string) {
			runx.Must(t, dir, firstDate, "dist", "-q", "--sysroot", "sysroot", "cargo", "--set", `dist.compression-formats=["xz"]`, "--set", `dist.compression-profile="balanced"`)
			testenv.Must(t, os.Rename(filepath.Join(dir, "build/dist"), filepath.Join(dir, "archives")))
			testenv.Must(t, os.RemoveAll(filepath.Join(dir, "build")))
		},
	},
	{
		name: "clean", args: []string{"clean", "-q"}, consistent: func(_, _, _ tree) error { return nil },
		start: func(t *testing.T, dir, _ string) {
			runx.Must(t, dir, firstDate, "dist", "-q", "--sysroot", "sysroot", "cargo")
			runx.Must(t, dir, nil, "build", "-q", "--sysroot", "sysroot")
			testenv.Must(t, os.WriteFile(filepath.Join(dir, "build/mine"), []byte("mine"), 0o644))
		},
	},
}

// Times of archives, before and after.
var (
	firstDate  = []string{"SOURCE_DATE_EPOCH=1000000000"}
	secondDate = []string{"SOURCE_DATE_EPOCH=1100000000"}
)

// consistentDist says that each channel names archives that are there, and that each
// checksum is of the file beside it.
func consistentDist(old, after, got tree) error {
	for name, text := range got {
		base := path.Base(name)
		if own(name) || !strings.HasPrefix(base, "channel-rust-") || path.Ext(base) != ".toml" {
			continue
		}
		c, err := manifests.ParseChannel([]byte(text))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if _, ok := got[name+manifests.ChecksumExt]; !ok {
			return fmt.Errorf("%s has no checksum", name)
		}
		for _, pkg := range c.Packages {
			for _, target := range pkg.Targets {
				for _, d := range target.Downloads() {
					archive := path.Join(path.Dir(name), path.Base(d.URL))
					if data, ok := got[archive]; !ok || manifests.HashOf([]byte(data)) != d.Hash {
						return fmt.Errorf("%s names %s, which is missing or another one", name, archive)
					}
				}
			}
		}
	}
	return sumsMatch(old, after, got)
}

// sumsMatch says that each checksum is of the file beside it, and that no archive of
// before is gone.
func sumsMatch(old, _, got tree) error {
	for name, text := range got {
		file, ok := strings.CutSuffix(name, manifests.ChecksumExt)
		data, there := got[file]
		if !ok || !there || own(name) {
			continue
		}
		sum, of, err := manifests.ParseChecksum([]byte(text))
		if err != nil || of != path.Base(file) || sum != manifests.HashOf([]byte(data)) {
			return fmt.Errorf("%s is not the checksum of the file beside it (error %v)", name, err)
		}
	}
	for name := range old {
		if _, ok := got[name]; !ok && strings.Contains(path.Base(name), ".tar.") && path.Ext(name) != manifests.ChecksumExt {
			return fmt.Errorf("%s is lost", name)
		}
	}
	return nil
}

// wholeStage says that stage2 is the old tree, the new one, or missing.
func wholeStage(old, after, got tree) error {
	stage := func(t tree) tree {
		out := maps.Clone(t)
		maps.DeleteFunc(out, func(name, _ string) bool { return own(name) || !strings.Contains(name, "/stage2/") })
		return out
	}
	if now := stage(got); len(now) == 0 || maps.Equal(now, stage(old)) || maps.Equal(now, stage(after)) {
		return nil
	}
	return errors.New("stage2 is neither the old tree nor the new one")
}

// recorded says that the records of an installation list each of its files, so that
// uninstall.sh removes it, and that the user's file is there, under one name or the other.
func recorded(_, _, got tree) error {
	const mine = "prefix/lib/librustc_driver-0123.so"
	if text := got[mine] + got[mine+".old"]; !strings.Contains(text, "the user's file") {
		return errors.New("the user's file is lost")
	}
	var lists strings.Builder
	for name, text := range got {
		if strings.HasPrefix(name, "prefix/lib/rustlib/manifest-") {
			lists.WriteString(text)
		}
	}
	for name := range got {
		rest, ok := strings.CutPrefix(name, "prefix/")
		if ok && !own(name) && path.Ext(name) != ".old" && !manifests.IsInstallerFile(rest) && !strings.Contains(lists.String(), "/"+rest+"\n") {
			return fmt.Errorf("no record lists %s", name)
		}
	}
	return nil
}

// isLog reports whether a file tells of each run.
func isLog(name string) bool { return name == "prefix/lib/rustlib/install.log" }

// startWithPackages has two packages beside the prefix.
func startWithPackages(t *testing.T, dir string, start func(t *testing.T, dir string)) {
	writePackage(t, filepath.Join(dir, "package"), "old")
	writePackage(t, filepath.Join(dir, "newer"), "new", "bin/newer", "lib/new/one")
	start(t, dir)
}

// mineIsThere says that each file of the user's is there, under one name or another.
func mineIsThere(old, _, got tree) error {
	have := map[string]bool{}
	for _, text := range got {
		have[text] = true
	}
	for name, text := range old {
		if strings.HasPrefix(text, "mine: ") && !have[text] {
			return fmt.Errorf("the user's file %s is lost", name)
		}
	}
	return nil
}

// judge says what is wrong with what a stopped command left.
func (c faultCase) judge(old, after, got tree) error {
	for name, text := range got {
		if own(name) || c.mixed != nil && c.mixed(name) {
			continue
		}
		was, had := old[name]
		is, has := after[name]
		if !(had && text == was) && !(has && text == is) {
			return fmt.Errorf("%s is neither the old file nor the new one: %d bytes", name, len(text))
		}
	}
	for name := range old {
		if _, has := after[name]; has && strings.HasPrefix(name, "sysroot/") && got[name] != old[name] {
			return fmt.Errorf("the input %s changed", name)
		}
	}
	return c.consistent(old, after, got)
}

// readTree reads the files below dir.
func readTree(t testing.TB, dir string) tree {
	t.Helper()
	out := tree{}
	testenv.Must(t, filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == ".x-lock" { // which says who held it
			return err
		}
		data, err := os.ReadFile(p)
		rel, _ := filepath.Rel(dir, p)
		out[filepath.ToSlash(rel)] = string(data)
		return err
	}))
	return out
}

// faultRun is a case with its directory.
type faultRun struct {
	faultCase
	x             string // as shipped: a fault in a dynamic linker's call is not x's to tell
	dir, template string // dir is the same in each run: records hold its path
	old, after    tree
}

// log is where strace notes calls.
func (r *faultRun) log() string { return filepath.Join(filepath.Dir(r.dir), "trace") }

// newFaultRun prepares a case and runs its command once without faults.
func newFaultRun(t *testing.T, x string, c faultCase) *faultRun {
	t.Helper()
	top := t.TempDir()
	r := &faultRun{faultCase: c, x: x, dir: filepath.Join(top, "work"), template: filepath.Join(top, "template")}
	testenv.Must(t, os.Mkdir(r.dir, 0o755))
	runx.TinySysroot(t, filepath.Join(r.dir, "sysroot"))
	c.start(t, r.dir, filepath.Join(r.dir, "sysroot"))
	r.copy(t, r.dir, r.template)
	r.old = readTree(t, r.dir)
	runx.Must(t, r.dir, secondDate, c.args...)
	r.after = readTree(t, r.dir)
	return r
}

// copy copies a directory with its modes, times and hard links.
func (r *faultRun) copy(t *testing.T, from, to string) {
	t.Helper()
	testenv.Must(t, os.RemoveAll(to))
	if out, err := exec.Command(testenv.Need(t, "cp"), "-a", from, to).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// keptPipe is an error of close for a pipe. strace does not make the call, so the pipe
// stays open, as it never does: who reads from it waits for ever. Go's runtime does so
// when it starts a program.
var keptPipe = regexp.MustCompile(`(?m)^\d+ +close\(\d+<pipe:.*\(INJECTED\)$`)

// strace runs the command of the case under strace with more arguments. It ends a
// command that keeps a pipe, as a kill would.
func (r *faultRun) strace(t *testing.T, args ...string) runx.Result {
	t.Helper()
	cmd := runx.Command(t, r.dir, append([]string{"GOMAXPROCS=1"}, secondDate...), r.args...)
	cmd.Args = slices.Concat([]string{"strace", "-f", "-qq"}, args, []string{r.x}, r.args)
	cmd.Path = testenv.Need(t, "strace")
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the end of strace alone would set the command free
	_ = os.Remove(r.log())                                // of an earlier run
	testenv.Must(t, cmd.Start())
	mayKeep := slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, "inject=close:error=") })
	kill := func() { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for hangs := time.After(5 * time.Minute); ; {
		select {
		case err := <-ended:
			if err != nil && cmd.ProcessState == nil {
				t.Fatal(err)
			}
			return runx.Result{Stdout: stdout.String(), Stderr: stderr.String(), Code: cmd.ProcessState.ExitCode()}
		case <-time.After(time.Second):
			if !mayKeep {
				continue
			}
			if trace, err := os.ReadFile(r.log()); err == nil && keptPipe.Match(trace) {
				kill()
			}
		case <-hangs:
			t.Errorf("%q: it hangs", args)
			kill()
		}
	}
}

// mends runs the command once more, without faults: nothing of the fault may stay.
func (r *faultRun) mends(t *testing.T, fault string) {
	t.Helper()
	if got := runx.X(t, r.dir, secondDate, r.args...); got.Code != 0 {
		t.Errorf("%s: the next run: got exit status %d\n%s", fault, got.Code, got.Stderr)
		return
	}
	now := readTree(t, r.dir)
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if want, ok := r.after[name]; !ok || want != now[name] && path.Base(name) != ".x-recompress.json" && (r.mixed == nil || !r.mixed(name)) {
			t.Errorf("%s: after the next run: %s is there and should not be, or has other content", fault, name)
		}
	}
	for name := range r.after {
		if _, ok := now[name]; !ok {
			t.Errorf("%s: after the next run: %s is missing", fault, name)
		}
	}
}

// injected are the system calls into which faults go, and the errors.
var injected = []struct{ call, errors string }{
	{"write", "ENOSPC EIO"}, {"openat", "EACCES EIO"}, {"fsync", "EIO"}, {"syncfs", "EIO"}, {"renameat", "EACCES ENOSPC"},
	{"mkdirat", "ENOSPC"}, {"linkat", "EIO EMLINK"}, {"close", "EIO"}, {"unlinkat", "EACCES"}, {"fchmod", "EPERM"}, {"read", "EIO"},
}

// fault is one to inject: an error of the nth call of a thread, or with error "" the
// end of the process.
type fault struct {
	call, err string
	n         int
}

func (f fault) String() string {
	what := "error=" + f.err
	if f.err == "" {
		what = "signal=KILL"
	}
	return fmt.Sprintf("%s:%s:when=%d", f.call, what, f.n)
}

// faults counts the calls of the command and returns what can be injected.
func (r *faultRun) faults(t *testing.T) []fault {
	t.Helper()
	log := r.log()
	r.copy(t, r.template, r.dir)
	var calls []string
	for _, i := range injected {
		calls = append(calls, i.call)
	}
	if got := r.strace(t, "-o", log, "-e", "trace="+strings.Join(calls, ",")); got.Code != 0 {
		testenv.Missing(t, "right to trace: exit status %d: %s", got.Code, got.Stderr)
	}
	data, err := os.ReadFile(log)
	testenv.Must(t, err)
	count := map[string]map[string]int{} // by call and thread
	for _, m := range regexp.MustCompile(`(?m)^(\d+) +(\w+)\(`).FindAllStringSubmatch(string(data), -1) {
		if count[m[2]] == nil {
			count[m[2]] = map[string]int{}
		}
		count[m[2]][m[1]]++
	}
	var out []fault
	for _, i := range injected {
		most := 0
		for _, n := range count[i.call] {
			most = max(most, n)
		}
		for n := 1; n <= most; n++ {
			for _, e := range append(strings.Fields(i.errors), "") {
				out = append(out, fault{i.call, e, n})
			}
		}
	}
	return out
}

// TestFaults injects errors into system calls of each command, and kills it in them.
// The command then fails with a message or has done its work; it leaves the old state,
// the new one, or nothing that claims to be whole; and the next run mends the rest.
// Each run injects a sample: see faultsVar.
func TestFaults(t *testing.T) {
	testenv.Long(t, "it runs each command many times")
	testenv.Need(t, "strace")
	seed, err := strconv.ParseUint("0"+os.Getenv(seedVar), 10, 64)
	testenv.Must(t, err)
	x := runx.Build(t)
	for _, c := range faultCases {
		t.Run(c.name, func(t *testing.T) {
			r := newFaultRun(t, x, c)
			faults := r.faults(t)
			if all := os.Getenv(faultsVar); all != "all" {
				n, err := strconv.Atoi("0" + all)
				testenv.Must(t, err)
				if n == 0 {
					n = 5
				}
				rng := rand.New(rand.NewPCG(seed, 1))
				rng.Shuffle(len(faults), func(i, j int) { faults[i], faults[j] = faults[j], faults[i] })
				faults = faults[:min(n, len(faults))]
			}
			for _, f := range faults {
				r.inject(t, f)
			}
		})
	}
}

// lostMessage is a message into whose own write the fault went: strace counts the calls
// of each thread, and one thread may fail at a file and another one at the message.
var lostMessage = regexp.MustCompile(`(?m)^\d+ +write\(2<[^>]*>, .*\(INJECTED\)$`)

// inject runs the command with one fault.
func (r *faultRun) inject(t *testing.T, f fault) {
	t.Helper()
	r.copy(t, r.template, r.dir)
	got := r.strace(t, "-y", "-o", r.log(), "-e", "trace="+f.call, "-e", "inject="+f.String())
	trace, err := os.ReadFile(r.log())
	testenv.Must(t, err)
	now := readTree(t, r.dir)
	if err := r.judge(r.old, r.after, now); err != nil {
		t.Errorf("%v: exit status %d: %v\n%s", f, got.Code, err, got.Stderr)
	}
	switch {
	case got.Code == 0:
		for name, text := range r.after {
			if now[name] != text && !own(name) {
				t.Errorf("%v: exit status 0, but %s is not what it should be", f, name)
			}
		}
	case f.err != "" && !strings.Contains("\n"+got.Stderr, "\nx: ") && !strings.Contains(got.Stderr, "runtime: ") && !lostMessage.Match(trace) && !keptPipe.Match(trace):
		t.Errorf("%v: exit status %d without a message: %q", f, got.Code, got.Stderr)
	}
	r.mends(t, f.String())
}
