package catalog_test

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"x.go/dist/catalog"
	"x.go/dist/channel"
)

// wellFormed reads a page as XML, and refuses scripts, handlers and other files.
func wellFormed(t *testing.T, name, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if slices.Contains(strings.Fields("script iframe object embed link img form base"), e.Name.Local) {
			t.Errorf("%s: got element %s", name, e.Name.Local)
		}
		for _, a := range e.Attr {
			if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "src" || a.Name.Local == "href" && strings.HasPrefix(strings.ToLower(a.Value), "javascript:") {
				t.Errorf("%s: got attribute %s=%q", name, a.Name.Local, a.Value)
			}
		}
	}
}

const hostile = `<script>alert(1)</script>"'&amp;` + "\x1b[31m\u202e\xff"

func TestWriteListing(t *testing.T) {
	t.Parallel()
	l := channel.Listing{Dir: "/" + hostile + "/", More: true, Styled: true, Entries: []channel.Entry{
		{Name: "dist/", Link: "dist/"}, {Name: hostile, Link: "./javascript:alert(1)", Size: 1536, ModTime: time.Date(2026, 4, 16, 1, 2, 3, 0, time.UTC)},
	}}
	var b strings.Builder
	if err := catalog.WriteListing(&b, l); err != nil {
		t.Fatal(err)
	}
	wellFormed(t, "listing", b.String())
	for _, want := range []string{`<a href="../">`, `<a href="dist/">dist/</a>`, "1.5 KiB", "2026-04-16 01:02", "There are more files", "<style>", "default-src &#39;none&#39;"} {
		if !strings.Contains(strings.ReplaceAll(b.String(), "'none'", "&#39;none&#39;"), want) {
			t.Errorf("listing lacks %q:\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "<script") || strings.Contains(b.String(), "\x1b") {
		t.Errorf("listing has text of strangers as it is:\n%s", b.String())
	}
}
