package plot

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Sizes of the page, in its units.
const (
	Width    = 960
	Margin   = 28
	FontSize = 13
	// glyphWidth is what a character takes at most, on average, as a part of the
	// font's size: viewers have different fonts.
	glyphWidth = 0.6
)

// Colours that are the same in all charts.
const (
	Paper = "#fffefb"
	Grid  = "#eae7e0"
	Ink   = "#24211c"
	Faint = "#6f6a60"
	frame = "#d9d5cc"
)

// Canvas collects the elements of a page from top to bottom. The zero Canvas is empty.
type Canvas struct {
	b bytes.Buffer
	Y float64 // where the next part starts
}

// Markup writes what the other methods do not know, as it is.
func (c *Canvas) Markup(format string, args ...any) { fmt.Fprintf(&c.b, format+"\n", args...) }

// Element writes a plain element with text.
func (c *Canvas) Element(name, text string) {
	fmt.Fprintf(&c.b, "<%s>%s</%s>\n", name, Escape(text), name)
}

// Text writes text at a place: anchor is start, middle or end, weight bold or "".
func (c *Canvas) Text(x, y, size float64, colour, anchor, weight, text string) {
	if weight != "" {
		weight = ` font-weight="` + weight + `"`
	}
	c.Markup("<text x=%q y=%q font-size=%q fill=%q text-anchor=%q%s>%s</text>", Unit(x), Unit(y), Unit(size), colour, anchor, weight, Escape(text))
}

// Line draws a straight line: dashes is as in SVG, "" for none.
func (c *Canvas) Line(x1, y1, x2, y2 float64, colour string, width float64, dashes string) {
	if dashes != "" {
		dashes = ` stroke-dasharray="` + dashes + `"`
	}
	c.Markup("<line x1=%q y1=%q x2=%q y2=%q stroke=%q stroke-width=%q stroke-linecap=\"round\"%s/>",
		Unit(x1), Unit(y1), Unit(x2), Unit(y2), colour, Unit(width), dashes)
}

// Rect fills a rectangle with round corners; opacity "" is all of the colour.
func (c *Canvas) Rect(x, y, width, height, radius float64, fill, opacity string) {
	if opacity != "" {
		opacity = fmt.Sprintf(" fill-opacity=%q", opacity)
	}
	c.Markup("<rect x=%q y=%q width=%q height=%q rx=%q fill=%q%s/>", Unit(x), Unit(y), Unit(width), Unit(height), Unit(radius), fill, opacity)
}

// Page returns the whole document.
func (c *Canvas) Page(title, description string) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %s\" width=\"%d\" height=%q role=\"img\" aria-labelledby=\"title desc\" font-family=\"system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', Helvetica, Arial, sans-serif\">\n",
		Width, Unit(c.Y), Width, Unit(c.Y))
	fmt.Fprintf(&out, "<title id=\"title\">%s</title>\n<desc id=\"desc\">%s</desc>\n", Escape(title), Escape(description))
	fmt.Fprintf(&out, "<rect x=\"0.5\" y=\"0.5\" width=\"%d\" height=%q rx=\"10\" fill=%q stroke=%q/>\n", Width-1, Unit(c.Y-1), Paper, frame)
	out.Write(c.b.Bytes())
	out.WriteString("</svg>\n")
	return out.Bytes()
}

// Unit prints a length with a tenth at most.
func Unit(v float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
}

// Escape makes text of strangers fit for XML.
func Escape(text string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(text)); err != nil {
		return "" // a strings.Builder takes everything
	}
	return b.String()
}

// Short prints a value with three significant digits at most, without an
// exponent.
func Short(v float64) string {
	if v >= 100 || v == 0 {
		return strconv.FormatFloat(math.Round(v), 'f', -1, 64)
	}
	r, err := strconv.ParseFloat(strconv.FormatFloat(v, 'e', 2, 64), 64)
	if err != nil {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	return strconv.FormatFloat(r, 'f', -1, 64)
}

// TextWidth is what text takes at most, in units of the page.
func TextWidth(text string, size float64) float64 {
	return float64(len([]rune(text))) * size * glyphWidth
}
