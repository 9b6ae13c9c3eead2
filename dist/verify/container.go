package verify

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"x.go/dist/xz"
	"x.go/manifests"
)

// decoder is an open compressed stream.
type decoder struct {
	io.Reader
	close func()
	// members counts the gzip members begun; 0 for other formats.
	members func() int
	// junk reports that bytes which are no gzip member follow the last one.
	junk func() bool
}

const (
	decoderSlack   = 16 << 20  // bytes of a decoder besides its dictionary
	parallelMemory = 192 << 20 // bytes that decoding several xz blocks at once may take
)

// newDecoder reads all streams of r one after the other, so that a file which
// has several is still scanned to its end.
func newDecoder(r io.Reader, format manifests.Format, memory int64) (*decoder, error) {
	d := &decoder{close: func() {}, members: func() int { return 0 }, junk: func() bool { return false }}
	switch format {
	case manifests.GZ:
		g, err := newGzipMembers(r)
		if err != nil {
			return nil, err
		}
		d.Reader, d.members, d.junk = g, func() int { return g.members }, func() bool { return g.junk }
	case manifests.XZ:
		// Blocks are decoded in parallel as far as that memory goes.
		x, err := xz.NewReader(r, xz.ReaderConfig{MultiStream: true, MaxMemory: max(memory+decoderSlack, parallelMemory)})
		if err != nil {
			return nil, err
		}
		d.Reader = x
	case manifests.Zst:
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(uint64(max(memory, 1<<10))))
		if err != nil {
			return nil, err
		}
		d.Reader, d.close = z, z.Close
	default:
		return nil, fmt.Errorf("decoding: no decoder for format %q", format)
	}
	return d, nil
}

// gzipMembers reads gzip members one by one. compress/gzip joins them
// silently, but rustup reads only the first.
type gzipMembers struct {
	in      *bufio.Reader
	z       *gzip.Reader
	members int
	junk    bool
	done    bool
}

func newGzipMembers(r io.Reader) (*gzipMembers, error) {
	g := &gzipMembers{in: bufio.NewReaderSize(r, 1<<16)}
	var err error
	if g.z, err = gzip.NewReader(g.in); err != nil {
		return nil, err
	}
	g.z.Multistream(false)
	g.members = 1
	return g, nil
}

// Read implements [io.Reader].
func (g *gzipMembers) Read(p []byte) (int, error) {
	for !g.done {
		n, err := g.z.Read(p)
		if n > 0 || !errors.Is(err, io.EOF) {
			if errors.Is(err, io.EOF) {
				err = nil // seen again at the next call
			}
			return n, err
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
	}
	return 0, io.EOF
}
