package channel

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"x.go/manifests"
)

// Server serves channels for rustup, to be read alone: the files of a [Dir], of a store,
// or of another server.
type Server struct {
	options  Options
	listener net.Listener
	http     *http.Server
	done     chan error

	mu       sync.Mutex
	replaced map[string][]byte
}

// Options say what a [Server] serves, and where.
type Options struct {
	// Listen is HOST:PORT. Port 0 is any free one, an empty HOST all addresses.
	Listen string
	// Files returns the files for one request, by their paths below the server. A file
	// that can seek is served in parts. Names with an element that starts with a dot
	// are not asked for.
	Files func(ctx context.Context) fs.FS
	// ContentType returns the header of a file; nil means a stream of bytes.
	ContentType func(name string) string
	// Redirects are for paths that Files does not have; the longest prefix counts.
	Redirects []Redirect
	// Listing writes the page of a directory as HTML; nil means that there is none.
	Listing func(w io.Writer, l Listing) error
	// Log, if not nil, is called after each request, by several goroutines.
	Log func(Access)
}

// Access is a request and its answer.
type Access struct {
	Remote, Method string
	// Target is the path with the query, as the client sent it; Agent is what the
	// client calls itself.
	Target, Agent string
	Status        int
	Bytes         int64 // of the answer's body
	Took          time.Duration
}

const (
	// headTime is for a request, idleTime for the next one of a connection, and
	// writeTime for each piece of an answer: a slow client keeps going, a dead one
	// does not hold a file.
	headTime  = 10 * time.Second
	idleTime  = time.Minute
	writeTime = time.Minute
	// maxHeader bounds the head of a request, in bytes.
	maxHeader = 16 << 10
	// grace is for requests under way when the server is closed.
	grace = 5 * time.Second
)

// Listen starts a server.
func Listen(o Options) (*Server, error) {
	l, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return nil, fmt.Errorf("listening on %q: %w", o.Listen, withoutAddress(err))
	}
	s := &Server{options: o, listener: l, done: make(chan error, 1), replaced: map[string][]byte{}}
	s.http = &http.Server{
		Handler: http.HandlerFunc(s.handle), ReadHeaderTimeout: headTime, ReadTimeout: 2 * headTime, IdleTimeout: idleTime,
		MaxHeaderBytes: maxHeader, ErrorLog: log.New(io.Discard, "", 0),
	}
	go func() { s.done <- s.http.Serve(l) }()
	return s, nil
}

// withoutAddress returns the cause of an error that names an address once more.
func withoutAddress(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}

// Serve starts to serve the channel whose manifest is at a place, on a free port of the
// loopback interface: from a directory, which it takes for a flat one whose links may
// lead anywhere, and whose redirects it obeys, or from another server. Manifests of public,
// by their names there, take the place of those on disk.
func Serve(manifest string, public map[string][]byte) (*Server, error) {
	o := Options{Listen: "127.0.0.1:0", Files: func(ctx context.Context) fs.FS { return remote{ctx, manifest} }}
	var err error
	if local, ok := LocalPath(manifest); ok {
		d := &Dir{tree: openTree(filepath.Dir(local)), flat: true, public: public}
		o.Files = func(context.Context) fs.FS { return d }
		o.Redirects, err = ReadRedirects(d)
	}
	var s *Server
	if err == nil {
		s, err = Listen(o)
	}
	if err != nil {
		return nil, fmt.Errorf("serving %q: %w", manifests.Redact(manifest), err)
	}
	for name, data := range public {
		if isManifest(name) {
			s.Override(name, data)
		}
	}
	return s, nil
}

// URL returns the value for RUSTUP_DIST_SERVER, on this machine.
func (s *Server) URL() string { return s.URLs()[0] }

// URLs returns the values for RUSTUP_DIST_SERVER: one for each address of the machine if
// the server listens on all of them, that of the loopback interface first.
func (s *Server) URLs() []string {
	at, ok := s.listener.Addr().(*net.TCPAddr)
	if !ok || !at.IP.IsUnspecified() {
		return []string{"http://" + s.listener.Addr().String()}
	}
	ips := []net.IP{net.IPv4(127, 0, 0, 1)}
	addrs, _ := net.InterfaceAddrs() // without them, there is still the first one
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() {
			ips = append(ips, n.IP)
		}
	}
	var urls []string
	for _, ip := range ips {
		urls = append(urls, "http://"+(&net.TCPAddr{IP: ip, Port: at.Port}).String())
	}
	slices.Sort(urls[1:])
	return urls
}

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

// overridden returns what is in the place of a file.
func (s *Server) overridden(file string) (io.ReadSeeker, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	data, ok := s.replaced[file]
	return bytes.NewReader(data), ok
}

// Wait returns when ctx ends, or earlier with the error that ended the server.
func (s *Server) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.done:
		s.done <- http.ErrServerClosed // for Close
		return fmt.Errorf("serving %q: %w", s.listener.Addr(), err)
	}
}

// Close stops the server. Requests under way have 5 seconds to end; then they are cut
// off, which is an error.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("stopping the server: requests under way were cut off: %w", err), s.http.Close())
	}
	if serr := <-s.done; !errors.Is(serr, http.ErrServerClosed) {
		err = errors.Join(err, serr)
	}
	return err
}
