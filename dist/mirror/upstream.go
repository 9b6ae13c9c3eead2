package mirror

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"strings"

	"x.go/dist/channel"
	"x.go/dist/store"
	"x.go/manifests"
)

// upstream is what is mirrored. Names are those of a store.
type upstream interface {
	// fetch returns a small file.
	fetch(ctx context.Context, name string, limit int64) ([]byte, error)
	// open opens a file. size is -1 if nobody knows.
	open(ctx context.Context, name string) (body io.ReadCloser, size int64, err error)
	// download is [channel.Client.Download], if resumable.
	download(ctx context.Context, name string, want manifests.Hash, cache *os.Root, progress func(done, total int64)) (string, error)
	// days yields the days of a channel's dated manifests, in any order, if the upstream
	// can be listed; else ok is false.
	days(ctx context.Context, channel string) (days []string, ok bool, err error)
	String() string
}

// web is a server.
type web struct {
	base   string // URL of the directory above dist, without "/"
	client *channel.Client
}

func (w *web) String() string { return manifests.Redact(w.base) }

func (w *web) place(name string) string { return w.base + "/" + escape(name) }

func (w *web) fetch(ctx context.Context, name string, limit int64) ([]byte, error) {
	return w.client.Fetch(ctx, w.place(name), limit)
}

func (w *web) open(ctx context.Context, name string) (io.ReadCloser, int64, error) {
	return w.client.Open(ctx, w.place(name))
}

func (w *web) download(ctx context.Context, name string, want manifests.Hash, cache *os.Root, progress func(done, total int64)) (string, error) {
	return w.client.Download(ctx, w.place(name), want, cache, progress)
}

func (w *web) days(context.Context, string) ([]string, bool, error) { return nil, false, nil }

// stored is another store, or a directory as `x dist` leaves it.
type stored struct{ *store.Store }

// beside returns the name that the file has in a flat directory dist, where all lie
// beside the manifest.
func beside(name string) string { return distDir + path.Base(name) }

func (s stored) fetch(ctx context.Context, name string, limit int64) ([]byte, error) {
	data, _, err := s.Load(ctx, name, limit)
	return data, err
}

func (s stored) open(ctx context.Context, name string) (io.ReadCloser, int64, error) {
	body, attrs, err := s.Get(ctx, name, 0)
	if errors.Is(err, fs.ErrNotExist) && strings.HasPrefix(name, distDir) {
		body, attrs, err = s.Get(ctx, beside(name), 0)
	}
	return body, attrs.Size, err
}

func (s stored) download(context.Context, string, manifests.Hash, *os.Root, func(done, total int64)) (string, error) {
	return "", errors.ErrUnsupported
}

func (s stored) days(ctx context.Context, channel string) ([]string, bool, error) {
	var days []string
	for o, err := range s.List(ctx, distDir) {
		if err != nil {
			return nil, false, err
		}
		if day, of, ok := parseManifestName(o.Name); ok && of == channel && day != "" {
			days = append(days, day)
		}
	}
	return days, true, nil
}

// openUpstream opens the source of a mirror: a directory, a store or a server.
func openUpstream(ctx context.Context, place string, client *channel.Client) (upstream, error) {
	place = strings.TrimSuffix(strings.TrimRight(place, "/"), "/dist")
	if strings.HasPrefix(place, "http://") || strings.HasPrefix(place, "https://") {
		return &web{place, client}, nil
	}
	s, err := store.Open(ctx, place)
	if err != nil {
		return nil, err
	}
	for _, err := range s.List(ctx, "") {
		return stored{s}, err
	}
	return nil, fmt.Errorf("reading %q: nothing is there: name the directory above dist", s)
}

// maxSide bounds checksums, signatures and dates, in bytes.
const maxSide = 64 << 10

// torn is how often a manifest is read again that does not fit its checksum: another
// release may be published at that moment.
const torn = 3

// manifest reads a manifest of the upstream and checks it against the checksum beside
// it. unchecked says that there is none.
func readManifest(ctx context.Context, up upstream, name string) (data []byte, unchecked bool, err error) {
	for range torn {
		if data, err = up.fetch(ctx, name, manifests.MaxChannel); err != nil {
			return nil, false, err
		}
		var text []byte
		text, err = up.fetch(ctx, name+manifests.ChecksumExt, maxSide)
		if errors.Is(err, fs.ErrNotExist) {
			return data, true, nil
		}
		if err != nil {
			return nil, false, err
		}
		var want manifests.Hash
		if want, err = leadingHash(text); err != nil {
			return nil, false, fmt.Errorf("reading %q: %w", name+manifests.ChecksumExt, err)
		}
		if got := manifests.HashOf(data); got != want {
			err = fmt.Errorf("reading %q: got sha256 %s, want %s as its checksum file says", name, got, want)
			continue
		}
		return data, false, nil
	}
	return nil, false, err
}

// leadingHash returns the digest that a checksum file begins with: rustup's own name
// files by a path behind it, which [manifests.ParseChecksum] refuses.
func leadingHash(text []byte) (manifests.Hash, error) {
	const digits = 2 * len(manifests.Hash{})
	if len(text) < digits || len(text) > digits && !strings.ContainsRune(" \t\r\n", rune(text[digits])) {
		return manifests.Hash{}, fmt.Errorf("got %.100q, want %d hexadecimal digits", text, digits)
	}
	return manifests.ParseHash(string(text[:digits]))
}

// readOptional returns a small file, nil if there is none.
func readOptional(ctx context.Context, up upstream, name string) ([]byte, error) {
	data, err := up.fetch(ctx, name, maxSide)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

// escape writes a name as a part of a URL.
func escape(name string) string {
	elements := strings.Split(name, "/")
	for i, e := range elements {
		elements[i] = url.PathEscape(e)
	}
	return strings.Join(elements, "/")
}
