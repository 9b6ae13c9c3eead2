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

// AddFile adds the regular file at path on disk under name. Symbolic links in
// path are followed: the archive holds what they lead to.
func (m *Image) AddFile(name, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("adding %q: %w", name, err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("adding %q: %q is not a regular file (mode %v)", name, path, info.Mode())
	}
	e, err := fileEntry(name, path, info)
	if err != nil {
		return fmt.Errorf("adding %q: %w", name, err)
	}
	return m.Add(e)
}

// fileEntry describes a regular file. It opens it once, because an unreadable
// file should be known before anything is written.
func fileEntry(name, path string, info fs.FileInfo) (Entry, error) {
	src := fileSource{path, info.Size(), info.ModTime()}
	f, err := src.open()
	if err != nil {
		return Entry{}, err
	}
	return Entry{Name: name, Mode: fileMode(name, info.Mode()), Size: info.Size(), src: src}, f.Close()
}

// AddTree adds the files below the directory root on disk under prefix ("" for
// the top of the image). keep, if not nil, is asked with each path relative to
// root; a directory it refuses is left out with all below it. A directory that
// is empty on disk becomes an entry. Symbolic links, devices, sockets and
// unreadable files are errors. All of them are reported, and then nothing is
// added.
func (m *Image) AddTree(prefix, root string, keep func(name string, d fs.DirEntry) bool) error {
	return m.addTree(treeWalk{prefix: prefix, root: root, keep: keep})
}

// AddTreeWithLinks is [Image.AddTree] for the few archives that may hold
// symbolic links: they become entries, and are not followed.
func (m *Image) AddTreeWithLinks(prefix, root string, keep func(name string, d fs.DirEntry) bool) error {
	return m.addTree(treeWalk{prefix: prefix, root: root, keep: keep, links: true})
}

func (m *Image) addTree(w treeWalk) error {
	// A symbolic link as the root is the caller's wish; WalkDir would stop at it.
	root, err := filepath.EvalSymlinks(w.root)
	if err != nil {
		return fmt.Errorf("adding tree %q: %w", w.root, err)
	}
	w.root = root
	if err := filepath.WalkDir(root, w.visit); err != nil {
		return fmt.Errorf("adding tree %q: %w", root, err)
	}
	if len(w.errs) > 0 {
		return fmt.Errorf("adding tree %q: %w", root, errors.Join(w.errs...))
	}
	slices.SortFunc(w.found, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	return m.Merge(Image{w.found})
}

type treeWalk struct {
	prefix, root string
	keep         func(string, fs.DirEntry) bool
	links        bool
	found        []Entry
	errs         []error
}

func (w *treeWalk) visit(file string, d fs.DirEntry, err error) error {
	if file == w.root {
		if err == nil && !d.IsDir() {
			err = errors.New("not a directory")
		}
		return err
	}
	if err != nil {
		w.errs = append(w.errs, err)
		return nil
	}
	rel, err := filepath.Rel(w.root, file)
	if err != nil {
		return err
	}
	rel = filepath.ToSlash(rel)
	if w.keep != nil && !w.keep(rel, d) {
		if d.IsDir() {
			return fs.SkipDir
		}
		return nil
	}
	if err := w.add(path.Join(w.prefix, rel), file, d); err != nil {
		w.errs = append(w.errs, err)
	}
	return nil
}

func (w *treeWalk) add(name, file string, d fs.DirEntry) error {
	if err := manifests.CheckMemberName(name); err != nil {
		return fmt.Errorf("adding %q: %w", name, err)
	}
	switch {
	case d.IsDir():
		children, err := os.ReadDir(file)
		if err == nil && len(children) == 0 {
			w.found = append(w.found, Entry{Name: name, Mode: ModeDir})
		}
		return nil // a read error is reported by the walk itself
	case d.Type().IsRegular():
		info, err := d.Info()
		if err != nil {
			return err
		}
		e, err := fileEntry(name, file, info)
		if err != nil {
			return err
		}
		w.found = append(w.found, e)
		return nil
	case d.Type() == fs.ModeSymlink:
		target, err := os.Readlink(file)
		if err != nil {
			return err
		}
		if !w.links {
			return fmt.Errorf("%q is a symbolic link to %q, which rustup would refuse; add the file it leads to", file, target)
		}
		w.found = append(w.found, Entry{Name: name, Mode: ModeSymlink, Link: target})
		return nil
	default:
		return fmt.Errorf("%q is neither a regular file nor a directory (mode %v)", file, d.Type())
	}
}

// windowsExec lists the extensions that rust-installer takes for executable on
// a host whose file system has no execute bit.
var windowsExec = []string{".exe", ".dll", ".py", ".sh"}

// fileMode normalises the mode of a regular file.
func fileMode(name string, mode fs.FileMode) fs.FileMode {
	if mode&0o100 != 0 || runtime.GOOS == "windows" && slices.Contains(windowsExec, path.Ext(name)) {
		return ModeExec
	}
	return ModeFile
}
