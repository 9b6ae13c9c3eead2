package diff

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/manifests"
)

// operand is one side: a tree, or archives.
type operand struct {
	tree     string
	archives []archiveFile
}

// archiveFile is an archive by its name.
type archiveFile struct {
	path string
	file string // base name
	stem string // file without its extension
}

func readOperand(path string) (operand, error) {
	info, err := os.Stat(path)
	if err != nil {
		return operand{}, err
	}
	if !info.IsDir() {
		if !info.Mode().IsRegular() {
			return operand{}, fmt.Errorf("%q is neither a directory nor a regular file", path)
		}
		f, ok := newArchiveFile(path)
		if !ok {
			return operand{}, fmt.Errorf("%q is no .tar.gz, .tar.xz or .tar.zst archive", path)
		}
		return operand{archives: []archiveFile{f}}, nil
	}
	// A toolchain is one even with archives beside its bin and lib.
	if info, err := os.Stat(filepath.Join(path, "lib", "rustlib")); err == nil && info.IsDir() {
		return operand{tree: path}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return operand{}, err
	}
	var found []archiveFile
	for _, e := range entries {
		if f, ok := newArchiveFile(filepath.Join(path, e.Name())); ok && e.Type().IsRegular() {
			found = append(found, f)
		}
	}
	if len(found) == 0 {
		return operand{tree: path}, nil // any other directory is compared file by file
	}
	return operand{archives: found}, nil
}

func newArchiveFile(path string) (archiveFile, bool) {
	name := filepath.Base(path)
	stem, _, ok := manifests.CutFormat(name)
	return archiveFile{path, name, stem}, ok
}

// loadTree lists a tree. Links are not followed.
func loadTree(ctx context.Context, root string) (*side, error) {
	s := &side{file: filepath.Base(root), nodes: map[string]*node{}}
	err := filepath.WalkDir(root, func(p string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil || rel == "." {
			return err
		}
		n, err := diskNode(ctx, p, e)
		if err != nil {
			return err
		}
		n.path = filepath.ToSlash(rel)
		s.add(n)
		return ctx.Err()
	})
	return s, err
}

// diskNode describes one file of a tree.
func diskNode(ctx context.Context, path string, e os.DirEntry) (*node, error) {
	info, err := e.Info()
	if err != nil {
		return nil, err
	}
	n := &node{mode: unixMode(info.Mode())}
	switch {
	case info.IsDir():
		n.kind = kindDir
	case info.Mode()&os.ModeSymlink != 0:
		n.kind = "link"
		n.link, err = os.Readlink(path)
	case !info.Mode().IsRegular():
		n.kind, n.size = info.Mode().Type().String(), info.Size()
	default:
		n.kind, n.size, n.disk = kindFile, info.Size(), path
		n.digest, err = dist.HashFile(ctx, path)
	}
	return n, err
}

// unixMode is a mode as a tar header has it: permissions, setuid, setgid and sticky.
func unixMode(m fs.FileMode) int64 {
	mode := int64(m.Perm())
	for _, bit := range []struct {
		flag fs.FileMode
		unix int64
	}{{fs.ModeSetuid, 0o4000}, {fs.ModeSetgid, 0o2000}, {fs.ModeSticky, 0o1000}} {
		if m&bit.flag != 0 {
			mode |= bit.unix
		}
	}
	return mode
}

// loadArchive scans an archive. Its ELF files are unpacked, to be read.
func (d *differ) loadArchive(ctx context.Context, f archiveFile, elf *elfFiles) (*side, error) {
	elf.paths = map[string]string{}
	a, err := archive.Scan(ctx, f.path, archive.ScanOptions{Limits: d.opts.Limits, Sink: elf.sink})
	if err != nil {
		return nil, err
	}
	s := &side{file: f.file, nodes: map[string]*node{}}
	if err := a.First(); err != nil && !a.Complete {
		s.unreadable = err.Error()
	}
	for _, m := range a.Members {
		if m.Type == tar.TypeXGlobalHeader {
			continue // it holds defaults for the headers after it, and is no member
		}
		s.members = append(s.members, m)
		rel := archive.Below(m.Name)
		if rel == "" {
			continue
		}
		n := &node{path: rel, mode: m.Mode, kind: kindFile, size: m.Size, digest: m.Digest, link: m.Link, disk: elf.paths[m.Name]}
		if m.IsDir() {
			n.kind = kindDir
		} else if !m.IsFile() {
			n.kind = m.Kind()
		}
		s.add(n)
	}
	return s, nil
}

// elfFiles unpacks the ELF files of archives. It numbers them: a member's name
// never becomes a path on disk.
type elfFiles struct {
	dir   string
	count int
	paths map[string]string // by name of the member, of the archive being read
}

// sink is an [archive.Sink].
func (e *elfFiles) sink(m archive.Member) (io.WriteCloser, error) {
	if !m.IsFile() {
		return nil, nil
	}
	return &elfWriter{create: func() (io.WriteCloser, error) {
		path := filepath.Join(e.dir, strconv.Itoa(e.count))
		e.count++
		e.paths[m.Name] = path
		return os.Create(path)
	}}, nil
}

// elfWriter keeps a file if its first bytes are those of an ELF file.
type elfWriter struct {
	create  func() (io.WriteCloser, error)
	head    []byte
	file    io.WriteCloser
	dropped bool
}

const elfMagic = "\x7fELF"

// Write implements [io.Writer].
func (w *elfWriter) Write(p []byte) (int, error) {
	if w.dropped {
		return len(p), nil
	}
	if w.file != nil {
		return w.file.Write(p)
	}
	w.head = append(w.head, p...)
	if len(w.head) < len(elfMagic) {
		return len(p), nil
	}
	if !strings.HasPrefix(string(w.head), elfMagic) {
		w.dropped, w.head = true, nil
		return len(p), nil
	}
	var err error
	if w.file, err = w.create(); err != nil {
		return 0, err
	}
	if _, err := w.file.Write(w.head); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close implements [io.Closer].
func (w *elfWriter) Close() error {
	if w.file != nil {
		return w.file.Close()
	}
	return nil
}
