package bench

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist/measure"
)

func TestRate(t *testing.T) {
	r := Report{Results: []Result{{
		Encode: []Row{sampleRow("x xz", "best", "xz", 50, 3, 30, 1, 2, 3), sampleRow("xz", "-9", "xz", 100, 6, 60, 4, 8, 4), {Name: "gzip -9", Error: "no"}},
		Decode: []Row{
			{Name: "xz -d", Of: "a", Runs: []measure.Figures{{Wall: 2, CPU: 2}}}, {Name: "x", Of: "a", Runs: []measure.Figures{{Wall: 1, CPU: 3}}},
			{Name: "xz -d", Of: "b", Runs: []measure.Figures{{Wall: 10, CPU: 10}}}, {Name: "x", Of: "b", Runs: []measure.Figures{{Wall: 5, CPU: 10}}},
		},
	}}}
	r.Rate("xz -9")
	res := r.Results[0]
	got := map[string]*measure.Ratio{}
	for _, row := range append(res.Encode, res.Decode...) {
		got[row.title()] = row.Ratio
	}
	want := map[string]*measure.Ratio{
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
