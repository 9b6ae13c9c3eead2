package builddir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"x.go/dist"
)

// Prefixes of temporary names beside a staged directory. A killed run may leave
// them; the next one removes them.
const (
	stageNew = ".x-new-"
	stageOld = ".x-old-"
)

// Stage replaces the directory dir, a slash path, by exactly the image. It writes the
// tree under a temporary name and then renames it, so that dir is never half of a
// tree, even if the machine loses its power. It clones or hard links files from where
// the image has them, and copies only where the file system can do neither. After an
// error the old directory is still there.
func (d *Dir) Stage(ctx context.Context, img dist.Image, dir string) error {
	root, err := dist.OpenSubdir(d.root, path.Dir(dir))
	if err == nil {
		s := stage{root: root, name: path.Base(dir), fresh: stageNew + path.Base(dir), stale: stageOld + path.Base(dir)}
		err = errors.Join(s.replace(ctx, img), root.Close())
	}
	if err != nil {
		return fmt.Errorf("staging %q: %w", filepath.Join(d.root.Name(), dir), err)
	}
	return nil
}

// stage is a directory of root to be replaced.
type stage struct {
	root               *os.Root
	name, fresh, stale string
}

func (s stage) replace(ctx context.Context, img dist.Image) error {
	if err := s.recover(); err != nil {
		return err
	}
	if err := s.fill(ctx, img); err != nil {
		return errors.Join(err, s.root.RemoveAll(s.fresh))
	}
	err := s.root.Rename(s.name, s.stale)
	had := err == nil
	if had || errors.Is(err, fs.ErrNotExist) {
		err = s.root.Rename(s.fresh, s.name)
		if err != nil && had {
			err = errors.Join(err, s.root.Rename(s.stale, s.name))
		}
	}
	if err != nil {
		return errors.Join(err, s.root.RemoveAll(s.fresh))
	}
	return errors.Join(dist.SyncDir(s.root), s.root.RemoveAll(s.stale))
}

// recover removes what a killed run left. If that run had only moved the old
// directory away, it comes back.
func (s stage) recover() error {
	if _, err := s.root.Lstat(s.name); errors.Is(err, fs.ErrNotExist) {
		if err := s.root.Rename(s.stale, s.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return errors.Join(s.root.RemoveAll(s.fresh), s.root.RemoveAll(s.stale))
}

// fill writes the image into the new directory.
func (s stage) fill(ctx context.Context, img dist.Image) error {
	if err := s.root.Mkdir(s.fresh, 0o755); err != nil {
		return err
	}
	dir, err := s.root.OpenRoot(s.fresh)
	if err != nil {
		return err
	}
	defer dir.Close()
	for _, d := range img.Dirs() {
		if err := dir.MkdirAll(d, 0o755); err != nil {
			return err
		}
	}
	p := placer{dir: dir, buf: make([]byte, 128<<10)}
	for e := range img.Entries() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !e.IsRegular() {
			continue
		}
		if err := p.place(ctx, e); err != nil {
			return fmt.Errorf("writing %q: %w", e.Name, err)
		}
	}
	return dist.SyncAll(dir)
}

// placer writes files from entries to dir. The first try shows whether the file
// system can clone.
type placer struct {
	dir     *os.Root
	noClone bool
	buf     []byte
}

// place creates the file of an entry, with its bytes and mode. A hard link shares the
// mode, so it works only if the original has the entry's mode.
func (p *placer) place(ctx context.Context, e dist.Entry) error {
	src, err := e.Open()
	if err != nil {
		return err
	}
	defer src.Close()
	from, onDisk := src.(*os.File)
	onDisk = onDisk && e.Path() != ""
	if onDisk && !p.noClone {
		err := p.create(e, func(to *os.File) error { return cloneFile(from, to) })
		if err == nil {
			return p.checkSize(e)
		}
		p.noClone = true
	}
	if onDisk && p.link(from, e) {
		return nil
	}
	return p.create(e, func(to *os.File) error { return dist.CopyExactly(ctx, to, src, e.Size, p.buf) })
}

// checkSize returns an error if a clone has not the size that the entry had.
func (p *placer) checkSize(e dist.Entry) error {
	info, err := p.dir.Lstat(e.Name)
	if err == nil && info.Size() != e.Size {
		err = fmt.Errorf("%q changed while it was read: got %d bytes, want %d", e.Path(), info.Size(), e.Size)
	}
	return err
}

// link makes the file of an entry a hard link to from, if it can.
func (p *placer) link(from *os.File, e dist.Entry) bool {
	want, err := from.Stat()
	if err != nil || want.Mode() != e.Mode || os.Link(e.Path(), filepath.Join(p.dir.Name(), filepath.FromSlash(e.Name))) != nil {
		return false
	}
	// Both names may have come to mean something else meanwhile.
	if got, err := p.dir.Lstat(e.Name); err == nil && os.SameFile(got, want) {
		return true
	}
	_ = p.dir.Remove(e.Name)
	return false
}

// create creates the file of an entry, filled by fill. With an error there is none.
func (p *placer) create(e dist.Entry, fill func(to *os.File) error) error {
	to, err := p.dir.OpenFile(e.Name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, e.Mode.Perm())
	if err != nil {
		return err
	}
	err = fill(to)
	if err == nil {
		err = to.Chmod(e.Mode.Perm()) // the umask may have taken bits
	}
	if err == nil && dist.SyncEach {
		err = to.Sync()
	}
	if err = errors.Join(err, to.Close()); err != nil {
		_ = p.dir.Remove(e.Name)
	}
	return err
}
