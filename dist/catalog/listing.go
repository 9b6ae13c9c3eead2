package catalog

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"time"

	"x.go/dist/channel"
	"x.go/dist/page"
)

//go:embed listing.html
var listingText string

// listingPage is parsed once; that it parses is tested.
var listingPage = page.Parse(listingText, template.FuncMap{
	"time": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") },
})

// WriteListing writes the page of a directory, each entry on a line of its own.
func WriteListing(w io.Writer, l channel.Listing) error {
	if err := listingPage().Execute(w, l); err != nil {
		return fmt.Errorf("writing listing as HTML: %w", err)
	}
	return nil
}
