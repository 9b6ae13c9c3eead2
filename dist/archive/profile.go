package archive

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"x.go/dist/xz"
	ours "x.go/dist/zstd"
	"x.go/manifests"
	"x.go/targets/nearest"
)

// Format is the compression of an archive, named by its file extension.
type Format = manifests.Format

// The formats that a [Writer] writes and a [Reader] reads.
const (
	GZ  = manifests.GZ
	XZ  = manifests.XZ
	Zst = manifests.Zst
)

// Profile says how hard to compress, in the words of dist.compression-profile
// in bootstrap.toml. The empty Profile is [Fast], x.py's default.
type Profile string

// The profiles of rust-installer.
const (
	Fast     Profile = "fast"
	Balanced Profile = "balanced"
	Best     Profile = "best"
	NoOp     Profile = "no-op" // write no archive at all
)

// ParseProfile reads the name of a profile.
func ParseProfile(s string) (Profile, error) {
	switch p := Profile(s); p {
	case Fast, Balanced, Best, NoOp:
		return p, nil
	}
	hint := nearest.Hint(s, []string{string(Fast), string(Balanced), string(Best), string(NoOp)})
	return "", fmt.Errorf("parsing compression profile: got %.20q, want fast, balanced, best or no-op%s", s, hint)
}

// compression is how one stream is compressed in each format.
type compression struct {
	gz        int
	xz        xz.Profile
	bcj       xz.BCJ
	xzBlock   int64 // bytes; 0 means the profile's
	zst       zstd.EncoderLevel
	zstOurs   bool  // package dist/zstd writes zst; zst and zstTables do not count
	zstWindow int64 // bytes; at most MaxZstWindow
	zstTables int64 // bytes that the encoder holds besides two windows, as measured

	size     int64 // bytes of the tar stream; 0 if not known
	xzMemory int64 // bytes that the xz encoder may take; 0 sets no bound
	zstLimit int64 // bytes that our zst encoder may take; 0 sets no bound
}

// profiles has the settings of each profile. rust-installer uses gzip levels 1, 6
// and 9 (src/tools/rust-installer/src/compression.rs). The library's levels 5, 7
// and 9 come nearest: of 42 MB of cargo they write 4 % less than gzip -1, and 3 %
// and 2 % more than gzip -6 and -9, in less time. The xz presets of the same names
// are in package xz. rust-installer has no zst: Best is that of package dist/zstd, and
// the library's windows are as large as the xz dictionaries where a larger one helps.
var profiles = map[Profile]compression{
	Fast:     {gz: 5, xz: xz.Fast, zst: zstd.SpeedDefault, zstWindow: 8 << 20, zstTables: 8 << 20},
	Balanced: {gz: 7, xz: xz.Balanced, zst: zstd.SpeedBetterCompression, zstWindow: 16 << 20, zstTables: 16 << 20},
	Best:     {gz: 9, xz: xz.Best, zstOurs: true, zstWindow: MaxZstWindow},
}

// xzConfig returns the settings of xz archives. Unlike rust-installer's, they carry
// a check, so that `xz -t` proves something.
func (c compression) xzConfig(workers int) xz.WriterConfig {
	return xz.WriterConfig{Profile: c.xz, BCJ: c.bcj, BlockSize: c.xzBlock, Size: c.size, MaxMemory: c.xzMemory, Check: xz.CheckCRC64, Workers: workers}
}

// zstConfig returns the settings of zst archives that package dist/zstd writes.
func (c compression) zstConfig(workers int) ours.WriterConfig {
	return ours.WriterConfig{WindowSize: c.zstWindow, Size: c.size, MaxMemory: c.zstLimit, Workers: workers}
}

// window returns the size of the zst window in bytes: no more than the content
// needs, so that a small archive is cheap to unpack.
func (c compression) window() int64 {
	w := c.zstWindow
	for c.size > 0 && w/2 >= max(c.size, zstd.MinWindowSize) {
		w /= 2
	}
	return w
}

// compression returns the settings of w for a stream of size bytes; 0 means
// unknown. w must have its defaults.
func (w Writer) compression(size int64) compression {
	c := profiles[w.Profile]
	c.bcj, c.xzBlock, c.size = w.BCJ, w.BlockSize, size
	return c
}

// compressor returns a writer that compresses to w as one gzip member, xz stream or
// zstd frame: rustup refuses files of several. The bytes depend on f, c and the
// input alone. Closing it does not close w. It need not be closed after ctx ends.
func (c compression) compressor(ctx context.Context, f Format, workers int, w io.Writer) (io.WriteCloser, error) {
	switch f {
	case GZ:
		z, err := gzip.NewWriterLevel(w, c.gz)
		if err != nil {
			return nil, err
		}
		// As flate2: no name, no time, operating system 255. The encoder would
		// write the zero Time as a time.
		z.ModTime = time.Unix(0, 0)
		return z, nil
	case XZ:
		return xz.NewWriterContext(ctx, w, c.xzConfig(workers))
	case Zst:
		if c.zstOurs {
			return ours.NewWriter(ctx, w, c.zstConfig(workers))
		}
		// One goroutine: two are no faster, and jobs of several blocks leave
		// most of the window out.
		z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(c.zst), zstd.WithWindowSize(int(c.window())), zstd.WithEncoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		z.ResetContentSize(w, c.size)
		return z, nil
	}
	return nil, fmt.Errorf("compressing as %q: unknown format, want gz, xz or zst", f)
}

// MaxZstWindow is the largest window of a zst archive that rustup's decoder
// accepts, in bytes.
const MaxZstWindow = 128 << 20

// Memory of the library's coders, in bytes.
const (
	gzEncoder  = 4 << 20   // as measured
	gzDecoder  = 64 << 10  // with its window
	zstDecoder = 512 << 10 // and a window, as ZSTD_estimateDStreamSize has it
)

// zstMemory returns the bytes that the library's zst encoder holds.
func (c compression) zstMemory() int64 { return 2*c.window() + c.zstTables }
