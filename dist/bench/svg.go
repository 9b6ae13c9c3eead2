package bench

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
)

// canvas collects the elements of a page from top to bottom.
type canvas struct {
	b bytes.Buffer
	y float64 // where the next part starts
}

func (c *canvas) open(tag string) { c.b.WriteString(tag + "\n") }

// element writes a plain element with text.
func (c *canvas) element(name, text string) {
	fmt.Fprintf(&c.b, "<%s>%s</%s>\n", name, escape(text), name)
}

func (c *canvas) text(x, y, size float64, colour, anchor, weight, text string) {
	if weight != "" {
		weight = ` font-weight="` + weight + `"`
	}
	fmt.Fprintf(&c.b, "<text x=%q y=%q font-size=%q fill=%q text-anchor=%q%s>%s</text>\n", unit(x), unit(y), unit(size), colour, anchor, weight, escape(text))
}

// label writes the name of a point, with a border that keeps lines off it.
func (c *canvas) label(x, y float64, s series, text string) {
	weight := ""
	if s.ours {
		weight = ` font-weight="bold"`
	}
	fmt.Fprintf(&c.b, "<text x=%q y=%q font-size=%q fill=%q text-anchor=\"middle\" stroke=%q stroke-width=\"3\" stroke-linejoin=\"round\" paint-order=\"stroke\"%s>%s</text>\n",
		unit(x), unit(y), unit(fontSize), s.colour, paper, weight, escape(text))
}

func (c *canvas) line(s segment, colour string, width float64, dashes string) {
	if dashes != "" {
		dashes = ` stroke-dasharray="` + dashes + `"`
	}
	fmt.Fprintf(&c.b, "<line x1=%q y1=%q x2=%q y2=%q stroke=%q stroke-width=%q stroke-linecap=\"round\"%s/>\n",
		unit(s.a.x), unit(s.a.y), unit(s.b.x), unit(s.b.y), colour, unit(width), dashes)
}

func (c *canvas) rect(b box, radius float64, fill, stroke, opacity string) {
	fmt.Fprintf(&c.b, "<rect x=%q y=%q width=%q height=%q rx=%q fill=%q", unit(b.x0), unit(b.y0), unit(b.x1-b.x0), unit(b.y1-b.y0), unit(radius), fill)
	if stroke != "" {
		fmt.Fprintf(&c.b, " stroke=%q", stroke)
	}
	if opacity != "" {
		fmt.Fprintf(&c.b, " fill-opacity=%q", opacity)
	}
	c.b.WriteString("/>\n")
}

// mark draws a point: filled if it is ours.
func (c *canvas) mark(at point, s series) {
	fill := paper
	if s.ours {
		fill = s.colour
	}
	look := fmt.Sprintf("fill=%q stroke=%q stroke-width=\"2\"", fill, s.colour)
	switch s.shape {
	case "triangle":
		fmt.Fprintf(&c.b, "<path d=\"M%s %sl6 10.5h-12z\" stroke-linejoin=\"round\" %s/>\n", unit(at.x), unit(at.y-7), look)
	case "square":
		fmt.Fprintf(&c.b, "<rect x=%q y=%q width=\"9\" height=\"9\" %s/>\n", unit(at.x-4.5), unit(at.y-4.5), look)
	default:
		fmt.Fprintf(&c.b, "<circle cx=%q cy=%q r=\"5\" %s/>\n", unit(at.x), unit(at.y), look)
	}
}

// page returns the whole document.
func (c *canvas) page(title, description string) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %s\" width=\"%d\" height=%q role=\"img\" aria-labelledby=\"title desc\" font-family=\"system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', Helvetica, Arial, sans-serif\">\n",
		pageWidth, unit(c.y), pageWidth, unit(c.y))
	fmt.Fprintf(&out, "<title id=\"title\">%s</title>\n<desc id=\"desc\">%s</desc>\n", escape(title), escape(description))
	fmt.Fprintf(&out, "<rect x=\"0.5\" y=\"0.5\" width=\"%d\" height=%q rx=\"10\" fill=%q stroke=%q/>\n", pageWidth-1, unit(c.y-1), paper, frame)
	out.Write(c.b.Bytes())
	out.WriteString("</svg>\n")
	return out.Bytes()
}

// unit prints a length with a tenth at most.
func unit(v float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
}

// escape makes text of strangers fit for XML.
func escape(text string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(text)); err != nil {
		return "" // a strings.Builder takes everything
	}
	return b.String()
}
