package channel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"x.go/dist"
	"x.go/manifests"
)

// Dir is a directory of this machine as the files of a distribution server, by the
// names that clients ask for: dist/channel-rust-stable.toml. It holds regular files and
// directories alone; a symbolic link is followed as long as it stays inside.
//
// A flat directory, such as `x dist` and build-manifest leave, has the files of dist
// itself. The URLs of its manifest name dated directories that do not exist yet: the
// files of such a date are those of the directory.
type Dir struct {
	tree   tree
	flat   bool
	public map[string][]byte // manifests in the place of those on disk

	mu    sync.Mutex
	state string // of the manifests that dates is from
	dates dates
}

// tree is a directory on disk: an [os.Root], or one whose links may lead anywhere.
type tree interface {
	Stat(name string) (fs.FileInfo, error)
	file(name string) (fs.File, error) // a regular one
	Open(name string) (*os.File, error)
}

type closedTree struct{ *os.Root }

func (t closedTree) file(name string) (fs.File, error) { return dist.OpenIn(t.Root, name) }

// openTree is the path of a directory of the caller's own, links and all.
type openTree string

func (t openTree) path(name string) string               { return filepath.Join(string(t), name) }
func (t openTree) Stat(name string) (fs.FileInfo, error) { return os.Stat(t.path(name)) }
func (t openTree) Open(name string) (*os.File, error)    { return os.Open(t.path(name)) }
func (t openTree) file(name string) (fs.File, error)     { return dist.OpenFile(t.path(name)) }

// dates are the days that the manifests of a flat directory name.
type dates struct {
	any      bool            // there is no manifest to ask
	releases map[string]bool // days of the manifests themselves
	files    map[string]bool // days in their URLs
}

// OpenDir opens a directory: one that has a directory dist, or a flat one.
func OpenDir(dir string) (*Dir, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("opening directory %q: %w", dir, dist.WithoutPath(err))
	}
	d := &Dir{tree: closedTree{root}}
	if err := d.detect(); err != nil {
		return nil, errors.Join(fmt.Errorf("opening directory %q: %w", dir, err), root.Close())
	}
	return d, nil
}

// detect finds out whether the directory is flat, and refuses one that is neither above
// dist nor dist itself.
func (d *Dir) detect() error {
	info, err := d.tree.Stat("dist")
	switch {
	case err == nil && info.IsDir():
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("its dist: %w: links that lead away are not followed: move it there, or mount it", dist.WithoutPath(err))
	}
	d.flat = true
	entries, err := d.entries()
	if err != nil {
		return err
	}
	for _, e := range entries {
		if isManifest(e.Name()) || e.IsDir() && IsDated(e.Name()) {
			return nil
		}
	}
	return errors.New("it has neither a directory dist nor a manifest channel-rust-*.toml: name the directory above dist, or one that `x dist` wrote")
}

func isManifest(name string) bool {
	return strings.HasPrefix(name, "channel-rust-") && strings.HasSuffix(name, ".toml")
}

// entries returns what is in the directory itself.
func (d *Dir) entries() ([]fs.DirEntry, error) {
	f, err := d.tree.Open(".")
	if err != nil {
		return nil, dist.WithoutPath(err)
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, dist.WithoutPath(err)
}

// Close closes the directory.
func (d *Dir) Close() error {
	if t, ok := d.tree.(closedTree); ok {
		return t.Close()
	}
	return nil
}

// Open implements [fs.FS].
func (d *Dir) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	if !d.flat {
		return d.open(name)
	}
	if name == "." {
		return d.above()
	}
	first, rest, _ := strings.Cut(name, "/")
	if first != "dist" {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	if rest == "" {
		rest = "."
	}
	f, err := d.open(rest)
	if errors.Is(err, fs.ErrNotExist) {
		if file, ok := d.undated(rest); ok {
			return d.open(file)
		}
	}
	return f, err
}

// open opens a file or a directory. Anything else, such as a FIFO or a link that leads
// away, is not there.
func (d *Dir) open(name string) (fs.File, error) {
	info, err := d.tree.Stat(filepath.FromSlash(name))
	if err != nil {
		if !errors.Is(err, fs.ErrPermission) {
			err = fs.ErrNotExist // os.Root has no error to tell links that lead away
		}
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	if info.IsDir() {
		return d.tree.Open(filepath.FromSlash(name))
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return d.tree.file(filepath.FromSlash(name))
}

// above is the directory above a flat one: it has dist alone.
func (d *Dir) above() (fs.File, error) {
	f, err := d.tree.Open(".")
	return aboveDist{f}, err
}

type aboveDist struct{ *os.File }

// ReadDir implements [fs.ReadDirFile].
func (a aboveDist) ReadDir(int) ([]fs.DirEntry, error) {
	info, err := a.Stat()
	if err != nil {
		return nil, err
	}
	return []fs.DirEntry{fs.FileInfoToDirEntry(distInfo{info})}, nil
}

type distInfo struct{ fs.FileInfo }

// Name implements [fs.FileInfo].
func (distInfo) Name() string { return "dist" }

// undated returns the name in a flat directory of the file that clients know as
// DATE/NAME. An archive of another day than those of the manifests, and a manifest of
// another day than its own, is not there: rustup would install another release than it
// was asked for.
func (d *Dir) undated(name string) (string, bool) {
	date, file, ok := strings.Cut(name, "/")
	if !ok || !IsDated(date) || strings.Contains(file, "/") {
		return "", false
	}
	if _, err := d.tree.Stat(date); err == nil {
		return "", false
	}
	known := d.known()
	if strings.HasPrefix(file, "channel-rust-") {
		return file, known.any || known.releases[date]
	}
	return file, known.any || known.releases[date] || known.files[date]
}

// maxAsked bounds the manifests that are asked for their days: a flat directory has
// those of one release.
const maxAsked = 64

// known returns the days of the manifests, which are read again when they change.
func (d *Dir) known() dates {
	d.mu.Lock()
	defer d.mu.Unlock()
	entries, err := d.entries()
	if err != nil {
		return dates{}
	}
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return !isManifest(e.Name()) })
	var state strings.Builder
	for _, e := range entries {
		if info, err := d.tree.Stat(e.Name()); err == nil {
			fmt.Fprintf(&state, "%q %d %d\n", e.Name(), info.Size(), info.ModTime().UnixNano())
		}
	}
	if d.state != state.String() || d.dates.releases == nil {
		d.state, d.dates = state.String(), d.ask(entries[:min(len(entries), maxAsked)])
	}
	return d.dates
}

// ask reads the days of manifests.
func (d *Dir) ask(entries []fs.DirEntry) dates {
	out := dates{any: len(entries) == 0, releases: map[string]bool{}, files: map[string]bool{}}
	for _, e := range entries {
		data, err := d.manifest(e.Name())
		if err != nil {
			continue
		}
		m, _, _ := manifests.CheckChannel(data)
		if m == nil {
			continue
		}
		out.releases[m.Date] = true
		for _, download := range m.Downloads() {
			for _, rel := range BelowDist(download.URL) {
				out.files[path.Base(path.Dir(rel))] = true
			}
		}
	}
	return out
}

// manifest returns the text of a manifest, as it is served.
func (d *Dir) manifest(name string) ([]byte, error) {
	if data, ok := d.public[name]; ok {
		return data, nil
	}
	f, err := d.tree.file(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return dist.ReadAll(f, name, manifests.MaxChannel)
}
