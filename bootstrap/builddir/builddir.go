package builddir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"x.go/dist"
)

// claimedName is the file in a build directory that lists, one slash path a line, the
// directories that builds have created. x.py may use the same build directory, and
// no other tool may replace or clean its stage2.
const claimedName = ".x-made"

// maxClaimed bounds that file, in bytes: a build adds a few lines of less than 100.
const maxClaimed = 1 << 20

// Dir is a build directory that this process has for itself. What it does stays
// inside, whatever links others have put there.
type Dir struct {
	root *os.Root
	lock *dist.DirLock
}

// Open takes the build directory at path, and creates it if it is missing. While
// another process has it, Open calls waiting once with what is known of that process
// and waits until ctx ends.
func Open(ctx context.Context, path string, waiting func(holder string)) (*Dir, error) {
	root, err := dist.OpenDir(path)
	if err != nil {
		return nil, fmt.Errorf("opening build directory %q: %w", path, dist.WithoutPath(err))
	}
	lock, err := dist.Lock(ctx, root, waiting)
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return &Dir{root, lock}, nil
}

// Close gives the build directory back.
func (d *Dir) Close() {
	d.lock.Release()
	_ = d.root.Close()
}

// OpenSubdir opens the directory dir, a slash path, and creates it if it is missing.
func (d *Dir) OpenSubdir(dir string) (*os.Root, error) { return dist.OpenSubdir(d.root, dir) }

// Claimed returns the directories in the build directory at path that builds have
// created and that are still there, as slash paths relative to it, sorted.
func Claimed(path string) ([]string, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("opening build directory %q: %w", path, dist.WithoutPath(err))
	}
	defer root.Close()
	return claimed(root)
}

// claimed is [Claimed] for an open directory.
func claimed(root *os.Root) ([]string, error) {
	list, err := listed(root)
	return slices.DeleteFunc(list, func(dir string) bool {
		_, err := root.Lstat(dir)
		return errors.Is(err, fs.ErrNotExist)
	}), err
}

// listed returns what builds have created, sorted, whether it is still there or not.
func listed(root *os.Root) ([]string, error) {
	data, err := dist.ReadOwn(root, claimedName, maxClaimed)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	file := filepath.Join(root.Name(), claimedName)
	if err != nil {
		return nil, fmt.Errorf("reading %q, the list of what x created: %w", file, dist.WithoutPath(err))
	}
	var found []string
	for line := range strings.Lines(string(data)) {
		name := strings.TrimSuffix(line, "\n")
		// Callers remove what the file names: do not trust it.
		if !filepath.IsLocal(filepath.FromSlash(name)) || path.Clean(name) != name || name == "." {
			return nil, fmt.Errorf("reading %q: got %.200q, want a path below the build directory", file, name)
		}
		found = append(found, name)
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

// Claim records that this build creates the directory dir, a slash path, and reports
// whether it may call it its own: it was not there, or empty, or claimed before.
func (d *Dir) Claim(dir string) (bool, error) {
	list, err := claimed(d.root)
	if err != nil {
		return false, err
	}
	if err := d.checkWay(dir); err != nil {
		return false, fmt.Errorf("looking at build directory %q: %w", d.root.Name(), err)
	}
	if slices.Contains(list, dir) {
		return true, nil
	}
	entries, err := fs.ReadDir(d.root.FS(), dir)
	if err == nil && len(entries) > 0 {
		return false, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("reading build directory %q: %w", d.root.Name(), dist.WithoutPath(err))
	}
	return true, dist.WriteOwn(d.root, claimedName, []byte(strings.Join(append(list, dir), "\n")+"\n"), dist.ModeFile)
}

// checkWay returns an error if dir, or a directory above it, is there and is a link or
// a file: x created neither, and they lead elsewhere.
func (d *Dir) checkWay(dir string) error {
	for above := range dist.Parents(dir + "/") {
		err := dist.CheckDir(d.root, above)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Clean removes the directories that builds have created, what killed builds left
// in the build directory, and the records of both. It calls gone with the slash path
// of each directory before it removes it. What cannot be removed does not stop the
// rest.
func (d *Dir) Clean(gone func(dir string)) error {
	list, err := listed(d.root)
	if err != nil {
		return err
	}
	var errs []error
	for _, dir := range list {
		if _, err := d.root.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := d.checkWay(path.Dir(dir)); err != nil {
			errs = append(errs, err)
			continue
		}
		gone(dir)
		errs = append(errs, d.root.RemoveAll(dir))
	}
	errs = append(errs, d.removeLeft()...)
	for _, dir := range list {
		d.removeEmpty(path.Dir(dir))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("cleaning build directory %q: %w", d.root.Name(), err)
	}
	if err := dist.RemoveAll(d.root, claimedName); err != nil {
		return err
	}
	d.lock.Remove()
	return nil
}

// removeLeft removes what killed runs left in the build directory and in the
// directories directly in it.
func (d *Dir) removeLeft() (errs []error) {
	_, err := dist.RemoveStale(d.root)
	errs = append(errs, err)
	entries, err := fs.ReadDir(d.root.FS(), ".")
	errs = append(errs, err)
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		sub, err := d.root.OpenRoot(e.Name())
		if err != nil {
			continue // somebody else's
		}
		_, err = dist.RemoveStale(sub)
		errs = append(errs, err)
		inside, _ := fs.ReadDir(sub.FS(), ".")
		for _, e := range inside {
			if strings.HasPrefix(e.Name(), stageNew) || strings.HasPrefix(e.Name(), stageOld) {
				errs = append(errs, sub.RemoveAll(e.Name()))
			}
		}
		errs = append(errs, sub.Close())
	}
	return errs
}

// removeEmpty removes dir, and the directories above it, as far as they are empty.
func (d *Dir) removeEmpty(dir string) {
	for ; dir != "."; dir = path.Dir(dir) {
		if left, err := fs.ReadDir(d.root.FS(), dir); err != nil || len(left) > 0 || d.root.Remove(dir) != nil {
			return
		}
	}
}
