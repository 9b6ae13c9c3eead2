package engines

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"x.go/tests/storetest"
	"x.go/tests/testenv"
)

// slowStore is a store in S3 to which each archive takes a while, so that what happens
// meanwhile can be chosen.
type slowStore struct {
	place string

	mu   sync.Mutex
	busy map[string]int // keys that are being put
}

// newSlowStore starts a store for the time of a test: in versitygw where it is installed,
// else in memory.
func newSlowStore(t *testing.T, delay time.Duration) *slowStore {
	t.Helper()
	behind := newBucket(t).url
	if _, err := exec.LookPath("versitygw"); err == nil {
		behind = storetest.S3(t)
	}
	u, err := url.Parse(behind)
	testenv.Must(t, err)
	query := u.Query()
	server, err := url.Parse(query.Get("endpoint"))
	testenv.Must(t, err)
	pass := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(server)
		r.Out.Host = r.In.Host // which is signed
	}, ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }}
	s := &slowStore{busy: map[string]int{}}
	over := make(chan struct{})
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, ".tar.xz") {
			s.count(r.URL.Path, 1)
			defer s.count(r.URL.Path, -1)
			select {
			case <-time.After(delay):
			case <-over: // its sender may be gone
				return
			}
		}
		pass.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		close(over)
		front.Close()
	})
	query.Set("endpoint", front.URL)
	u.RawQuery = query.Encode()
	s.place = u.String()
	return s
}

func (s *slowStore) count(path string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy[path] += n
}

// putting reports whether an archive is being put.
func (s *slowStore) putting(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for path, n := range s.busy {
		if n > 0 && strings.HasSuffix(path, key) {
			return true
		}
	}
	return false
}
