package dist

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"x.go/dist/xz"
)

// Limits bound what reading an archive may cost. A zero field has the default
// given here, which is several times what the largest dist archive needs.
type Limits struct {
	Members   int   // number of members; 1 << 20
	NameBytes int64 // bytes of all names together; 256 MiB
	File      int64 // bytes of one file; 8 GiB
	Total     int64 // bytes of the whole tar stream; 32 GiB
	Memory    int64 // bytes of dictionaries and windows of the decoder; 1 GiB
}

var defaultLimits = Limits{Members: 1 << 20, NameBytes: 256 << 20, File: 8 << 30, Total: 32 << 30, Memory: 1 << 30}

func (l Limits) withDefaults() Limits {
	if l.Members == 0 {
		l.Members = defaultLimits.Members
	}
	if l.NameBytes == 0 {
		l.NameBytes = defaultLimits.NameBytes
	}
	if l.File == 0 {
		l.File = defaultLimits.File
	}
	if l.Total == 0 {
		l.Total = defaultLimits.Total
	}
	if l.Memory == 0 {
		l.Memory = defaultLimits.Memory
	}
	return l
}

// ErrLimit is wrapped by errors that say that an archive is larger than the
// [Limits] allow.
var ErrLimit = errors.New("limit exceeded")

// Archive reads a compressed tar archive as a stream of members. It trusts
// nothing: names, sizes and the end of the file are checked, and memory is
// bounded by [Limits].
type Archive struct {
	name   string
	format Format
	limits Limits

	closers []func() error
	raw     *bufio.Reader // the compressed bytes
	total   *limitedReader
	tar     *tar.Reader

	members   int
	nameBytes int64
	err       error // sticky
}

// Member is one member of an [Archive].
type Member struct {
	// Name is as the archive has it, without the slash that other programs put
	// after the name of a directory. Use [CheckMember] before trusting it.
	Name    string
	Mode    fs.FileMode // type and permissions as the archive has them
	Size    int64       // bytes
	ModTime time.Time
	Link    string // target of a symbolic or hard link
}

// OpenArchive opens the archive at path with the default limits. The
// compression is known by the first bytes, not by the name.
func OpenArchive(path string) (*Archive, error) { return Limits{}.OpenArchive(path) }

// OpenArchive is [OpenArchive] with limits.
func (l Limits) OpenArchive(path string) (*Archive, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening archive: %w", err)
	}
	a, err := l.NewArchive(f, path)
	if err != nil {
		f.Close()
		return nil, err
	}
	a.closers = append(a.closers, f.Close)
	return a, nil
}

// NewArchive reads an archive from r; name stands for it in errors. Closing the
// archive does not close r.
func (l Limits) NewArchive(r io.Reader, name string) (*Archive, error) {
	a := &Archive{name: name, limits: l.withDefaults(), raw: bufio.NewReaderSize(r, 128<<10)}
	head, err := a.raw.Peek(6)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("opening archive %q: %w", name, err)
	}
	a.format, _ = SniffFormat(head)
	stream, err := a.decompress()
	if err != nil {
		a.Close()
		return nil, fmt.Errorf("opening archive %q: %w", name, err)
	}
	a.start(stream)
	return a, nil
}

// newTarArchive is [Limits.NewArchive] for a tar stream that is not compressed;
// its format is "".
func (l Limits) newTarArchive(r io.Reader, name string) *Archive {
	a := &Archive{name: name, limits: l.withDefaults(), raw: bufio.NewReaderSize(r, 128<<10)}
	a.start(a.raw)
	return a
}

// start makes a read its tar stream from r.
func (a *Archive) start(r io.Reader) {
	a.total = &limitedReader{r: r, left: a.limits.Total}
	a.tar = tar.NewReader(a.total)
}

// copyTo reads the archive to its end, as [Archive.Next] does, and copies its
// tar stream to w.
func (a *Archive) copyTo(ctx context.Context, w io.Writer) error {
	a.total.r = io.TeeReader(contextReader{ctx, a.total.r}, w)
	for {
		if _, err := a.Next(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func (a *Archive) decompress() (io.Reader, error) {
	switch a.format {
	case GZ:
		z, err := gzip.NewReader(a.raw)
		if err != nil {
			return nil, err
		}
		z.Multistream(false) // a second member is found by finish
		return z, nil
	case XZ:
		return xz.NewReader(a.raw, xz.ReaderConfig{MaxMemory: a.limits.Memory})
	case Zst:
		z, err := zstd.NewReader(a.raw, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(uint64(min(a.limits.Memory, MaxZstWindow))))
		if err != nil {
			return nil, err
		}
		a.closers = append(a.closers, func() error { z.Close(); return nil })
		return z, nil
	}
	return nil, errors.New("not a gz, xz or zst file")
}

// Format returns the compression of the archive.
func (a *Archive) Format() Format { return a.format }

// Close releases the archive. It does not check that all has been read.
func (a *Archive) Close() error {
	var errs []error
	for _, c := range a.closers {
		errs = append(errs, c())
	}
	a.closers = nil
	return errors.Join(errs...)
}

// Next moves to the next member. At the end of the archive it returns io.EOF, but
// only after it has read the file to its end and found it whole, without
// anything behind the one compressed stream.
func (a *Archive) Next() (Member, error) {
	if a.err != nil {
		return Member{}, a.err
	}
	m, err := a.next()
	switch {
	case err == nil:
		return m, nil
	case errors.Is(err, io.EOF):
		a.err = io.EOF
	default:
		a.err = fmt.Errorf("reading archive %q: %w", a.name, err)
	}
	return Member{}, a.err
}

func (a *Archive) next() (Member, error) {
	h, err := a.tar.Next()
	if errors.Is(err, io.EOF) {
		if err := a.finish(); err != nil {
			return Member{}, err
		}
		return Member{}, io.EOF
	}
	if err != nil {
		return Member{}, a.cause(err)
	}
	a.members++
	a.nameBytes += int64(len(h.Name) + len(h.Linkname))
	switch {
	case a.members > a.limits.Members:
		return Member{}, fmt.Errorf("more than %d members: %w", a.limits.Members, ErrLimit)
	case a.nameBytes > a.limits.NameBytes:
		return Member{}, fmt.Errorf("more than %d bytes of names: %w", a.limits.NameBytes, ErrLimit)
	case h.Size > a.limits.File:
		return Member{}, fmt.Errorf("member %q: got %d bytes, the limit is %d: %w", h.Name, h.Size, a.limits.File, ErrLimit)
	}
	return memberOf(h), nil
}

func memberOf(h *tar.Header) Member {
	m := Member{Name: h.Name, Mode: h.FileInfo().Mode(), Size: h.Size, ModTime: h.ModTime, Link: h.Linkname}
	switch h.Typeflag {
	case tar.TypeReg:
	case tar.TypeDir:
		m.Name = strings.TrimSuffix(m.Name, "/")
	case tar.TypeLink, tar.TypeGNUSparse, tar.TypeCont:
		// FileInfo takes these for regular files; what they hold is not their own.
		m.Mode |= fs.ModeIrregular
	}
	return m
}

// Read reads from the current member.
func (a *Archive) Read(p []byte) (int, error) {
	n, err := a.tar.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("reading archive %q: %w", a.name, a.cause(err))
	}
	return n, err
}

// cause returns the error of the stream below where the tar reader hides it.
func (a *Archive) cause(err error) error {
	if a.total.err != nil && !errors.Is(a.total.err, io.EOF) {
		return a.total.err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the tar stream is cut short: %w", err)
	}
	return err
}

// finish reads what follows the end of the tar stream. Zeros may: GNU tar fills
// up to a whole record with them.
func (a *Archive) finish() error {
	buf := make([]byte, 32<<10)
	for {
		n, err := a.total.Read(buf)
		if bytes.Count(buf[:n], []byte{0}) != n {
			return errors.New("data after the end of the tar stream")
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	if _, err := a.raw.Peek(1); !errors.Is(err, io.EOF) {
		if err != nil {
			return err
		}
		return fmt.Errorf("data after the end of the %s stream, which rustup cannot read: make one stream only", a.format)
	}
	return nil
}

// limitedReader fails when more than left bytes come, and keeps its error.
type limitedReader struct {
	r    io.Reader
	left int64
	err  error
}

// Read implements [io.Reader].
func (l *limitedReader) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		n, err = 0, fmt.Errorf("unpacked stream is too long: %w", ErrLimit)
	}
	if err != nil {
		l.err = err
	}
	return n, err
}

// CheckMember returns an error unless m is a regular file or a directory with a
// name that stays below the folder it is unpacked to. rustup refuses the rest:
// "tar entry kind 'Symlink' is not supported", "tar path '../x' is not supported".
func CheckMember(m Member) error {
	if err := CheckName(m.Name); err != nil {
		return fmt.Errorf("member %.200q: %w", m.Name, err)
	}
	if !m.Mode.IsRegular() && !m.Mode.IsDir() {
		return fmt.Errorf("member %q: got file type %v, want a regular file or a directory", m.Name, m.Mode.Type())
	}
	if m.Mode.IsDir() && m.Size != 0 {
		return fmt.Errorf("member %q: got a directory of %d bytes", m.Name, m.Size)
	}
	return nil
}
