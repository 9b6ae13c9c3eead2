package channel

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"x.go/dist"
	"x.go/manifests"
)

// Client asks servers for files. It goes through the proxy of the environment
// (HTTP_PROXY, HTTPS_PROXY, NO_PROXY), as rustup does, and takes logins from URLs and
// from netrc. The zero value follows every redirect.
type Client struct {
	// Near has the client refuse to be sent to another server, or from https to http,
	// unless the other server is one of Hosts.
	Near  bool
	Hosts []string
	// Patience is how long a server may take to answer, and then for each 16 KiB; 0 is a
	// minute. A slower server counts as a connection that broke.
	Patience time.Duration
	// Persist has the client ask again when a server cannot be reached, or says that it
	// has a problem of its own.
	Persist bool
}

// slowest is how many bytes a server must send in the time of [Client.Patience].
const slowest = 16 << 10

// standard is what the functions of this package ask with.
var standard = &Client{}

// transport is shared, and with it connections.
var transport = &http.Transport{
	Proxy: proxy, DialContext: (&net.Dialer{Timeout: time.Minute}).DialContext, TLSHandshakeTimeout: time.Minute, ForceAttemptHTTP2: true,
	ResponseHeaderTimeout: time.Minute, MaxIdleConnsPerHost: 16, IdleConnTimeout: time.Minute,
}

// statusError says that a server does not send a file.
type statusError struct {
	code   int    // HTTP status
	status string // its text, such as "404 Not Found"
}

// Error returns the status.
func (e *statusError) Error() string { return fmt.Sprintf("got status %.100q, want 200", e.status) }

// Is has [errors.Is] find [fs.ErrNotExist]. Buckets that nobody may list answer with 403
// for a file that is not there.
func (e *statusError) Is(target error) bool {
	return target == fs.ErrNotExist && (e.code == http.StatusNotFound || e.code == http.StatusGone || e.code == http.StatusForbidden)
}

// maxRedirects is how often a request may be sent on.
const maxRedirects = 10

// http returns a client of the standard library with the rules of c.
func (c *Client) http() *http.Client {
	return &http.Client{Transport: transport, CheckRedirect: func(req *http.Request, via []*http.Request) error {
		if len(via) >= maxRedirects {
			return finalError{fmt.Errorf("got %d redirects", len(via))}
		}
		from := via[0].URL
		if !c.Near || req.URL.Host == from.Host && req.URL.Scheme == from.Scheme {
			return nil
		}
		if slices.Contains(c.Hosts, req.URL.Host) && (req.URL.Scheme == "https" || from.Scheme == "http") {
			return nil
		}
		return finalError{fmt.Errorf("the server sends on to another one, %q", manifests.Redact(req.URL.Scheme+"://"+req.URL.Host))}
	}}
}

// ask sends a request for a file from an offset on. The body of the answer ends with
// an error if the server is too slow.
func (c *Client) ask(ctx context.Context, method, place string, at int64, validator string) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	req, err := http.NewRequestWithContext(ctx, method, place, nil)
	if err != nil {
		cancel(nil)
		return nil, finalError{withoutURL(err)}
	}
	// An archive is hashed as it is stored: the transport must not decompress it.
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Set("User-Agent", "x.go")
	if at > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", at))
		if validator != "" {
			req.Header.Set("If-Range", validator)
		}
	}
	login(req)
	p := newPatient(ctx, cancel, cmp.Or(c.Patience, time.Minute))
	resp, err := c.http().Do(req)
	if err != nil {
		p.timer.Stop()
		if cause := context.Cause(ctx); errors.Is(cause, errSlow) {
			err = cause
		}
		cancel(nil)
		return nil, withoutURL(err)
	}
	p.ReadCloser, resp.Body = resp.Body, p
	return resp, nil
}

// patient is a body whose sender must not be too slow: it ends a request that a server
// keeps open with a byte now and then.
type patient struct {
	io.ReadCloser
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
	window time.Duration
	n      int64 // bytes since the timer was set
}

// errSlow is what a server that sends too slowly ends with.
var errSlow = errors.New("the server sends too slowly")

func newPatient(ctx context.Context, cancel context.CancelCauseFunc, window time.Duration) *patient {
	return &patient{ctx: ctx, cancel: cancel, window: window, timer: time.AfterFunc(window, func() { cancel(errSlow) })}
}

// Read implements [io.Reader].
func (p *patient) Read(b []byte) (int, error) {
	n, err := p.ReadCloser.Read(b)
	if p.n += int64(n); p.n >= slowest {
		p.n = 0
		p.timer.Reset(p.window)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		if cause := context.Cause(p.ctx); errors.Is(cause, errSlow) {
			err = cause
		}
	}
	return n, err
}

// Close implements [io.Closer].
func (p *patient) Close() error {
	p.timer.Stop()
	err := p.ReadCloser.Close()
	p.cancel(nil)
	return err
}

// get asks for a whole file. Its errors do not show a password.
func (c *Client) get(ctx context.Context, place string) (*http.Response, error) {
	var failed breaks
	for {
		resp, err := c.ask(ctx, http.MethodGet, place, 0, "")
		again := err != nil
		if err == nil && resp.StatusCode != http.StatusOK {
			// The connection can be used again once its answer was read.
			_, _ = io.CopyN(io.Discard, resp.Body, slowest)
			resp.Body.Close()
			err = &statusError{resp.StatusCode, resp.Status}
			again = resp.StatusCode >= http.StatusInternalServerError || resp.StatusCode == http.StatusTooManyRequests
		}
		if err == nil {
			return resp, nil
		}
		if !c.Persist || !again || !failed.tolerate(ctx, 0, err) {
			return nil, fmt.Errorf("fetching %q: %w", manifests.Redact(place), err)
		}
	}
}

// head asks for the head of a file.
func (c *Client) head(ctx context.Context, place string) error {
	resp, err := c.ask(ctx, http.MethodHead, place, 0, "")
	if err == nil {
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			err = &statusError{resp.StatusCode, resp.Status}
		}
	}
	if err != nil {
		return fmt.Errorf("asking for %q: %w", manifests.Redact(place), err)
	}
	return nil
}

// Fetch is the function [Fetch] with the rules of c.
func (c *Client) Fetch(ctx context.Context, place string, limit int64) ([]byte, error) {
	if p, ok := LocalPath(place); ok {
		return dist.ReadFile(p, limit)
	}
	const windows = 10 // a small file has no need of more
	ctx, cancel := context.WithTimeoutCause(ctx, windows*cmp.Or(c.Patience, time.Minute), errSlow)
	defer cancel()
	resp, err := c.get(ctx, place)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return dist.ReadAll(resp.Body, manifests.Redact(place), limit)
}

// Open opens a file of a server. A connection that breaks is taken up where it broke.
// size is -1 if the server does not tell.
func (c *Client) Open(ctx context.Context, place string) (body io.ReadCloser, size int64, err error) {
	r := &resuming{client: c, ctx: ctx, place: place}
	if r.resp, err = c.get(ctx, place); err != nil {
		return nil, 0, err
	}
	// A weak ETag does not say that the bytes are the same (RFC 9110, section 13.1.5).
	if r.validator = r.resp.Header.Get("ETag"); len(r.validator) < 2 || r.validator[0] != '"' {
		r.validator = r.resp.Header.Get("Last-Modified")
	}
	r.size = r.resp.ContentLength
	return r, r.size, nil
}

// resuming is the content of a file of a server.
type resuming struct {
	client    *Client
	ctx       context.Context
	place     string
	resp      *http.Response
	validator string // ETag or date of the file
	size      int64  // -1 if unknown
	at        int64
	gained    int64 // bytes since the connection broke
	breaks    breaks
}

// Read implements [io.Reader].
func (r *resuming) Read(p []byte) (int, error) {
	for {
		n, err := r.resp.Body.Read(p)
		r.at += int64(n)
		r.gained += int64(n)
		switch {
		case r.at > maxDownload:
			return n, finalError{fmt.Errorf("reading %q: the file has more than %d bytes", manifests.Redact(r.place), int64(maxDownload))}
		case err == nil || errors.Is(err, io.EOF):
			return n, err
		case n > 0:
			return n, nil // the error comes again
		}
		if err := r.again(err); err != nil {
			return 0, fmt.Errorf("reading %q: %w", manifests.Redact(r.place), err)
		}
	}
}

// again asks for what is still missing after a connection broke with an error.
func (r *resuming) again(broke error) error {
	r.resp.Body.Close()
	for {
		if !r.breaks.tolerate(r.ctx, r.gained, broke) {
			return broke
		}
		r.gained = 0
		resp, err := r.client.ask(r.ctx, http.MethodGet, r.place, r.at, r.validator)
		if err != nil {
			broke = err
			continue
		}
		r.resp = resp
		switch {
		case r.at == 0 && resp.StatusCode == http.StatusOK, resp.StatusCode == http.StatusPartialContent && startsAt(resp, r.at):
			return nil
		case resp.StatusCode == http.StatusOK && (r.size < 0 || resp.ContentLength == r.size):
			// The server cannot send a part, or has another file now, which its digest tells.
			if _, err := io.CopyN(io.Discard, resp.Body, r.at); err == nil {
				return nil
			}
		case resp.StatusCode < http.StatusInternalServerError:
			resp.Body.Close()
			return &statusError{resp.StatusCode, resp.Status}
		}
		resp.Body.Close()
	}
}

// Close implements [io.Closer].
func (r *resuming) Close() error { return r.resp.Body.Close() }

// breaks counts how often a connection broke, weighed by what had come before.
type breaks int

// tolerate reports whether to ask again after an error, and waits before that. A break
// after a good part of the file is forgotten.
func (b *breaks) tolerate(ctx context.Context, gained int64, err error) bool {
	const useless = 16 // as bad as so many breaks with a few bytes in between
	switch {
	case gained >= slowest:
		*b = 0
	case gained > 0 && !errors.Is(err, errSlow):
		*b++
	default:
		*b += useless
	}
	if _, final := errors.AsType[finalError](err); final || *b > maxBreaks*useless || ctx.Err() != nil {
		return false
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(time.Duration(*b) * 10 * time.Millisecond):
		return true
	}
}

// proxy is [http.ProxyFromEnvironment], whose error would show a password.
func proxy(req *http.Request) (*url.URL, error) {
	u, err := http.ProxyFromEnvironment(req)
	if err != nil {
		return nil, errors.New("the address of the proxy in the environment is malformed")
	}
	return u, nil
}

// withoutURL returns the cause of an error that names a URL.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
