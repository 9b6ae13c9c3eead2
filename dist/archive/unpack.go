package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"runtime"

	"golang.org/x/sync/errgroup"

	"x.go/dist"
)

// UnpackOptions say what to unpack of an archive. The zero value unpacks all.
type UnpackOptions struct {
	Limits Limits
	// StripTop drops the top directory, as rustup does.
	StripTop bool
	// Symlinks creates the symbolic links of the archive, wherever they lead. Nothing is
	// written through them.
	Symlinks bool
	// Keep, if not nil, decides by its name (before StripTop) whether to write a
	// member.
	Keep func(name string) bool
}

// Unpack writes the content of an archive below destDir, and creates destDir if
// needed. Files get mode 0755 or 0644 by their owner's execute bit, whatever the
// umask; times and owners are not kept.
//
// It refuses what rustup refuses or panics at, with the first such [Problem]: links
// (but see [UnpackOptions]) and devices, names that are not clean and relative, members that occur twice or
// hide each other, a directory after a file inside it. An existing file is an
// error, too. Nothing outside destDir is written, even if symbolic links in it lead
// out. On error, what was unpacked stays.
func Unpack(ctx context.Context, archivePath, destDir string, opts UnpackOptions) error {
	// Looked for first: a wrong path leaves no empty directory behind.
	if _, err := os.Stat(archivePath); err != nil {
		return fmt.Errorf("reading archive %q: %w", archivePath, dist.WithoutPath(err))
	}
	if err := os.MkdirAll(destDir, 0o755); err != nil {
		return fmt.Errorf("unpacking %q: %w", archivePath, err)
	}
	root, err := os.OpenRoot(destDir)
	if err != nil {
		return fmt.Errorf("unpacking %q: %w", archivePath, err)
	}
	defer root.Close()
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(2 * runtime.GOMAXPROCS(0))
	u := unpacker{root: root, opts: opts, group: g, made: map[string]bool{}}
	_, err = scan(ctx, archivePath, ScanOptions{Limits: opts.Limits, Symlinks: opts.Symlinks, Sink: u.member}, true)
	if werr := g.Wait(); werr != nil {
		return fmt.Errorf("unpacking archive %q: %w", archivePath, werr) // it stopped the reading
	}
	return err
}

// unpacker writes members. It writes small files while it reads the next ones, since
// creating a file takes longer than filling it.
type unpacker struct {
	root  *os.Root
	opts  UnpackOptions
	group *errgroup.Group // writes small files
	made  map[string]bool // directories that are known to be there
}

// smallFile is the largest file, in bytes, that is held in memory.
const smallFile = 256 << 10

// member is a [Sink].
func (u *unpacker) member(m Member) (io.WriteCloser, error) {
	if u.opts.Keep != nil && !u.opts.Keep(m.Name) {
		return nil, nil
	}
	name := m.Name
	if u.opts.StripTop {
		if name = Below(m.Name); name == "" {
			if m.IsDir() {
				return nil, nil
			}
			return nil, fmt.Errorf("member %q: it is not inside a top directory", m.Name)
		}
	}
	w, err := u.open(name, m)
	if err != nil {
		return nil, fmt.Errorf("member %q: %w", m.Name, err)
	}
	return w, nil
}

func (u *unpacker) open(name string, m Member) (io.WriteCloser, error) {
	dir := name
	if !m.IsDir() {
		dir = path.Dir(name)
	}
	if dir != "." && !u.made[dir] {
		if err := dist.CreateDirs(u.root, dir, func(string) {}); err != nil {
			return nil, err
		}
		u.made[dir] = true
	}
	switch {
	case m.IsDir():
		return nil, nil
	case !m.IsFile():
		return nil, u.root.Symlink(m.Link, name)
	}
	mode := dist.ModeOf(name, fs.FileMode(m.Mode))
	if m.Size > smallFile {
		return createMember(u.root, name, mode)
	}
	return &SmallWriter{Data: make([]byte, 0, m.Size), Done: func(data []byte) error {
		u.group.Go(func() error {
			if err := writeMember(u.root, name, mode, data); err != nil {
				return fmt.Errorf("member %q: %w", m.Name, err)
			}
			return nil
		})
		return nil
	}}, nil
}

func writeMember(root *os.Root, name string, mode fs.FileMode, data []byte) error {
	f, err := createMember(root, name, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// createMember creates a file that must not exist, with a mode that no umask
// changes.
func createMember(root *os.Root, name string, mode fs.FileMode) (*os.File, error) {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return nil, err
	}
	if err := f.Chmod(mode); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
