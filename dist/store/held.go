package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"x.go/dist"
)

// heldDir is a directory that stays open between files that are put lazily: to open it
// again for each small file takes longer than writing that.
type heldDir struct {
	root  *os.Root
	users int  // calls of [dir.within]
	gone  bool // to be closed by the last user
}

// maxHeld is how many directories stay open. More are opened for each file.
const maxHeld = 16

// within calls do with the directory of a name, which stays open afterwards if hold says
// so. It calls do again if another process deletes the directory, which was empty, at
// that moment.
func (d *dir) within(name string, hold bool, do func(parent *os.Root, base string) error) error {
	const tries = 5
	var err error
	for range tries {
		var h *heldDir
		if h, err = d.hold(name, hold); err != nil {
			return err
		}
		err = do(h.root, path.Base(name))
		absent := errors.Is(err, fs.ErrNotExist)
		err = errors.Join(err, d.release(path.Dir(name), h, absent))
		if !absent {
			return err
		}
		if root, rerr := d.root(); rerr != nil || dist.CheckDir(root, path.Dir(name)) == nil {
			return err
		}
	}
	return err
}

// hold opens the directory of a name, unless it is open.
func (d *dir) hold(name string, keep bool) (*heldDir, error) {
	above := path.Dir(name)
	d.mu.Lock()
	h := d.held[above]
	if keep && h != nil {
		h.users++
		d.mu.Unlock()
		return h, nil
	}
	d.mu.Unlock()
	root, err := d.parent(name)
	if err != nil {
		return nil, err
	}
	h = &heldDir{root: root, users: 1, gone: true}
	d.mu.Lock()
	defer d.mu.Unlock()
	if keep && d.held[above] == nil && len(d.held) < maxHeld {
		h.gone = false
		d.held[above] = h
	}
	return h, nil
}

// release ends a use of a directory; drop has it be opened again for the next one.
func (d *dir) release(above string, h *heldDir, drop bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	h.users--
	if drop && !h.gone {
		return d.drop(above, h)
	}
	if h.gone && h.users == 0 {
		return h.root.Close()
	}
	return nil
}

// drop has a directory be closed by its last user. The caller holds the lock.
func (d *dir) drop(above string, h *heldDir) error {
	delete(d.held, above)
	h.gone = true
	if h.users > 0 {
		return nil
	}
	return h.root.Close()
}

// releaseAll closes the directories, which must still be where they were.
func (d *dir) releaseAll(root *os.Root) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var errs []error
	for above, h := range d.held {
		was, err := h.root.Stat(".")
		if err == nil {
			var now fs.FileInfo
			now, err = root.Lstat(filepath.FromSlash(above))
			if err == nil && !os.SameFile(was, now) {
				err = errors.New("another directory has its name now")
			}
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("directory %q was moved or removed meanwhile: %w", above, dist.WithoutPath(err)))
		}
		errs = append(errs, d.drop(above, h))
	}
	return errors.Join(errs...)
}
