package doctor

import (
	cmdline "flag" // causes.go has another flag
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"x.go/tests/testenv"
)

var update = cmdline.Bool("update", false, "run the commands of testdata/ordinary, and write what they print")

// outputFile is the member of a case with what its command printed.
const outputFile = "output"

// TestOrdinaryBuilds reads builds that failed, and not because of LLD. Each file has the
// command, what it works on and what it printed: rustc 1.95.0, gcc 12.2 and GNU ld 2.40.
// To make all of it anew, which takes minutes: go test -run Ordinary -update.
func TestOrdinaryBuilds(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/ordinary/*.txtar")
	testenv.Must(t, err)
	if want := 198; len(files) < want { // those of texts_test.go make more than 200
		t.Errorf("got %d builds, want at least %d", len(files), want)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(file)
			testenv.Must(t, err)
			if *update {
				runCase(t, a)
				testenv.Must(t, os.WriteFile(file, txtar.Format(a), 0o644))
			}
			last := a.Files[len(a.Files)-1]
			if last.Name != outputFile || len(last.Data) == 0 {
				t.Fatalf("got no output in %s", file)
			}
			if diff := cmp.Diff([]Cause{}, diagnose(t, string(last.Data))); diff != "" {
				t.Errorf("causes (-want +got):\n%s\nin\n%s", diff, last.Data)
			}
		})
	}
}

// TestOrdinaryBuildsHere runs a part of the commands with the compilers of this machine:
// their words change.
func TestOrdinaryBuildsHere(t *testing.T) {
	t.Parallel()
	testenv.Long(t, "runs compilers")
	for _, name := range []string{"rustc", "cargo", "gcc"} {
		testenv.Need(t, name)
	}
	for _, name := range []string{"rustc-unresolved-extern", "rustc-missing-library", "rustc-linker-missing", "cargo-unresolved-extern-json", "cargo-interleaved-jobs", "cc-undefined-in-shared"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(filepath.Join("testdata", "ordinary", name+".txtar"))
			testenv.Must(t, err)
			runCase(t, a)
			log := string(a.Files[len(a.Files)-1].Data)
			if diff := cmp.Diff([]Cause{}, diagnose(t, log)); diff != "" {
				t.Errorf("causes (-want +got):\n%s\nin\n%s", diff, log)
			}
		})
	}
}

// runCase runs the command of a case and puts what it prints into a.
func runCase(t *testing.T, a *txtar.Archive) {
	t.Helper()
	dir := t.TempDir()
	if n := len(a.Files); n > 0 && a.Files[n-1].Name == outputFile {
		a.Files = a.Files[:n-1]
	}
	for _, f := range a.Files {
		writeLog(t, dir, f.Name, f.Data)
	}
	_, command, ok := strings.Cut(string(a.Comment), "$ ")
	if !ok {
		t.Fatalf("got comment %q, want a line with $ and a command", a.Comment)
	}
	cmd := exec.Command("sh", "-c", "exec 2>&1\n"+strings.TrimSpace(command))
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CARGO_HOME="+filepath.Join(dir, ".cargo-home"), "TMPDIR="+dir, "CARGO_TERM_PROGRESS_WHEN=never", "RUST_BACKTRACE=0")
	out, err := cmd.CombinedOutput()
	if err == nil && !strings.Contains(string(out), "status ") && !strings.Contains(command, "|") {
		t.Errorf("the command succeeded: %s", command)
	}
	text := strings.NewReplacer(dir, "/build", os.Getenv("PATH"), "/usr/bin", os.Getenv("RUSTUP_HOME"), "/home/me/.rustup", os.Getenv("HOME"), "/home/me").Replace(string(out))
	for pattern, with := range map[string]string{`\brustc[A-Za-z0-9]{6}\b`: "rustcAbCdEf", `\bcc[A-Za-z0-9]{6}\.(o|s|res)`: "ccAbCdEf.$1", `thread '(\w+)' \(\d+\)`: "thread '$1' (4242)"} {
		text = regexp.MustCompile(pattern).ReplaceAllString(text, with)
	}
	a.Files = append(a.Files, txtar.File{Name: outputFile, Data: []byte(text)})
}
