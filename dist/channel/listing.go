package channel

import (
	"net/url"
	"strings"
)

// ListingFile is the name above dist of the list of all dated manifests, one line each:
// host and path without scheme, such as
// static.rust-lang.org/dist/2026-04-16/channel-rust-nightly.toml, in the order of
// publication. Source: rust-lang/promote-release src/lib.rs.
const ListingFile = "manifests.txt"

// PublicName returns the name that a server has for its readers by the last line of its
// [ListingFile]: what is above dist, without scheme; "" if that says nothing.
func PublicName(text string) string {
	lines := strings.Fields(text)
	if len(lines) == 0 {
		return ""
	}
	line := lines[len(lines)-1]
	name := line[:max(strings.LastIndex(line, "/dist/"), 0)]
	if u, err := url.Parse("https://" + name); err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return ""
	}
	return name
}
