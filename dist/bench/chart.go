package bench

import (
	"fmt"
	"slices"
	"strings"

	"x.go/dist/plot"
)

// Edges of the plots on the page.
const (
	plotLeft  = 76
	plotRight = plot.Width - 72
)

// style is how a tool is drawn: a colour for the tool, warm for ours and cold for
// peers, and a shape for the format.
type style struct {
	colour string
	shape  string
}

var shapes = map[string]string{"xz": "circle", "zst": "triangle", "gz": "square"}

var colours = map[string]string{
	"x xz": "#c8410b", "x zst": "#b3186d", "x gz": "#8a5a00",
	"xz": "#1a56c4", "7zz": "#6a35c9", "zstd": "#0b7a70", "gzip": "#54616f", "pigz": "#2f7d32",
}

// spare colours are for tools that have none, by their number.
var spare = []string{"#0e7490", "#4d7c0f", "#7e22ce", "#334155"}

// series is a line of the chart: the levels of a tool.
type series struct {
	tool string
	ours bool
	style
	rows []Row
}

// SVG draws the compressed sizes over the times, one plot for each input. The
// bytes depend on r alone.
func (r Report) SVG() []byte {
	c := &canvas{}
	tools := r.series(r.allRows())
	c.Y = plot.Margin + 16
	title, what := r.titles()
	c.Text(plot.Margin, c.Y, 20, plot.Ink, "start", "bold", title)
	c.Y += 22
	c.Text(plot.Margin, c.Y, plot.FontSize, plot.Faint, "start", "", what)
	c.Y += 14
	r.legend(c, tools)
	for _, res := range r.Results {
		r.plot(c, res)
	}
	r.footer(c)
	return c.Page(title, r.describe())
}

// titles returns the title and what is below it.
func (r Report) titles() (title, what string) {
	title = "Compressed size over time"
	if len(r.Results) == 1 {
		in := r.Results[0].Input
		title = fmt.Sprintf("%s, %s: compressed size over time", in.Name, megabytes(in.Bytes))
	}
	what = "Further down is smaller, further left is faster."
	if r.Rounds > 1 {
		what += fmt.Sprintf(" Medians of %d rounds in which all take turns.", r.Rounds)
	}
	return title, what
}

// describe puts the chart into words, for those who do not see it.
func (r Report) describe() string {
	var b strings.Builder
	for _, res := range r.Results {
		fmt.Fprintf(&b, "%s, %d bytes: ", res.Input.Name, res.Input.Bytes)
		for i, row := range measured(res.Encode) {
			if i > 0 {
				b.WriteString("; ")
			}
			b.WriteString(row.words())
		}
		b.WriteString(". ")
	}
	return strings.TrimSpace(b.String())
}

// words describes a row in a sentence.
func (r Row) words() string {
	text := fmt.Sprintf("%s: %d bytes in %s s, %s s of processors", r.Name, r.Median.Bytes, plot.Short(r.Median.Wall), plot.Short(r.Median.CPU))
	if r.Median.Peak.Bytes > 0 {
		text += ", " + plot.Short(float64(r.Median.Peak.Bytes)/(1<<20)) + " MiB of memory"
	}
	return text
}

// megabytes prints a size, of 10^6 bytes each.
func megabytes(n int64) string { return plot.Short(float64(n)/1e6) + " MB" }

// measured returns the rows that have figures.
func measured(rows []Row) []Row {
	return slices.DeleteFunc(slices.Clone(rows), func(r Row) bool { return len(r.Runs) == 0 })
}

// allRows returns the rows of all inputs that have figures.
func (r Report) allRows() []Row {
	var rows []Row
	for _, res := range r.Results {
		rows = append(rows, measured(res.Encode)...)
	}
	return rows
}

// series sorts rows by their tools, in the order in which these come.
func (r Report) series(rows []Row) []series {
	var out []series
	for _, row := range rows {
		at := slices.IndexFunc(out, func(s series) bool { return s.tool == row.Tool })
		if at < 0 {
			at = len(out)
			s := series{tool: row.Tool, ours: row.Ours, style: style{colour: colours[row.Tool], shape: shapes[row.Format]}}
			if s.colour == "" {
				s.colour = spare[len(row.Tool)%len(spare)]
			}
			out = append(out, s)
		}
		out[at].rows = append(out[at].rows, row)
	}
	return out
}

// legend shows the line and the mark of each tool.
func (r Report) legend(c *canvas, tools []series) {
	x, height := float64(plot.Margin), 24.0
	c.Y += 12
	for _, s := range tools {
		name := s.tool
		for _, p := range r.Programs {
			if p.Tool == s.tool && p.Version != "" && !s.ours {
				name += " " + p.Version
			}
		}
		width := 33 + plot.TextWidth(name, plot.FontSize)
		if x+width > plot.Width-plot.Margin {
			x = plot.Margin
			c.Y += height
		}
		c.line(segment{point{x, c.Y}, point{x + 26, c.Y}}, s.colour, s.width(), "")
		c.mark(point{x + 13, c.Y}, s)
		c.Text(x+33, c.Y+4.5, plot.FontSize, plot.Ink, "start", s.weight(), name)
		x += width + 14
	}
	c.Y += 16
}

func (s series) width() float64 {
	if s.ours {
		return 2.5
	}
	return 1.5
}

func (s series) weight() string {
	if s.ours {
		return "bold"
	}
	return ""
}

// plot draws one input.
func (r Report) plot(c *canvas, res Result) {
	rows := measured(res.Encode)
	height := 430.0
	c.Y += 26
	if len(r.Results) > 1 {
		height = 350
		c.Text(plotLeft, c.Y, 16, plot.Ink, "start", "bold", fmt.Sprintf("%s, %s", res.Input.Name, megabytes(res.Input.Bytes)))
		c.Y += 26
	}
	if len(rows) == 0 {
		c.Text(plotLeft, c.Y+20, plot.FontSize, plot.Faint, "start", "", "nothing was measured")
		c.Y += 40
		return
	}
	var times, sizes []float64
	for _, row := range rows {
		times = append(times, row.Median.Wall)
		sizes = append(sizes, float64(row.Median.Bytes)/1e6)
	}
	p := panel{
		area: box{plotLeft, c.Y, plotRight, c.Y + height}, input: res.Input,
		x: timeAxis(times, plotLeft, plotRight), y: sizeAxis(sizes, c.Y+height, c.Y),
	}
	p.axes(c)
	seen := scene{page: box{p.area.x0 + 2, p.area.y0 + 2, p.area.x1 - 2, p.area.y1 - 2}}
	if at := slices.IndexFunc(rows, func(row Row) bool { return row.Name == r.Baseline }); at >= 0 {
		seen.blocked = append(seen.blocked, p.better(c, rows[at]))
		spot := p.spot(rows[at])
		seen.lines = append(seen.lines, segment{point{p.area.x0, spot.y}, spot}, segment{spot, point{spot.x, p.area.y1}})
	}
	p.points(c, r.series(rows), seen)
	c.Y += height + 52
}

// panel is one pair of axes.
type panel struct {
	area  box
	x, y  axis
	input Input
}

// spot returns where a row is.
func (p panel) spot(row Row) point {
	return point{p.x.at(max(row.Median.Wall, leastSeconds)), p.y.at(float64(row.Median.Bytes) / 1e6)}
}

// axes draws the grid with its numbers: megabytes on the left, parts of the input
// on the right, seconds below.
func (p panel) axes(c *canvas) {
	a := p.area
	for _, v := range p.y.linearTicks(7) {
		y := p.y.at(v)
		c.line(segment{point{a.x0, y}, point{a.x1, y}}, plot.Grid, 1, "")
		c.Text(a.x0-10, y+4.5, plot.FontSize, plot.Faint, "end", "", plot.Short(v))
	}
	if p.input.Bytes > 0 {
		percent := p.y
		percent.low, percent.high = p.y.low*1e8/float64(p.input.Bytes), p.y.high*1e8/float64(p.input.Bytes)
		for _, v := range percent.linearTicks(5) {
			y := percent.at(v)
			c.line(segment{point{a.x1, y}, point{a.x1 + 5, y}}, plot.Faint, 1, "")
			c.Text(a.x1+10, y+4.5, plot.FontSize, plot.Faint, "start", "", plot.Short(v)+" %")
		}
		c.line(segment{point{a.x1, a.y0}, point{a.x1, a.y1}}, plot.Grid, 1, "")
		c.Text(a.x1+10, a.y0-10, plot.FontSize, plot.Faint, "start", "", "of input")
	}
	for _, v := range p.x.logTicks() {
		x := p.x.at(v)
		c.line(segment{point{x, a.y0}, point{x, a.y1}}, plot.Grid, 1, "")
		c.Text(x, a.y1+20, plot.FontSize, plot.Faint, "middle", "", plot.Short(v))
	}
	c.line(segment{point{a.x0, a.y1}, point{a.x1, a.y1}}, plot.Faint, 1, "")
	c.line(segment{point{a.x0, a.y0}, point{a.x0, a.y1}}, plot.Faint, 1, "")
	c.Text(a.x0-10, a.y0-10, plot.FontSize, plot.Faint, "end", "", "MB")
	c.Text((a.x0+a.x1)/2, a.y1+40, plot.FontSize, plot.Faint, "middle", "", "seconds from start to end, logarithmic")
}

// better shades what is smaller and faster than the baseline, and returns where
// it wrote so.
func (p panel) better(c *canvas, base Row) box {
	at, a := p.spot(base), p.area
	c.Rect(a.x0, at.y, at.x-a.x0, a.y1-at.y, 0, colours["x xz"], "0.05")
	c.line(segment{point{a.x0, at.y}, at}, plot.Faint, 1, "2 4")
	c.line(segment{at, point{at.x, a.y1}}, plot.Faint, 1, "2 4")
	text := "smaller and faster than " + base.Name
	if width := plot.TextWidth(text, 12); width+16 < at.x-a.x0 {
		c.Text(a.x0+8, a.y1-8, 12, plot.Faint, "start", "", text)
		return box{a.x0, a.y1 - 22, a.x0 + width + 12, a.y1}
	}
	return box{}
}

// points draws the lines, marks and labels.
func (p panel) points(c *canvas, tools []series, seen scene) {
	var labels []label
	for _, s := range tools {
		for i, row := range s.rows {
			at := p.spot(row)
			seen.marks = append(seen.marks, around(at, 15, 15))
			labels = append(labels, label{at, plot.TextWidth(row.Name, plot.FontSize) + 4, plot.FontSize + 3})
			if i > 0 {
				l := segment{p.spot(s.rows[i-1]), at}
				seen.lines = append(seen.lines, l)
				c.line(l, s.colour, s.width(), "")
			}
		}
	}
	places := seen.place(labels)
	for i, b := range places {
		if leader, far := labels[i].leader(b); far {
			c.line(leader, plot.Faint, 0.8, "")
		}
	}
	i := 0
	for _, s := range tools {
		for _, row := range s.rows {
			c.Markup("<g>")
			c.Element("title", row.words())
			c.mark(labels[i].at, s)
			at := places[i].centre()
			c.label(at.x, at.y+4.5, s, row.Name)
			c.Markup("</g>")
			i++
		}
	}
}

// footer tells the machine.
func (r Report) footer(c *canvas) {
	facts := r.Machine.Facts(strings.Replace(r.Machine.Go, "go", "Go ", 1), fmt.Sprintf("%d threads", r.Jobs))
	c.Y += 14
	c.Text(plot.Margin, c.Y, 12, plot.Faint, "start", "", strings.Join(facts, " · "))
	c.Y += plot.Margin - 6
}
