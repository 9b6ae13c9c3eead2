package manifests

import (
	"regexp"
	"strings"
)

// loginInURL matches the start of a URL with user name and password. The last "@"
// ends them, as a password may hold one, unless what follows "//" is a whole host
// name. An apostrophe is part of a URL (RFC 3986), a quote is not.
var (
	loginInURL = regexp.MustCompile(`\b([A-Za-z][A-Za-z0-9+.-]*://)([^\s"<>]*)@`)
	plainHost  = regexp.MustCompile(`^([A-Za-z0-9._~-]*|\[[0-9A-Fa-f:.%]*\])(:[0-9]*)?[/?#]`)
	queryOfURL = regexp.MustCompile(`\b([A-Za-z][A-Za-z0-9+.-]*://[^\s"<>?]*)\?[^\s"<>]+`)
)

// Redact returns text in which no URL shows a user name, a password or a query:
// tokens are found in all of them. Everything that a person or a report gets to
// see of a URL goes through it.
func Redact(text string) string {
	text = loginInURL.ReplaceAllStringFunc(text, func(url string) string {
		m := loginInURL.FindStringSubmatch(url)
		host := plainHost.FindString(m[2])
		if host != "" && !strings.Contains(m[2], "://") {
			return url // the "@" is part of the path
		}
		return m[1] + host + "xxxxx@" // of another URL, if there is a host
	})
	return queryOfURL.ReplaceAllString(text, "$1?xxxxx")
}
