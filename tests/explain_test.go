package tests

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/targets"
	"x.go/tests/oracle"
	"x.go/tests/runx"
	"x.go/tests/testenv"
)

// recordings reads every recorded case.
func recordings(t testing.TB) []oracle.Recorded {
	t.Helper()
	files, err := filepath.Glob("../targets/link/testdata/*.jsonl.gz")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	var out []oracle.Recorded
	for _, name := range files {
		out = append(out, oracle.Recordings(t, name)...)
	}
	return out
}

// questions writes cases as the input of `x explain --batch`.
func questions(cases []oracle.Recorded) []byte {
	var b []byte
	for _, c := range cases {
		b = append(append(b, c.Question...), '\n')
	}
	return b
}

// TestBatchRecordings asks the command about everything that was recorded: it
// must predict all of it.
func TestBatchRecordings(t *testing.T) {
	cases := recordings(t)
	cmd := runx.Command(t, t.TempDir(), nil, "explain", "--batch", "--release", "1.95.0")
	cmd.Stdin = bytes.NewReader(questions(cases))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(out))
	wrong := 0
	for _, c := range cases {
		if !lines.Scan() {
			t.Fatalf("output ends before case %d: %v", c.ID, lines.Err())
		}
		var got struct {
			ID int `json:"id"`
			oracle.Answer
		}
		if err := json.Unmarshal(lines.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		diff := cmp.Diff(c.Answer, got.Answer)
		if got.ID != c.ID {
			diff += "ids differ"
		}
		if diff == "" {
			continue
		}
		if wrong++; wrong <= 5 {
			t.Errorf("case %s (-recorded +answered)\n%s", c.Question, diff)
		}
	}
	if lines.Scan() {
		t.Errorf("more answers than questions: %s", lines.Bytes())
	}
	t.Logf("%d of %d predicted", len(cases)-wrong, len(cases))
	if wrong > 0 {
		t.Errorf("got %d wrong answers to %d cases, want 0", wrong, len(cases))
	}
}

// TestBatchLongLines has lines at and above the limit, an unterminated last
// one, and looks for one answer each.
func TestBatchLongLines(t *testing.T) {
	const limit = 1 << 20
	pad := func(n int) string {
		const head, tail = `{"id": 1, "target": "wasm32-wasip1", "note": "`, `"}`
		return head + strings.Repeat("x", n-len(head)-len(tail)) + tail
	}
	in := strings.Join([]string{pad(limit), pad(limit + 1), pad(5 * limit), pad(300 << 10), pad(100)}, "\n")
	cmd := runx.Command(t, t.TempDir(), nil, "explain", "--batch")
	cmd.Stdin = strings.NewReader(in)
	out, _ := cmd.Output()
	if code := cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("got exit status %d, want 1", code)
	}
	const good = `{"id": 1, "exit": 0, "error": null, "linker": "rust-lld", "lld_args": ["-flavor", "wasm"]}`
	want := []string{
		good,
		`{"id": null, "problem": "line 2 has more than 1048576 bytes"}`,
		`{"id": null, "problem": "line 3 has more than 1048576 bytes"}`,
		good, good, "",
	}
	if diff := cmp.Diff(want, strings.Split(string(out), "\n")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestBatchAnswersAtOnce asks a question and waits for its answer before the
// next one, as a program that keeps x running does.
func TestBatchAnswersAtOnce(t *testing.T) {
	cmd := runx.Command(t, t.TempDir(), nil, "explain", "--batch")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewReader(stdout)
	for _, target := range []string{"wasm32-wasip1", "x86_64-unknown-none"} {
		if _, err := io.WriteString(stdin, `{"target": "`+target+`"}`+"\n"); err != nil {
			t.Fatal(err)
		}
		if line, err := answers.ReadString('\n'); err != nil || !strings.Contains(line, `"linker": "rust-lld"`) {
			t.Fatalf("%s: got %q, %v", target, line, err)
		}
	}
	if err := stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}

// TestTargetsShowJSON compares the command's JSON with the real compilers' for
// a few targets; tests/oracle compares the registry for all.
func TestTargetsShowJSON(t *testing.T) {
	for _, toolchain := range []string{"stable", "nightly"} {
		rustc := filepath.Join(testenv.Sysroot(t, toolchain), "bin", "rustc")
		for _, target := range []string{"x86_64-unknown-linux-gnu", "aarch64-apple-darwin", "wasm32-unknown-emscripten", "m68k-unknown-linux-gnu", "avr-none"} {
			cmd := exec.Command(rustc, "-Zunstable-options", "--print", "target-spec-json", "--target", target)
			cmd.Env = append(os.Environ(), "RUSTC_BOOTSTRAP=1")
			want, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			got := runx.Must(t, t.TempDir(), nil, "targets", "show", target, "--json", "--release", toolchain)
			if diff := cmp.Diff(string(want), got.Stdout); diff != "" {
				t.Errorf("%s of %s (-rustc +x)\n%s", target, toolchain, diff)
			}
		}
	}
}

// TestTargetsImport imports both compilers as the files in targets/data say
// they were written.
func TestTargetsImport(t *testing.T) {
	for _, tt := range []struct{ toolchain, parent string }{{"stable", ""}, {"nightly", "1.95.0"}} {
		sysroot := testenv.Sysroot(t, tt.toolchain)
		dir := t.TempDir()
		runx.Must(t, dir, nil, "targets", "import", "--rustc", filepath.Join(sysroot, "bin", "rustc"), "--parent", tt.parent, "-o", "out.txt")
		got, err := os.ReadFile(filepath.Join(dir, "out.txt"))
		if err != nil {
			t.Fatal(err)
		}
		s, ok := targets.Builtin().Newest(tt.toolchain)
		if !ok {
			t.Fatalf("no release of channel %s is held", tt.toolchain)
		}
		want, err := os.ReadFile(filepath.Join("..", "targets", "data", s.Info().Release.String()+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, got) {
			t.Errorf("importing %s: %d bytes differ from the registry's %d", tt.toolchain, len(got), len(want))
		}
	}
}
