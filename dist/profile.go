package dist

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"x.go/dist/xz"
	"x.go/manifests"
)

// Format is the compression of an archive, named by its file extension.
type Format = manifests.Format

// The formats that a [Writer] makes and an [Archive] reads.
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
	return "", fmt.Errorf("parsing compression profile: got %.20q, want fast, balanced, best or no-op", s)
}

// level is what a profile means to each compressor.
type level struct {
	gz        int
	xz        xz.Profile
	bcj       xz.BCJ
	size      int64 // bytes of the tar stream, if known: lets xz plan less memory
	zst       zstd.EncoderLevel
	zstWindow int // bytes; rustup's decoder takes up to 128 MiB
}

// levels have the gz levels of src/tools/rust-installer/src/compression.rs. Its
// xz presets are those of package xz, by the same names. It knows no zst: those
// are the encoder's levels, with windows of the size of the xz dictionaries.
var levels = map[Profile]level{
	Fast:     {gz: 1, xz: xz.Fast, zst: zstd.SpeedFastest, zstWindow: 8 << 20},
	Balanced: {gz: 6, xz: xz.Balanced, zst: zstd.SpeedBetterCompression, zstWindow: 16 << 20},
	Best:     {gz: 9, xz: xz.Best, zst: zstd.SpeedBestCompression, zstWindow: 64 << 20},
}

// xzConfig returns the settings of xz archives. Unlike those of rust-installer
// they carry a check, so that `xz -t` proves something.
func (l level) xzConfig(workers int) xz.WriterConfig {
	return xz.WriterConfig{Profile: l.xz, BCJ: l.bcj, Size: l.size, Check: xz.CheckCRC64, Workers: workers}
}

// newCompressor returns a writer that compresses to w in one gzip member, xz
// stream or zstd frame: rustup refuses files of several members or streams.
// The bytes depend on f, l and the input alone. Closing it does not close w; when
// ctx ends it need not be closed.
func newCompressor(ctx context.Context, f Format, l level, workers int, w io.Writer) (io.WriteCloser, error) {
	switch f {
	case GZ:
		z, err := gzip.NewWriterLevel(w, l.gz)
		if err != nil {
			return nil, err
		}
		// As flate2: no name, no time, operating system 255. The encoder takes
		// the zero Time for a time.
		z.ModTime = time.Unix(0, 0)
		return z, nil
	case XZ:
		return xz.NewWriterContext(ctx, w, l.xzConfig(workers))
	case Zst:
		return zstd.NewWriter(w, zstd.WithEncoderLevel(l.zst), zstd.WithWindowSize(l.zstWindow), zstd.WithEncoderConcurrency(1))
	}
	return nil, fmt.Errorf("compressing as %q: unknown format, want gz, xz or zst", f)
}

// compressorMemory estimates what one compressor holds, in bytes.
func compressorMemory(f Format, l level, workers int) int64 {
	switch f {
	case XZ:
		// The settings are our own and valid; their error is NewWriter's to report.
		m, _ := l.xzConfig(workers).Memory()
		return m.Encoder
	case Zst:
		return 4*int64(l.zstWindow) + 64<<20
	}
	return 2 << 20
}
