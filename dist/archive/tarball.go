package archive

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"

	"x.go/dist"
	"x.go/manifests"
)

// tarball is a planned tar stream: its members, their order and its size are known
// before a byte is written.
type tarball struct {
	members []dist.Entry
	modTime int64 // of files, in Unix seconds
	size    int64 // of the whole stream, in bytes
	// sums, if not nil, gets the digests of files.
	sums *fileSums
}

// planTarball lays out img. Implied directories become members, too.
func planTarball(img dist.Image, order Order, modTime int64) (tarball, error) {
	if err := checkModTime(modTime); err != nil {
		return tarball{}, err
	}
	t := tarball{modTime: modTime, size: 2 * tarBlock}
	for _, dir := range img.Dirs() {
		t.members = append(t.members, dist.Entry{Name: dir, Mode: dist.ModeDir})
	}
	dirs := len(t.members)
	for e := range img.Entries() {
		if !e.IsDir() {
			t.members = append(t.members, e)
		}
	}
	slices.SortFunc(t.members[dirs:], func(a, b dist.Entry) int { return order.compare(a.Name, b.Name) })
	for _, e := range t.members {
		t.size += headerSize(e) + padded(e.Size)
	}
	return t, nil
}

func headerSize(e dist.Entry) int64 {
	n := int64(tarBlock)
	if len(e.Name) > nameEnd {
		n += tarBlock + padded(int64(len(e.Name))+1)
	}
	if len(e.Link) > linkEnd-linkStart {
		n += tarBlock + padded(int64(len(e.Link))+1)
	}
	return n
}

// write writes the stream to w. It stops between two reads when ctx ends.
func (t tarball) write(ctx context.Context, w io.Writer) error {
	buf := make([]byte, 128<<10)
	for _, e := range t.members {
		if err := t.writeMember(ctx, w, e, buf); err != nil {
			return fmt.Errorf("writing member %q: %w", e.Name, err)
		}
	}
	_, err := w.Write(make([]byte, 2*tarBlock))
	return err
}

func (t tarball) writeMember(ctx context.Context, w io.Writer, e dist.Entry, buf []byte) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if _, err := w.Write(tarHeaders(e, t.modTime)); err != nil {
		return err
	}
	if !e.IsRegular() {
		return nil
	}
	r, err := e.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	content := w
	sum := sha256.New()
	wanted := t.sums.wants(e)
	if wanted {
		content = io.MultiWriter(w, sum)
	}
	if err := dist.CopyExactly(ctx, content, r, e.Size, buf); err != nil {
		return err
	}
	if wanted {
		t.sums.put(e.Path(), manifests.Hash(sum.Sum(nil)))
	}
	_, err = w.Write(make([]byte, padded(e.Size)-e.Size))
	return err
}
