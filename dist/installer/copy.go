package installer

import (
	"cmp"
	"context"
	"io/fs"
	"os"
	"path/filepath"

	"x.go/dist"
)

// copyImage copies an image, which lies at from, into the directory below of t. Files
// keep their permissions, symbolic links are created anew. Nothing may be there yet.
func (t tree) copyImage(ctx context.Context, below, from string, img dist.Image) error {
	buf := make([]byte, 128<<10)
	for _, dir := range img.Dirs() {
		if err := t.mkdir(under(below, dir)); err != nil {
			return err
		}
	}
	for e := range img.Entries() {
		if e.IsDir() {
			continue
		}
		if err := context.Cause(ctx); err != nil {
			return err
		}
		name := under(below, e.Name)
		if err := t.copyEntry(ctx, name, e, buf); err != nil {
			return because(err, "failed to copy '%s' to '%s'", under(from, e.Name), under(t.name, name))
		}
	}
	return nil
}

// copyEntry copies a file or link.
func (t tree) copyEntry(ctx context.Context, name string, e dist.Entry, buf []byte) error {
	name = filepath.FromSlash(name)
	if !e.IsRegular() {
		return t.root.Symlink(e.Link, name)
	}
	r, err := e.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	mode := e.Mode
	if info, err := os.Stat(e.Path()); err == nil {
		mode = info.Mode() & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky)
	}
	w, err := t.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = dist.CopyExactly(ctx, w, r, e.Size, buf)
	if err == nil {
		err = w.Chmod(mode)
	}
	return cmp.Or(err, w.Close())
}
