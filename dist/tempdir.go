package dist

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/gofrs/flock"
)

// TempDir is a directory of this process alone for what is not complete. Its name has
// that of the machine, and it is locked: so it is known to be dead when its process is.
type TempDir struct {
	Path string
	root *os.Root
	lock *DirLock // nil where the file system has no locks
}

// NewTempDir creates a directory PURPOSE-MACHINE-… in parent, which is that of the system
// if it is "". It removes those that killed processes of this machine left there.
func NewTempDir(parent, purpose string) (*TempDir, error) {
	parent = cmp.Or(parent, os.TempDir())
	prefix := purpose + "-" + machine() + "-"
	removeDead(parent, prefix)
	const tries = 100 // another process may take the new directory for a dead one
	for range tries {
		t, err := newTempDir(parent, prefix)
		if err != nil {
			return nil, fmt.Errorf("creating a temporary directory in %q: %w", parent, WithoutPath(err))
		}
		if t != nil {
			return t, nil
		}
	}
	return nil, fmt.Errorf("creating a temporary directory in %q: each is removed at once", parent)
}

// newTempDir returns nil if another process has taken the directory.
func newTempDir(parent, prefix string) (*TempDir, error) {
	path, err := os.MkdirTemp(parent, prefix)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, errors.Join(err, os.Remove(path))
	}
	t := &TempDir{path, root, &DirLock{root, lockName, nil}}
	ok, err := t.lock.try((*flock.Flock).TryLock)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && !ok:
		return nil, root.Close()
	case err != nil: // no other process can take it, either
		t.lock = nil
	default:
		t.lock.noteHolder()
	}
	return t, nil
}

// Remove removes the directory.
func (t *TempDir) Remove() error {
	if t.lock == nil {
		return errors.Join(t.root.Close(), os.RemoveAll(t.Path))
	}
	err := empty(t.root)
	t.lock.Remove()
	err = errors.Join(err, t.root.Close())
	if rerr := os.Remove(t.Path); err == nil && rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
		// Another process may have found it without a lock, and removes it, too.
		if names, _ := os.ReadDir(t.Path); len(names) > 1 || len(names) == 1 && names[0].Name() != lockName {
			err = rerr
		}
	}
	return err
}

// empty removes what is in a directory, but for the file of its lock.
func empty(root *os.Root) error {
	entries, err := fs.ReadDir(root.FS(), ".")
	for _, e := range entries {
		if e.Name() != lockName {
			err = errors.Join(err, root.RemoveAll(e.Name()))
		}
	}
	return err
}

// machine is this machine's name as part of a file's: locks of network file systems may
// not reach to other machines.
func machine() string {
	name, _ := os.Hostname()
	const longest = 64
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return '_'
	}, name[:min(len(name), longest)])
}

// removeDead removes the directories of killed processes. What cannot be removed, such as
// that of another user, stays.
func removeDead(parent, prefix string) {
	root, err := os.OpenRoot(parent)
	if err != nil {
		return // creating a directory there will say it
	}
	defer root.Close()
	entries, _ := fs.ReadDir(root.FS(), ".")
	for _, e := range entries {
		if e.IsDir() && strings.HasPrefix(e.Name(), prefix) && emptyDead(root, e.Name()) {
			_ = root.Remove(e.Name()) // fails if its process has only now begun
		}
	}
}

// emptyDead removes what is in a directory, unless a process holds it.
func emptyDead(parent *os.Root, name string) bool {
	root, err := parent.OpenRoot(name)
	if err != nil {
		return false
	}
	defer root.Close()
	lock := &DirLock{root, lockName, nil}
	if ok, err := lock.try((*flock.Flock).TryLock); err != nil || !ok {
		return false
	}
	defer lock.Remove()
	return empty(root) == nil
}
