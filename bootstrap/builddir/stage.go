package builddir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"x.go/dist"
)

// Prefixes of temporary names beside a staged directory. A killed run may leave
// them; the next one removes them.
const (
	stageNew = ".x-new-"
	stageOld = ".x-old-"
)

// Stage replaces the directory dir by exactly the image. It writes the tree under a
// temporary name and then renames it, so that dir is never half of a tree. It clones
// or hard links files from where the image has them, and copies only where the file
// system can do neither.
func Stage(ctx context.Context, img dist.Image, dir string) error {
	parent, base := filepath.Split(dir)
	fresh, stale := filepath.Join(parent, stageNew+base), filepath.Join(parent, stageOld+base)
	for _, p := range []string{fresh, stale} {
		if err := os.RemoveAll(p); err != nil {
			return fmt.Errorf("staging %q: %w", dir, err)
		}
	}
	if err := fill(ctx, img, fresh); err != nil {
		return errors.Join(fmt.Errorf("staging %q: %w", dir, err), os.RemoveAll(fresh))
	}
	if err := os.Rename(dir, stale); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("staging %q: %w", dir, err)
	}
	if err := os.Rename(fresh, dir); err != nil {
		return fmt.Errorf("staging %q: %w", dir, err)
	}
	if err := os.RemoveAll(stale); err != nil {
		return fmt.Errorf("staging %q: %w", dir, err)
	}
	return nil
}

// fill writes the image into the new directory dir.
func fill(ctx context.Context, img dist.Image, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, d := range img.Dirs() {
		if err := os.MkdirAll(filepath.Join(dir, filepath.FromSlash(d)), 0o755); err != nil {
			return err
		}
	}
	var p placer
	for e := range img.Entries() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !e.IsRegular() {
			continue
		}
		if err := p.place(e, filepath.Join(dir, filepath.FromSlash(e.Name))); err != nil {
			return err
		}
	}
	return nil
}

// placer writes files from entries. The first try shows whether the file system
// can clone.
type placer struct{ noClone bool }

// place creates the file to with the entry's bytes and mode. A hard link shares the
// mode, so it works only if the original has the entry's mode.
func (p *placer) place(e dist.Entry, to string) error {
	if from := e.Path(); from != "" {
		if !p.noClone {
			if cloneFile(from, to, e.Mode.Perm()) == nil {
				return nil
			}
			p.noClone = true
		}
		if fi, err := os.Lstat(from); err == nil && fi.Mode() == e.Mode && os.Link(from, to) == nil {
			return nil
		}
	}
	r, err := e.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, e.Mode.Perm())
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, r); err != nil {
		w.Close()
		return fmt.Errorf("copying %q: %w", e.Name, err)
	}
	if err := w.Chmod(e.Mode.Perm()); err != nil { // the umask may have taken bits
		w.Close()
		return err
	}
	return w.Close()
}
