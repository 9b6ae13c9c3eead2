package archive

import (
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/klauspost/compress/zstd"
)

// inspectZstd walks the frames of a zstd file by their block headers
// (RFC 8878, sections 3.1.1 and 3.1.2).
func inspectZstd(r io.ReaderAt, size int64) (Container, error) {
	c := Container{Size: -1}
	var content int64 // -1 after a frame that does not state its size
	for at := int64(0); at < size; {
		b := make([]byte, min(zstd.HeaderMaxSize, size-at))
		if _, err := r.ReadAt(b, at); err != nil {
			return c, err
		}
		var h zstd.Header
		if err := h.Decode(b); err != nil {
			if c.Streams == 0 && at == 0 {
				return c, fmt.Errorf("reading frame header: %w", err)
			}
			c.Trailing = size - at
			break
		}
		if h.Skippable {
			at += int64(h.HeaderSize) + int64(h.SkippableSize)
			continue
		}
		c.Streams++
		window := h.WindowSize
		if h.SingleSegment {
			window = h.FrameContentSize
		}
		c.Memory = max(c.Memory, int64(min(window, 1<<62)))
		if !h.HasFCS || content < 0 || h.FrameContentSize > uint64(math.MaxInt64-content) {
			content = -1
		} else {
			content += int64(h.FrameContentSize)
		}
		next, err := skipZstdBlocks(r, at+int64(h.HeaderSize), size)
		if err != nil {
			return c, err
		}
		if h.HasCheckSum {
			next += 4
		}
		at = next
	}
	if c.Streams == 0 {
		return c, errors.New("got no frame with content")
	}
	c.Size = content
	return c, nil
}

// skipZstdBlocks returns the offset behind the last block of a frame.
func skipZstdBlocks(r io.ReaderAt, at, size int64) (int64, error) {
	for at < size {
		var b [3]byte
		if _, err := r.ReadAt(b[:], at); err != nil {
			return 0, err
		}
		header := int64(b[0]) | int64(b[1])<<8 | int64(b[2])<<16
		length := header >> 3
		if header>>1&3 == 1 { // a run of one byte
			length = 1
		}
		at += 3 + length
		if header&1 != 0 {
			return at, nil
		}
	}
	return 0, errors.New("the file ends within a frame")
}
