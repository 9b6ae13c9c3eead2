package dist

import (
	"context"
	"fmt"
	"io"
)

// Compress copies src to dst, compressed in format f as an archive of w would
// be. size is the number of bytes that src has, or 0 if that is not known: zst
// states it and needs no larger window, the others are the same bytes without
// it. Of w it heeds Profile, Jobs and BCJ.
func (w Writer) Compress(ctx context.Context, f Format, dst io.Writer, src io.Reader, size int64) error {
	w.Formats = []Format{f}
	s, err := w.setup()
	if err != nil {
		return fmt.Errorf("compressing: %w", err)
	}
	if s.Profile == NoOp {
		return fmt.Errorf("compressing: got profile %q, want fast, balanced or best", s.Profile)
	}
	level := s.level
	level.size = size
	c, err := newCompressor(ctx, f, level, s.Jobs, dst)
	if err != nil {
		return fmt.Errorf("compressing: %w", err)
	}
	if _, err := io.Copy(c, contextReader{ctx, src}); err != nil {
		return fmt.Errorf("compressing: %w", err)
	}
	if err := c.Close(); err != nil {
		return fmt.Errorf("compressing: %w", err)
	}
	return nil
}

// Decompress copies the content of the gz, xz or zst file src to dst and
// returns its format; name stands for it in errors. Anything behind the one
// gzip member or xz stream is an error, and so is content of more than
// limits.Unpacked bytes.
func Decompress(ctx context.Context, dst io.Writer, src io.Reader, name string, limits Limits) (Format, error) {
	r, err := NewReader(src, name, limits)
	if err != nil {
		return "", err
	}
	defer r.Close()
	r.stream.left = r.limits.Unpacked
	if _, err := io.Copy(dst, contextReader{ctx, r.stream}); err != nil {
		return r.format, fmt.Errorf("decompressing %q: %w", name, err)
	}
	return r.format, nil
}
