package dist

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"slices"
	"strings"

	"x.go/manifests"
)

// Modes of the entries of an image. rust-installer keeps only the owner's
// execute bit of a file, so that no umask shows in an archive.
const (
	ModeFile    fs.FileMode = 0o644
	ModeExec    fs.FileMode = 0o755
	ModeDir                 = fs.ModeDir | 0o755
	ModeSymlink             = fs.ModeSymlink | 0o777
)

// Entry is one member of an [Image].
type Entry struct {
	Name string      // relative slash path, such as "bin/rustc"
	Mode fs.FileMode // ModeFile, ModeExec, ModeDir or ModeSymlink
	Size int64       // bytes; 0 unless a regular file
	Link string      // target of a symbolic link, else ""
	src  source
}

// IsRegular reports whether e is a regular file.
func (e Entry) IsRegular() bool { return e.Mode.IsRegular() }

// IsDir reports whether e is a directory.
func (e Entry) IsDir() bool { return e.Mode.IsDir() }

// IsExec reports whether e is a regular file that its owner may execute.
func (e Entry) IsExec() bool { return e.Mode.IsRegular() && e.Mode&0o100 != 0 }

// Open returns the content of a regular file. It is an error if a file on disk has
// changed since it was added. The caller must close the reader.
func (e Entry) Open() (io.ReadCloser, error) {
	if !e.IsRegular() || e.src == nil {
		return nil, fmt.Errorf("opening %q: not a regular file", e.Name)
	}
	return e.src.open()
}

// origin says where e came from, for errors.
func (e Entry) origin() string {
	if e.src == nil {
		return ""
	}
	return fmt.Sprintf(" (from %s)", e.src)
}

// Image is a file tree as a value, sorted bytewise by name. Directories above
// an entry are implied; an explicit directory entry is needed only for an
// empty one. The zero Image is empty and ready to use.
//
// As with a slice, assignment shares the entries: to change a copy, take it with
// [Image.Clone].
type Image struct {
	entries []Entry
}

// Len returns the number of entries.
func (m Image) Len() int { return len(m.entries) }

// Size returns the sum of the sizes of all files, in bytes.
func (m Image) Size() int64 {
	var n int64
	for _, e := range m.entries {
		n += e.Size
	}
	return n
}

// Entries yields the entries in bytewise order of their names.
func (m Image) Entries() iter.Seq[Entry] { return slices.Values(m.entries) }

// Lookup returns the entry called name. A directory that is only implied by
// its content has none; see [Image.HasDir].
func (m Image) Lookup(name string) (Entry, bool) {
	i, ok := m.find(name)
	if !ok {
		return Entry{}, false
	}
	return m.entries[i], true
}

// HasDir reports whether name is a directory of m, explicit or implied.
func (m Image) HasDir(name string) bool {
	if e, ok := m.Lookup(name); ok {
		return e.IsDir()
	}
	_, ok := m.below(name)
	return ok
}

// Dirs returns all directories, explicit and implied, in bytewise order.
func (m Image) Dirs() []string {
	seen := map[string]bool{}
	for _, e := range m.entries {
		for dir := range Parents(e.Name) {
			seen[dir] = true
		}
		if e.IsDir() {
			seen[e.Name] = true
		}
	}
	dirs := make([]string, 0, len(seen))
	for dir := range seen {
		dirs = append(dirs, dir)
	}
	slices.Sort(dirs)
	return dirs
}

func (m Image) find(name string) (int, bool) {
	return slices.BinarySearchFunc(m.entries, name, func(e Entry, name string) int {
		return cmp.Compare(e.Name, name)
	})
}

// below returns the first entry inside the directory name.
func (m Image) below(name string) (Entry, bool) {
	i, _ := m.find(name + "/")
	if i < len(m.entries) && strings.HasPrefix(m.entries[i].Name, name+"/") {
		return m.entries[i], true
	}
	return Entry{}, false
}

// Add adds e to the image. A bad name, a second entry of the same name and a file
// where a directory is needed are errors; a directory added twice is not.
func (m *Image) Add(e Entry) error {
	i, known, err := m.place(e)
	if err != nil {
		return fmt.Errorf("adding %q%s: %w", e.Name, e.origin(), err)
	}
	if !known {
		m.entries = slices.Insert(m.entries, i, e)
	}
	return nil
}

// place returns where e belongs, or that it is a directory already there.
func (m *Image) place(e Entry) (i int, known bool, err error) {
	if err := checkEntry(e); err != nil {
		return 0, false, err
	}
	for dir := range Parents(e.Name) {
		if p, ok := m.Lookup(dir); ok && !p.IsDir() {
			return 0, false, fmt.Errorf("%q is not a directory%s", dir, p.origin())
		}
	}
	i, found := m.find(e.Name)
	if found {
		old := m.entries[i]
		if old.IsDir() && e.IsDir() {
			return i, true, nil
		}
		return 0, false, fmt.Errorf("the name is taken%s", old.origin())
	}
	if !e.IsDir() {
		if child, ok := m.below(e.Name); ok {
			return 0, false, fmt.Errorf("the name is a directory, because of %q%s", child.Name, child.origin())
		}
	}
	return i, false, nil
}

func checkEntry(e Entry) error {
	if err := manifests.CheckMemberName(e.Name); err != nil {
		return err
	}
	switch e.Mode {
	case ModeFile, ModeExec:
		if e.src == nil || e.Size < 0 {
			return errors.New("a regular file needs content; use AddFile, AddBytes or AddOpener")
		}
	case ModeDir:
		if e.Size != 0 {
			return errors.New("a directory has no size")
		}
	case ModeSymlink:
		if e.Link == "" || e.Size != 0 {
			return errors.New("a symbolic link needs a target")
		}
	default:
		return fmt.Errorf("got mode %v, want one of %v, %v, %v, %v", e.Mode, ModeFile, ModeExec, ModeDir, ModeSymlink)
	}
	return nil
}

// AddBytes adds a file with the given content. Of mode only the owner's
// execute bit counts.
func (m *Image) AddBytes(name string, data []byte, mode fs.FileMode) error {
	return m.AddOpener(name, mode, int64(len(data)), bytesOpener(bytes.Clone(data)))
}

// AddOpener adds a file of size bytes whose content open returns, such as a member
// of another archive. open is called once for each archive or tree that the image
// is written to, from any goroutine. It must return the same bytes each time; if
// their number is not size, writing fails. Of mode only the owner's execute bit
// counts.
func (m *Image) AddOpener(name string, mode fs.FileMode, size int64, open func() (io.ReadCloser, error)) error {
	e := Entry{Name: name, Mode: ModeOf(name, mode), Size: size}
	if open != nil {
		e.src = opener(open)
	}
	return m.Add(e)
}

// AddDir adds a directory, so that it is in the archive even when empty.
func (m *Image) AddDir(name string) error {
	return m.Add(Entry{Name: name, Mode: ModeDir})
}

// AddSymlink adds a symbolic link. rustup refuses archives with links; only
// source tarballs and rust-dev may hold one. See [NoSymlinks].
func (m *Image) AddSymlink(name, target string) error {
	return m.Add(Entry{Name: name, Mode: ModeSymlink, Link: target})
}

// Merge adds all entries of other. If any of them conflicts, it reports every
// conflict and adds nothing.
func (m *Image) Merge(other Image) error {
	if len(m.entries) == 0 {
		m.entries = slices.Clone(other.entries)
		return nil
	}
	var errs []error
	merged := make([]Entry, 0, len(m.entries)+len(other.entries))
	old := m.entries
	for _, e := range other.entries {
		i, known, err := m.place(e)
		if err != nil {
			errs = append(errs, fmt.Errorf("adding %q%s: %w", e.Name, e.origin(), err))
			continue
		}
		taken := i - (len(m.entries) - len(old))
		merged = append(merged, old[:taken]...)
		old = old[taken:]
		if !known {
			merged = append(merged, e)
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	m.entries = append(merged, old...)
	return nil
}

// Clone returns an image that can be changed without changing m.
func (m Image) Clone() Image { return Image{slices.Clone(m.entries)} }

// Filter returns a new image with the entries that keep accepts.
func (m Image) Filter(keep func(Entry) bool) Image {
	var out Image
	for _, e := range m.entries {
		if keep(e) {
			out.entries = append(out.entries, e)
		}
	}
	return out
}

// Remove removes the entries that any of the globs matches, and everything below a
// matching directory. The syntax is that of [Rule]. It returns the number of
// entries removed.
func (m *Image) Remove(globs ...string) (int, error) {
	match, err := compileGlobs(globs)
	if err != nil {
		return 0, err
	}
	left := m.Filter(func(e Entry) bool {
		for dir := range Parents(e.Name) {
			if match(dir) {
				return false
			}
		}
		return !match(e.Name)
	})
	removed := m.Len() - left.Len()
	*m = left
	return removed, nil
}

// Prefix returns a new image with every name below dir, which must be a valid
// name itself.
func (m Image) Prefix(dir string) (Image, error) {
	if err := manifests.CheckMemberName(dir); err != nil {
		return Image{}, fmt.Errorf("prefixing with %q: %w", dir, err)
	}
	out := m.Clone()
	for i, e := range out.entries {
		out.entries[i].Name = dir + "/" + e.Name
		if err := manifests.CheckMemberName(out.entries[i].Name); err != nil {
			return Image{}, fmt.Errorf("prefixing %q with %q: %w", e.Name, dir, err)
		}
	}
	return out, nil
}
