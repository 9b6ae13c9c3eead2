package archive

import (
	"errors"
	"io"

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
		return found.add(ProblemTrailing, "got bytes after the gzip stream that are neither a gzip member nor zeros")
	}
	return nil
}
