package bench

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMedian(t *testing.T) {
	tests := []struct {
		values []float64
		want   float64
	}{
		{nil, 0},
		{[]float64{3}, 3},
		{[]float64{9, 1, 2}, 2},
		{[]float64{4, 1, 2, 100}, 3},
		{[]float64{5, 5, 5, 5}, 5},
		{[]float64{math.MaxFloat64, math.MaxFloat64}, math.MaxFloat64},
	}
	for _, tt := range tests {
		before := append([]float64(nil), tt.values...)
		if got := median(tt.values); got != tt.want {
			t.Errorf("%v: got %g, want %g", tt.values, got, tt.want)
		}
		if diff := cmp.Diff(before, tt.values); diff != "" {
			t.Errorf("median changed its input (-want +got):\n%s", diff)
		}
	}
}

// TestMedianRun takes each figure by itself: the median of times and that of
// memory may be of different runs.
func TestMedianRun(t *testing.T) {
	runs := []Figures{
		{Wall: 1, CPU: 9, Peak: Memory{Bytes: 30}, Bytes: 100},
		{Wall: 2, CPU: 8, Peak: Memory{Bytes: 10, Bound: true}, Bytes: 100},
		{Wall: 9, CPU: 1, Peak: Memory{Bytes: 20}, Bytes: 102},
	}
	want := Figures{Wall: 2, CPU: 8, Peak: Memory{Bytes: 20, Bound: true}, Bytes: 100}
	if diff := cmp.Diff(want, medianRun(runs)); diff != "" {
		t.Errorf("median (-want +got):\n%s", diff)
	}
	if got := (Row{Runs: runs}).Spread(); got != 4 {
		t.Errorf("spread: got %g, want 4", got)
	}
	if got := (Row{}).Spread(); got != 0 {
		t.Errorf("spread of nothing: got %g, want 0", got)
	}
}

func TestRate(t *testing.T) {
	r := Report{Results: []Result{{
		Encode: []Row{sampleRow("x xz", "best", "xz", 50, 3, 30, 1, 2, 3), sampleRow("xz", "-9", "xz", 100, 6, 60, 4, 8, 4), {Name: "gzip -9", Error: "no"}},
		Decode: []Row{
			{Name: "xz -d", Of: "a", Runs: []Figures{{Wall: 2, CPU: 2}}}, {Name: "x", Of: "a", Runs: []Figures{{Wall: 1, CPU: 3}}},
			{Name: "xz -d", Of: "b", Runs: []Figures{{Wall: 10, CPU: 10}}}, {Name: "x", Of: "b", Runs: []Figures{{Wall: 5, CPU: 10}}},
		},
	}}}
	r.Rate("xz -9")
	res := r.Results[0]
	got := map[string]*Ratio{}
	for _, row := range append(res.Encode, res.Decode...) {
		got[row.title()] = row.Ratio
	}
	want := map[string]*Ratio{
		"x xz best": {Size: 0.5, Wall: 0.5, CPU: 0.5, Peak: 0.5}, "xz -9": {Size: 1, Wall: 1, CPU: 1, Peak: 1}, "gzip -9": nil,
		"xz -d, of a": {Wall: 1, CPU: 1}, "x, of a": {Wall: 0.5, CPU: 1.5},
		"xz -d, of b": {Wall: 1, CPU: 1}, "x, of b": {Wall: 0.5, CPU: 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ratios (-want +got):\n%s", diff)
	}
	r.Rate("nothing")
	for _, row := range r.Results[0].Encode {
		if row.Ratio != nil {
			t.Errorf("%s: got a ratio to a row that is not there", row.Name)
		}
	}
}
