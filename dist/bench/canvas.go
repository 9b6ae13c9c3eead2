package bench

import (
	"fmt"

	"x.go/dist/plot"
)

// canvas is a page with points on it.
type canvas struct{ plot.Canvas }

func (c *canvas) line(s segment, colour string, width float64, dashes string) {
	c.Line(s.a.x, s.a.y, s.b.x, s.b.y, colour, width, dashes)
}

// label writes the name of a point, with a border that keeps lines off it.
func (c *canvas) label(x, y float64, s series, text string) {
	weight := ""
	if s.ours {
		weight = ` font-weight="bold"`
	}
	c.Markup("<text x=%q y=%q font-size=%q fill=%q text-anchor=\"middle\" stroke=%q stroke-width=\"3\" stroke-linejoin=\"round\" paint-order=\"stroke\"%s>%s</text>",
		plot.Unit(x), plot.Unit(y), plot.Unit(plot.FontSize), s.colour, plot.Paper, weight, plot.Escape(text))
}

// mark draws a point: filled if it is ours.
func (c *canvas) mark(at point, s series) {
	fill := plot.Paper
	if s.ours {
		fill = s.colour
	}
	look := fmt.Sprintf("fill=%q stroke=%q stroke-width=\"2\"", fill, s.colour)
	switch s.shape {
	case "triangle":
		c.Markup("<path d=\"M%s %sl6 10.5h-12z\" stroke-linejoin=\"round\" %s/>", plot.Unit(at.x), plot.Unit(at.y-7), look)
	case "square":
		c.Markup("<rect x=%q y=%q width=\"9\" height=\"9\" %s/>", plot.Unit(at.x-4.5), plot.Unit(at.y-4.5), look)
	default:
		c.Markup("<circle cx=%q cy=%q r=\"5\" %s/>", plot.Unit(at.x), plot.Unit(at.y), look)
	}
}
