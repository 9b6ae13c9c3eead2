package link_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/targets"
	"x.go/targets/link"
)

// recorded is one line of testdata/link-*.jsonl.gz; testdata/README.md says
// how they were made.
type recorded struct {
	ID     int      `json:"id"`
	Group  string   `json:"group"`
	Target string   `json:"target"`
	Flags  []string `json:"flags"`
	answer
}

// answer is what both a recording and the JSON of a [link.Result] say.
type answer struct {
	Exit    int      `json:"exit"`
	Error   *string  `json:"error"`
	Linker  *string  `json:"linker"`
	LLDArgs []string `json:"lld_args"`
	Problem string   `json:"problem"`
}

func recordedLines(t testing.TB, name string) [][]byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var out [][]byte
	sc := bufio.NewScanner(z)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		out = append(out, append([]byte(nil), sc.Bytes()...))
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func newBatch(t testing.TB) *link.Batch {
	t.Helper()
	b, err := link.NewBatch(targets.Builtin(), stable)
	if err != nil {
		t.Fatal(err)
	}
	b.ReadFile = argFiles
	return b
}

func TestDecidesAsRecorded(t *testing.T) {
	for name, want := range map[string]int{
		"testdata/link-1.95.0.jsonl.gz":       7770,
		"testdata/link-nolld-1.95.0.jsonl.gz": 219,
	} {
		t.Run(name, func(t *testing.T) {
			lines := recordedLines(t, name)
			if len(lines) != want {
				t.Fatalf("got %d cases, want %d", len(lines), want)
			}
			b := newBatch(t)
			wrong := 0
			for _, line := range lines {
				var r recorded
				if err := json.Unmarshal(line, &r); err != nil {
					t.Fatal(err)
				}
				result := b.Decide(line)
				var got answer
				if err := json.Unmarshal(result.AppendJSON(nil), &got); err != nil || result.Problem != "" {
					t.Fatalf("case %d: got %q: %v", r.ID, result.Problem, err)
				}
				if diff := cmp.Diff(r.answer, got); diff != "" {
					if wrong++; wrong <= 5 {
						t.Errorf("case %d (%s): %s %q (-want +got)\n%s", r.ID, r.Group, r.Target, r.Flags, diff)
					}
				}
			}
			if wrong > 0 {
				t.Errorf("%d of %d cases differ", wrong, len(lines))
			}
		})
	}
}

func BenchmarkBatch(b *testing.B) {
	lines := recordedLines(b, "testdata/link-1.95.0.jsonl.gz")
	batch := newBatch(b)
	var out []byte
	n := 0
	for b.Loop() {
		out = batch.Decide(lines[n%len(lines)]).AppendJSON(out[:0])
		n++
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "cases/s")
}
