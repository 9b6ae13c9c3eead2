package archive

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"
	"time"

	"x.go/dist"
	"x.go/manifests"
)

// Sink receives the members of an archive in their order during a scan, except
// those with a problem that rustup does not accept. It returns the writer for the
// content of a regular file, or nil to skip it. Its errors, and those of the
// writer, end the scan: they are not problems of the archive.
type Sink func(m Member) (io.WriteCloser, error)

// ScanOptions say what else to do in the one pass over an archive. With the zero
// value a scan only judges.
type ScanOptions struct {
	Limits Limits
	Sink   Sink
	// Symlinks accepts symbolic links, which rustup refuses. What comes below one is
	// refused all the same. See [Layout] for where they may lead.
	Symlinks bool
	// Texts names more files in the top directory for [Facts] to keep.
	Texts []string
	// NoDigests leaves [Member.Digest] out: a sink that hashes what it writes does so
	// beside the decoding.
	NoDigests bool
	// NoFileDigest leaves [Facts.Digest] out: nothing to compare it with is known.
	NoFileDigest bool
	// Progress, if set, is called with the bytes read since the last call and the
	// size of the file.
	Progress func(read, size int64)
}

// Facts are what one pass over an archive shows.
type Facts struct {
	Path      string
	Format    Format         // by the first bytes of the file; "" if unknown
	Size      int64          // bytes of the file
	Digest    manifests.Hash // of the file
	Container Container
	Unpacked  int64 // bytes of all regular files
	Members   []Member
	// Texts are the contents of rust-installer's descriptive files, by name below
	// the top directory: components, rust-installer-version, version,
	// git-commit-hash, and each COMPONENT/manifest.in.
	Texts map[string][]byte
	// Symlinks says that symbolic links are members like others; see [ScanOptions].
	Symlinks bool
	// Complete says that the tar stream was read to its end.
	Complete bool
	Problems
}

// Scan reads the archive at path once, to its end, and judges the compressed file,
// the tar stream and the members. The facts hold everything that is wrong with
// them; [Facts.Layout] judges the descriptive files. Scan returns an error only if
// ctx ends or the sink fails.
func Scan(ctx context.Context, path string, opts ScanOptions) (*Facts, error) {
	return scan(ctx, path, opts, false)
}

// Read is a [Scan] that accepts only what rustup installs whole, or with opts.Symlinks
// what install.sh does: the first other [Problem], of the members or the descriptive
// files, is its error.
func Read(ctx context.Context, path string, opts ScanOptions) (*Facts, *Layout, error) {
	facts, err := scan(ctx, path, opts, true)
	if err != nil {
		return nil, nil, err
	}
	l := facts.Layout()
	if err := cmp.Or(l.First(), l.checkCopies(facts.Unpacked, opts.Limits.withDefaults())); err != nil {
		return nil, nil, fmt.Errorf("reading archive %q: %w", path, err)
	}
	return facts, l, nil
}

// scan is [Scan]. If strict, it returns the first problem that is not tolerated as
// its error.
func scan(ctx context.Context, path string, opts ScanOptions, strict bool) (*Facts, error) {
	opts.Limits = opts.Limits.withDefaults()
	s := &scanner{opts: opts, found: &collector{strict: strict}, facts: &Facts{Path: path, Symlinks: opts.Symlinks, Texts: map[string][]byte{}}}
	err := s.file(ctx)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("reading archive %q: %w", path, context.Cause(ctx))
	}
	if sink, ok := errors.AsType[*sinkError](err); ok {
		return nil, fmt.Errorf("unpacking archive %q: %w", path, sink.err)
	}
	if strict && err != nil {
		return nil, err
	}
	s.facts.Problems = s.found.Problems
	return s.facts, nil
}

// scanner is one pass. Its errors are problems, except those of the sink and the
// context.
type scanner struct {
	opts     ScanOptions
	facts    *Facts
	found    *collector
	texts    int
	textSize int64
}

func (s *scanner) wrap(err error) error {
	if err != nil {
		return fmt.Errorf("reading archive %q: %w", s.facts.Path, err)
	}
	return nil
}

func (s *scanner) file(ctx context.Context) error {
	f, err := dist.OpenFile(s.facts.Path)
	if err != nil {
		return s.wrap(s.found.end(ProblemReadable, "%w", err))
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return s.wrap(s.found.end(ProblemReadable, "%w", err))
	}
	s.facts.Size = info.Size()
	var sum hash.Hash
	if !s.opts.NoFileDigest {
		sum = sha256.New()
	}
	whole := readAhead(f, sum)
	defer whole.close()
	in := dist.ContextReader{Context: ctx, Reader: &progressReader{whole, s.facts.Size, s.opts.Progress}}
	err = s.content(ctx, f, in)
	if _, problem := errors.AsType[Problem](err); err != nil && (s.found.strict || !problem) {
		return err
	}
	if sum == nil {
		return nil
	}
	// The digest is of the whole file, even if decoding stopped early.
	if _, err := io.Copy(io.Discard, in); err != nil {
		return s.wrap(s.found.add(ProblemReadable, "%w", err))
	}
	sum.Sum(s.facts.Digest[:0])
	return nil
}

// content inspects the container of f and reads the tar stream inside. in reads the
// bytes of f from the start.
func (s *scanner) content(ctx context.Context, f io.ReaderAt, in io.Reader) error {
	var err error
	s.facts.Format, s.facts.Container, err = judgeContainer(f, s.facts.Size, s.opts.Limits, s.found)
	if err != nil {
		return s.wrap(err)
	}
	dec, err := newDecoder(in, s.facts.Format, scanMemory(s.facts.Container), s.found.strict)
	if err != nil {
		return s.wrap(s.found.end(ProblemReadable, "decoding %s: %w", s.facts.Format, err))
	}
	r := newTarReader(dec, s.facts.Path, s.opts.Limits, s.found)
	r.dec = dec
	defer r.Close()
	judge := memberJudge{found: s.found, links: s.opts.Symlinks, seen: map[string]seenAs{}, times: map[bool]time.Time{}}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		m, err := r.Next()
		s.facts.Unpacked = r.unpacked
		if errors.Is(err, io.EOF) {
			s.facts.Complete = true
			return nil
		}
		if err != nil {
			return err
		}
		refused := s.found.refused
		if err := judge.member(m); err != nil {
			return s.wrap(err)
		}
		if err := s.member(m, r, s.found.refused == refused); err != nil {
			return err
		}
	}
}

// scanMemory is the memory for decoding a file whose headers were read, in bytes.
func scanMemory(c Container) int64 { return max(c.Memory+decoderSlack, parallelMemory) }

// judgeContainer judges the container of a file of size bytes. An error means that
// the file cannot be decoded within the limits.
func judgeContainer(f io.ReaderAt, size int64, limits Limits, found *collector) (Format, Container, error) {
	var head [sniffLen]byte
	n, err := f.ReadAt(head[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", Container{}, found.end(ProblemReadable, "%w", err)
	}
	format, ok := SniffFormat(head[:n])
	if !ok {
		return "", Container{}, found.end(ProblemReadable, "the file starts with %x: not a gz, xz or zst file", head[:n])
	}
	c, err := InspectContainer(f, size, format)
	if err != nil {
		err = found.add(ProblemReadable, "reading the %s container: %w", format, err)
	}
	if c.Streams > 1 && err == nil && format != Zst { // rustup reads all frames of zstd
		err = found.add(ProblemStream, "got %d %s streams, want 1", c.Streams, format)
	}
	if c.Filter != "" && err == nil {
		err = found.add(ProblemFilter, "the filter %s is in use, which rustup does not decode: liblzma knows it from 5.4 on, rustup 1.29 has 5.2", c.Filter)
	}
	if c.Trailing > 0 && err == nil {
		err = found.add(ProblemTrailing, "got %d bytes after the end of the %s stream", c.Trailing, format)
	}
	if c.Blocks > maxBlocks && err == nil {
		err = found.end(ProblemLimits, "got %d xz blocks, the limit is %d", c.Blocks, maxBlocks)
	}
	if c.Memory > limits.Memory && err == nil {
		err = found.end(ProblemMemory, "a decoder needs %d bytes of memory, the limit is %d", c.Memory, limits.Memory)
	}
	return format, c, err
}

// sinkError is an error of the sink, not of the archive.
type sinkError struct{ err error }

// Error returns the sink's error text.
func (e *sinkError) Error() string { return e.err.Error() }

// sinkWriter marks the errors of the sink's writer.
type sinkWriter struct{ w io.Writer }

// Write implements [io.Writer].
func (s sinkWriter) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	if err != nil {
		err = &sinkError{err}
	}
	return n, err
}

// readFrom is Write for all of a member, which it hands on without a copy.
func (s sinkWriter) readFrom(r *Reader) error {
	from, ok := s.w.(io.ReaderFrom)
	if !ok {
		_, err := io.Copy(s, r)
		return err
	}
	in := &errorReader{r: r}
	_, err := from.ReadFrom(in)
	if err != nil && in.err == nil {
		err = &sinkError{err}
	}
	return err
}

// errorReader keeps the error of a reader.
type errorReader struct {
	r   io.Reader
	err error
}

// Read implements [io.Reader].
func (e *errorReader) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		e.err = err
	}
	return n, err
}

// member reads one member to its end. The sink and the texts only get sound ones.
func (s *scanner) member(m Member, r *Reader, sound bool) error {
	var file io.WriteCloser
	if s.opts.Sink != nil && sound {
		var err error
		if file, err = s.opts.Sink(m); err != nil {
			return &sinkError{err}
		}
	}
	defer func() { // also if it is cut short
		if all := s.facts.Members; len(all) == cap(all) {
			s.facts.Members = slices.Grow(all, max(64, len(all))) // append grows by a quarter only
		}
		s.facts.Members = append(s.facts.Members, m)
	}()
	if !m.IsFile() {
		return nil
	}
	var to []io.Writer
	var sum hash.Hash
	if !s.opts.NoDigests {
		sum = sha256.New()
		to = append(to, sum)
	}
	text, err := s.text(m, sound)
	if err != nil {
		return s.wrap(err)
	}
	if text != nil {
		to = append(to, text)
	}
	err = copyMember(r, to, file)
	if sum != nil {
		sum.Sum(m.Digest[:0])
	}
	if text != nil {
		s.facts.Texts[Below(m.Name)] = text.Bytes()
	}
	return err
}

// copyMember copies a member to all of to, and to file unless it is nil.
func copyMember(r *Reader, to []io.Writer, file io.WriteCloser) error {
	if file == nil && len(to) == 0 {
		_, err := io.Copy(io.Discard, r)
		return err
	}
	if file == nil {
		_, err := io.Copy(io.MultiWriter(to...), r)
		return err
	}
	var err error
	if len(to) == 0 {
		err = sinkWriter{file}.readFrom(r)
	} else {
		_, err = io.Copy(io.MultiWriter(append(to, sinkWriter{file})...), r)
	}
	if cerr := file.Close(); err == nil && cerr != nil {
		err = &sinkError{cerr}
	}
	return err
}

// text returns where the text of m is kept, or nil if it is not.
func (s *scanner) text(m Member, sound bool) (*bytes.Buffer, error) {
	if !sound || !s.isText(Below(m.Name)) {
		return nil, nil
	}
	s.textSize += m.Size
	if s.texts++; m.Size > maxText || s.textSize > maxAllText || s.texts > maxTexts {
		return nil, s.found.add(ProblemLimits, "member %.200q: got more than %d bytes of text, %d of all such files, or %d files", m.Name, maxText, maxAllText, maxTexts)
	}
	return new(bytes.Buffer), nil
}

// Below returns the name of a member below the top directory; "" for the directory
// itself.
func Below(name string) string {
	_, rel, _ := strings.Cut(name, "/")
	return rel
}

// Names of descriptive files that a package has in its overlay.
const (
	versionName = "version"
	commitName  = "git-commit-hash"
)

// isText reports whether the content of rel, a name below the top directory, is
// kept.
func (s *scanner) isText(rel string) bool {
	switch rel {
	case manifests.ComponentsFile, manifests.VersionFile, versionName, commitName:
		return true
	}
	component, file, ok := strings.Cut(rel, "/")
	return ok && component != "" && file == manifests.ManifestFile || slices.Contains(s.opts.Texts, rel)
}

// progressReader reports the bytes that pass.
type progressReader struct {
	r    io.Reader
	size int64
	tell func(read, size int64)
}

// Read implements [io.Reader].
func (p *progressReader) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	if p.tell != nil && n > 0 {
		p.tell(int64(n), p.size)
	}
	return n, err
}
