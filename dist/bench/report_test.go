package bench

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist/measure"
)

// TestParseReport reads back what was written.
func TestParseReport(t *testing.T) {
	want := sampleReport()
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseReport(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}

func TestParseReportErrors(t *testing.T) {
	change := func(f func(*Report)) string {
		r := sampleReport()
		f(&r)
		data, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	tests := []struct{ name, data, want string }{
		{"no JSON", "x", "parsing report: invalid character"},
		{"other JSON", "{}", "parsing report: got schema 0, want 1"},
		{"newer", change(func(r *Report) { r.Schema = 2 }), "got schema 2, want 1"},
		{"empty", change(func(r *Report) { r.Results = nil }), "got 0 results, want 1 to 20"},
		{"input", change(func(r *Report) { r.Results[0].Input.Bytes = -1 }), `result "cargo.tar": got -1 bytes`},
		{"time", change(func(r *Report) { r.Results[0].Encode[1].Runs[0].Wall = -1 }), `result "cargo.tar", row "x xz balanced": got a run of -1 s`},
		{"size", change(func(r *Report) { r.Results[0].Encode[0].Runs[0].Bytes = math.MaxInt64 }), `row "x xz fast": got a run of`},
		{"name", change(func(r *Report) { r.Results[0].Encode[0].Tool = strings.Repeat("x", 2000) }), "got a name of 2000 bytes, want at most 1024"},
		{"rows", change(func(r *Report) { r.Results[0].Decode = make([]Row, 200) }), "rows, want at most 100"},
		{"runs", change(func(r *Report) { r.Results[0].Encode[0].Runs = make([]measure.Figures, 2000) }), "got 2000 runs, want at most 1000"},
		{"programs", change(func(r *Report) { r.Programs = make([]Program, 200) }), "got 200 programs, want at most 100"},
	}
	for _, tt := range tests {
		if _, err := ParseReport([]byte(tt.data)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got error %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestErrors(t *testing.T) {
	r := sampleReport()
	r.Results[0].Encode[3].Error = "exit status 1: out of memory"
	r.Results[0].Decode = []Row{{Name: "xz -d -T1", Of: "x xz best", Error: "no end after 1s"}}
	want := `measuring "x xz best+bcj" on "cargo.tar": exit status 1: out of memory
measuring "xz -d -T1, of x xz best" on "cargo.tar": no end after 1s`
	if got := errors.Join(r.Errors()...).Error(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// FuzzParseReport parses and draws what anybody may have written.
func FuzzParseReport(f *testing.F) {
	small := sampleReport()
	small.Results[0].Encode = small.Results[0].Encode[:3]
	data, err := json.Marshal(small)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"schema":1,"results":[{"input":{"bytes":1},"encode":[{"runs":[{"wall_s":1e-300,"bytes":1}]},{"runs":[{"wall_s":1e9,"bytes":1152921504606846976}]}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ParseReport(data)
		if err != nil {
			return
		}
		svg := r.SVG()
		checkXML(t, svg)
		if strings.Contains(string(svg), `="NaN"`) {
			t.Errorf("got a place that is no number in\n%s", svg)
		}
	})
}
