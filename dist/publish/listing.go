package publish

import (
	"context"
	"strings"
)

// listingName is the list of all dated manifests, one line each: host and path without
// scheme, such as static.rust-lang.org/dist/2026-04-16/channel-rust-nightly.toml, in the
// order of publication. Source: rust-lang/promote-release src/lib.rs.
const listingName = "manifests.txt"

// publicName returns the store's own name for manifests.txt: that of a URL, or else that
// of the lines that are there; "" if neither says it.
func publicName(url, text string) string {
	if url != "" {
		_, name, ok := strings.Cut(url, "://")
		if !ok {
			name = url
		}
		return strings.TrimSuffix(name, "/")
	}
	lines := strings.Fields(text)
	if len(lines) == 0 {
		return ""
	}
	name, _, ok := strings.Cut(lines[len(lines)-1], "/dist/")
	if !ok {
		return ""
	}
	return name
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
	return r.edit(ctx, listingName, maxListed, func(text []byte) ([]byte, error) {
		out, _ := appendLines(string(text), r.listed)
		return []byte(out), nil
	})
}
