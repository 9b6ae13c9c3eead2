package verify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"net"
	"net/http"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"x.go/manifests"
)

// distServer serves a dist folder on the loopback interface, for rustup. It
// answers /dist/NAME and /dist/DATE/NAME alike with the file NAME, so that a
// channel can be tried before the dated folder exists.
type distServer struct {
	dir      string
	listener net.Listener
	http     *http.Server
	done     chan error

	mu       sync.Mutex
	replaced map[string][]byte
}

func startServer(dir string) (*distServer, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &distServer{dir: dir, listener: l, done: make(chan error, 1), replaced: map[string][]byte{}}
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	go func() { s.done <- s.http.Serve(l) }()
	return s, nil
}

// url is what RUSTUP_DIST_SERVER must say.
func (s *distServer) url() string { return "http://" + s.listener.Addr().String() }

// override answers for the manifest file, and for its checksum, with data
// instead of the files; nil ends that.
func (s *distServer) override(file string, data []byte) {
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

// ServeHTTP implements [http.Handler].
func (s *distServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
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

func (s *distServer) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if serr := <-s.done; !errors.Is(serr, http.ErrServerClosed) {
		err = errors.Join(err, serr)
	}
	return err
}
