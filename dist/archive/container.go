package archive

import (
	"bytes"
	"fmt"
	"io"

	"x.go/dist/xz"
	"x.go/manifests"
)

// magics are the first bytes of the formats.
var magics = []struct {
	format Format
	magic  []byte
}{
	{GZ, []byte{0x1f, 0x8b}},
	{XZ, []byte{0xfd, '7', 'z', 'X', 'Z', 0}},
	{Zst, []byte{0x28, 0xb5, 0x2f, 0xfd}},
}

// isSkippable reports whether a zstd frame that every decoder passes over begins
// with head (RFC 8878, section 3.1.2). Files of pzstd begin with one.
func isSkippable(head []byte) bool {
	return head[0]&0xf0 == 0x50 && bytes.HasPrefix(head[1:], []byte{0x2a, 0x4d, 0x18})
}

// sniffLen is how many bytes [SniffFormat] needs.
const sniffLen = 6

// SniffFormat returns the format that the first bytes of a file show. It needs six.
func SniffFormat(head []byte) (Format, bool) {
	for _, m := range magics {
		if bytes.HasPrefix(head, m.magic) {
			return m.format, true
		}
	}
	if len(head) >= 4 && isSkippable(head) {
		return Zst, true
	}
	return "", false
}

// Container is what the headers of a compressed file tell without decoding it.
type Container struct {
	Streams int   // xz streams or zstd frames with content; gzip members show only when read
	Blocks  int   // of xz
	Memory  int64 // bytes of the largest dictionary or window
	// Trailing is the number of bytes after the last stream, but for the padding
	// that the format allows there.
	Trailing int64
	// Filter is an xz filter that liblzma 5.2 does not know, which rustup 1.29 has
	// built in; "" if there is none.
	Filter string
	// Size of the content in bytes, as the headers state it; -1 if they do not.
	Size int64
}

// gzWindow is the window of every gzip member, in bytes.
const gzWindow = 32 << 10

// InspectContainer reads the headers of a compressed file of size bytes. On error it
// also returns what it has learned so far.
func InspectContainer(r io.ReaderAt, size int64, format Format) (Container, error) {
	switch format {
	case XZ:
		info, err := xz.Inspect(r, size)
		return Container{Streams: info.Streams, Blocks: info.Blocks, Memory: info.DictSize, Trailing: info.Trailing, Filter: info.NewFilter, Size: info.Size}, err
	case Zst:
		return inspectZstd(r, size)
	case GZ:
		return Container{Streams: 1, Memory: gzWindow, Size: -1}, nil
	}
	_, err := manifests.ParseFormat(string(format))
	return Container{Size: -1}, fmt.Errorf("inspecting container: %w", err)
}
