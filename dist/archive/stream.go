package archive

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"x.go/dist"
)

// Compress copies src to dst, compressed in format f like an archive of w. size is
// the size of src in bytes, or 0 if unknown: zst states it and needs no larger
// window; the other formats do not depend on it. Of w, only Profile, Jobs, BCJ
// and BlockSize count.
func (w Writer) Compress(ctx context.Context, f Format, dst io.Writer, src io.Reader, size int64) error {
	w.Formats = []Format{f}
	w, err := w.WithDefaults()
	if err != nil {
		return fmt.Errorf("compressing: %w", err)
	}
	if w.Profile == NoOp {
		return fmt.Errorf("compressing: got profile %q, want fast, balanced or best", w.Profile)
	}
	c, err := w.compression(size).compressor(ctx, f, w.Jobs, dst)
	if err != nil {
		return fmt.Errorf("compressing: %w", err)
	}
	if _, err := io.Copy(c, dist.ContextReader{Context: ctx, Reader: src}); err != nil {
		return fmt.Errorf("compressing: %w", err)
	}
	if err := c.Close(); err != nil {
		return fmt.Errorf("compressing: %w", err)
	}
	return nil
}

// Decompress copies the content of the gz, xz or zst file src to dst and returns
// its format; name stands for src in errors. Anything after the one gzip member or
// xz stream is an error, and so is content of more than limits.Unpacked bytes.
func Decompress(ctx context.Context, dst io.Writer, src io.Reader, name string, limits Limits) (Format, error) {
	r, err := newReader(src, name, limits)
	if err != nil {
		return "", err
	}
	defer r.Close()
	r.stream.left = r.limits.Unpacked
	if _, err := io.Copy(dst, dist.ContextReader{Context: ctx, Reader: r.stream}); err != nil {
		return r.format, fmt.Errorf("decompressing %q: %w", name, err)
	}
	return r.format, nil
}

// NewDecoder decompresses r, a file in the format f of any number of gzip members, xz
// streams or zstd frames, as programs make them that append to a file. Memory is what a
// decoder's dictionary may take in bytes. Closing it does not close r.
func NewDecoder(r io.Reader, f Format, memory int64) (io.ReadCloser, error) {
	dec, err := newDecoder(r, f, memory, false)
	if err != nil {
		return nil, err
	}
	return joined{dec}, nil
}

// joined reads all parts of a file as one.
type joined struct{ dec *decoder }

// Read implements [io.Reader].
func (j joined) Read(p []byte) (int, error) {
	n, err := j.dec.Read(p)
	if errors.Is(err, io.EOF) && j.dec.gzip != nil && j.dec.gzip.junk {
		err = errors.New("bytes after the gzip stream are neither a gzip member nor zeros")
	}
	return n, err
}

// Close implements [io.Closer].
func (j joined) Close() error {
	j.dec.close()
	return nil
}

// CopyTar copies the tar stream of the archive src to dst and returns its size in
// bytes; name stands for src in errors. Like [Reader.Next] it checks all of src,
// members included. Format f is "" for an uncompressed tar stream; otherwise the
// first bytes tell the compression.
func CopyTar(ctx context.Context, dst io.Writer, src io.Reader, name string, f Format, limits Limits) (int64, error) {
	var r *Reader
	if f == "" {
		r = newTarReader(bufio.NewReaderSize(src, 128<<10), name, limits, &collector{strict: true})
	} else {
		var err error
		if r, err = newReader(src, name, limits); err != nil {
			return 0, err
		}
	}
	defer r.Close()
	count := &countingWriter{w: dst}
	err := r.copyTo(ctx, count)
	return count.n, err
}

// countingWriter counts the bytes that pass.
type countingWriter struct {
	w io.Writer
	n int64
}

// Write implements [io.Writer].
func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
