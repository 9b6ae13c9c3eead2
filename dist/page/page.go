// Package page is what the pages of HTML that x writes have in common: they need
// nothing else, be it a script, a font or a picture; they fit a phone; and text of
// strangers stays text.
package page

import (
	_ "embed"
	"html/template"
	"sync"

	"x.go/dist"
)

//go:embed style.css
var style string

// Parse returns the template of a page, whose text it parses at the first call: most
// runs of x write no page. It stops the program if the text is no template, which only a
// mistake in the caller's package can cause. Beside more, the template has the functions
// style, the style sheet; line, text of strangers on one line; and bytes, a size for
// people.
func Parse(text string, more template.FuncMap) func() *template.Template {
	return sync.OnceValue(func() *template.Template {
		return template.Must(template.New("page").Funcs(template.FuncMap{
			"style": func() template.CSS { return template.CSS(style) }, // ours
			"line":  dist.OneLine,
			"bytes": dist.FormatBytes,
		}).Funcs(more).Parse(text))
	})
}
