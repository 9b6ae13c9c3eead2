package inspect

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"x.go/dist"
	"x.go/dist/linkage"
)

const (
	maxMembers = 1 << 17 // of an archive, and of those in it
	maxNesting = 4       // of archives in archives
	headSize   = 64      // bytes that tell a format
)

// Read describes the file at path: an ELF file, LLVM bitcode or an archive. The error
// wraps an [*OtherFormatError] for another regular file, or a [*linkage.FormatError] or
// an [*ArchiveError] for a malformed one.
func Read(path string, o Options) (File, error) {
	f, err := newSystem(o.Root).read(path)
	if err != nil {
		return f, fmt.Errorf("inspecting %q: %w", path, err)
	}
	return f, nil
}

// OtherFormatError says that a file is neither an ELF file nor an archive.
type OtherFormatError struct{ Format Format }

// Error implements [error].
func (e *OtherFormatError) Error() string {
	if e.Format == Other {
		return "want an ELF file, LLVM bitcode or an ar archive"
	}
	return fmt.Sprintf("got a %s file, want an ELF file, LLVM bitcode or an ar archive", e.Format)
}

// reader reads one file.
type reader struct {
	members int // seen so far
}

// open opens a file and tells its size.
func open(path string) (*os.File, int64, error) {
	f, err := dist.OpenFile(path)
	if err != nil {
		return nil, 0, dist.WithoutPath(err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, dist.WithoutPath(err)
	}
	return f, info.Size(), nil
}

// begins reads the bytes that tell a format.
func begins(in io.ReaderAt) ([]byte, error) {
	head := make([]byte, headSize)
	n, err := in.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading its beginning: %w", dist.WithoutPath(err))
	}
	return head[:n], nil
}

// read reads a file and finds its libraries.
func (s *system) read(path string) (File, error) {
	f, err := (&reader{}).read(path)
	s.resolve(&f)
	f.info, f.open = linkage.Info{}, nil
	return f, err
}

func (r *reader) read(path string) (File, error) {
	f, size, err := open(path)
	if err != nil {
		return File{}, err
	}
	defer f.Close()
	out, o, err := r.content(f, size, path, 0)
	if err != nil {
		return out, err
	}
	if !out.Format.hasFacts() {
		return File{}, &OtherFormatError{out.Format}
	}
	if out.Kind == linkage.Relocatable {
		var g group
		g.add("", o)
		out.Encapsulation = g.encapsulation()
	}
	return out, nil
}

// content describes what r has, by its format. path is that of the file on disk, depth
// the number of archives around it.
func (r *reader) content(in io.ReaderAt, size int64, path string, depth int) (File, object, error) {
	head, err := begins(in)
	if err != nil {
		return File{}, object{}, err
	}
	out := File{Path: path, Size: size}
	out.Format, out.Machine = sniff(head, depth > 0 || isObjectName(path))
	switch out.Format {
	case ELF:
		o, err := readELF(in, &out)
		return out, o, err
	case Bitcode:
		out.LTO = LLVMBitcode
	case Archive, Thin:
		if depth >= maxNesting {
			return out, object{}, errNesting
		}
		err := r.archive(in, &out, depth)
		return out, object{}, err
	}
	return out, object{}, nil
}

// isObjectName reports whether a file is by its name an object of any format.
func isObjectName(name string) bool {
	ext := strings.ToLower(filepath.Ext(name))
	return ext == ".o" || ext == ".obj"
}

// archive describes the members of an archive.
func (r *reader) archive(in io.ReaderAt, out *File, depth int) error {
	var g group
	var failed error // the first
	count := 0
	err := newArchive(in, out.Size).each(func(e entry) error {
		if r.members++; r.members > maxMembers {
			return archiveErrorf(e.off, "got more than %d members", maxMembers)
		}
		m, o, err := r.member(in, e, out.Path, depth)
		if m.Member == "" {
			m.Member = e.name
		}
		if err != nil {
			if m.Failed = err.Error(); count == 0 {
				failed = fmt.Errorf("member %q: %w", e.name, err)
			}
			count++
		}
		g.add(m.Member, o)
		out.Members = append(out.Members, m)
		return nil
	})
	out.Encapsulation = g.encapsulation()
	out.judgeMachines()
	switch {
	case err != nil:
		return err
	case count > 1:
		return fmt.Errorf("%w (and %d members more)", failed, count-1)
	}
	return failed
}

// member describes one member of the archive at path.
func (r *reader) member(in io.ReaderAt, e entry, path string, depth int) (out File, o object, err error) {
	err = e.open(in, path, func(in io.ReaderAt, size int64, path, inner string, deeper int) error {
		out, o, err = r.content(in, size, path, depth+deeper)
		out.Member = e.within(inner)
		return err
	})
	return out, o, err
}

// within is the name of a member, or of one in an archive that is the member.
func (e entry) within(inner string) string {
	if inner == "" {
		return e.name
	}
	return e.name + ":" + inner
}

// open calls do with the content of a member of the archive at path, and the path of the
// file that has it; inner is its name in that file, if this is another archive. deeper
// is the number of archives around it, beside those around this one.
func (e entry) open(in io.ReaderAt, path string, do func(in io.ReaderAt, size int64, path, inner string, deeper int) error) error {
	if !e.outside {
		return do(io.NewSectionReader(in, e.off, e.size), e.size, path, "", 1)
	}
	name := filepath.FromSlash(e.name)
	if !filepath.IsAbs(name) {
		name = filepath.Join(filepath.Dir(path), name)
	}
	f, size, err := open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if e.at == 0 {
		return do(f, size, name, "", 1)
	}
	a := newArchive(f, size)
	if a == nil || a.thin || e.at < int64(len(arMagic)) {
		return fmt.Errorf("got offset %d in file %q, which is no archive with members in it", e.at, name)
	}
	if err := a.findNames(); err != nil {
		return fmt.Errorf("archive %q: %w", name, err)
	}
	inner, _, err := a.entryAt(e.at)
	if err != nil {
		return fmt.Errorf("archive %q: %w", name, err)
	}
	return do(io.NewSectionReader(f, inner.off, inner.size), inner.size, name, inner.name, 2)
}

// each calls do with the ELF files in a file: itself, or those of its members.
func (r *reader) each(in io.ReaderAt, size int64, path, member string, depth int, do func(in io.ReaderAt, member string) error) error {
	head, err := begins(in)
	if err != nil {
		return err
	}
	switch format, _ := sniff(head, false); {
	case format == ELF:
		return do(in, member)
	case format != Archive && format != Thin:
		return nil
	case depth >= maxNesting:
		return errNesting
	}
	return newArchive(in, size).each(func(e entry) error {
		if r.members++; r.members > maxMembers {
			return archiveErrorf(e.off, "got more than %d members", maxMembers)
		}
		err := e.open(in, path, func(in io.ReaderAt, size int64, path, inner string, deeper int) error {
			return r.each(in, size, path, e.within(inner), depth+deeper, do)
		})
		if err != nil {
			return fmt.Errorf("member %q: %w", e.name, err)
		}
		return nil
	})
}

var errNesting = fmt.Errorf("got archives in archives more than %d deep", maxNesting)

// Member reads the first bytes, at most limit, of a member of the archive at path, the
// first of that name. The error wraps [fs.ErrNotExist] if there is none, or is an
// [*ArchiveError] for a malformed archive.
func Member(path, name string, limit int64) ([]byte, error) {
	f, size, err := open(path)
	if err != nil {
		return nil, fmt.Errorf("reading archive %q: %w", path, err)
	}
	defer f.Close()
	a := newArchive(f, size)
	if a == nil || a.thin {
		return nil, fmt.Errorf("reading archive %q: %w", path, &OtherFormatError{Other})
	}
	var data []byte
	err = a.each(func(e entry) error {
		if e.name != name {
			return nil
		}
		data = make([]byte, min(e.size, limit)) // the archive has them
		if err := a.read(data, e.off, "a member"); err != nil {
			return err
		}
		return errFound
	})
	switch {
	case err == nil:
		return nil, fmt.Errorf("reading archive %q: no member %q: %w", path, name, fs.ErrNotExist)
	case !errors.Is(err, errFound):
		return nil, fmt.Errorf("reading archive %q: %w", path, err)
	}
	return data, nil
}

// errFound ends a search.
var errFound = errors.New("found")

// system is what a file is for: a machine, and the format if that is not ELF. It is ""
// if nothing tells.
func (f *File) system() string {
	if f.Machine == "" || f.Format != MachO && f.Format != COFF {
		return f.Machine
	}
	return fmt.Sprintf("%s (%s)", f.Machine, f.Format)
}

// judgeMachines sets the machine of an archive to that of most members, and names those
// for others.
func (f *File) judgeMachines() {
	counts := map[string]int{}
	most := ""
	for i := range f.Members {
		m := &f.Members[i]
		s := m.system()
		if counts[s]++; s != "" && (most == "" || counts[s] > counts[most]) {
			most, f.Machine = s, m.Machine
		}
	}
	f.most = most
	for i := range f.Members {
		if s := f.Members[i].system(); s != "" && s != most {
			f.Foreign = append(f.Foreign, f.Members[i].Member)
		}
	}
}
