package install

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"x.go/dist"
)

// roots are the opened base directories, by path.
type roots struct {
	mu   sync.Mutex
	open map[string]*os.Root
	made []string // directories that were not there before, those above first
	// readOnly has a base directory that is missing be an error, [fs.ErrNotExist].
	readOnly bool
}

// get opens the base directory, and creates it if it is missing.
func (r *roots) get(base string) (*os.Root, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if root, ok := r.open[base]; ok {
		return root, nil
	}
	if r.readOnly {
		root, err := os.OpenRoot(base)
		if err == nil {
			r.open[base] = root
		}
		return root, err
	}
	var missing []string
	for dir := base; ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		missing = append(missing, dir)
	}
	slices.Reverse(missing)
	r.made = append(r.made, missing...)
	root, err := dist.OpenDir(base)
	if err != nil {
		return nil, err
	}
	r.open[base] = root
	return root, nil
}

// addMade notes a base directory that a killed run has created.
func (r *roots) addMade(dir string) {
	if !slices.Contains(r.made, dir) {
		r.made = append(r.made, dir)
	}
}

// removeMade removes the base directories that get has created, as far as they are
// empty.
func (r *roots) removeMade() {
	for _, dir := range slices.Backward(r.made) {
		if info, err := os.Lstat(dir); err == nil && info.IsDir() {
			_ = os.Remove(dir)
		}
	}
}

// sync flushes all that was written below the roots.
func (r *roots) sync() error {
	r.mu.Lock()
	open := maps.Clone(r.open)
	r.mu.Unlock()
	for base, root := range open {
		if err := dist.SyncAll(root); err != nil {
			return fmt.Errorf("flushing %q: %w", base, err)
		}
	}
	return nil
}

func (r *roots) close() {
	for _, root := range r.open {
		root.Close()
	}
}
