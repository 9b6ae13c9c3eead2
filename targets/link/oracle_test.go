package link_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/targets"
	"x.go/targets/link"
	"x.go/tests/oracle"
)

func newBatch(t testing.TB) *link.Batch {
	t.Helper()
	b, err := link.NewBatch(targets.Builtin(), stable)
	if err != nil {
		t.Fatal(err)
	}
	b.ReadFile = argFiles
	return b
}

// testdata/README.md says how the recordings were made.
func TestDecidesAsRecorded(t *testing.T) {
	for name, want := range map[string]int{
		"testdata/link-1.95.0.jsonl.gz":       7770,
		"testdata/link-nolld-1.95.0.jsonl.gz": 219,
	} {
		t.Run(name, func(t *testing.T) {
			recorded := oracle.Recordings(t, name)
			if len(recorded) != want {
				t.Fatalf("got %d cases, want %d", len(recorded), want)
			}
			b := newBatch(t)
			wrong := 0
			for _, r := range recorded {
				got, err := oracle.Ask(b, r.Question)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(r.Answer, got); diff != "" {
					if wrong++; wrong <= 5 {
						t.Errorf("case %d (%s): %s %q (-want +got)\n%s", r.ID, r.Group, r.Target, r.Flags, diff)
					}
				}
			}
			if wrong > 0 {
				t.Errorf("%d of %d cases differ", wrong, len(recorded))
			}
		})
	}
}

func BenchmarkBatch(b *testing.B) {
	recorded := oracle.Recordings(b, "testdata/link-1.95.0.jsonl.gz")
	batch := newBatch(b)
	var out []byte
	n := 0
	for b.Loop() {
		out = batch.Decide(recorded[n%len(recorded)].Question).AppendJSON(out[:0])
		n++
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "cases/s")
}
