package engines

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// bucket is a server of S3 in memory that counts requests, and refuses some.
type bucket struct {
	url string

	mu       sync.Mutex
	objects  map[string]object
	requests []string // method and key
	// refuse returns the status and the code by which a request is refused, or 0.
	refuse func(method, key string) (int, string)
}

type object struct {
	data string
	meta http.Header
}

// newBucket starts a server with an empty bucket for the time of a test.
func newBucket(t *testing.T) *bucket {
	t.Helper()
	b := &bucket{objects: map[string]object{}}
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	b.url = "s3://rust/kept?use_path_style=true&endpoint=" + server.URL
	return b
}

// credentials are those of a server that asks for none.
var credentials = []string{"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=testsecret", "AWS_REGION=us-east-1", "AWS_EC2_METADATA_DISABLED=true"}

// ServeHTTP does what a store of x asks of S3, other than to list.
func (b *bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	data, err := body(r)
	b.mu.Lock()
	defer b.mu.Unlock()
	key := strings.TrimPrefix(r.URL.Path, "/rust/")
	b.requests = append(b.requests, r.Method+" "+key)
	if b.refuse != nil {
		if status, code := b.refuse(r.Method, key); status != 0 {
			answer(w, status, code)
			return
		}
	}
	o, there := b.objects[key]
	switch {
	case err != nil:
		answer(w, http.StatusBadRequest, "IncompleteBody")
	case r.Method == http.MethodPut && there && r.Header.Get("If-None-Match") == "*":
		answer(w, http.StatusPreconditionFailed, "PreconditionFailed")
	case r.Method == http.MethodPut:
		o = object{data, http.Header{"Last-Modified": {time.Unix(1, 0).UTC().Format(http.TimeFormat)}, "Etag": {fmt.Sprintf("%q", strconv.Itoa(len(b.requests)))}}}
		for name, values := range r.Header {
			if strings.HasPrefix(name, "X-Amz-Meta-") {
				o.meta[name] = values
			}
		}
		b.objects[key] = o
		w.Header().Set("Etag", o.meta.Get("Etag"))
	case r.Method == http.MethodDelete:
		delete(b.objects, key)
		w.WriteHeader(http.StatusNoContent)
	case !there:
		answer(w, http.StatusNotFound, "NoSuchKey")
	default:
		for name, values := range o.meta {
			w.Header()[name] = values
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(o.data)))
		_, _ = io.WriteString(w, o.data) // which HEAD leaves out
	}
}

// answer refuses a request.
func answer(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	type Error struct{ Code, Message string }
	_ = xml.NewEncoder(w).Encode(Error{code, "refused"})
}

// body reads what a request sends, in chunks of AWS or not: a size in hexadecimal, a
// line end, so many bytes, a line end, and at last a chunk of none.
func body(r *http.Request) (string, error) {
	if !strings.Contains(r.Header.Get("Content-Encoding"), "aws-chunked") {
		data, err := io.ReadAll(r.Body)
		return string(data), err
	}
	in := bufio.NewReader(r.Body)
	var out strings.Builder
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return "", err
		}
		number, _, _ := strings.Cut(strings.TrimSpace(line), ";")
		size, err := strconv.ParseInt(number, 16, 32)
		if err != nil || size == 0 {
			_, _ = io.Copy(io.Discard, in)
			return out.String(), err
		}
		if _, err := io.CopyN(&out, in, size); err != nil {
			return "", err
		}
		if _, err := in.ReadString('\n'); err != nil {
			return "", err
		}
	}
}

// asked returns the requests since it was asked last.
func (b *bucket) asked() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := b.requests
	b.requests = nil
	return out
}

// set changes how requests are refused.
func (b *bucket) set(refuse func(method, key string) (int, string)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refuse = refuse
}

// damage changes a byte of the object whose name ends so, and returns what it was.
func (b *bucket) damage(t *testing.T, suffix string) (key, before string) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for key, o := range b.objects {
		if strings.HasSuffix(key, suffix) {
			before, data := o.data, []byte(o.data)
			data[len(data)/2] ^= 1
			b.objects[key] = object{string(data), o.meta}
			return key, before
		}
	}
	t.Fatalf("no object %q", suffix)
	return "", ""
}

// get returns the content of an object, or "".
func (b *bucket) get(key string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.objects[key].data
}
