package install

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"

	"x.go/dist"
	"x.go/manifests"
)

// Components returns the names of the components that are installed in the directories
// of opts, in their order. What is not there has none.
func Components(opts Options) ([]string, error) {
	opts.DryRun = true
	var names []string
	t, err := begin(context.Background(), opts, func(installed []string) []string {
		names = installed
		return nil
	})
	if err != nil {
		return nil, err
	}
	return names, t.rollback()
}

// look reads the records of a dry run, which creates nothing and waits for nobody.
func (t *transaction) look(choose func(installed []string) []string) error {
	t.roots.readOnly = true
	root, err := t.root(t.at.base)
	if err == nil {
		t.records, err = root.OpenRoot(t.at.rel)
	}
	if errors.Is(err, fs.ErrNotExist) {
		choose(nil)
		return nil
	}
	if err != nil {
		return err
	}
	return t.readRecords(choose)
}

// foresee notes that a file would be written, unless it is there already.
func (t *transaction) foresee(ctx context.Context, a *added, r io.Reader) error {
	if err := t.foreseeDir(a.to.dir()); err != nil {
		return err
	}
	same, err := t.isThere(ctx, a, r)
	if err == nil {
		// Whoever decodes the file waits until it is read.
		if q, ok := r.(*queueReader); ok {
			_, err = io.Copy(io.Discard, q)
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if a.kept = same; same {
		t.done.Unchanged++
	} else {
		t.units[a.to.path()] = a.to
	}
	return err
}

// foreseeDir looks for what is in the way of a directory.
func (t *transaction) foreseeDir(at place) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for ; at.rel != "." && t.dirs[at.path()] == nil; at = at.dir() {
		exists, err := t.isDir(at)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		t.dirs[at.path()] = &stagedDir{at: at, exists: exists}
		if exists {
			break
		}
	}
	return nil
}

// isThere reports whether the installation has a file already.
func (t *transaction) isThere(ctx context.Context, a *added, r io.Reader) (bool, error) {
	info, err := t.lstat(a.to)
	if err != nil || info == nil || !t.own(a.to.path()) || info.Mode() != a.mode && info.Mode().Type() != fs.ModeSymlink {
		return false, err
	}
	root, err := t.root(a.to.base)
	if err != nil {
		return false, err
	}
	if a.mode.Type() == fs.ModeSymlink {
		link, err := root.Readlink(a.to.rel)
		return err == nil && link == a.link, nil
	}
	if !info.Mode().IsRegular() || info.Size() != a.size {
		return false, nil
	}
	f, err := dist.OpenIn(root, a.to.rel)
	if err != nil {
		return false, err
	}
	defer f.Close()
	have, err := dist.HashReader(ctx, f, a.size, a.to.path())
	if err != nil {
		return false, err
	}
	var fresh manifests.Hash
	fresh, err = dist.HashReader(ctx, r, a.size, a.to.path())
	return have == fresh, err
}

// foretell returns what commit would do.
func (t *transaction) foretell(ctx context.Context, parts []part) (Installed, error) {
	p, err := t.displacements(ctx, parts)
	if err != nil {
		return Installed{}, errors.Join(err, t.end())
	}
	for _, d := range p.out.displace {
		_, replaced := t.units[d.at.path()]
		switch {
		case d.isBackup():
			t.done.Backups = append(t.done.Backups, Backup{d.at.path(), d.backup.path()})
		case !replaced:
			t.done.Removed = append(t.done.Removed, d.at.path())
		}
	}
	for file := range t.units {
		t.done.Files = append(t.done.Files, file)
	}
	slices.Sort(t.done.Files)
	return t.done, t.end()
}
