package manifests

import "regexp"

// loginInURL matches the beginning of a URL with user name and password. The last
// "@" ends them, as a password may hold one, unless what follows "//" is a whole
// host name.
var (
	loginInURL = regexp.MustCompile(`\b([A-Za-z][A-Za-z0-9+.-]*://)([^\s"'<>]*)@`)
	plainHost  = regexp.MustCompile(`^([A-Za-z0-9._~-]*|\[[0-9A-Fa-f:.%]*\])(:[0-9]*)?[/?#]`)
	queryOfURL = regexp.MustCompile(`\b([A-Za-z][A-Za-z0-9+.-]*://[^\s"'<>?]*)\?[^\s"'<>]+`)
)

// Redact returns text in which no URL shows a user name, a password or a query:
// tokens are found in all of them. Everything that a person or a report gets to
// see of a URL goes through it.
func Redact(text string) string {
	text = loginInURL.ReplaceAllStringFunc(text, func(url string) string {
		m := loginInURL.FindStringSubmatch(url)
		if plainHost.MatchString(m[2]) {
			return url // the "@" is part of the path
		}
		return m[1] + "xxxxx@"
	})
	return queryOfURL.ReplaceAllString(text, "$1?xxxxx")
}
