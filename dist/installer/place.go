package installer

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"x.go/dist"
	"x.go/manifests"
)

// place is where relative paths begin; "" is the working directory. Messages show
// paths as they were given.
type place string

// real returns where a path is.
func (p place) real(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(cmp.Or(string(p), "."), path)
}

// under joins paths as Rust does: nothing is made clean.
func under(dir, name string) string {
	switch {
	case dir == "" || filepath.IsAbs(name):
		return name
	case os.IsPathSeparator(dir[len(dir)-1]):
		return dir + name
	}
	return dir + string(filepath.Separator) + name
}

// createDirs creates a directory and what is missing above it.
func (p place) createDirs(dir string) error {
	if dir == "" {
		return nil
	}
	real := p.real(dir)
	if info, err := os.Stat(real); err == nil && !info.IsDir() {
		return because(syscall.EEXIST, "failed to create dir '%s'", dir)
	}
	return because(os.MkdirAll(real, 0o777), "failed to create dir '%s'", dir)
}

// remove removes a directory of an earlier run, or a link in its place.
func (p place) remove(dir string) error {
	real := p.real(dir)
	info, err := os.Lstat(real)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err == nil && !info.IsDir() && info.Mode().Type() != fs.ModeSymlink:
		err = syscall.ENOTDIR
	case err == nil:
		err = os.RemoveAll(real)
	}
	return because(err, "failed to remove dir '%s'", dir)
}

// apart returns an error if an input lies in a directory that is about to be removed.
func (p place) apart(removed, input string) error {
	if inside(p.resolve(input), p.resolve(removed)) {
		return fmt.Errorf("'%s' lies in '%s', which is removed first: move it", input, removed)
	}
	return nil
}

// around returns an error if a tree to copy has the directory of its own copy in it.
func (p place) around(tree, copied string) error {
	if inside(p.resolve(copied), p.resolve(tree)) {
		return fmt.Errorf("'%s' has '%s' in it, where it is copied to: choose another work directory", tree, copied)
	}
	return nil
}

// resolve returns the absolute path without symbolic links, as far as there are files.
func (p place) resolve(path string) string {
	real, err := filepath.Abs(p.real(path))
	if err != nil {
		return p.real(path)
	}
	for above, rest := real, ""; ; {
		if found, err := filepath.EvalSymlinks(above); err == nil {
			return filepath.Join(found, rest)
		}
		parent := filepath.Dir(above)
		if parent == above {
			return real
		}
		above, rest = parent, filepath.Join(filepath.Base(above), rest)
	}
}

// inside reports whether path is dir or lies in it.
func inside(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}

// read returns a tree as an image. check, if not nil, judges the names in it.
func (p place) read(dir string, check func(name string) error) (dist.Image, error) {
	info, err := os.Stat(p.real(dir))
	if err == nil && !info.IsDir() {
		err = syscall.ENOTDIR
	}
	if dir == "" {
		err = syscall.ENOENT
	}
	if err != nil {
		return dist.Image{}, unreadable(err, dir)
	}
	var img dist.Image
	var bad error
	err = img.AddTreeLinks("", p.real(dir), func(name string, _ fs.DirEntry) bool {
		if check != nil {
			bad = cmp.Or(bad, check(name))
		}
		return bad == nil
	})
	return img, cmp.Or(bad, err)
}

// tree is a directory that is being filled.
type tree struct {
	root *os.Root
	name string // as messages show it
}

// open opens the directory name, which exists.
func (p place) open(name string) (tree, error) {
	root, err := os.OpenRoot(p.real(name))
	return tree{root, name}, because(err, "failed to open dir '%s'", name)
}

// mkdir creates a directory that must not exist.
func (t tree) mkdir(name string) error {
	return because(t.root.Mkdir(filepath.FromSlash(name), 0o777), "failed to create dir '%s'", under(t.name, name))
}

// write creates a file that must not exist.
func (t tree) write(name string, data []byte, mode fs.FileMode) error {
	f, err := t.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return because(err, "failed to create file '%s'", under(t.name, name))
	}
	_, err = f.Write(data)
	if mode&0o111 != 0 && err == nil {
		err = f.Chmod(mode)
	}
	return because(cmp.Or(err, f.Close()), "failed to write file '%s'", under(t.name, name))
}

// writeRecords writes the files of a package that say what it is.
func (t tree) writeRecords(components ...string) error {
	if err := t.write(manifests.ComponentsFile, manifests.EncodeComponentNames(components...), 0o666); err != nil {
		return err
	}
	return t.write(manifests.VersionFile, []byte(manifests.InstallerVersion+"\n"), 0o666)
}
