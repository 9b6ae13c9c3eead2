package archive

import (
	"context"
	"crypto/sha256"
	"io"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"x.go/dist"
	"x.go/manifests"
)

// fileSums has the digests of files on the disk. Each is read once, though it is in the
// archive of its component and in the combined one: [dist.Entry.Open] refuses a file that
// changes meanwhile.
type fileSums struct {
	mu   sync.Mutex
	sums map[string]manifests.Hash // by path
}

func (s *fileSums) get(path string) (manifests.Hash, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h, ok := s.sums[path]
	return h, ok
}

func (s *fileSums) put(path string, h manifests.Hash) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sums[path] = h
}

// wants reports whether the digest of a file is of use and not known yet.
func (s *fileSums) wants(e dist.Entry) bool {
	if s == nil || !e.IsRegular() || e.Path() == "" {
		return false
	}
	_, ok := s.get(e.Path())
	return !ok
}

// of returns the digest of a file.
func (s *fileSums) of(ctx context.Context, e dist.Entry, buf []byte) (manifests.Hash, error) {
	if h, ok := s.get(e.Path()); ok && e.Path() != "" {
		return h, nil
	}
	r, err := e.Open()
	if err != nil {
		return manifests.Hash{}, err
	}
	defer r.Close()
	sum := sha256.New()
	if err := dist.CopyExactly(ctx, sum, r, e.Size, buf); err != nil {
		return manifests.Hash{}, err
	}
	h := manifests.Hash(sum.Sum(nil))
	if e.Path() != "" {
		s.put(e.Path(), h)
	}
	return h, nil
}

// large is the size of a file, in bytes, that does not wait until others are read.
const large = 8 << 20

// read hashes files, as many at a time as there are jobs.
func (s *fileSums) read(ctx context.Context, entries []dist.Entry, jobs int) error {
	var todo []dist.Entry
	seen := map[string]bool{}
	for _, e := range entries {
		if s.wants(e) && !seen[e.Path()] {
			seen[e.Path()] = true
			todo = append(todo, e)
		}
	}
	slices.SortStableFunc(todo, func(a, b dist.Entry) int { return largerFirst(a.Size/large, b.Size/large) })
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range jobs {
		g.Go(func() error {
			buf := make([]byte, 128<<10)
			for {
				i := int(next.Add(1)) - 1
				if i >= len(todo) {
					return nil
				}
				if _, err := s.of(ctx, todo[i], buf); err != nil {
					return err
				}
			}
		})
	}
	return g.Wait()
}

// files returns the digest of what the stream is made of: [Content.Files].
func (t *tarball) files(ctx context.Context) (manifests.Hash, error) {
	h := sha256.New()
	_, _ = io.WriteString(h, "headers and digests of files\n")
	buf := make([]byte, 128<<10)
	for _, e := range t.members {
		h.Write(tarHeaders(e, t.modTime))
		if !e.IsRegular() {
			continue
		}
		sum, err := t.sums.of(ctx, e, buf)
		if err != nil {
			return manifests.Hash{}, err
		}
		h.Write(sum[:])
	}
	return manifests.Hash(h.Sum(nil)), nil
}
