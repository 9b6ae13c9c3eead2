package bench

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"x.go/dist/measure"
)

// sampleRow has one run for each wall time.
func sampleRow(tool, level, format string, bytes int64, cpu float64, peak int64, wall ...float64) Row {
	c := coder{Tool: tool, Level: level, Format: format, Ours: tool[0] == 'x' && tool != "xz", Program: tool, Args: []string{level, "-c", argIn}}
	row := c.row("in.tar", "out."+format)
	for _, w := range wall {
		row.Runs = append(row.Runs, measure.Figures{Wall: w, CPU: cpu, Peak: measure.Memory{Bytes: peak << 20, Bound: peak < 20}, Bytes: bytes})
	}
	row.CheckedBy, row.DecoderPeak = "xz -T1", measure.Memory{Bytes: 64 << 20}
	return row
}

// sampleReport has figures that are like real ones: many points, some of them
// close to each other.
func sampleReport() Report {
	r := Report{
		Schema: schemaVersion, Jobs: 2, Rounds: 3,
		Machine:  measure.Machine{CPU: "AMD EPYC", Cores: 2, Memory: 24 << 30, OS: "linux", Arch: "amd64", Go: "go1.26.8", Load: []float64{0.17, 0.5, 1}},
		Programs: []Program{{"xz", "5.4.1"}, {"7zz", "26.02"}, {"zstd", "1.5.4"}, {"gzip", "1.12"}, {"pigz", "2.6"}},
		Results: []Result{{
			Input: Input{Name: "cargo.tar", Bytes: 42_188_800, SHA256: fmt.Sprintf("%064x", 1)},
			Encode: []Row{
				sampleRow("x xz", "fast", "xz", 12_100_000, 4.1, 240, 2.1, 2.2, 2.15),
				sampleRow("x xz", "balanced", "xz", 11_020_000, 10.2, 420, 5.4, 5.6, 5.5),
				sampleRow("x xz", "best", "xz", 10_870_000, 14.9, 640, 7.9, 8.2, 8.0),
				sampleRow("x xz", "best+bcj", "xz", 10_640_000, 15.2, 640, 8.1, 8.3, 8.2),
				sampleRow("x zst", "fast", "zst", 15_600_000, 0.4, 60, 0.31, 0.3, 0.32),
				sampleRow("x zst", "balanced", "zst", 14_300_000, 0.9, 90, 0.8, 0.9, 0.85),
				sampleRow("x zst", "best", "zst", 13_384_451, 3.6, 130, 3.4, 3.5, 3.6),
				sampleRow("x gz", "fast", "gz", 17_100_000, 0.4, 12, 0.36, 0.35, 0.34),
				sampleRow("x gz", "balanced", "gz", 16_133_195, 0.6, 12, 0.6, 0.61, 0.62),
				sampleRow("x gz", "best", "gz", 15_695_906, 3.1, 12, 3.1, 3.2, 3.0),
				sampleRow("xz", "-1", "xz", 12_791_724, 4.7, 40, 2.4, 2.5, 2.3),
				sampleRow("xz", "-6", "xz", 11_102_492, 20.5, 180, 14.5, 14.2, 14.9),
				sampleRow("xz", "-9", "xz", 10_953_872, 22.3, 430, 22.7, 22.5, 23.0),
				sampleRow("7zz", "-mx=9", "xz", 10_936_592, 17.0, 438, 12.2, 12.0, 12.5),
				sampleRow("zstd", "-19", "zst", 11_930_183, 25.5, 145, 13.5, 13.3, 13.9),
				sampleRow("gzip", "-9", "gz", 15_337_100, 5.0, 2, 5.0, 5.1, 4.9),
				sampleRow("pigz", "-9", "gz", 15_333_582, 4.9, 3, 2.6, 2.7, 2.5),
			},
		}},
	}
	r.Rate("xz -9")
	return r
}

var update = flag.Bool("update", false, "rewrite the golden files")

// TestSVG pins the drawing. To renew: go test ./dist/bench -run SVG -update,
// and look at what has come out.
func TestSVG(t *testing.T) {
	got := sampleReport().SVG()
	golden := filepath.Join("testdata", "chart.svg")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("chart (-want +got):\n%s", diff)
	}
}

// TestSVGShapes draws reports of odd shapes: each must be XML with every name in
// it, whatever the figures are.
func TestSVGShapes(t *testing.T) {
	one := func(rows ...Row) Report {
		r := Report{Schema: schemaVersion, Results: []Result{{Input: Input{Name: "in", Bytes: 1000}, Encode: rows}}}
		r.Rate("xz -9")
		return r
	}
	two := sampleReport()
	two.Results = append(two.Results, two.Results[0])
	tests := []struct {
		name   string
		report Report
		words  []string
	}{
		{"nothing", Report{}, []string{"Compressed size over time"}},
		{"no rows", one(), []string{"nothing was measured"}},
		{"failed", one(Row{Name: "xz -9", Error: "no"}), []string{"nothing was measured"}},
		{"one point", one(sampleRow("xz", "-9", "xz", 100, 1, 1, 1)), []string{"xz -9: 100 bytes in 1 s"}},
		{"no time, no bytes", one(sampleRow("xz", "-9", "xz", 0, 0, 0, 0)), []string{"xz -9"}},
		{"all the same", one(sampleRow("a", "1", "xz", 5, 1, 1, 1), sampleRow("b", "2", "xz", 5, 1, 1, 1)), []string{"a 1", "b 2"}},
		{"extremes", one(sampleRow("a", "1", "xz", 1, 1, 1, 1e-9), sampleRow("b", "2", "lz", measure.MaxBytes, 1, 1, measure.MaxSeconds)), []string{"a 1", "b 2"}},
		{"markup", one(sampleRow("<b>", "&\x00", "xz", 5, 1, 1, 1)), []string{"&lt;b&gt; &amp;"}},
		{"two inputs", two, []string{"cargo.tar, 42.2 MB</text>"}},
	}
	for _, tt := range tests {
		svg := tt.report.SVG()
		checkXML(t, svg)
		for _, word := range tt.words {
			if !strings.Contains(string(svg), word) {
				t.Errorf("%s: got a chart without %q", tt.name, word)
			}
		}
		if strings.Contains(string(svg), "NaN") || strings.Contains(string(svg), "Inf") {
			t.Errorf("%s: got a chart with a place that is no number", tt.name)
		}
	}
}

// checkXML reads svg as XML.
func checkXML(t *testing.T, svg []byte) {
	t.Helper()
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("reading the chart as XML: %v\n%s", err, svg)
		}
	}
}

// TestPlace places the labels of points that lie ever closer together.
func TestPlace(t *testing.T) {
	s := scene{page: box{0, 0, 800, 400}}
	for _, gap := range []float64{100, 30, 10, 3} {
		var labels []label
		s.marks = nil
		for i := range 6 {
			at := point{300 + float64(i)*gap, 200 + float64(i%2)*gap/2}
			labels = append(labels, label{at, 90, 16})
			s.marks = append(s.marks, around(at, 15, 15))
		}
		placed := s.place(labels)
		for i, b := range placed {
			if b.shared(s.page) < b.area() {
				t.Errorf("gap %g: label %d at %v is not all on the page", gap, i, b)
			}
			for k, o := range placed[:i] {
				if b.shared(o) > 0 {
					t.Errorf("gap %g: labels %d and %d overlap: %v, %v", gap, k, i, o, b)
				}
			}
			for k, m := range s.marks {
				if b.shared(m) > 0 {
					t.Errorf("gap %g: label %d at %v hides mark %d", gap, i, b, k)
				}
			}
		}
	}
}

func TestCrosses(t *testing.T) {
	b := box{10, 10, 20, 20}
	tests := []struct {
		s    segment
		want bool
	}{
		{segment{point{0, 15}, point{30, 15}}, true},
		{segment{point{0, 5}, point{30, 5}}, false},
		{segment{point{15, 0}, point{15, 9}}, false},
		{segment{point{15, 15}, point{15, 15}}, true},
		{segment{point{0, 0}, point{30, 30}}, true},
		{segment{point{0, 12}, point{12, 0}}, false},
		{segment{point{0, 21}, point{21, 0}}, true},
		{segment{point{25, 15}, point{30, 15}}, false},
	}
	for _, tt := range tests {
		if got := tt.s.crosses(b); got != tt.want {
			t.Errorf("%v: got %v, want %v", tt.s, got, tt.want)
		}
	}
}

func TestTicks(t *testing.T) {
	tests := []struct {
		name string
		got  []float64
		want []float64
	}{
		{"linear", axis{low: 10.1, high: 17.9}.linearTicks(7), []float64{11, 12, 13, 14, 15, 16, 17}},
		{"linear, narrow", axis{low: 0.99, high: 1.01}.linearTicks(4), []float64{0.99, 0.995, 1, 1.005, 1.01}},
		{"decades", axis{low: 0.3, high: 30, log: true}.logTicks(), []float64{0.5, 1, 2, 5, 10, 20}},
		{"part of a decade", axis{low: 1.5, high: 4.5, log: true}.logTicks(), []float64{2, 3, 4}},
		{"many decades", axis{low: 0.002, high: 2000, log: true}.logTicks(), []float64{0.01, 0.1, 1, 10, 100, 1000}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, tt.got, cmpopts.EquateApprox(0, 1e-9)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}
