package linkbench

import (
	"fmt"
	"strings"

	"x.go/dist/measure"
	"x.go/dist/plot"
)

// What the parts are called in a chart.
var partTitles = map[Part]string{
	Final:   "The last links: programs and libraries of the command's own packages",
	Helpers: "Links for the build itself: build scripts, procedural macros, dependencies",
	Build:   "The whole command",
}

// Places of a chart, in units of the page.
const (
	barLeft   = 230
	barRight  = plot.Width - 190
	barHeight = 11
	rowHeight = 34
)

// Colours of the bars: the time on the wall, and that of processors.
const (
	wallColour = "#1a56c4"
	cpuColour  = "#c8410b"
)

// SVG draws the times as bars, each part by itself. The bytes depend on r alone.
func (r Report) SVG() []byte {
	c := &plot.Canvas{Y: plot.Margin + 16}
	title := clip("Linkers compared on " + strings.Join(r.Command, " "))
	c.Text(plot.Margin, c.Y, 20, plot.Ink, "start", "bold", title)
	c.Y += 22
	c.Text(plot.Margin, c.Y, plot.FontSize, plot.Faint, "start", "", r.describeMode())
	c.Y += 24
	r.legend(c)
	for _, p := range r.Parts() {
		r.bars(c, p)
	}
	c.Y += 14
	facts := r.Machine.Facts("rustc " + r.Toolchain.Release)
	c.Text(plot.Margin, c.Y, 12, plot.Faint, "start", "", strings.Join(facts, " · "))
	c.Y += plot.Margin - 6
	return c.Page(title, r.words())
}

// clip shortens a title to what the page has room for.
func clip(title string) string {
	const most = 72
	if letters := []rune(title); len(letters) > most {
		return string(letters[:most-1]) + "…"
	}
	return title
}

// describeMode says how the figures were taken.
func (r Report) describeMode() string {
	text := "Everything is built in each run."
	if r.Mode == Incremental {
		text = "Only what is linked last is built again in each run."
	}
	if r.Rounds > 1 {
		text += fmt.Sprintf(" Medians of %d rounds in which all take turns; thin lines reach from the least to the greatest.", r.Rounds)
	}
	return text
}

// legend shows the two colours.
func (r Report) legend(c *plot.Canvas) {
	x := float64(plot.Margin)
	for _, s := range []struct{ colour, text string }{{wallColour, "time on the wall"}, {cpuColour, "time of processors"}} {
		c.Rect(x, c.Y-9, 18, barHeight, 2, s.colour, "")
		c.Text(x+25, c.Y, plot.FontSize, plot.Ink, "start", "", s.text)
		x += 45 + plot.TextWidth(s.text, plot.FontSize)
	}
	c.Y += 10
}

// bars draws one part.
func (r Report) bars(c *plot.Canvas, p Part) {
	c.Y += 26
	c.Text(plot.Margin, c.Y, 15, plot.Ink, "start", "bold", partTitles[p])
	c.Y += 12
	most := 0.0
	for _, row := range r.Rows {
		for _, f := range row.figures(p) {
			most = max(most, f.Wall, f.CPU)
		}
	}
	if most == 0 {
		most = 1
	}
	at := func(seconds float64) float64 { return barLeft + seconds/most*(barRight-barLeft) }
	for _, row := range r.Rows {
		c.Y += rowHeight
		weight := ""
		if row.Name == r.Baseline {
			weight = "bold"
		}
		c.Text(barLeft-12, c.Y-8, plot.FontSize, plot.Ink, "end", weight, strings.TrimSpace(row.Name+" "+row.Version))
		if len(row.Runs) == 0 {
			c.Text(barLeft, c.Y-8, plot.FontSize, plot.Faint, "start", "", "failed")
			continue
		}
		row.bar(c, p, c.Y-22, wallColour, at, measure.Wall, func(m measure.Ratio) float64 { return m.Wall })
		row.bar(c, p, c.Y-22+barHeight+1, cpuColour, at, measure.CPU, func(m measure.Ratio) float64 { return m.CPU })
	}
	c.Line(barLeft, c.Y+6, barRight, c.Y+6, plot.Grid, 1, "")
	c.Y += 8
}

// bar draws one figure with its range and its value.
func (r Row) bar(c *plot.Canvas, p Part, y float64, colour string, at func(float64) float64, figure func(measure.Figures) float64, ratio func(measure.Ratio) float64) {
	value := figure(r.Median.Of(p).Figures)
	c.Rect(barLeft, y, at(value)-barLeft, barHeight, 2, colour, "0.85")
	low, high := value, value
	for _, f := range r.figures(p) {
		low, high = min(low, figure(f)), max(high, figure(f))
	}
	if high > low {
		middle := y + float64(barHeight)/2
		c.Line(at(low), middle, at(high), middle, plot.Ink, 1.2, "")
	}
	text := plot.Short(value) + " s"
	if r.Ratio != nil {
		text += fmt.Sprintf(", × %.2f", ratio(r.Ratio.Of(p)))
	}
	c.Text(at(high)+8, y+barHeight-1.5, 12, plot.Ink, "start", "", text)
}

// words puts the chart into words, for those who do not see it.
func (r Report) words() string {
	var out []string
	for _, p := range r.Parts() {
		for _, row := range r.Rows {
			if len(row.Runs) > 0 {
				f := row.Median.Of(p)
				out = append(out, fmt.Sprintf("%s, %s: %s s, %s s of processors", p, row.Name, plot.Short(f.Wall), plot.Short(f.CPU)))
			}
		}
	}
	return strings.Join(out, "; ")
}
