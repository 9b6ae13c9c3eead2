package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// FS returns the store to be read as a tree of files. A directory is what names have in
// common before a slash; "." is always there. Files can seek: a range is asked for when
// it is read.
func (s *Store) FS(ctx context.Context) fs.FS { return treeFS{ctx, s} }

type treeFS struct {
	ctx   context.Context
	store *Store
}

// Open implements [fs.FS].
func (t treeFS) Open(name string) (fs.File, error) {
	if name == "." {
		return &treeDir{tree: t, name: name}, nil
	}
	if err := CheckName(name); err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	a, err := t.store.Stat(t.ctx, name)
	if err == nil {
		return &treeFile{tree: t, name: name, info: treeInfo{path.Base(name), a.Size, a.ModTime, 0o444}}, nil
	}
	for _, lerr := range t.store.List(t.ctx, name+"/") {
		if lerr != nil { // there is no such bucket, which err need not know
			return nil, lerr
		}
		return &treeDir{tree: t, name: name}, nil
	}
	return nil, err
}

// treeFile is a file of a store. It is not read before somebody asks for a part of it.
type treeFile struct {
	tree treeFS
	name string
	info treeInfo
	at   int64
	body io.ReadCloser // at that offset, or nil
}

// Stat implements [fs.File].
func (f *treeFile) Stat() (fs.FileInfo, error) { return f.info, nil }

// Read implements [io.Reader].
func (f *treeFile) Read(p []byte) (int, error) {
	if f.at >= f.info.size {
		return 0, io.EOF
	}
	if f.body == nil {
		body, a, err := f.tree.store.Get(f.tree.ctx, f.name, f.at)
		if err != nil {
			return 0, err
		}
		if f.body = body; a.Size != f.info.size {
			return 0, fmt.Errorf("reading %q in store %q: got %d bytes, want %d as before: it was changed meanwhile", f.name, f.tree.store, a.Size, f.info.size)
		}
	}
	n, err := f.body.Read(p)
	f.at += int64(n)
	return n, err
}

// Seek implements [io.Seeker].
func (f *treeFile) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += f.at
	case io.SeekEnd:
		offset += f.info.size
	}
	if offset < 0 {
		return 0, fmt.Errorf("seeking in %q: got offset %d", f.name, offset)
	}
	if offset == f.at {
		return offset, nil
	}
	f.at = offset
	return offset, f.Close()
}

// Close implements [fs.File].
func (f *treeFile) Close() error {
	if f.body == nil {
		return nil
	}
	body := f.body
	f.body = nil
	return body.Close()
}

// treeDir is a directory of a store.
type treeDir struct {
	tree treeFS
	name string
	rest []fs.DirEntry
	read bool
}

// Stat implements [fs.File].
func (d *treeDir) Stat() (fs.FileInfo, error) {
	return treeInfo{name: path.Base(d.name), mode: fs.ModeDir | 0o555}, nil
}

// Read implements [fs.File].
func (d *treeDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.name, Err: errors.New("it is a directory")}
}

// Close implements [fs.File].
func (d *treeDir) Close() error { return nil }

// ReadDir implements [fs.ReadDirFile]. All below the directory is listed for it.
func (d *treeDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if !d.read {
		if err := d.list(); err != nil {
			return nil, err
		}
		d.read = true
	}
	if n <= 0 {
		n = len(d.rest)
	} else if len(d.rest) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(d.rest))
	out := d.rest[:n]
	d.rest = d.rest[n:]
	return out, nil
}

func (d *treeDir) list() error {
	prefix := d.name + "/"
	if d.name == "." {
		prefix = ""
	}
	last := ""
	for o, err := range d.tree.store.List(d.tree.ctx, prefix) {
		if err != nil {
			return err
		}
		first, below, deeper := strings.Cut(strings.TrimPrefix(o.Name, prefix), "/")
		info := treeInfo{first, o.Size, o.ModTime, o.Type | 0o444}
		if deeper && below != "" {
			if first == last {
				continue
			}
			last = first
			info = treeInfo{name: first, mode: fs.ModeDir | 0o555}
		}
		d.rest = append(d.rest, fs.FileInfoToDirEntry(info))
	}
	slices.SortFunc(d.rest, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return nil
}

// treeInfo implements [fs.FileInfo].
type treeInfo struct {
	name string
	size int64
	time time.Time
	mode fs.FileMode
}

func (i treeInfo) Name() string       { return i.name }
func (i treeInfo) Size() int64        { return i.size }
func (i treeInfo) Mode() fs.FileMode  { return i.mode }
func (i treeInfo) ModTime() time.Time { return i.time }
func (i treeInfo) IsDir() bool        { return i.mode.IsDir() }
func (i treeInfo) Sys() any           { return nil }
