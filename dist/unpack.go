package dist

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"
)

// UnpackOptions say what to unpack of an archive. The zero value means all.
type UnpackOptions struct {
	Limits Limits
	// StripTop drops the top folder, as rustup does.
	StripTop bool
	// Keep, if not nil, is asked with each member's name (before StripTop) and
	// says whether to write it.
	Keep func(name string) bool
}

// Unpack writes the content of an archive below destDir, which it makes if need
// be. Files get mode 0755 or 0644 by their owner's execute bit, whatever the
// umask; times and owners are not kept.
//
// It refuses what rustup refuses or cannot survive: links and devices, names that
// are not clean and relative, members that occur twice or that hide each other,
// a directory after a file inside it, and a file that exists already. Nothing
// outside destDir is written, even if it has symbolic links that lead out. On
// error, what has been unpacked stays.
func Unpack(ctx context.Context, archivePath, destDir string, opts UnpackOptions) (err error) {
	a, err := opts.Limits.OpenArchive(archivePath)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	if err := os.MkdirAll(destDir, 0o755); err != nil {
		return fmt.Errorf("unpacking %q: %w", archivePath, err)
	}
	root, err := os.OpenRoot(destDir)
	if err != nil {
		return fmt.Errorf("unpacking %q: %w", archivePath, err)
	}
	defer root.Close()
	return unpackTo(ctx, a, root, opts)
}

// unpackTo unpacks into an open root. Small files are written beside the reading
// of the next ones, since making a file takes longer than filling it.
func unpackTo(ctx context.Context, a *Archive, root *os.Root, opts UnpackOptions) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(2 * runtime.GOMAXPROCS(0))
	u := unpacker{root: root, opts: opts, group: g, seen: map[string]seenAs{}, made: map[string]bool{}}
	err := u.members(ctx, a)
	if werr := g.Wait(); werr != nil {
		return fmt.Errorf("unpacking %q: %w", a.name, werr) // it is what stopped the reading
	}
	return err
}

func (u *unpacker) members(ctx context.Context, a *Archive) error {
	for {
		if err := context.Cause(ctx); err != nil {
			return fmt.Errorf("unpacking %q: %w", a.name, err)
		}
		m, err := a.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := u.member(ctx, m, a); err != nil {
			return fmt.Errorf("unpacking %q: %w", a.name, err)
		}
	}
}

// seenAs is how a name has occurred in an archive so far.
type seenAs byte

const (
	seenAbove seenAs = iota + 1 // only as the folder of another member
	seenDir
	seenFile
)

type unpacker struct {
	root  *os.Root
	opts  UnpackOptions
	group *errgroup.Group // writes small files
	seen  map[string]seenAs
	made  map[string]bool // folders that are known to be there
}

// smallFile is the size in bytes up to which a file is held in memory.
const smallFile = 256 << 10

func (u *unpacker) member(ctx context.Context, m Member, r io.Reader) error {
	if err := CheckMember(m); err != nil {
		return err
	}
	if err := u.note(m); err != nil {
		return fmt.Errorf("member %q: %w", m.Name, err)
	}
	if u.opts.Keep != nil && !u.opts.Keep(m.Name) {
		return nil
	}
	name := m.Name
	if u.opts.StripTop {
		_, rest, ok := strings.Cut(name, "/")
		if !ok {
			if m.Mode.IsDir() {
				return nil
			}
			return fmt.Errorf("member %q: it is not inside a top folder", m.Name)
		}
		name = rest
	}
	if err := u.write(ctx, name, m, r); err != nil {
		return fmt.Errorf("member %q: %w", m.Name, err)
	}
	return nil
}

// note checks m against the members before it.
func (u *unpacker) note(m Member) error {
	for dir := range Parents(m.Name) {
		switch u.seen[dir] {
		case seenFile:
			return fmt.Errorf("%q is a file of this archive", dir)
		case 0:
			u.seen[dir] = seenAbove
		}
	}
	switch before := u.seen[m.Name]; {
	case before == seenAbove && m.Mode.IsDir():
		return errors.New("directory comes after a member inside it")
	case before == seenAbove:
		return errors.New("it is also the directory of another member")
	case before != 0:
		return errors.New("it occurs twice")
	}
	u.seen[m.Name] = seenFile
	if m.Mode.IsDir() {
		u.seen[m.Name] = seenDir
	}
	return nil
}

func (u *unpacker) write(ctx context.Context, name string, m Member, r io.Reader) error {
	dir := name
	if !m.Mode.IsDir() {
		dir = path.Dir(name)
	}
	if dir != "." && !u.made[dir] {
		if err := CreateDirs(u.root, dir); err != nil {
			return err
		}
		u.made[dir] = true
	}
	if m.Mode.IsDir() {
		return nil
	}
	mode := ModeOf(name, m.Mode)
	if m.Size > smallFile {
		return writeMember(ctx, u.root, name, mode, r, m.Size)
	}
	data := make([]byte, m.Size)
	if _, err := io.ReadFull(r, data); err != nil {
		return err
	}
	u.group.Go(func() error {
		if err := writeMember(ctx, u.root, name, mode, bytes.NewReader(data), m.Size); err != nil {
			return fmt.Errorf("member %q: %w", m.Name, err)
		}
		return nil
	})
	return nil
}

func writeMember(ctx context.Context, root *os.Root, name string, mode fs.FileMode, r io.Reader, size int64) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	err = CopyExactly(ctx, f, r, size, make([]byte, min(size+1, 128<<10)))
	if err == nil {
		err = f.Chmod(mode)
	}
	return errors.Join(err, f.Close())
}
