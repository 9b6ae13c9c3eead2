package linkbench

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist/measure"
)

// sampleReport has a linker twice as fast as the baseline, and one that failed.
func sampleReport() Report {
	run := func(seconds, cpu float64) RunFigures {
		return RunFigures{
			Final:   Links{measure.Figures{Wall: seconds, CPU: cpu, Peak: measure.Memory{Bytes: 100 << 20}, Bytes: 4000}, 1},
			Helpers: Links{measure.Figures{Wall: 2 * seconds, CPU: 2 * cpu, Peak: measure.Memory{Bytes: 9 << 20, Bound: true}, Bytes: 2000}, 3},
			Build:   measure.Figures{Wall: 10 + seconds, CPU: 20 + cpu, Peak: measure.Memory{Bytes: 1 << 30}},
		}
	}
	r := Report{
		Schema: schemaVersion, Machine: measure.Machine{CPU: "AMD EPYC", Cores: 2, OS: "linux", Arch: "amd64", Go: "go1.26", Load: []float64{0.5, 1, 2}},
		Command: []string{"cargo", "build"}, Mode: Clean, Rounds: 3, Toolchain: Toolchain{Release: "1.95.0", Host: "x86_64-unknown-linux-gnu", Sysroot: "/s"},
		Rows: []Row{
			{Name: "bfd", About: "GNU ld", Linker: "BFD", Version: "2.40", Program: "/usr/bin/ld.bfd", Runs: []RunFigures{run(4, 2), run(5, 2.2), run(4.4, 2.1)}},
			{Name: "lld", About: "LLD", Linker: "LLD", Version: "22.1.2", Program: "/s/ld.lld", Runs: []RunFigures{run(2, 1.05), run(2.2, 1.05), run(2.2, 1.05)}},
			{Name: "mold", About: "mold", Linker: "mold", Program: "/usr/bin/ld.mold", Runs: []RunFigures{}, Error: `linking "a": exit status 1`},
		},
		LeftOut: []LeftOut{{"wild", "PATH has no wild"}},
	}
	r.Rate("bfd")
	return r
}

func TestRate(t *testing.T) {
	t.Parallel()
	r := sampleReport()
	lld := r.Rows[1]
	if got, want := lld.Median.Final, (Links{measure.Figures{Wall: 2.2, CPU: 1.05, Peak: measure.Memory{Bytes: 100 << 20}, Bytes: 4000}, 1}); got != want {
		t.Errorf("median: got %+v, want %+v", got, want)
	}
	near := func(name string, got, want float64) {
		if math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: got %g, want %g", name, got, want)
		}
	}
	near("ratio of walls", lld.Ratio.Final.Wall, 0.5)
	near("ratio of processors", lld.Ratio.Of(Final).CPU, 0.5)
	near("ratio of sizes", lld.Ratio.Of(Helpers).Size, 1)
	near("ratio of the build", lld.Ratio.Of(Build).Wall, 12.2/14.4)
	near("spread of walls", r.Rows[0].Spread.Of(Final).Wall, 1/4.4)
	near("spread of processors", r.Rows[0].Spread.Of(Final).CPU, 0.2/2.1)
	near("no spread", lld.Spread.Of(Final).CPU, 0)
	if failed := r.Rows[2]; failed.Ratio != nil || failed.Spread != nil {
		t.Errorf("got figures of a linker that failed: %+v", failed)
	}
	if r.Rate("wild"); r.Rows[0].Ratio != nil {
		t.Error("got a ratio to a linker that is not there")
	}
	if diff := cmp.Diff([]Part{Final, Helpers, Build}, r.Parts()); diff != "" {
		t.Errorf("parts (-want +got):\n%s", diff)
	}
	if got, want := errors.Join(r.Errors()...).Error(), `measuring mold: linking "a": exit status 1`; got != want {
		t.Errorf("got error %q, want %q", got, want)
	}
}

func TestParseReport(t *testing.T) {
	t.Parallel()
	change := func(f func(*Report)) string {
		r := sampleReport()
		f(&r)
		data, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	got, err := ParseReport([]byte(change(func(*Report) {})))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sampleReport(), got); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	tests := []struct{ name, data, want string }{
		{"no JSON", "x", "parsing report: invalid character"},
		{"other JSON", "{}", "parsing report: got schema 0, want 1"},
		{"newer", change(func(r *Report) { r.Schema = 2 }), "got schema 2, want 1"},
		{"no rows", change(func(r *Report) { r.Rows = nil }), "got 0 linkers and 1 left out, want 1 to 100"},
		{"many rows", change(func(r *Report) { r.Rows = make([]Row, 200) }), "got 200 linkers"},
		{"mode", change(func(r *Report) { r.Mode = "" }), `got mode "", want clean or incremental`},
		{"command", change(func(r *Report) { r.Command = nil }), "got no command"},
		{"time", change(func(r *Report) { r.Rows[1].Runs[0].Final.Wall = -1 }), `linker "lld": got a run of -1 s`},
		{"bytes", change(func(r *Report) { r.Rows[0].Runs[2].Helpers.Bytes = math.MaxInt64 }), `linker "bfd": got a run of`},
		{"count", change(func(r *Report) { r.Rows[0].Runs[2].Final.Count = -7 }), `linker "bfd": got -7 links`},
		{"name", change(func(r *Report) { r.Rows[0].Name = strings.Repeat("x", 1<<20) }), "got a text of 1048576 bytes"},
		{"runs", change(func(r *Report) { r.Rows[0].Runs = make([]RunFigures, 2000) }), "got 2000 runs, want at most 1000"},
	}
	for _, tt := range tests {
		if _, err := ParseReport([]byte(tt.data)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got error %v, want %q", tt.name, err, tt.want)
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

func TestSVG(t *testing.T) {
	t.Parallel()
	r := sampleReport()
	r.Command = append(r.Command, "<&>")
	svg := r.SVG()
	checkXML(t, svg)
	for _, word := range []string{"cargo build &lt;&amp;&gt;", "lld 22.1.2", "2.2 s, × 0.50", "failed", "Medians of 3 rounds", "load 0.50 at the start"} {
		if !strings.Contains(string(svg), word) {
			t.Errorf("got a chart without %q", word)
		}
	}
	if !bytes.Equal(svg, r.SVG()) {
		t.Error("got two charts of one report")
	}
}

// FuzzParseReport parses and draws what anybody may have written.
func FuzzParseReport(f *testing.F) {
	data, err := json.Marshal(sampleReport())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"schema":1,"mode":"clean","command":["c"],"rows":[{"runs":[{"build":{"wall_s":1e-300},"final":{"count":1}}]},{"runs":[{"build":{"wall_s":1e9}}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ParseReport(data)
		if err != nil {
			return
		}
		svg := r.SVG()
		checkXML(t, svg)
		if strings.Contains(string(svg), "NaN") || strings.Contains(string(svg), "Inf\"") {
			t.Errorf("got a place that is no number in\n%s", svg)
		}
	})
}
