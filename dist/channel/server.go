package channel

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"x.go/manifests"
)

// Server serves a channel on the loopback interface, for rustup: the files of a dist
// directory, or what another server has. It answers /dist/DATE/NAME with the file
// NAME if there is no dated directory, so that a channel can be tried before that
// exists.
type Server struct {
	manifest string // its place
	listener net.Listener
	http     *http.Server
	done     chan error

	mu       sync.Mutex
	replaced map[string][]byte
}

// Serve starts to serve the channel whose manifest is at a place, on a free port.
func Serve(manifest string) (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("serving %q: %w", manifests.Redact(manifest), err)
	}
	s := &Server{manifest: manifest, listener: l, done: make(chan error, 1), replaced: map[string][]byte{}}
	s.http = &http.Server{Handler: http.HandlerFunc(s.answer), ReadHeaderTimeout: 10 * time.Second}
	go func() { s.done <- s.http.Serve(l) }()
	return s, nil
}

// URL returns the value for RUSTUP_DIST_SERVER.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

// Override has the server answer for the manifest file, and for its checksum, with
// data in place of what is on disk. With nil it serves the files again.
func (s *Server) Override(file string, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if data == nil {
		delete(s.replaced, file)
		delete(s.replaced, file+".sha256")
		return
	}
	s.replaced[file] = data
	s.replaced[file+".sha256"] = manifests.FormatChecksum(sha256.Sum256(data), file)
}

// answer is the handler of all requests.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.URL.Path, "/dist/") {
		http.NotFound(w, r)
		return
	}
	name := path.Base(r.URL.Path)
	s.mu.Lock()
	data, ok := s.replaced[name]
	s.mu.Unlock()
	if ok {
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(data))
		return
	}
	if local, ok := LocalPath(s.manifest); ok {
		s.file(w, r, filepath.Dir(local), name)
		return
	}
	s.forward(w, r, name)
}

// file answers with a file below dir.
func (s *Server) file(w http.ResponseWriter, r *http.Request, dir, name string) {
	rel := strings.TrimPrefix(path.Clean(r.URL.Path), "/dist/")
	if !filepath.IsLocal(name) || !filepath.IsLocal(filepath.FromSlash(rel)) {
		http.NotFound(w, r)
		return
	}
	for _, place := range []string{rel, name} {
		// Anything else, such as a FIFO, would have rustup wait.
		if file := filepath.Join(dir, filepath.FromSlash(place)); isFile(file) {
			http.ServeFile(w, r, file)
			return
		}
	}
	http.NotFound(w, r)
}

// forward answers with what the other server has.
func (s *Server) forward(w http.ResponseWriter, r *http.Request, name string) {
	place := rewrite(s.manifest, manifests.OfficialServer+path.Clean(r.URL.Path))
	if dir := path.Dir(path.Clean(r.URL.Path)); dir == "/dist" && strings.HasPrefix(name, "channel-rust-") {
		place = s.manifest[:strings.LastIndex(s.manifest, "/")+1] + name
	}
	body, err := get(r.Context(), place)
	if err != nil {
		http.Error(w, "not there", http.StatusNotFound)
		return
	}
	defer body.Close()
	// A connection that breaks off is rustup's to report.
	_, _ = io.Copy(w, body)
}

// Close stops the server, and waits for at most 5 seconds for requests under way.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if serr := <-s.done; !errors.Is(serr, http.ErrServerClosed) {
		err = errors.Join(err, serr)
	}
	return err
}
