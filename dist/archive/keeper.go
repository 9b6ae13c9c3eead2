package archive

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"slices"

	"x.go/dist"
	"x.go/manifests"
)

// Keeper has archives that were written before, by what their bytes depend on: the
// tar stream, the [Settings] and the [Coder]. Its methods are called from several
// goroutines.
type Keeper interface {
	// May reports whether it may have an archive. If not, the stream is not hashed
	// beforehand.
	May(p FormatPlan) bool
	// Fetch copies the archive of a tar stream to w, and reports whether there is one. If
	// not, w may have got something else.
	Fetch(ctx context.Context, tar manifests.Hash, p FormatPlan, w io.Writer) (bool, error)
	// Keep is told of each archive that is complete: whatever was not fetched was read
	// back.
	Keep(ctx context.Context, content Content, p FormatPlan, f *dist.NewFile) error
}

// Content is a tar stream.
type Content struct {
	Tar  manifests.Hash
	Size int64 // bytes
}

// writeKept is [Job.writeAll], but takes from the keeper what that has, and tells it of
// all. It reports which files were there.
func (j *Job) writeKept(ctx context.Context, t *task, root *os.Root, files []*dist.NewFile, m *meter) (tar manifests.Hash, found []bool, err error) {
	keeper := j.writer.Keeper
	if tar, found, err = j.fetch(ctx, t, root, files); err != nil {
		return tar, nil, err
	}
	rest, missing := *t, []*dist.NewFile{}
	rest.plan.Archives = nil
	for i, a := range t.plan.Archives {
		if !found[i] {
			rest.plan.Archives, missing = append(rest.plan.Archives, a), append(missing, files[i])
		}
	}
	if len(missing) > 0 {
		sum, err := j.writeAll(ctx, &rest, missing, m)
		if err == nil && !tar.IsZero() && sum != tar {
			err = fmt.Errorf("got a tar stream of sha256 %s, want %s: the files changed meanwhile", sum, tar)
		}
		if err != nil {
			return tar, nil, err
		}
		tar = sum
	}
	for i, a := range t.plan.Archives {
		if err := keeper.Keep(ctx, Content{tar, t.Size}, a, files[i]); err != nil {
			return tar, nil, fmt.Errorf("keeping %q: %w", a.Name, err)
		}
	}
	return tar, found, nil
}

// fetch fills those of files that the keeper has, and replaces the others by empty
// ones. The digest of the stream is zero if there was no reason to look.
func (j *Job) fetch(ctx context.Context, t *task, root *os.Root, files []*dist.NewFile) (manifests.Hash, []bool, error) {
	found := make([]bool, len(files))
	if !slices.ContainsFunc(t.plan.Archives, j.writer.Keeper.May) {
		return manifests.Hash{}, found, nil
	}
	h := sha256.New()
	if err := t.Write(ctx, h); err != nil {
		return manifests.Hash{}, nil, err
	}
	tar := manifests.Hash(h.Sum(nil))
	for i, a := range t.plan.Archives {
		ok, err := j.writer.Keeper.Fetch(ctx, tar, a, files[i])
		if err != nil {
			return tar, nil, fmt.Errorf("looking for %q: %w", a.Name, err)
		}
		if found[i] = ok; ok {
			err = files[i].Finish()
		} else {
			files[i].Discard()
			files[i], err = dist.CreateFile(root, a.Name)
		}
		if err != nil {
			return tar, nil, err
		}
	}
	return tar, found, nil
}
