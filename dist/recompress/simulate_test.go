package recompress

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist/archive"
	"x.go/dist/plot"
	"x.go/manifests"
	"x.go/tests/testenv"
)

// costs are what archives took, and how many of each kind a release has: the content of
// testdata/costs.json, which says how it was measured.
type costs struct {
	Measured []struct {
		Component string
		Tar       int64   // bytes
		Plan      float64 // processor seconds: to read the input, and digest it
		XZ, GZ    float64 // the same for a task of that format alone, which reads the input, too
	}
	Release []struct {
		Package  string
		Archives int
		Like     []string // the measured components that it is taken for, their sum
	}
}

// cost is what one archive takes, in seconds of one processor.
type cost struct {
	tar          int64
	read, xz, gz float64
}

func readCosts(t *testing.T) (all []cost) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "costs.json"))
	testenv.Must(t, err)
	var c costs
	testenv.Must(t, json.Unmarshal(data, &c))
	for _, p := range c.Release {
		var sum cost
		for _, name := range p.Like {
			before := sum.tar
			for _, m := range c.Measured {
				if m.Component == name {
					sum = cost{sum.tar + m.Tar, sum.read + m.Plan, sum.xz + m.XZ - m.Plan, sum.gz + m.GZ - m.Plan}
				}
			}
			if sum.tar == before {
				t.Fatalf("%s: nothing is measured of %q", p.Package, name)
			}
		}
		for range p.Archives {
			all = append(all, sum)
		}
	}
	return all
}

// simulated returns the processor seconds of the tasks of a plan of these archives, by
// number: the order is that of their estimates, as in a real plan.
func simulated(t *testing.T, all []cost, partSize int64) (seconds []float64) {
	t.Helper()
	o := SplitOptions{Settings: Settings{Formats: []archive.Format{archive.GZ, archive.XZ}, Profile: archive.Best, BCJ: "none", BlockSize: partSize, Jobs: 1}, PartSize: partSize}
	w, err := o.Settings.writer()
	testenv.Must(t, err)
	p := &Tasks{Version: tasksVersion, Settings: o.Settings, Sources: []string{"ci"}}
	byName := map[string]cost{}
	for i, c := range all {
		name := fmt.Sprintf("a%03d", i)
		byName[name] = c
		digest := manifests.HashOf([]byte(name))
		tasks, err := p.tasksOf(found{&input{path: name + ".tar.gz", stem: name, format: archive.GZ, tarSize: c.tar, tar: digest, sum: digest, size: 1}, "ci"}, w, partSize)
		testenv.Must(t, err)
		p.Tasks = append(p.Tasks, tasks...)
	}
	p.sort()
	testenv.Must(t, p.check())
	for _, task := range p.Tasks {
		c := byName[task.Name]
		s := c.read
		for _, out := range task.Outputs {
			switch {
			case out.Format == archive.GZ:
				s += c.gz
			case task.Part != nil:
				s += c.xz * float64(task.Part.Size) / float64(c.tar)
			default:
				s += c.xz
			}
		}
		seconds = append(seconds, s)
	}
	return seconds
}

// makespan returns when workers are done who each take the next task when free.
func makespan(tasks []float64, workers int) float64 {
	free := make([]float64, workers)
	for _, s := range tasks {
		next := 0
		for w := range free {
			if free[w] < free[next] {
				next = w
			}
		}
		free[next] += s
	}
	last := 0.0
	for _, s := range free {
		last = max(last, s)
	}
	return last
}

// row is a number of workers and when they are done, with whole archives and with parts.
type row struct {
	workers      int
	whole, parts float64 // seconds
}

// partsOf is the size of parts in the simulation.
const partsOf = 64 << 20

// TestSimulation holds the table and the chart of README.md to what the measured costs
// give. To renew: X_UPDATE=1 go test -run Simulation ./dist/recompress
func TestSimulation(t *testing.T) {
	t.Parallel()
	all := readCosts(t)
	whole, parts := simulated(t, all, 0), simulated(t, all, partsOf)
	total := 0.0
	for _, s := range whole {
		total += s
	}
	var rows []row
	for workers := 1; workers <= 256; workers *= 2 {
		rows = append(rows, row{workers, makespan(whole, workers), makespan(parts, workers)})
	}
	const begin, end = "<!-- simulation -->\n", "<!-- end -->\n"
	page, err := os.ReadFile("README.md")
	testenv.Must(t, err)
	before, rest, ok := strings.Cut(string(page), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatal("README.md has no place for the table")
	}
	for name, want := range map[string]string{
		"README.md":    before + begin + table(rows, total, len(all), len(whole), len(parts)) + end + after,
		"makespan.svg": string(drawRows(rows, total)),
	} {
		if os.Getenv("X_UPDATE") != "" {
			testenv.Must(t, os.WriteFile(name, []byte(want), 0o644))
		}
		got, err := os.ReadFile(name)
		testenv.Must(t, err)
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
}

// table is the part of README.md.
func table(rows []row, total float64, archives, whole, parts int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d archives, %s of one processor: %d tasks, or %d with `--part-size 64MiB`.\n\n", archives, span(total), whole, parts)
	b.WriteString("| workers | whole archives | efficiency | with parts | efficiency |\n|---|---|---|---|---|\n")
	for _, r := range rows {
		share := func(s float64) float64 { return 100 * total / (float64(r.workers) * s) }
		fmt.Fprintf(&b, "| %d | %s | %.0f %% | %s | %.0f %% |\n", r.workers, span(r.whole), share(r.whole), span(r.parts), share(r.parts))
	}
	return b.String()
}

// span prints seconds.
func span(s float64) string {
	minutes := int(math.Round(s / 60))
	switch {
	case minutes < 10:
		return fmt.Sprintf("%d min %02d s", int(math.Round(s))/60, int(math.Round(s))%60)
	case minutes < 60:
		return fmt.Sprintf("%d min", minutes)
	}
	return fmt.Sprintf("%d h %02d min", minutes/60, minutes%60)
}

// drawRows draws the makespans over the workers, both in powers of two.
func drawRows(rows []row, total float64) []byte {
	const left, top, width, height = 96, 92, 700, 360
	c := &plot.Canvas{}
	c.Text(plot.Margin, 44, 20, plot.Ink, "start", "bold", "A release of 524 archives: time over workers, simulated")
	c.Text(plot.Margin, 66, plot.FontSize, plot.Faint, "start", "", "From measured costs, the longest first. Down to the grey line is all that more workers can give.")
	low, high := math.Inf(1), math.Log2(total)
	for _, r := range rows {
		low = min(low, math.Log2(total/float64(r.workers)))
	}
	x := func(workers int) float64 { return left + width*math.Log2(float64(workers))/8 }
	y := func(s float64) float64 { return top + height*(high-math.Log2(s))/(high-low) }
	for _, r := range rows {
		c.Line(x(r.workers), top, x(r.workers), top+height, plot.Grid, 1, "")
		c.Text(x(r.workers), top+height+20, plot.FontSize, plot.Faint, "middle", "", fmt.Sprint(r.workers))
		if ideal := total / float64(r.workers); r.workers < 256 {
			c.Text(left-10, y(ideal)+4, plot.FontSize, plot.Faint, "end", "", span(ideal))
			c.Line(left, y(ideal), left+width, y(ideal), plot.Grid, 1, "")
		}
	}
	line := func(colour, dashes string, value func(row) float64) {
		for i := range rows[1:] {
			c.Line(x(rows[i].workers), y(value(rows[i])), x(rows[i+1].workers), y(value(rows[i+1])), colour, 2, dashes)
		}
	}
	line(plot.Faint, "2 5", func(r row) float64 { return total / float64(r.workers) })
	line("#1a56c4", "", func(r row) float64 { return r.whole })
	line("#c8410b", "6 4", func(r row) float64 { return r.parts })
	last := rows[len(rows)-1]
	c.Text(left+width+8, y(last.whole)+4, plot.FontSize, "#1a56c4", "start", "", "whole archives")
	c.Text(left+width+8, y(last.parts)+4, plot.FontSize, "#c8410b", "start", "", "parts of 64 MiB")
	c.Text(left+width/2, top+height+44, plot.FontSize, plot.Faint, "middle", "", "workers with one processor each")
	c.Y = top + height + 64
	var words bytes.Buffer
	for _, r := range rows {
		fmt.Fprintf(&words, "%d workers: %s, with parts %s. ", r.workers, span(r.whole), span(r.parts))
	}
	return c.Page("Time of a release over workers", strings.TrimSpace(words.String()))
}
