package channel

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"

	"x.go/dist"
	"x.go/manifests"
)

const (
	// maxDownload bounds a file, in bytes: a server cannot fill the disk. The largest
	// archive has 1 GB.
	maxDownload = 16 << 30
	// maxBreaks is how often a connection may break without a byte in between.
	maxBreaks = 3
)

// partialSuffix ends the name of a file that is not known to be whole.
const partialSuffix = ".partial"

// Download copies the file at place into the directory cache, if it is not there yet,
// and returns its path. The file is called by its digest. What a broken connection or
// a killed call has left is completed, so that nothing is fetched twice. progress, if
// not nil, is called with the bytes that are there and the size of the file, -1 if the
// server does not tell.
//
// A file with another digest than want is an error, and is removed. Only one call at a
// time may use cache: see [dist.Lock].
func Download(ctx context.Context, place string, want manifests.Hash, cache *os.Root, progress func(done, total int64)) (string, error) {
	return standard.Download(ctx, place, want, cache, progress)
}

// Download is the function [Download] with the rules of c.
func (c *Client) Download(ctx context.Context, place string, want manifests.Hash, cache *os.Root, progress func(done, total int64)) (string, error) {
	if progress == nil {
		progress = func(int64, int64) {}
	}
	name := want.String()
	path := filepath.Join(cache.Name(), name)
	if got, err := dist.HashFile(ctx, path); err == nil && got == want {
		return path, nil
	}
	d := download{client: c, place: place, cache: cache, name: name + partialSuffix, progress: progress}
	if err := d.fetch(ctx, want); err != nil {
		return "", fmt.Errorf("downloading %q: %w", manifests.Redact(place), err)
	}
	if err := cache.Rename(d.name, name); err != nil {
		return "", fmt.Errorf("downloading %q: %w", manifests.Redact(place), dist.WithoutPath(err))
	}
	return path, nil
}

// download is a file that is being fetched.
type download struct {
	client   *Client
	place    string
	cache    *os.Root
	name     string
	progress func(done, total int64)
}

// fetch makes the file whole. The bytes of an earlier call may be those of another
// file: only if nothing came from there is a wrong digest the server's.
func (d *download) fetch(ctx context.Context, want manifests.Hash) error {
	for {
		f, had, err := d.open()
		if err != nil {
			return err
		}
		got, err := d.complete(ctx, f, had)
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
		if got == want {
			return nil
		}
		if err := d.cache.Remove(d.name); err != nil {
			return err
		}
		if had == 0 {
			return fmt.Errorf("got sha256 %s, want %s", got, want)
		}
	}
}

// open opens the partial file, and returns how many bytes it has. A link in its place
// is removed.
func (d *download) open() (*os.File, int64, error) {
	before, err := d.cache.Lstat(d.name)
	if err == nil && before.Mode().IsRegular() {
		f, err := d.cache.OpenFile(d.name, os.O_RDWR, 0)
		if err != nil {
			return nil, 0, err
		}
		if info, err := f.Stat(); err == nil && os.SameFile(before, info) {
			return f, info.Size(), nil
		}
		f.Close()
	}
	if err := d.cache.Remove(d.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, 0, err
	}
	f, err := d.cache.OpenFile(d.name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	return f, 0, err
}

// complete fetches what f lacks and returns the digest of all of it.
func (d *download) complete(ctx context.Context, f *os.File, had int64) (manifests.Hash, error) {
	h := sha256.New()
	at, err := io.Copy(h, io.LimitReader(f, had))
	var broke breaks
	for restarts := 0; err == nil; {
		var n int64
		var whole bool
		n, whole, err = d.part(ctx, io.MultiWriter(f, h), at)
		if errors.Is(err, errRestart) {
			if restarts++; restarts > maxBreaks {
				return manifests.Hash{}, errors.New("the connection breaks, and the server sends no rest of a file")
			}
			h.Reset()
			at, err = 0, errors.Join(rewind(f), context.Cause(ctx))
			continue
		}
		if at += n; whole {
			return manifests.Hash(h.Sum(nil)), nil
		}
		if err != nil && broke.tolerate(ctx, n, err) {
			err = nil
		}
	}
	return manifests.Hash{}, err
}

func rewind(f *os.File) error {
	_, err := f.Seek(0, io.SeekStart)
	return errors.Join(err, f.Truncate(0))
}

// errRestart says that a server cannot send the rest of a file.
var errRestart = errors.New("the server sends the file from its start")

// finalError is an error that another try would meet again.
type finalError struct{ error }

// Unwrap returns the error itself.
func (e finalError) Unwrap() error { return e.error }

// part appends to w what the server sends from the offset at on. whole says that this
// was the end of the file.
func (d *download) part(ctx context.Context, w io.Writer, at int64) (n int64, whole bool, err error) {
	resp, err := d.client.ask(ctx, http.MethodGet, d.place, at, "")
	if err != nil {
		return 0, false, err
	}
	defer resp.Body.Close()
	switch {
	case at > 0 && resp.StatusCode == http.StatusPartialContent && startsAt(resp, at):
	case at > 0 && (resp.StatusCode < 300 || resp.StatusCode == http.StatusRequestedRangeNotSatisfiable):
		return 0, false, errRestart
	case resp.StatusCode >= http.StatusInternalServerError:
		return 0, false, &statusError{resp.StatusCode, resp.Status}
	case resp.StatusCode != http.StatusOK:
		return 0, false, finalError{&statusError{resp.StatusCode, resp.Status}}
	}
	total := int64(-1)
	if resp.ContentLength >= 0 {
		total = at + resp.ContentLength
	}
	counted := &counter{w: w, at: at, total: total, tell: d.progress}
	n, err = io.CopyBuffer(counted, io.LimitReader(resp.Body, maxDownload-at), make([]byte, 256<<10))
	switch {
	case err != nil:
		return n, false, err
	case at+n >= maxDownload:
		return n, false, finalError{fmt.Errorf("the file has more than %d bytes", int64(maxDownload))}
	}
	return n, true, nil
}

// startsAt reports whether a part begins at an offset.
func startsAt(resp *http.Response, at int64) bool {
	var first int64
	_, err := fmt.Sscanf(resp.Header.Get("Content-Range"), "bytes %d-", &first)
	return err == nil && first == at
}

// counter reports the bytes that pass.
type counter struct {
	w         io.Writer
	at, total int64
	tell      func(done, total int64)
}

// Write implements [io.Writer].
func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	if err != nil {
		return n, finalError{err} // of the disk
	}
	c.at += int64(n)
	c.tell(c.at, c.total)
	return n, nil
}
