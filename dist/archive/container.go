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

// sniffLen is how many bytes [SniffFormat] needs.
const sniffLen = 6

// SniffFormat returns the format that the first bytes of a file show. It needs six.
func SniffFormat(head []byte) (Format, bool) {
	for _, m := range magics {
		if bytes.HasPrefix(head, m.magic) {
			return m.format, true
		}
	}
	return "", false
}

// Container is what the headers of a compressed file tell without decoding it.
type Container struct {
	Streams int   // xz streams or zstd frames; gzip members show only when read
	Memory  int64 // bytes of the largest dictionary or window
	// Trailing is the number of bytes after the last stream, stream padding
	// included.
	Trailing int64
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
		return Container{Streams: info.Streams, Memory: info.DictSize, Trailing: info.Trailing, Size: info.Size}, err
	case Zst:
		return inspectZstd(r, size)
	case GZ:
		return Container{Streams: 1, Memory: gzWindow, Size: -1}, nil
	}
	_, err := manifests.ParseFormat(string(format))
	return Container{Size: -1}, fmt.Errorf("inspecting container: %w", err)
}
