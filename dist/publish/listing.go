package publish

import (
	"context"
	"strings"

	"x.go/dist/channel"
	"x.go/manifests"
)

// listingName is the list of all dated manifests.
const listingName = channel.ListingFile

// publicName returns the store's own name for manifests.txt: that of a URL, or else that
// of the lines that are there; "" if neither says it.
func publicName(url, text string) string {
	if url == "" {
		return channel.PublicName(text)
	}
	_, name, ok := strings.Cut(url, "://")
	if !ok {
		name = url
	}
	return strings.TrimSuffix(name, "/")
}

// appendLines appends the lines that a text does not have.
func appendLines(text string, lines []string) (out string, changed bool) {
	has := map[string]bool{}
	for line := range strings.Lines(text) {
		has[strings.TrimSpace(line)] = true
	}
	out = text
	for _, line := range lines {
		if has[line] {
			continue
		}
		if out != "" && !strings.HasSuffix(out, "\n") {
			out += "\n"
		}
		out += line + "\n"
		changed = true
	}
	return out, changed
}

// append adds the manifests to the list.
func (r *runner) append(ctx context.Context, _ *Step) error {
	return r.edit(ctx, listingName, manifests.MaxListing, func(text []byte) ([]byte, error) {
		out, _ := appendLines(string(text), r.listed)
		return []byte(out), nil
	})
}
