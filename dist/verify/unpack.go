package verify

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"x.go/dist/archive"
	"x.go/manifests"
	"x.go/targets"
)

// workspace is the temporary directory of a run. One [os.Root] resolves all names in
// it, so that no archive can lead outside.
type workspace struct {
	dir  string
	root *os.Root
}

func newWorkspace(tempDir string) (*workspace, error) {
	dir, err := os.MkdirTemp(tempDir, "x-verify-")
	if err != nil {
		return nil, fmt.Errorf("creating a directory to unpack to: %w", err)
	}
	// The compiler reports resolved paths.
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, fmt.Errorf("creating a directory to unpack to: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("creating a directory to unpack to: %w", err), os.RemoveAll(dir))
	}
	return &workspace{dir, root}, nil
}

// close removes the directory.
func (w *workspace) close() error {
	return errors.Join(w.root.Close(), removeTree(w.dir))
}

// removeTree is [os.RemoveAll] that also enters directories without permissions,
// which the archives' own programs may leave behind.
func removeTree(dir string) error {
	if err := os.RemoveAll(dir); err == nil {
		return nil
	}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			return os.Chmod(p, 0o700)
		}
		return nil
	})
	return errors.Join(err, os.RemoveAll(dir))
}

// maxPathDepth bounds the directories that unpacking creates for one member.
const maxPathDepth = 64

// unpackSink returns a sink that writes the files of an archive's components below
// dir, without the archive's top directory. It leaves out a file if another member
// is in its way: the static checks report that.
func (w *workspace) unpackSink(dir string) archive.Sink {
	return func(m archive.Member) (io.WriteCloser, error) {
		rel := archive.Below(m.Name)
		if rel == "" || !m.IsFile() || strings.Count(rel, "/") > maxPathDepth {
			return nil, nil
		}
		f, err := w.create(dir+"/"+rel, installMode(m.Mode))
		if isBlocked(err) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return f, nil
	}
}

// create creates a file and the directories above it.
func (w *workspace) create(name string, perm fs.FileMode) (*os.File, error) {
	if err := w.root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return nil, err
	}
	f, err := w.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return nil, err
	}
	if err := f.Chmod(perm); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// isBlocked reports whether err says that another member is in the way: the
// archive's fault, not the machine's.
func isBlocked(err error) bool {
	return errors.Is(err, fs.ErrExist) || errors.Is(err, errNotDir) || errors.Is(err, errIsDir) || errors.Is(err, errNameTooLong)
}

// installMode is the mode that rustup gives a file: the owner's bits, spread.
func installMode(mode int64) fs.FileMode {
	user := fs.FileMode(mode & 0o700)
	spread := user & 0o500
	return user | spread>>3 | spread>>6
}

// plan lists the archives of one prefix.
type plan struct {
	release string
	host    targets.Triple
	files   []archiveFile // in the order of installation
}

// formatSpeed orders formats by the time that decoding takes.
var formatSpeed = []manifests.Format{manifests.Zst, manifests.GZ, manifests.XZ}

// plans returns the prefixes that the archives can be unpacked to: one for each
// release and host with a compiler, of each directory.
func plans(files []archiveFile) []plan {
	dirs := map[string][]archiveFile{}
	for _, f := range files {
		dirs[filepath.Dir(f.path)] = append(dirs[filepath.Dir(f.path)], f)
	}
	var out []plan
	for _, dir := range slices.Sorted(maps.Keys(dirs)) {
		out = append(out, plansOf(dirs[dir])...)
	}
	return out
}

// plansOf returns the plans of one directory.
func plansOf(files []archiveFile) []plan {
	best := map[string]archiveFile{}
	names := map[string]manifests.ArchiveName{}
	for _, f := range files {
		n, err := manifests.ParseArchiveName(f.file)
		if err != nil || n.Source != "" || !isWanted(n) {
			continue
		}
		stem := n.Stem()
		if old, ok := best[stem]; !ok || slices.Index(formatSpeed, f.format) < slices.Index(formatSpeed, old.format) {
			best[stem], names[stem] = f, n
		}
	}
	var out []plan
	for _, compiler := range compilers(names) {
		n := names[compiler]
		p := plan{release: n.Version, host: n.Target, files: []archiveFile{best[compiler]}}
		if n.Component.Archive == "rustc" {
			for _, stem := range slices.Sorted(maps.Keys(names)) {
				if part := names[stem]; stem != compiler && part.Version == n.Version && belongs(part, n.Target) {
					p.files = append(p.files, best[stem])
				}
			}
		}
		out = append(out, p)
	}
	return out
}

// compilers returns the stems of the archives with a compiler: the rustc archives,
// and the combined ones of hosts without a rustc archive.
func compilers(names map[string]manifests.ArchiveName) []string {
	var out []string
	have := map[string]bool{}
	for _, component := range []string{"rustc", "rust"} {
		for _, stem := range slices.Sorted(maps.Keys(names)) {
			n := names[stem]
			key := n.Version + " " + n.Target.String()
			if n.Component.Archive == component && !have[key] {
				have[key] = true
				out = append(out, stem)
			}
		}
	}
	return out
}

// isWanted leaves out documents and sources: no check of an unpacked tree looks at
// them.
func isWanted(n manifests.ArchiveName) bool {
	return !slices.Contains([]string{"rust-docs", "rustc-docs", "rust-docs-json", "rust-src"}, n.Component.Archive)
}

// belongs reports whether an archive is installed beside a compiler of host:
// the tools of that host, and every target's standard library.
func belongs(n manifests.ArchiveName, host targets.Triple) bool {
	if n.Component.Archive == "rust" {
		return false
	}
	return n.Component.Scope == manifests.ScopeTarget || n.Target == host || n.Target.IsZero()
}

// install moves the files that l's manifests list from dir to prefix, as rustup does; kept
// says that another prefix needs them, too. It follows the usable lines only: the static
// checks report the others.
func (w *workspace) install(dir string, l *archive.Layout, prefix string, kept bool) error {
	for _, c := range l.Components {
		for _, d := range l.Lists[c] {
			from, to := path.Join(dir, c, d.Path), path.Join(prefix, d.Path)
			if _, err := w.root.Lstat(from); err != nil {
				continue
			}
			if err := w.root.MkdirAll(path.Dir(to), 0o755); err != nil {
				return fmt.Errorf("installing %q: %w", d.Path, err)
			}
			put := w.root.Rename
			if kept {
				put = w.link
			}
			if err := put(from, to); err != nil {
				return fmt.Errorf("installing %q: %w", d.Path, err)
			}
		}
	}
	return nil
}

// link links a file, or the files of a directory, to another name.
func (w *workspace) link(from, to string) error {
	info, err := w.root.Lstat(from)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		if err := w.root.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return w.root.Link(from, to)
	}
	if err := w.root.MkdirAll(to, 0o755); err != nil {
		return err
	}
	entries, err := fs.ReadDir(w.root.FS(), from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := w.link(path.Join(from, e.Name()), path.Join(to, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// unpackedDir names the directory that the i-th archive is unpacked to.
func unpackedDir(i int) string { return "unpacked/" + strconv.Itoa(i) }
