package store

import (
	"path"
	"regexp"
	"strings"
)

const (
	// immutable is for what never changes: a year, the longest that caches keep.
	immutable = "public, max-age=31536000, immutable"
	// short is for what the next release replaces. Upstream purges its CDN; others have
	// none to purge, so this is how long a client may see the old release.
	short = "public, max-age=60"
)

// lasting matches the names of files that never change: those of a day, and rustup's
// releases.
var lasting = regexp.MustCompile(`^(dist/\d{4}-\d\d-\d\d|rustup/archive/[^/]+)/`)

// CacheControl returns the header with which a file of the layout of
// static.rust-lang.org is served.
func CacheControl(name string) string {
	if lasting.MatchString(name) {
		return immutable
	}
	return short
}

// contentTypes are by the ends of names.
var contentTypes = map[string]string{
	".asc":     "application/pgp-signature",
	".gz":      "application/gzip",
	".html":    "text/html; charset=utf-8",
	".json":    "application/json",
	".minisig": "text/plain; charset=utf-8",
	".sha256":  "text/plain; charset=utf-8",
	".svg":     "image/svg+xml",
	".toml":    "application/toml",
	".txt":     "text/plain; charset=utf-8",
	".xz":      "application/x-xz",
	".zst":     "application/zstd",
}

// ContentType returns the header that says what a file is.
func ContentType(name string) string {
	if t, ok := contentTypes[strings.ToLower(path.Ext(name))]; ok {
		return t
	}
	return "application/octet-stream"
}

// complete fills in the headers that were left empty.
func (o Options) complete(name string) Options {
	if o.CacheControl == "" {
		o.CacheControl = CacheControl(name)
	}
	if o.ContentType == "" {
		o.ContentType = ContentType(name)
	}
	return o
}
