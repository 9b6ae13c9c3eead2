package archive

import (
	"bufio"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"x.go/dist/xz"
)

// decoder decompresses a file. The same decoders serve our own archives and those
// of strangers: gzip and zstd of klauspost/compress, which is the only zstd for Go
// and inflates in about two thirds of the time of compress/gzip; and package xz,
// which decodes blocks in parallel within a memory limit. The tests compare them
// with gzip, xz and zstd themselves.
type decoder struct {
	io.Reader
	close func()
	gzip  *gzipMembers // nil for other formats
}

const (
	decoderSlack   = 16 << 20  // bytes of a decoder besides its dictionary
	parallelMemory = 192 << 20 // bytes that decoding several xz blocks at once may take

)

// newDecoder decompresses r with at most memory bytes. If single, a second gzip
// member or xz stream is an error. Otherwise all of them are read, so that a file
// with several can still be judged.
func newDecoder(r io.Reader, format Format, memory int64, single bool) (*decoder, error) {
	switch format {
	case GZ:
		g, err := newGzipMembers(r, single)
		return &decoder{g, func() {}, g}, err
	case XZ:
		x, err := xz.NewReader(r, xz.ReaderConfig{MultiStream: !single, MaxMemory: memory})
		return &decoder{Reader: x, close: func() {}}, err
	case Zst:
		window := uint64(max(min(memory, MaxZstWindow), zstd.MinWindowSize))
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(window))
		if err != nil {
			return nil, err
		}
		return &decoder{Reader: z, close: z.Close}, nil
	}
	return nil, errors.New("not a gz, xz or zst file")
}

// finish notes the problems that only the end of a file shows.
func (d *decoder) finish(found *collector) error {
	if d.gzip == nil {
		return nil
	}
	if n := d.gzip.members; n > 1 {
		if err := found.add(ProblemStream, "got %d gzip members, want 1", n); err != nil {
			return err
		}
	}
	if d.gzip.junk {
		return found.add(ProblemTrailing, "got bytes after the gzip stream that are not a gzip member")
	}
	return nil
}

// gzipMembers reads gzip members one by one. Other gzip readers join them silently;
// rustup reads only the first.
type gzipMembers struct {
	in      *bufio.Reader
	z       *gzip.Reader
	single  bool
	members int  // started
	junk    bool // bytes that are not a gzip member follow the last one
	done    bool
}

func newGzipMembers(r io.Reader, single bool) (*gzipMembers, error) {
	g := &gzipMembers{in: bufio.NewReaderSize(r, 64<<10), single: single, members: 1}
	var err error
	if g.z, err = gzip.NewReader(g.in); err != nil {
		return nil, err
	}
	g.z.Multistream(false)
	return g, nil
}

// Read implements [io.Reader].
func (g *gzipMembers) Read(p []byte) (int, error) {
	for !g.done {
		n, err := g.z.Read(p)
		if n > 0 || !errors.Is(err, io.EOF) {
			if errors.Is(err, io.EOF) {
				err = nil // the next call sees it again
			}
			return n, err
		}
		if err := g.next(); err != nil {
			return 0, err
		}
	}
	return 0, io.EOF
}

// next starts the next member, if there is one.
func (g *gzipMembers) next() error {
	if g.single {
		g.done = true
		_, err := g.in.Peek(1)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = errors.New("data after the end of the gz stream, which rustup cannot read: write one stream only")
		}
		return err
	}
	switch err := g.z.Reset(g.in); {
	case errors.Is(err, io.EOF):
		g.done = true
	case err != nil:
		g.done, g.junk = true, true
	default:
		g.z.Multistream(false)
		g.members++
	}
	return nil
}
