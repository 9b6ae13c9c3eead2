package catalog

import (
	"fmt"
	"html/template"
	"strings"

	"x.go/dist"
	"x.go/dist/plot"
)

// point is what a chart shows of one release.
type point struct {
	date    string
	present bool
	size    int64 // -1 if not known
}

// Sizes of a chart, in pixels.
const (
	sparkWidth  = 160
	sparkHeight = 28
	lineTop     = 3.0  // of the sizes
	lineBottom  = 19.0 // of the sizes
	stripTop    = 23.0
)

// spark draws sizes over time, above a strip that is full where there is something to
// install and hollow where there is nothing. Its text tells the same.
func spark(points []point) template.HTML {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="spark" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">`,
		sparkWidth, sparkHeight, sparkWidth, sparkHeight, plot.Escape(sparkText(points)))
	step := float64(sparkWidth) / float64(len(points))
	for from := 0; from < len(points); {
		to := from
		for to < len(points) && points[to].present == points[from].present {
			to++
		}
		class, top, height := "there", stripTop, 4.0
		if !points[from].present {
			class, top, height = "gone", stripTop+0.5, 3.0
		}
		fmt.Fprintf(&b, `<rect class="%s" x="%s" y="%s" width="%s" height="%s"/>`,
			class, plot.Unit(step*float64(from)+0.5), plot.Unit(top), plot.Unit(step*float64(to-from)-1), plot.Unit(height))
		from = to
	}
	b.WriteString(sparkLine(points, step))
	b.WriteString("</svg>")
	return template.HTML(b.String()) // numbers, and text that is escaped
}

// sparkLine draws the sizes that are known. A line ends where one is not, and a step
// shows where the size changes.
func sparkLine(points []point, step float64) string {
	low, high := sizeRange(points)
	if high < 0 {
		return ""
	}
	y := func(size int64) string {
		if high == low {
			return plot.Unit((lineTop + lineBottom) / 2)
		}
		return plot.Unit(lineBottom - (lineBottom-lineTop)*float64(size-low)/float64(high-low))
	}
	var d strings.Builder
	before := int64(-1)
	for i, p := range points {
		left, right := plot.Unit(step*float64(i)), plot.Unit(step*float64(i+1))
		switch {
		case p.size < 0:
		case before < 0:
			fmt.Fprintf(&d, "M%s %sH%s", left, y(p.size), right)
		case p.size == before:
			fmt.Fprintf(&d, "H%s", right)
		default:
			fmt.Fprintf(&d, "V%sH%s", y(p.size), right)
		}
		before = p.size
	}
	return `<path class="size" d="` + d.String() + `"/>`
}

// sizeRange returns the least and the greatest size, -1 if none is known.
func sizeRange(points []point) (low, high int64) {
	low, high = -1, -1
	for _, p := range points {
		if p.size >= 0 && (low < 0 || p.size < low) {
			low = p.size
		}
		high = max(high, p.size)
	}
	return low, high
}

// sparkText says in words what a chart shows.
func sparkText(points []point) string {
	first, last := points[0], points[len(points)-1]
	text := "1 release, of " + first.date
	if len(points) > 1 {
		text = fmt.Sprintf("%d releases from %s to %s", len(points), first.date, last.date)
	}
	missing := 0
	for _, p := range points {
		if !p.present {
			missing++
		}
	}
	if missing > 0 {
		text += fmt.Sprintf(", missing in %d", missing)
	}
	switch low, high := sizeRange(points); {
	case high < 0:
		text += "; size not known"
	case low == high:
		text += "; " + dist.FormatBytes(high)
	default:
		text += fmt.Sprintf("; from %s to %s", dist.FormatBytes(low), dist.FormatBytes(high))
	}
	return dist.OneLine(text)
}
