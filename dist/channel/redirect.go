package channel

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"x.go/dist"
	"x.go/manifests"
)

// Redirect has a server answer for paths that it does not have with their place on
// another server. The longest prefix counts.
type Redirect struct {
	prefix string // a path without a slash at its end
	url    string // without a slash at its end; "" if such paths are nowhere
}

// NewRedirect returns the rule for paths that are prefix, such as "/dist/2026-04-16", or
// below it: the rest of the path is looked for below target, a URL.
func NewRedirect(prefix, target string) (Redirect, error) {
	u, err := url.Parse(target)
	switch {
	case err != nil:
		return Redirect{}, fmt.Errorf("redirecting to %q: %w", manifests.Redact(target), withoutURL(err))
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return Redirect{}, fmt.Errorf("redirecting to %q: want http:// or https:// with a host and a path alone", manifests.Redact(target))
	}
	r, err := NoRedirect(prefix)
	r.url = strings.TrimSuffix(u.String(), "/")
	return r, err
}

// NoRedirect returns the rule for paths that are not looked for elsewhere.
func NoRedirect(prefix string) (Redirect, error) {
	if _, ok := nameOf(prefix); !ok || path.Clean(prefix) != strings.TrimSuffix(prefix, "/") && prefix != "/" {
		return Redirect{}, fmt.Errorf("redirecting %q: want a clean path that begins with a slash", prefix)
	}
	return Redirect{prefix: strings.TrimSuffix(prefix, "/")}, nil
}

// Prefix returns the path that the rule is for, without a slash at its end: "" for all.
func (d Redirect) Prefix() string { return d.prefix }

// Target returns the URL that takes the place of the prefix, without a slash at its end;
// "" if such paths are not looked for elsewhere.
func (d Redirect) Target() string { return d.url }

// has reports whether the rule is for a file.
func (d Redirect) has(name string) bool {
	rest, ok := strings.CutPrefix("/"+name, d.prefix)
	return ok && (rest == "" || rest[0] == '/')
}

// RedirectFor returns where the rules look for a file, by its name below the server.
func RedirectFor(rules []Redirect, name string) (string, bool) {
	best := Redirect{}
	found := false
	for _, d := range rules {
		if d.has(fileOfSide(name)) && (!found || len(d.prefix) > len(best.prefix)) {
			best, found = d, true
		}
	}
	if !found || best.url == "" {
		return "", false
	}
	rest := strings.TrimPrefix("/"+name, best.prefix)
	return best.url + (&url.URL{Path: rest}).EscapedPath(), true
}

// sideExts end the names of files that speak of another one.
var sideExts = []string{manifests.ChecksumExt, ".asc", ".minisig"}

// SideExts returns what ends the names of files that speak of another one: checksums and
// signatures.
func SideExts() []string { return slices.Clone(sideExts) }

// fileOfSide returns the file that a file speaks of, or the file itself.
func fileOfSide(name string) string {
	for {
		i := slices.IndexFunc(sideExts, func(ext string) bool { return strings.HasSuffix(name, ext) })
		if i < 0 {
			return name
		}
		name = strings.TrimSuffix(name, sideExts[i])
	}
}

// absent answers for a file that is not there. A checksum or a signature is never looked
// for elsewhere than its file: it would be that of another one.
func (s *Server) absent(w *answer, r *http.Request, files fs.FS, name string) {
	to, ok := RedirectFor(s.options.Redirects, name)
	if file := fileOfSide(name); !ok || strings.HasSuffix(r.URL.Path, "/") || file != name && isThere(files, file) {
		http.NotFound(w, r)
		return
	}
	redirect(w, to, http.StatusFound)
}

// RedirectsFile is the name of the file beside the manifests of a channel, in dist, that
// has the rules for what the channel names and other servers have.
const RedirectsFile = "redirects.json"

// maxRules bounds such a file in bytes; one has a few lines.
const maxRules = 1 << 20

// redirectsFile is its form.
type redirectsFile struct {
	Redirects []redirectRule `json:"redirects"`
}

type redirectRule struct {
	Path string `json:"path"`
	To   string `json:"to,omitempty"`
}

// FormatRedirects writes rules as a [RedirectsFile] has them.
func FormatRedirects(rules []Redirect) []byte {
	var out redirectsFile
	for _, d := range rules {
		out.Redirects = append(out.Redirects, redirectRule{cmp.Or(d.prefix, "/"), d.url})
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(out); err != nil {
		panic("channel: encoding redirects: " + err.Error()) // strings alone
	}
	return b.Bytes()
}

// ReadRedirects returns the rules of the files of a distribution server, from
// dist/redirects.json; none if there is no such file.
func ReadRedirects(files fs.FS) ([]Redirect, error) {
	const name = "dist/" + RedirectsFile
	f, err := files.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", name, dist.WithoutPath(err))
	}
	defer f.Close()
	data, err := dist.ReadAll(f, name, maxRules)
	if err != nil {
		return nil, err
	}
	rules, err := ParseRedirects(data)
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", name, err)
	}
	return rules, nil
}

// ParseRedirects reads what [FormatRedirects] writes.
func ParseRedirects(data []byte) ([]Redirect, error) {
	var in redirectsFile
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return nil, err
	}
	var rules []Redirect
	var errs []error
	for _, r := range in.Redirects {
		rule, err := NoRedirect(r.Path)
		if r.To != "" {
			rule, err = NewRedirect(r.Path, r.To)
		}
		rules, errs = append(rules, rule), append(errs, err)
	}
	return rules, errors.Join(errs...)
}
