package channel

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
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
	if p, ok := filePath(place); ok {
		return p, true
	}
	return place, !IsURL(place)
}

// filePath returns the path of a file:// URL.
func filePath(place string) (string, bool) {
	u, err := url.Parse(place)
	if err != nil || u.Scheme != "file" || u.Host != "" && u.Host != "localhost" {
		return "", false
	}
	return filepath.FromSlash(u.Path), true
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
	return dist.ReadAll(body, place, limit)
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
		return manifests.Hash{}, fmt.Errorf("reading %q: %w", place, err)
	}
	return manifests.Hash(h.Sum(nil)), nil
}

// directHTTP goes to the address given: the default client would ask the
// environment for a proxy.
var directHTTP = &http.Client{Transport: &http.Transport{ResponseHeaderTimeout: time.Minute}}

// get asks a server for a file.
func get(ctx context.Context, url string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("fetching %q: %w", url, err)
	}
	// An archive is hashed as it is stored: the transport must not decompress it.
	req.Header.Set("Accept-Encoding", "identity")
	resp, err := directHTTP.Do(req)
	if err != nil {
		return nil, fmt.Errorf("fetching: %w", err) // it names the method and the URL
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, fmt.Errorf("fetching %q: got status %s, want 200", url, resp.Status)
	}
	return resp.Body, nil
}

// Locate returns the place of the file that a manifest names by a URL. manifest is
// the place of the manifest.
//
// For a manifest on a server, that is the URL, with [manifests.OfficialServer]
// replaced by the manifest's own server, as rustup does. For a manifest on disk it
// is a file beside the manifest: before publication its URLs do not answer yet. No
// server is asked on behalf of a manifest on disk: an error says that there is no
// such file.
func Locate(manifest, url string) (string, error) {
	if p, ok := filePath(url); ok {
		return p, nil
	}
	local, ok := LocalPath(manifest)
	if !ok {
		return rewrite(manifest, url), nil
	}
	beside := filepath.Join(filepath.Dir(local), path.Base(url))
	if _, err := os.Stat(beside); err != nil {
		return "", fmt.Errorf("%s is not beside the manifest, and other servers are asked only for a manifest given by URL", path.Base(url))
	}
	return beside, nil
}

// rewrite does what rustup does with a URL of a manifest from another server.
func rewrite(manifest, url string) string {
	rest, ok := strings.CutPrefix(url, manifests.OfficialServer)
	if !ok || strings.HasPrefix(manifest, manifests.OfficialServer) {
		return url
	}
	server, _, ok := strings.Cut(manifest, "/dist/")
	if !ok {
		return url
	}
	return server + rest
}
