package archive

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"x.go/dist"
	"x.go/manifests"
)

// readBack decodes each finished output while it is still in the page cache, and
// compares the tar stream in it with the one that went in. So an error of a
// compressor or a disk shows here, not at a user's: archives named .zst that held
// something else were once released for months (axodotdev/axoasset#76).
func (j *Job) readBack(ctx context.Context, t *task, outs []*dist.NewFile, want manifests.Hash) error {
	g, ctx := errgroup.WithContext(ctx)
	memory := int64(maxReadMemory)
	if j.writer.MaxMemory > 0 {
		memory = t.plan.Memory // the compressors no longer need it
	}
	for _, o := range outs {
		g.Go(func() error {
			got, err := hashFinished(ctx, o, memory)
			if err != nil {
				return fmt.Errorf("reading back %q: %w", filepath.Base(o.Path()), err)
			}
			if got != want {
				return fmt.Errorf("reading back %q: got a tar stream of sha256 %s, want %s", filepath.Base(o.Path()), got, want)
			}
			return nil
		})
	}
	return g.Wait()
}

// maxReadMemory bounds a decoder of our own archives, in bytes.
const maxReadMemory = 1 << 32

// hashFinished is [hashTar] of an archive without a name.
func hashFinished(ctx context.Context, o *dist.NewFile, memory int64) (manifests.Hash, error) {
	f, err := o.Open()
	if err != nil {
		return manifests.Hash{}, err
	}
	defer f.Close()
	return hashTar(ctx, f, o.TempPath(), memory)
}

// hashTar returns the digest of the tar stream in an archive that we just wrote, so
// that its size needs no limit. The decoder may take memory bytes; name stands for the
// archive in errors.
func hashTar(ctx context.Context, r io.Reader, name string, memory int64) (manifests.Hash, error) {
	h := sha256.New()
	if _, err := Decompress(ctx, h, r, name, Limits{Unpacked: 1 << 62, Memory: memory}); err != nil {
		return manifests.Hash{}, err
	}
	return manifests.Hash(h.Sum(nil)), nil
}
