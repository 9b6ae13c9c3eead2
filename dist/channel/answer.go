package channel

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"x.go/dist"
	"x.go/manifests"
)

// handle answers a request, and logs it.
func (s *Server) handle(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	a := &answer{ResponseWriter: w, control: http.NewResponseController(w)}
	s.answer(a, r)
	if s.options.Log != nil {
		s.options.Log(Access{
			Remote: r.RemoteAddr, Method: r.Method, Target: r.RequestURI, Agent: r.UserAgent(),
			Status: cmp.Or(a.status, http.StatusOK), Bytes: a.bytes, Took: time.Since(start),
		})
	}
}

// answer is the answer to a request. Each piece of it has a time of its own.
type answer struct {
	http.ResponseWriter
	control *http.ResponseController
	status  int
	bytes   int64
}

// WriteHeader implements [http.ResponseWriter].
func (a *answer) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// Write implements [io.Writer].
func (a *answer) Write(p []byte) (int, error) {
	if err := a.control.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return 0, err
	}
	n, err := a.ResponseWriter.Write(p)
	a.bytes += int64(n)
	return n, err
}

// answer answers a request.
func (s *Server) answer(w *answer, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "this server can only be read", http.StatusMethodNotAllowed)
		return
	}
	name, ok := nameOf(r.URL.Path)
	if !ok {
		http.NotFound(w, r)
		return
	}
	if data, ok := s.overridden(path.Base(name)); ok && strings.HasPrefix(name, "dist/") {
		http.ServeContent(w, r, name, time.Time{}, data)
		return
	}
	files := s.options.Files(r.Context())
	f, err := files.Open(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s.absent(w, r, files, name)
	case err != nil:
		unreadable(w, err)
	default:
		defer f.Close()
		s.found(w, r, f, name)
	}
}

// unreadable answers for what is there but cannot be sent. The reason may name paths of
// this machine.
func unreadable(w *answer, err error) {
	status := http.StatusInternalServerError
	if errors.Is(err, fs.ErrPermission) {
		status = http.StatusForbidden
	}
	w.Header().Del("ETag")
	http.Error(w, "the server cannot read it", status)
}

// nameOf returns the name of the file that a path of a URL asks for. Empty elements do
// not count: rustup has one if RUSTUP_DIST_SERVER ends with a slash.
func nameOf(p string) (string, bool) {
	if strings.ContainsAny(p, "\\\x00") || !strings.HasPrefix(p, "/") {
		return "", false
	}
	for element := range strings.SplitSeq(p, "/") {
		if strings.HasPrefix(element, ".") {
			return "", false
		}
	}
	name := strings.TrimPrefix(path.Clean(p), "/")
	return cmp.Or(name, "."), true
}

// found answers with a file or a directory.
func (s *Server) found(w *answer, r *http.Request, f fs.File, name string) {
	info, err := f.Stat()
	if err != nil {
		unreadable(w, err)
		return
	}
	slash := strings.HasSuffix(r.URL.Path, "/")
	switch dir, listed := f.(fs.ReadDirFile); {
	case !info.IsDir() && !slash:
		s.file(w, r, f, info, name)
	case !info.IsDir() || !listed || s.options.Listing == nil:
		http.NotFound(w, r)
	case !slash:
		redirect(w, (&url.URL{Path: path.Base(name) + "/"}).String(), http.StatusMovedPermanently)
	default:
		s.directory(w, r, dir, name)
	}
}

// maxSmall is the most bytes of a file that is read before it is sent. Its ETag is its
// digest: the checksums of two releases have one size, and perhaps one time.
const maxSmall = 4 << 20

// file answers with a file.
func (s *Server) file(w *answer, r *http.Request, f fs.File, info fs.FileInfo, name string) {
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	if s.options.ContentType != nil {
		h.Set("Content-Type", s.options.ContentType(name))
	}
	// What is dated may still change where it was made: ask each time, and get a 304.
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:")
	content, seeks := f.(io.ReadSeeker)
	switch {
	case !seeks:
		// A connection that breaks off is the client's to report.
		_, _ = io.Copy(w, f)
		return
	case info.Size() <= maxSmall:
		data, err := dist.ReadAll(f, name, maxSmall)
		if err != nil {
			unreadable(w, err)
			return
		}
		h.Set("ETag", `"`+manifests.HashOf(data).String()+`"`)
		content = bytes.NewReader(data)
	default:
		h.Set("ETag", fmt.Sprintf(`"%x-%x"`, info.Size(), info.ModTime().UnixNano()))
	}
	http.ServeContent(w, r, name, info.ModTime(), content)
}

func isThere(files fs.FS, name string) bool {
	f, err := files.Open(name)
	if err != nil {
		return false
	}
	f.Close()
	return true
}

// redirect answers with another place.
func redirect(w *answer, to string, status int) {
	w.Header().Set("Location", to)
	w.WriteHeader(status)
}

// Listing is what a directory has.
type Listing struct {
	// Dir is the directory's path, with a slash at both ends.
	Dir string
	// Entries are sorted by name.
	Entries []Entry
	// More says that there are others.
	More bool
	// Styled says that a browser asks; what others get should be short.
	Styled bool
}

// Entry is a file or a directory of a listing.
type Entry struct {
	Name string // that of a directory ends with a slash
	// Link is the relative URL.
	Link    string
	Size    int64
	ModTime time.Time // of a file
}

// maxListed bounds the entries of a listing.
const maxListed = 50_000

// directory answers with the directory's index.html, or with a list.
func (s *Server) directory(w *answer, r *http.Request, dir fs.ReadDirFile, name string) {
	files := s.options.Files(r.Context())
	if f, err := files.Open(path.Join(name, "index.html")); err == nil {
		defer f.Close()
		if info, err := f.Stat(); err == nil && !info.IsDir() {
			s.file(w, r, f, info, "index.html")
			return
		}
	}
	list, err := dir.ReadDir(maxListed + 1)
	if err != nil && !errors.Is(err, io.EOF) {
		unreadable(w, err)
		return
	}
	l := newListing(files, name, list)
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Accept")
	var page bytes.Buffer
	accept := r.Header.Get("Accept")
	l.Styled = strings.Contains(accept, "text/html")
	if !l.Styled && strings.Contains(accept, "text/plain") {
		h.Set("Content-Type", "text/plain; charset=utf-8")
		for _, e := range l.Entries {
			fmt.Fprintln(&page, dist.OneLine(e.Name))
		}
	} else {
		h.Set("Content-Type", "text/html; charset=utf-8")
		if err := s.options.Listing(&page, l); err != nil {
			unreadable(w, err)
			return
		}
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(page.Bytes()))
}

func newListing(files fs.FS, name string, list []fs.DirEntry) Listing {
	l := Listing{Dir: "/", More: len(list) > maxListed}
	if name != "." {
		l.Dir += name + "/"
	}
	for _, e := range list[:min(len(list), maxListed)] {
		info, err := e.Info()
		if err == nil && info.Mode()&fs.ModeSymlink != 0 {
			info, err = fs.Stat(files, path.Join(name, e.Name()))
		}
		if err != nil || strings.HasPrefix(e.Name(), ".") || !info.IsDir() && !info.Mode().IsRegular() {
			continue
		}
		entry := Entry{Name: e.Name(), Size: info.Size(), ModTime: info.ModTime()}
		if info.IsDir() {
			entry = Entry{Name: e.Name() + "/"}
		}
		entry.Link = (&url.URL{Path: entry.Name}).String()
		l.Entries = append(l.Entries, entry)
	}
	slices.SortFunc(l.Entries, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	return l
}
