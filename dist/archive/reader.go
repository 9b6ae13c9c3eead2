package archive

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"x.go/dist"
	"x.go/manifests"
)

// Reader reads a compressed tar archive as a stream of members. It trusts nothing:
// it checks sizes and the end of the file, and [Limits] bound its memory. It does
// not judge the names and types of members; [Scan] does.
type Reader struct {
	name   string
	format Format
	limits Limits
	closer func() error
	dec    *decoder
	stream *boundedReader
	tar    *tarStream
	found  *collector

	members  int
	names    int64
	unpacked int64
	above    int // directories above members
	err      error
}

// Member is one member of an archive.
type Member struct {
	// Name is as in the archive, without the slash that other programs write after
	// the name of a directory.
	Name    string
	Type    byte  // tar.TypeReg, tar.TypeDir or another type flag
	Mode    int64 // permission and set-id bits
	Size    int64 // bytes
	ModTime time.Time
	Link    string // target of a symbolic or hard link
	UID     int
	GID     int
	Owner   string         // "user:group" if either has a name
	Digest  manifests.Hash // of a regular file's content; only [Scan] knows it
}

// IsFile reports whether m is a regular file.
func (m Member) IsFile() bool { return m.Type == tar.TypeReg }

// IsDir reports whether m is a directory.
func (m Member) IsDir() bool { return m.Type == tar.TypeDir }

// Kind describes the type of a member, such as "a symbolic link".
func (m Member) Kind() string {
	switch m.Type {
	case tar.TypeReg:
		return "a regular file"
	case tar.TypeDir:
		return "a directory"
	case tar.TypeLink:
		return "a hard link"
	case tar.TypeSymlink:
		return "a symbolic link"
	case tar.TypeChar:
		return "a character device"
	case tar.TypeBlock:
		return "a block device"
	case tar.TypeFifo:
		return "a fifo"
	case tar.TypeXGlobalHeader:
		return "a global PAX header"
	case tar.TypeGNUSparse:
		return "a sparse file"
	}
	return fmt.Sprintf("of tar type %q", m.Type)
}

// Open opens the archive at path. The first bytes of the file tell its
// compression; its name does not matter.
func Open(path string, limits Limits) (*Reader, error) {
	f, err := dist.OpenFile(path)
	if err != nil {
		return nil, fmt.Errorf("opening archive: %w", err)
	}
	r, err := newReader(f, path, limits)
	if err != nil {
		f.Close()
		return nil, err
	}
	r.closer = f.Close
	return r, nil
}

// newReader reads an archive from in; name stands for it in errors. Closing the
// reader does not close in.
func newReader(in io.Reader, name string, limits Limits) (*Reader, error) {
	limits = limits.withDefaults()
	raw := bufio.NewReaderSize(in, 128<<10)
	head, err := raw.Peek(sniffLen)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("opening archive %q: %w", name, err)
	}
	format, _ := SniffFormat(head)
	dec, err := newDecoder(raw, format, limits.Memory, true)
	if err != nil {
		return nil, fmt.Errorf("opening archive %q: %w", name, err)
	}
	r := newTarReader(dec, name, limits, &collector{strict: true})
	r.format, r.dec = format, dec
	return r, nil
}

// newTarReader reads a tar stream that is not compressed; its format is "".
func newTarReader(in io.Reader, name string, limits Limits, found *collector) *Reader {
	limits = limits.withDefaults()
	stream := &boundedReader{r: in, left: limits.stream()}
	return &Reader{name: name, limits: limits, stream: stream, tar: &tarStream{r: stream, found: found}, found: found}
}

// Close releases the reader. It does not check that everything was read.
func (r *Reader) Close() error {
	if r.dec != nil {
		r.dec.close()
	}
	if r.closer != nil {
		return r.closer()
	}
	return nil
}

// Next moves to the next member. At the end of the archive it reads the file to its
// end, and returns [io.EOF] only if the file is whole and nothing follows its one
// compressed stream.
func (r *Reader) Next() (Member, error) {
	if r.err != nil {
		return Member{}, r.err
	}
	m, err := r.next()
	if err != nil && err != io.EOF {
		err = fmt.Errorf("reading archive %q: %w", r.name, err)
	}
	r.err = err
	return m, err
}

func (r *Reader) next() (Member, error) {
	if err := r.full(); err != nil {
		return Member{}, err
	}
	h, err := r.tar.next()
	if errors.Is(err, io.EOF) {
		if err := r.finish(); err != nil {
			return Member{}, err
		}
		return Member{}, io.EOF
	}
	if err != nil {
		return Member{}, r.failure(err)
	}
	if err := r.admit(h); err != nil {
		return Member{}, err
	}
	if err := r.found.First(); r.found.strict && err != nil {
		return Member{}, err
	}
	r.members++
	return memberOf(h), nil
}

// admit applies the limits to a header.
func (r *Reader) admit(h *tar.Header) error {
	r.names += int64(len(h.Name) + len(h.Linkname))
	r.above += strings.Count(h.Name, "/")
	if h.Typeflag == tar.TypeReg {
		r.unpacked += h.Size
	}
	switch l := r.limits; {
	case r.members >= l.Members:
		return r.found.end(ProblemLimits, "got more than %d members", l.Members)
	case r.names > l.Names:
		return r.found.end(ProblemLimits, "got more than %d bytes of names", l.Names)
	case r.above > maxDepth*l.Members:
		return r.found.end(ProblemLimits, "members lie more than %d directories deep on average", maxDepth)
	case h.Size > l.File:
		return r.found.end(ProblemLimits, "member %.200q: got %d bytes, the limit is %d", h.Name, h.Size, l.File)
	}
	return nil
}

// full returns an error if the members so far unpack to more than the limit. The
// member that crosses it is still returned.
func (r *Reader) full() error {
	if r.unpacked > r.limits.Unpacked {
		return r.found.end(ProblemLimits, "the files unpack to more than %d bytes", r.limits.Unpacked)
	}
	return nil
}

func memberOf(h *tar.Header) Member {
	m := Member{
		Name: h.Name, Type: h.Typeflag, Mode: h.Mode & 0o7777, Size: h.Size, ModTime: h.ModTime,
		Link: h.Linkname, UID: h.Uid, GID: h.Gid,
	}
	if h.Uname != "" || h.Gname != "" {
		m.Owner = h.Uname + ":" + h.Gname
	}
	if m.IsDir() {
		m.Name = strings.TrimSuffix(m.Name, "/")
	}
	return m
}

// Read reads from the current member.
func (r *Reader) Read(p []byte) (int, error) {
	if err := r.full(); err != nil {
		return 0, fmt.Errorf("reading archive %q: %w", r.name, err)
	}
	n, err := r.tar.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("reading archive %q: %w", r.name, r.failure(err))
	}
	return n, err
}

// failure notes why the archive cannot be read further. It looks at the stream's
// own error, which [tar.Reader] hides.
func (r *Reader) failure(err error) error {
	what := "the tar stream"
	if below := r.stream.err; below != nil && !errors.Is(below, io.EOF) {
		what, err = "the file", below
	}
	switch {
	case errors.Is(err, errStreamLimit):
		return r.found.end(ProblemLimits, "unpacking more than %d bytes: %w", r.limits.Unpacked, err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return r.found.end(ProblemReadable, "%s is cut short, after %d members: %w", what, r.members, err)
	}
	return r.found.end(ProblemReadable, "%w, after %d members", err, r.members)
}

// finish reads what follows the end of the tar stream. Zeros may follow: GNU tar
// fills the last record with them.
func (r *Reader) finish() error {
	if n := r.tar.zeros; n < 2 {
		r.found.tolerate(ProblemTarEnd, "got %d zero blocks at the end, want 2", n)
	}
	junk, err := r.drain()
	if junk || r.tar.junk {
		if err := r.found.add(ProblemTarEnd, "data after the end of the tar stream"); err != nil {
			return err
		}
	}
	// The container may already have shown what follows the compressed stream.
	if err != nil && !r.found.has(ProblemTrailing, ProblemStream) {
		if err := r.failure(err); r.found.strict {
			return err
		}
	}
	if r.dec == nil {
		return nil
	}
	return r.dec.finish(r.found)
}

// drain reads to the end of the stream and reports whether it held anything but
// zeros.
func (r *Reader) drain() (junk bool, err error) {
	buf := make([]byte, 32<<10)
	for {
		n, err := r.stream.Read(buf)
		if bytes.Count(buf[:n], []byte{0}) != n {
			junk = true
			if r.found.strict {
				return junk, nil
			}
		}
		if errors.Is(err, io.EOF) {
			return junk, nil
		}
		if err != nil {
			return junk, err
		}
	}
}

// copyTo reads the archive to its end, as [Reader.Next] does, and copies its
// tar stream to w.
func (r *Reader) copyTo(ctx context.Context, w io.Writer) error {
	r.stream.r = io.TeeReader(dist.ContextReader{Context: ctx, Reader: r.stream.r}, w)
	for {
		if _, err := r.Next(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// OpenTar opens the tar stream inside the archive at path without judging it. It
// decodes all compressed streams one after the other.
func OpenTar(path string, limits Limits) (_ io.ReadCloser, err error) {
	f, err := dist.OpenFile(path)
	if err != nil {
		return nil, fmt.Errorf("opening archive: %w", err)
	}
	defer func() {
		if err != nil {
			f.Close()
			err = fmt.Errorf("opening archive %q: %w", path, err)
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	limits = limits.withDefaults()
	format, c, err := judgeContainer(f, info.Size(), limits, &collector{})
	if err != nil {
		return nil, err
	}
	dec, err := newDecoder(f, format, scanMemory(c), false)
	if err != nil {
		return nil, err
	}
	stream := &boundedReader{r: dec, left: limits.stream()}
	return struct {
		io.Reader
		io.Closer
	}{bufio.NewReaderSize(stream, 64<<10), &Reader{dec: dec, closer: f.Close}}, nil
}
