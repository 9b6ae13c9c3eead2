package measure

import (
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMiddle(t *testing.T) {
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

// TestMedian takes each figure by itself: the median of times and that of
// memory may be of different runs.
func TestMedian(t *testing.T) {
	runs := []Figures{
		{Wall: 1, CPU: 9, Peak: Memory{Bytes: 30}, Bytes: 100},
		{Wall: 2, CPU: 8, Peak: Memory{Bytes: 10, Bound: true}, Bytes: 100},
		{Wall: 9, CPU: 1, Peak: Memory{Bytes: 20}, Bytes: 102},
	}
	want := Figures{Wall: 2, CPU: 8, Peak: Memory{Bytes: 20, Bound: true}, Bytes: 100}
	if diff := cmp.Diff(want, Median(runs)); diff != "" {
		t.Errorf("median (-want +got):\n%s", diff)
	}
	if got := Spread(runs, Wall); got != 4 {
		t.Errorf("spread: got %g, want 4", got)
	}
	if got := Spread(nil, CPU); got != 0 {
		t.Errorf("spread of nothing: got %g, want 0", got)
	}
}

func TestKilobytes(t *testing.T) {
	for text, want := range map[string]int64{"24689756 kB": 25282310144, "": 0, "many kB": 0, "-1 kB": 0, "9223372036854775807 kB": 0} {
		if got := kilobytes(text); got != want {
			t.Errorf("%q: got %d, want %d", text, got, want)
		}
	}
}

func TestTail(t *testing.T) {
	w := &Tail{Limit: 10}
	for _, text := range []string{"first\n", "second\n", "third\n"} {
		if n, err := w.Write([]byte(text)); n != len(text) || err != nil {
			t.Fatalf("got %d, %v", n, err)
		}
	}
	if got, want := w.Add(errors.New("status 1")).Error(), "status 1: … ond | third"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
