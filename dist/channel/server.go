package channel

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"x.go/manifests"
)

// Server serves a dist directory on the loopback interface, for rustup. It answers
// /dist/NAME and /dist/DATE/NAME alike with the file NAME, so that a channel can be
// tried before its dated directory exists.
type Server struct {
	dir      string
	listener net.Listener
	http     *http.Server
	done     chan error

	mu       sync.Mutex
	replaced map[string][]byte
}

// Serve starts to serve the files of dir, on a free port.
func Serve(dir string) (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("serving %q: %w", dir, err)
	}
	s := &Server{dir: dir, listener: l, done: make(chan error, 1), replaced: map[string][]byte{}}
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
	if !filepath.IsLocal(name) {
		http.NotFound(w, r)
		return
	}
	http.ServeFile(w, r, filepath.Join(s.dir, name))
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
