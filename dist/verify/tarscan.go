package verify

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"x.go/dist"
	"x.go/manifests"
)

// member is one entry of an archive's tar, in the order of the tar.
type member struct {
	name    string // as stored, without a trailing slash
	typ     byte   // tar.TypeReg, tar.TypeDir or another
	mode    int64  // permission and set-id bits as stored
	size    int64
	digest  manifests.Hash // of a regular file's content
	uid     int
	gid     int
	owner   string // "user:group" if either name is set
	modTime time.Time
}

func (m member) isFile() bool { return m.typ == tar.TypeReg }
func (m member) isDir() bool  { return m.typ == tar.TypeDir }

// scanned is an archive after one pass over it.
type scanned struct {
	path     string // on disk
	file     string // base name
	stem     string // file without extension: the top folder it must have
	format   manifests.Format
	size     int64
	sum      manifests.Hash // of the compressed file
	unpacked int64
	memory   int64
	members  []member
	complete bool // the tar was read to its end
	// texts are the contents of small top-level files and manifest.in files,
	// by name below the top folder.
	texts   map[string][]byte
	subject *subject
	folder  string // where its files were unpacked to; empty if they were not
}

const (
	maxText    = 4 << 20 // bytes of a file kept in texts: rust-src's manifest has 0.3 MB
	maxNameLen = 4096    // bytes of a member's name
	maxTexts   = 64      // files kept in texts: a combined archive has 12 components
	maxDepth   = 12      // folders above a member, on average over the members allowed
)

// sink receives the content of regular files while an archive is scanned, to
// unpack it in the same pass. It returns nil for files it does not want.
type sink func(m member) (io.WriteCloser, error)

// scanner reads archives once, for facts, digests and, with a sink, unpacking.
type scanner struct {
	limits   Limits
	progress func(Event)
}

// scan reads one archive. What is wrong with it becomes findings; the error is
// only for a canceled context and for trouble with the machine, such as a full
// disk under the sink.
func (sc scanner) scan(ctx context.Context, path, file string, format manifests.Format, out sink) (*scanned, error) {
	a := &scanned{path: path, file: file, stem: strings.TrimSuffix(file, format.Ext()), format: format, texts: map[string][]byte{}}
	a.subject = newSubject(file, archiveFileName, archiveReadable, archiveFormat, archiveStream, archiveTrailing, archiveMemory, archiveLimits)
	f, err := os.Open(path)
	if err != nil {
		a.subject.failf(archiveReadable, "%v", err)
		return a, nil
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		a.subject.failf(archiveReadable, "%v", err)
		return a, nil
	}
	a.size = info.Size()
	hash := sha256.New()
	in := io.TeeReader(readerFunc(func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		n, err := f.Read(p)
		sc.progress(Event{Group: Static, Subject: file, Bytes: int64(n), Size: a.size})
		return n, err
	}), hash)
	if err := sc.decode(ctx, a, f, in, out); err != nil {
		return nil, err
	}
	// The digest is of the whole file, also where decoding stopped early.
	if _, err := io.Copy(io.Discard, in); err != nil && ctx.Err() == nil {
		a.subject.failf(archiveReadable, "%v", err)
	}
	hash.Sum(a.sum[:0])
	sc.progress(Event{Group: Static, Subject: file, Size: a.size, Done: true})
	return a, ctx.Err()
}

// decode inspects the container and scans the tar inside.
func (sc scanner) decode(ctx context.Context, a *scanned, f io.ReaderAt, in io.Reader, out sink) error {
	s := a.subject
	var magic [6]byte
	n, _ := f.ReadAt(magic[:], 0)
	actual, ok := dist.SniffFormat(magic[:n])
	if !ok {
		s.failf(archiveReadable, "the file begins with %x, which is no gzip, xz or zstd stream", magic[:n])
		return nil
	}
	if actual != a.format {
		s.failf(archiveFormat, "got %s data in a file named %s", actual, a.format.Ext())
	}
	c, err := dist.InspectContainer(f, a.size, actual)
	a.memory = c.Memory
	if err != nil {
		s.failf(archiveReadable, "reading the %s container: %v", actual, err)
	}
	if c.Streams > 1 {
		s.failf(archiveStream, "got %d %s streams, want 1", c.Streams, actual)
	}
	if c.Trailing > 0 {
		s.failf(archiveTrailing, "got %d bytes after the %s stream", c.Trailing, actual)
	}
	if c.Memory > sc.limits.Decoder {
		s.failf(archiveMemory, "a decoder needs %s of memory, the limit is %s", byteCount(c.Memory), byteCount(sc.limits.Decoder))
		return nil
	}
	s.notef(archiveMemory, "%s", byteCount(c.Memory))
	d, err := newDecoder(in, actual, max(c.Memory, 1<<10))
	if err != nil {
		s.failf(archiveReadable, "decoding %s: %v", actual, err)
		return nil
	}
	defer d.close()
	if err := sc.scanTar(ctx, a, d, out); err != nil {
		return err
	}
	if d.members() > 1 {
		s.failf(archiveStream, "got %d gzip members, want 1", d.members())
	}
	if d.junk() {
		s.failf(archiveTrailing, "got bytes after the gzip stream which are no gzip member")
	}
	return nil
}

// errLimit ends the scan of an archive that is too large.
var errLimit = errors.New("archive exceeds a limit")

// scanTar reads the members. The error is not the archive's fault.
func (sc scanner) scanTar(ctx context.Context, a *scanned, d io.Reader, out sink) error {
	raw := &boundedReader{r: d, left: sc.limits.Unpacked + int64(sc.limits.Members)*1536}
	tr := tar.NewReader(raw)
	folders := 0
	for {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			a.complete = true
			break
		}
		if err != nil {
			sc.readError(a, err)
			return nil
		}
		if !sc.admit(a, h, &folders) {
			return nil
		}
		if err := sc.member(a, h, tr, out); err != nil {
			if se := (*sinkError)(nil); errors.As(err, &se) {
				return se.err
			}
			sc.readError(a, err)
			return nil
		}
	}
	sc.drain(a, raw)
	return nil
}

// admit applies the limits on names and numbers of members. An index of the
// tree has an entry for each folder above each member, so those count as well.
func (sc scanner) admit(a *scanned, h *tar.Header, folders *int) bool {
	s := a.subject
	if len(h.Name) > maxNameLen {
		s.failf(archiveName, "%.80q... has %d bytes, the limit is %d", h.Name, len(h.Name), maxNameLen)
		return false
	}
	if len(a.members) >= sc.limits.Members {
		s.failf(archiveLimits, "got more than %d members", sc.limits.Members)
		return false
	}
	if *folders += strings.Count(h.Name, "/"); *folders > maxDepth*sc.limits.Members {
		s.failf(archiveLimits, "members lie more than %d folders deep on average", maxDepth)
		return false
	}
	return true
}

// readError records why the archive could not be read further.
func (sc scanner) readError(a *scanned, err error) {
	if errors.Is(err, errLimit) {
		a.subject.failf(archiveLimits, "unpacks to more than %s", byteCount(sc.limits.Unpacked))
		return
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("the archive ends too early")
	}
	a.subject.failf(archiveReadable, "after %d members: %v", len(a.members), err)
}

// sinkError is an error of the place unpacked to, not of the archive.
type sinkError struct{ err error }

// Error implements [error].
func (e *sinkError) Error() string { return e.err.Error() }

// member reads one member to its end.
func (sc scanner) member(a *scanned, h *tar.Header, r io.Reader, out sink) error {
	m := member{
		name: h.Name, typ: h.Typeflag, mode: h.Mode & 0o7777, size: h.Size,
		uid: h.Uid, gid: h.Gid, modTime: h.ModTime,
	}
	if h.Uname != "" || h.Gname != "" {
		m.owner = h.Uname + ":" + h.Gname
	}
	if m.typ == tar.TypeDir {
		m.name = strings.TrimSuffix(m.name, "/")
	}
	defer func() { a.members = append(a.members, m) }()
	if !m.isFile() {
		return nil
	}
	if a.unpacked += m.size; a.unpacked > sc.limits.Unpacked {
		return errLimit
	}
	hash := sha256.New()
	w := []io.Writer{hash}
	var text *strings.Builder
	rel := a.below(m.name)
	if isText(rel) && m.size <= maxText && len(a.texts) < maxTexts {
		text = &strings.Builder{}
		w = append(w, text)
	}
	var file io.WriteCloser
	if out != nil {
		var err error
		if file, err = out(m); err != nil {
			return &sinkError{err}
		}
		if file != nil {
			w = append(w, sinkWriter{file})
		}
	}
	_, err := io.Copy(io.MultiWriter(w...), r)
	if file != nil {
		if cerr := file.Close(); err == nil && cerr != nil {
			err = &sinkError{cerr}
		}
	}
	hash.Sum(m.digest[:0])
	if text != nil {
		a.texts[rel] = []byte(text.String())
	}
	return err
}

// below is name without the top folder.
func (a *scanned) below(name string) string {
	_, rel, _ := strings.Cut(name, "/")
	return rel
}

// isText reports whether rel, a name below the top folder, is one of the files
// whose content the checks read.
func isText(rel string) bool {
	switch rel {
	case "components", "rust-installer-version", "version", "git-commit-hash", manifests.BuildRecordFile:
		return true
	}
	component, file, ok := strings.Cut(rel, "/")
	return ok && component != "" && file == "manifest.in"
}

// drain reads what follows the end of the tar.
func (sc scanner) drain(a *scanned, raw *boundedReader) {
	s := a.subject
	s.declare(archiveTarEnd)
	if n := raw.zeroBlocks(); n < 2 {
		s.failf(archiveTarEnd, "got %d zero blocks at the end, want 2", n)
	}
	buf := make([]byte, 32<<10)
	var junk, zeros int64
	for {
		n, err := raw.Read(buf)
		for _, c := range buf[:n] {
			if c != 0 {
				junk++
			} else {
				zeros++
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			// A bad checksum shows here; so do bytes after the stream, which
			// the container's headers have shown before.
			if !s.failed(archiveTrailing, archiveStream) {
				s.failf(archiveReadable, "after the last member: %v", err)
			}
			break
		}
	}
	if junk > 0 {
		s.failf(archiveTarEnd, "got %d bytes after the end of the tar", junk+zeros)
	}
}

// boundedReader counts what it hands out and remembers its last kilobyte, in
// which the end of a tar is seen.
type boundedReader struct {
	r    io.Reader
	left int64
	tail [1024]byte
	seen int64
}

// Read implements [io.Reader].
func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errLimit
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	b.seen += int64(n)
	if n >= len(b.tail) {
		copy(b.tail[:], p[n-len(b.tail):n])
	} else if n > 0 {
		copy(b.tail[:], b.tail[n:])
		copy(b.tail[len(b.tail)-n:], p[:n])
	}
	return n, err
}

// zeroBlocks returns how many of the last two blocks read are zero.
func (b *boundedReader) zeroBlocks() int {
	n := 0
	for i := 512; i >= 0; i -= 512 {
		if b.seen < int64(512*(n+1)) || !allZero(b.tail[i:i+512]) {
			break
		}
		n++
	}
	return n
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// readerFunc is an [io.Reader] made of a function.
type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// sinkWriter marks the errors of the place unpacked to.
type sinkWriter struct{ w io.Writer }

func (s sinkWriter) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	if err != nil {
		err = &sinkError{err}
	}
	return n, err
}

// byteCount writes a number of bytes for people: "128 MiB".
func byteCount(n int64) string {
	for _, u := range []struct {
		size int64
		name string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if n >= u.size {
			if n%u.size == 0 {
				return fmt.Sprintf("%d %s", n/u.size, u.name)
			}
			return fmt.Sprintf("%.1f %s", float64(n)/float64(u.size), u.name)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}
