package dist

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"x.go/manifests"
)

// AddFile adds the regular file at path on disk under name. It follows symbolic
// links: the archive holds the file that they lead to.
func (m *Image) AddFile(name, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("adding %q: %w", name, err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("adding %q: %q is not a regular file (mode %v)", name, path, info.Mode())
	}
	e, err := fileEntry(name, nil, path, info)
	if err != nil {
		return fmt.Errorf("adding %q: %w", name, err)
	}
	return m.Add(e)
}

// fileEntry describes a regular file. An unreadable one is an error before anything is
// written.
func fileEntry(name string, fsys fs.FS, path string, info fs.FileInfo) (Entry, error) {
	src := fileSource{fsys, path, info.Size(), info.ModTime()}
	if err := src.readable(); err != nil {
		return Entry{}, err
	}
	return Entry{Name: name, Mode: ModeOf(name, info.Mode()), Size: info.Size(), src: src}, nil
}

// AddTree adds the files below the directory root on disk under prefix ("" for the
// top of the image). keep, if not nil, gets each path relative to root and decides
// whether to add it; a refused directory is left out with everything below it. An
// empty directory becomes an entry. Symbolic links, devices, sockets and unreadable
// files are errors: AddTree reports all of them and adds nothing.
func (m *Image) AddTree(prefix, root string, keep func(name string, d fs.DirEntry) bool) error {
	return m.addTreeOnDisk(root, treeWalk{prefix: prefix, keep: keep})
}

// AddTreeLinks is [Image.AddTree], but symbolic links become entries: they are not
// followed.
func (m *Image) AddTreeLinks(prefix, root string, keep func(name string, d fs.DirEntry) bool) error {
	return m.addTreeOnDisk(root, treeWalk{prefix: prefix, keep: keep, links: true})
}

func (m *Image) addTreeOnDisk(root string, w treeWalk) error {
	// The root itself may be a symbolic link: the caller has chosen it.
	real, err := filepath.EvalSymlinks(root)
	if err != nil {
		return fmt.Errorf("adding tree %q: %w", root, err)
	}
	w.tree, w.root = os.DirFS(real), real
	if err := m.addTree(w); err != nil {
		return fmt.Errorf("adding tree %q: %w", real, err)
	}
	return nil
}

// AddFS is [Image.AddTree] for any file system, such as embedded files or a zip
// archive. The files must not change while the image is in use.
func (m *Image) AddFS(prefix string, fsys fs.FS, keep func(name string, d fs.DirEntry) bool) error {
	if err := m.addTree(treeWalk{prefix: prefix, tree: fsys, keep: keep}); err != nil {
		return fmt.Errorf("adding file system: %w", err)
	}
	return nil
}

func (m *Image) addTree(w treeWalk) error {
	w.filled = map[string]bool{}
	if err := fs.WalkDir(w.tree, ".", w.visit); err != nil {
		return err
	}
	if len(w.errs) > 0 {
		return errors.Join(w.errs...)
	}
	for _, dir := range w.dirs {
		if !w.filled[dir] {
			w.found = append(w.found, Entry{Name: path.Join(w.prefix, dir), Mode: ModeDir})
		}
	}
	slices.SortFunc(w.found, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	return m.Merge(Image{w.found})
}

// treeWalk collects the entries of a tree.
type treeWalk struct {
	prefix string
	tree   fs.FS
	root   string // of a tree on disk, else ""
	keep   func(string, fs.DirEntry) bool
	links  bool            // symbolic links become entries
	dirs   []string        // of the tree
	filled map[string]bool // directories of the tree that are not empty
	found  []Entry
	errs   []error
}

func (w *treeWalk) visit(file string, d fs.DirEntry, err error) error {
	if file == "." {
		if err == nil && !d.IsDir() {
			err = errors.New("not a directory")
		}
		return err
	}
	w.filled[path.Dir(file)] = true
	if err != nil {
		w.errs = append(w.errs, fmt.Errorf("reading %q: %w", w.path(file), WithoutPath(err)))
		return nil
	}
	if w.keep != nil && !w.keep(file, d) {
		if d.IsDir() {
			return fs.SkipDir
		}
		return nil
	}
	if err := w.add(path.Join(w.prefix, file), file, d); err != nil {
		w.errs = append(w.errs, err)
	}
	return nil
}

// path returns the path of a file of the tree, that on disk if it has one.
func (w *treeWalk) path(file string) string {
	if w.root == "" {
		return file
	}
	return filepath.Join(w.root, filepath.FromSlash(file))
}

func (w *treeWalk) add(name, file string, d fs.DirEntry) error {
	if err := manifests.CheckMemberName(name); err != nil {
		return fmt.Errorf("adding %q: %w", name, err)
	}
	switch {
	case d.IsDir():
		w.dirs = append(w.dirs, file)
		return nil
	case d.Type().IsRegular():
		info, err := d.Info()
		if err != nil {
			return err
		}
		e, err := w.entry(name, file, info)
		if err != nil {
			return err
		}
		w.found = append(w.found, e)
		return nil
	case d.Type() == fs.ModeSymlink:
		target, err := fs.ReadLink(w.tree, file)
		if w.links {
			w.found = append(w.found, Entry{Name: name, Mode: ModeSymlink, Link: target})
			return err
		}
		return fmt.Errorf("%q is a symbolic link to %q, which rustup would refuse; add the file it leads to", w.path(file), target)
	default:
		return fmt.Errorf("%q is neither a regular file nor a directory (mode %v)", w.path(file), d.Type())
	}
}

// entry describes a regular file of the tree. One on disk keeps its path, for
// [Entry.Path].
func (w *treeWalk) entry(name, file string, info fs.FileInfo) (Entry, error) {
	if w.root != "" {
		return fileEntry(name, nil, w.path(file), info)
	}
	return fileEntry(name, w.tree, file, info)
}

// windowsExec lists the extensions of files that rust-installer treats as executable
// on a host whose file system has no execute bit.
var windowsExec = []string{".exe", ".dll", ".py", ".sh"}

// ModeOf returns the mode of a regular file in an archive, [ModeExec] or [ModeFile].
// It goes by the owner's execute bit of mode; on Windows, which has none, also by
// the extension of name.
func ModeOf(name string, mode fs.FileMode) fs.FileMode {
	if mode&0o100 != 0 || runtime.GOOS == "windows" && slices.Contains(windowsExec, path.Ext(name)) {
		return ModeExec
	}
	return ModeFile
}
