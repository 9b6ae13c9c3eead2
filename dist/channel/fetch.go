package channel

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"x.go/dist"
	"x.go/manifests"
)

// IsURL reports whether a place is a URL, and not a path.
func IsURL(place string) bool {
	return strings.HasPrefix(place, "http://") || strings.HasPrefix(place, "https://") || strings.HasPrefix(place, "file://")
}

// LocalPath returns the path of a place on this machine. ok is false for a place on
// a server.
func LocalPath(place string) (p string, ok bool) {
	if p, ok := dist.FilePath(place); ok {
		return p, true
	}
	return place, !IsURL(place)
}

// Fetch returns the content of a small file. More than limit bytes are an error.
func Fetch(ctx context.Context, place string, limit int64) ([]byte, error) {
	if p, ok := LocalPath(place); ok {
		return dist.ReadFile(p, limit)
	}
	body, err := get(ctx, place)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return dist.ReadAll(body, manifests.Redact(place), limit)
}

// Hash returns the digest of a file. It reads all of it, whatever its size: an
// archive is not kept.
func Hash(ctx context.Context, place string) (manifests.Hash, error) {
	if p, ok := LocalPath(place); ok {
		return dist.HashFile(ctx, p)
	}
	body, err := get(ctx, place)
	if err != nil {
		return manifests.Hash{}, err
	}
	defer body.Close()
	h := sha256.New()
	if _, err := io.Copy(h, body); err != nil { // ends with ctx, as its request does
		return manifests.Hash{}, fmt.Errorf("reading %q: %w", manifests.Redact(place), err)
	}
	return manifests.Hash(h.Sum(nil)), nil
}

// client asks through the proxy of the environment (HTTP_PROXY, HTTPS_PROXY,
// NO_PROXY), as rustup does.
var client = &http.Client{Transport: &http.Transport{Proxy: proxy, ResponseHeaderTimeout: time.Minute}}

// proxy is [http.ProxyFromEnvironment], whose error would show a password.
func proxy(req *http.Request) (*url.URL, error) {
	u, err := http.ProxyFromEnvironment(req)
	if err != nil {
		return nil, errors.New("the address of the proxy in the environment is malformed")
	}
	return u, nil
}

// get asks a server for a file. Its errors do not show a password.
func get(ctx context.Context, place string) (io.ReadCloser, error) {
	shown := manifests.Redact(place)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, place, nil)
	if err != nil {
		return nil, fmt.Errorf("fetching %q: %w", shown, withoutURL(err))
	}
	// An archive is hashed as it is stored: the transport must not decompress it.
	req.Header.Set("Accept-Encoding", "identity")
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("fetching %q: %w", shown, withoutURL(err))
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, fmt.Errorf("fetching %q: got status %.100q, want 200", shown, resp.Status)
	}
	return resp.Body, nil
}

// withoutURL returns the cause of an error that names a URL.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
