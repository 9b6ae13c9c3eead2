// Package plot draws the pages of charts as SVG: text, lines and boxes on a ground of
// their own, so that a chart can be read on white and on black. What is drawn, and where,
// is up to those who draw.
package plot
