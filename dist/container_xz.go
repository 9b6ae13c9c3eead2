package dist

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// The xz container is walked from its end, as its specification intends: a
// footer leads to the index, the index gives the sizes of the blocks, and with
// them the start of the stream and each block's header.
// https://tukaani.org/xz/xz-file-format.txt

const (
	xzHeaderLen  = 12
	xzMaxIndex   = 16 << 20 // bytes of one index
	xzMaxStreams = 1 << 16
	xzLZMA2      = 0x21
)

func inspectXZ(r io.ReaderAt, size int64) (Container, error) {
	c := Container{Size: -1}
	end := size
	// What follows the last footer: zero padding, or anything else. Only a
	// bounded tail is searched; beyond it the decoder finds the trouble.
	for !hasXZFooter(r, end) {
		if end -= 1; end < xzHeaderLen || size-end > 1<<16 {
			c.Trailing = 0
			c.Memory, _ = xzBlockMemory(r, xzHeaderLen)
			return c, errors.New("no stream footer at the end of the file")
		}
	}
	c.Trailing = size - end
	var content int64
	for end > 0 {
		if c.Streams++; c.Streams > xzMaxStreams {
			return c, fmt.Errorf("got more than %d streams", xzMaxStreams)
		}
		s, err := walkXZStream(r, end)
		if err != nil {
			return c, err
		}
		c.Memory = max(c.Memory, s.memory)
		if content += s.content; content < 0 {
			return c, errors.New("the index lists more bytes than a file can hold")
		}
		end = s.start
		for pad := [4]byte{}; end >= 4; end -= 4 { // padding between streams
			if _, err := r.ReadAt(pad[:], end-4); err != nil || pad != [4]byte{} {
				break
			}
		}
	}
	c.Size = content
	return c, nil
}

func hasXZFooter(r io.ReaderAt, end int64) bool {
	var b [2]byte
	if end < 2*xzHeaderLen {
		return false
	}
	_, err := r.ReadAt(b[:], end-2)
	return err == nil && string(b[:]) == "YZ"
}

// xzStream is what a stream's index and block headers say.
type xzStream struct {
	start   int64 // offset in the file
	memory  int64 // bytes of the largest dictionary
	content int64 // bytes, uncompressed
}

// walkXZStream reads the stream that ends at end.
func walkXZStream(r io.ReaderAt, end int64) (xzStream, error) {
	var footer [xzHeaderLen]byte
	if end < 2*xzHeaderLen {
		return xzStream{}, errors.New("the stream is shorter than its header")
	}
	if _, err := r.ReadAt(footer[:], end-xzHeaderLen); err != nil {
		return xzStream{}, err
	}
	if string(footer[10:]) != "YZ" {
		return xzStream{}, fmt.Errorf("no stream footer before byte %d", end)
	}
	indexLen := (int64(binary.LittleEndian.Uint32(footer[4:])) + 1) * 4
	if indexLen > xzMaxIndex || indexLen > end-2*xzHeaderLen {
		return xzStream{}, fmt.Errorf("got an index of %d bytes, which does not fit", indexLen)
	}
	index := make([]byte, indexLen)
	if _, err := r.ReadAt(index, end-xzHeaderLen-indexLen); err != nil {
		return xzStream{}, err
	}
	blocks, err := parseXZIndex(index)
	if err != nil {
		return xzStream{}, err
	}
	var s xzStream
	at := end - xzHeaderLen - indexLen
	for _, b := range slices.Backward(blocks) {
		if at -= b.padded; at < xzHeaderLen {
			return xzStream{}, errors.New("the index lists more bytes than the file has")
		}
		m, err := xzBlockMemory(r, at)
		if err != nil {
			return xzStream{}, err
		}
		s.memory = max(s.memory, m)
		if s.content += b.content; s.content < 0 {
			return xzStream{}, errors.New("the index lists more bytes than a file can hold")
		}
	}
	s.start = at - xzHeaderLen
	return s, nil
}

// xzBlock are the sizes of a block in an index, in bytes.
type xzBlock struct{ padded, content int64 }

// parseXZIndex returns the sizes of each block.
func parseXZIndex(b []byte) ([]xzBlock, error) {
	bad := errors.New("malformed index")
	if len(b) < 8 || b[0] != 0 {
		return nil, bad
	}
	b = b[1:]
	count, n := xzVarint(b)
	if n <= 0 || count > uint64(len(b)) {
		return nil, bad
	}
	b = b[n:]
	var blocks []xzBlock
	for range count {
		unpadded, n := xzVarint(b)
		if n <= 0 || unpadded > 1<<60 {
			return nil, bad
		}
		content, m := xzVarint(b[n:])
		if m <= 0 || content > math.MaxInt64 {
			return nil, bad
		}
		b = b[n+m:]
		blocks = append(blocks, xzBlock{int64(unpadded+3) &^ 3, int64(content)})
	}
	return blocks, nil
}

// xzVarint reads a variable-length integer: as binary.Uvarint, of at most 9
// bytes.
func xzVarint(b []byte) (uint64, int) {
	return binary.Uvarint(b[:min(len(b), 9)])
}

// xzBlockMemory returns the dictionary size in the block header at off.
func xzBlockMemory(r io.ReaderAt, off int64) (int64, error) {
	var size [1]byte
	if _, err := r.ReadAt(size[:], off); err != nil {
		return 0, err
	}
	b := make([]byte, (int(size[0])+1)*4)
	if _, err := r.ReadAt(b, off); err != nil {
		return 0, err
	}
	bad := fmt.Errorf("malformed block header at byte %d", off)
	if size[0] == 0 || len(b) < 8 {
		return 0, bad
	}
	flags, rest := b[1], b[2:]
	for _, present := range []byte{0x40, 0x80} { // compressed and uncompressed size
		if flags&present != 0 {
			_, n := xzVarint(rest)
			if n <= 0 {
				return 0, bad
			}
			rest = rest[n:]
		}
	}
	for range int(flags&3) + 1 {
		id, n := xzVarint(rest)
		if n <= 0 {
			return 0, bad
		}
		rest = rest[n:]
		props, n := xzVarint(rest)
		if n <= 0 || props > uint64(len(rest)-n) {
			return 0, bad
		}
		rest = rest[n:]
		if id == xzLZMA2 {
			if props != 1 || rest[0] > 40 {
				return 0, bad
			}
			return xzDictSize(rest[0]), nil
		}
		rest = rest[props:]
	}
	return 0, bad
}

// xzDictSize decodes LZMA2's property byte: 2^n or 2^n + 2^(n-1).
func xzDictSize(p byte) int64 {
	if p == 40 {
		return 1<<32 - 1
	}
	return int64(2|p&1) << (p/2 + 11)
}
