package dist

import (
	"fmt"
	"io"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

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
	xz        xzLevel
	zst       zstd.EncoderLevel
	zstWindow int // bytes; rustup's decoder takes up to 128 MiB
}

// xzLevel has the settings of the xz container that decide how much memory a
// reader needs and how far a writer can run in parallel.
type xzLevel struct {
	preset int
	dict   int   // bytes
	block  int64 // bytes
}

// levels follow src/tools/rust-installer/src/compression.rs for gz and xz; its
// xz blocks are liblzma's default of three times the dictionary. It knows no
// zst: those are the encoder's levels with the windows of the xz dictionaries.
var levels = map[Profile]level{
	Fast:     {1, xzLevel{1, 1 << 20, 3 << 20}, zstd.SpeedFastest, 1 << 20},
	Balanced: {6, xzLevel{6, 8 << 20, 24 << 20}, zstd.SpeedBetterCompression, 8 << 20},
	Best:     {9, xzLevel{9, 64 << 20, 192 << 20}, zstd.SpeedBestCompression, 64 << 20},
}

// newCompressor returns a writer that compresses to w in one gzip member, xz
// stream or zstd frame: rustup refuses files of several members or streams.
// The bytes depend on f, l and the input alone. Closing it does not close w.
func newCompressor(f Format, l level, w io.Writer) (io.WriteCloser, error) {
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
		return newXZWriter(w, l.xz)
	case Zst:
		return zstd.NewWriter(w, zstd.WithEncoderLevel(l.zst), zstd.WithWindowSize(l.zstWindow), zstd.WithEncoderConcurrency(1))
	}
	return nil, fmt.Errorf("compressing as %q: unknown format, want gz, xz or zst", f)
}

// compressorMemory estimates what one compressor holds, in bytes.
func compressorMemory(f Format, l level) int64 {
	switch f {
	case XZ:
		return xzWriterMemory(l.xz)
	case Zst:
		return 4*int64(l.zstWindow) + 64<<20
	}
	return 2 << 20
}
