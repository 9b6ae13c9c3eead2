package bench

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"x.go/dist/measure"
	"x.go/tests/testenv"
)

// shell is a coder that is a script; $0 is the input and $1 the output.
func shell(t *testing.T, tool, format, script string) coder {
	return coder{Tool: tool, Level: "-1", Format: format, Program: testenv.Need(t, "sh"), Args: []string{"-c", script, argIn, argOut}}
}

// gunzip checks outputs.
func gunzip(t *testing.T) coder {
	return coder{Tool: "gzip", Level: "-d", Format: "gz", Program: testenv.Need(t, "gzip"), Args: []string{"-d", "-c", argIn}}
}

// testInput is a file of text that repeats itself.
func testInput(t *testing.T) Input {
	t.Helper()
	path := filepath.Join(t.TempDir(), "in put.txt")
	if err := os.WriteFile(path, []byte(strings.Repeat("some text to compress, ", 5000)), 0o644); err != nil {
		t.Fatal(err)
	}
	in, err := newInput(t.Context(), "text", path)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// testBench takes its environment from the test's, where the programs are.
func testBench(t *testing.T, encoders ...coder) comparison {
	return comparison{Encoders: encoders, Checks: []coder{gunzip(t)}, Rounds: 1, Dir: t.TempDir(), Env: os.Environ()}
}

// TestCompare lets three coders take turns, and looks at everything that is told.
func TestCompare(t *testing.T) {
	in := testInput(t)
	gzip := coder{Tool: "gzip", Level: "-9", Format: "gz", Program: testenv.Need(t, "gzip"), Args: []string{"-9", "-n", "-c", argIn}}
	ours := shell(t, "x", "gz", `exec gzip -1 -n -c "$0" >"$1"`)
	ours.Ours = true
	b := testBench(t, gzip, ours)
	b.Decoders = []coder{gunzip(t)}
	b.Rounds = 2
	var turns []string
	b.Notify = func(e measure.Event) {
		if e.Done {
			turns = append(turns, e.Name)
			if e.Step != len(turns) || e.Steps != 6 || e.Err != nil || e.Run.Bytes == 0 {
				t.Errorf("got event %+v", e)
			}
		}
	}
	res, err := b.compare(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"gzip -9", "x -1", "gzip -9", "x -1", "gzip -d, of x -1", "gzip -d, of x -1"}
	if diff := cmp.Diff(want, turns); diff != "" {
		t.Errorf("turns (-want +got):\n%s", diff)
	}
	for _, row := range slices.Concat(res.Encode, res.Decode) {
		if row.Error != "" || len(row.Runs) != 2 {
			t.Fatalf("%s: got %d runs and error %q", row.Name, len(row.Runs), row.Error)
		}
		for _, run := range row.Runs {
			if run.Wall <= 0 || run.CPU < 0 || run.Peak.Bytes <= 0 {
				t.Errorf("%s: got run %+v", row.Name, run)
			}
		}
	}
	if row := res.Encode[0]; row.CheckedBy != "gzip -d" || row.DecoderPeak.Bytes <= 0 || row.Command != "gzip -9 -n -c 'in put.txt' > out.gz" {
		t.Errorf("got row %+v", row)
	}
	if strong, quick := res.Encode[0].Runs[0].Bytes, res.Encode[1].Runs[0].Bytes; strong >= quick {
		t.Errorf("got %d bytes of gzip -9 and %d of gzip -1, want fewer", strong, quick)
	}
	if got := res.Decode[0].Runs[0].Bytes; got != in.Bytes {
		t.Errorf("got %d decoded bytes, want %d", got, in.Bytes)
	}
}

// TestCompareFailures has a program that fails in each way, beside one that works.
func TestCompareFailures(t *testing.T) {
	right := shell(t, "right", "gz", `exec gzip -c "$0" >"$1"`)
	once := filepath.Join(t.TempDir(), "once")
	tests := []struct{ name, format, script, want string }{
		{"status", "gz", `echo one >&2; echo "no memory" >&2; exit 3`, "exit status 3: one | no memory"},
		{"no output", "gz", `exit 0`, "no such file"},
		{"not compressed", "gz", `cp "$0" "$1"`, `decoding the output with "gzip -d": exit status 1: gzip: `},
		{"other content", "gz", `echo other | gzip -c >"$1"`, `decoding the output with "gzip -d": the result is not the input`},
		{"more content", "gz", `cat "$0" "$0" | gzip -c >"$1"`, "got more than the 115000 bytes of the input"},
		{"no decoder", "lz", `cp "$0" "$1"`, "checking the output: no decoder for lz"},
		{"second time", "gz", `test ! -e '` + once + `' && touch '` + once + `' && exec gzip -c "$0" >"$1"`, "exit status 1"},
		{"never", "gz", `exec sleep 60`, "no end after 2s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := testBench(t, shell(t, "wrong", tt.format, tt.script), right)
			b.Rounds, b.Timeout = 2, 2*time.Second
			res, err := b.compare(t.Context(), testInput(t))
			if err != nil {
				t.Fatal(err)
			}
			row := res.Encode[0]
			if !strings.Contains(row.Error, tt.want) || len(row.Runs) != 0 {
				t.Errorf("got error %q and %d runs, want %q and none", row.Error, len(row.Runs), tt.want)
			}
			if row := res.Encode[1]; row.Error != "" || len(row.Runs) != 2 {
				t.Errorf("the other one: got error %q and %d runs", row.Error, len(row.Runs))
			}
		})
	}
}

// TestCompareCancel ends a program that would run on, with what it has started.
func TestCompareCancel(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("enough")
	pid := filepath.Join(t.TempDir(), "pid")
	b := testBench(t, shell(t, "slow", "gz", `sleep 60 & echo $! >'`+pid+`.new'; mv '`+pid+`.new' '`+pid+`'; wait`))
	go func() {
		for {
			if _, err := os.Stat(pid); err == nil || ctx.Err() != nil {
				cancel(reason)
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	if _, err := b.compare(ctx, testInput(t)); !errors.Is(err, reason) {
		t.Fatalf("got error %v, want %v", err, reason)
	}
	left, err := os.ReadDir(b.Dir)
	if err != nil || len(left) > 0 {
		t.Errorf("got %v left behind, error %v", left, err)
	}
}

// TestPeakMemory measures a program that needs more than this one.
func TestPeakMemory(t *testing.T) {
	testenv.Need(t, "dd")
	b := testBench(t, shell(t, "large", "gz", `dd if=/dev/zero of=/dev/null bs=200000000 count=1 2>/dev/null && exec gzip -c "$0" >"$1"`))
	res, err := b.compare(t.Context(), testInput(t))
	if err != nil {
		t.Fatal(err)
	}
	row := res.Encode[0]
	if row.Error != "" || row.Runs[0].Peak.Bound || row.Runs[0].Peak.Bytes < 200e6 || row.Runs[0].Peak.Bytes > 300e6 {
		t.Errorf("got %+v, want a peak of a little more than 200 MB", row)
	}
	if peak := row.DecoderPeak; peak.Bytes > 150e6 {
		t.Errorf("got %d bytes of gzip -d, want its own, not those of another program", peak.Bytes)
	}
}
