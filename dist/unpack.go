package dist

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
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

// unpackTo unpacks into an open root.
func unpackTo(ctx context.Context, a *Archive, root *os.Root, opts UnpackOptions) error {
	u := unpacker{root: root, opts: opts, seen: map[string]seenAs{}, buf: make([]byte, 128<<10)}
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
	root *os.Root
	opts UnpackOptions
	seen map[string]seenAs
	buf  []byte
}

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
	for dir := range parents(m.Name) {
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
	if m.Mode.IsDir() {
		return makeDirs(u.root, name)
	}
	if dir := path.Dir(name); dir != "." {
		if err := makeDirs(u.root, dir); err != nil {
			return err
		}
	}
	mode := fileMode(name, m.Mode)
	f, err := u.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	err = copyExactly(ctx, f, r, m.Size, u.buf)
	if err == nil {
		err = f.Chmod(mode)
	}
	return errors.Join(err, f.Close())
}

// makeDirs makes dir and what is missing above it with mode 0755, whatever the
// umask. Folders that exist are left as they are.
func makeDirs(root *os.Root, dir string) error {
	for above := range parents(dir + "/") {
		err := root.Mkdir(above, 0o755)
		if errors.Is(err, fs.ErrExist) {
			info, serr := root.Stat(above)
			if serr != nil {
				return serr
			}
			if !info.IsDir() {
				return fmt.Errorf("%q exists and is not a directory", above)
			}
			continue
		}
		if err != nil {
			return err
		}
		if err := root.Chmod(above, 0o755); err != nil {
			return err
		}
	}
	return nil
}
