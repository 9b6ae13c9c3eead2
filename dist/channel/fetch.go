package channel

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"strings"

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
	return standard.Fetch(ctx, place, limit)
}

// Open opens a file to read it, a regular one on disk. Its size has no limit.
func Open(ctx context.Context, place string) (io.ReadCloser, error) {
	if p, ok := LocalPath(place); ok {
		return dist.OpenFile(p)
	}
	resp, err := standard.get(ctx, place)
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

// Hash returns the digest of a file. It reads all of it, whatever its size: an
// archive is not kept.
func Hash(ctx context.Context, place string) (manifests.Hash, error) {
	if p, ok := LocalPath(place); ok {
		return dist.HashFile(ctx, p)
	}
	resp, err := standard.get(ctx, place)
	if err != nil {
		return manifests.Hash{}, err
	}
	defer resp.Body.Close()
	h := sha256.New()
	if _, err := io.Copy(h, resp.Body); err != nil { // ends with ctx, as its request does
		return manifests.Hash{}, fmt.Errorf("reading %q: %w", manifests.Redact(place), err)
	}
	return manifests.Hash(h.Sum(nil)), nil
}

// Ask asks a server whether it has a file, whose content it does not send. The error is
// [fs.ErrNotExist] if it says that it has not.
func Ask(ctx context.Context, place string) error {
	return standard.head(ctx, place)
}
