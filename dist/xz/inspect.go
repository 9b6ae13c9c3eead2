package xz

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
)

// Info is what the headers and indexes of an .xz file tell without decoding it.
type Info struct {
	Streams  int   // one after the other
	Blocks   int   // of all streams
	DictSize int64 // bytes of the largest dictionary
	Size     int64 // bytes of the content; -1 if not known
	// Trailing is the number of bytes after the last stream that are no stream
	// padding: zeros, a multiple of four.
	Trailing int64
	// NewFilter is a filter of a block that liblzma knows only from version 5.4 on;
	// "" if there is none.
	NewFilter string
}

// Limits of [Inspect].
const (
	maxIndexSize = 16 << 20 // bytes
	maxStreams   = 1 << 16
	maxTrailing  = 64 << 10 // bytes in which the last footer is looked for
)

// Inspect reads the footers, indexes and block headers of the .xz file of size
// bytes from its end, as the format intends: a footer leads to the index, and the
// index gives the sizes of the blocks. On error it also returns what it has learned
// so far. Only a [Reader] finds out whether the content is sound.
func Inspect(r io.ReaderAt, size int64) (Info, error) {
	info := Info{Size: -1}
	end, ok := lastFooter(r, size)
	if !ok {
		if bh, err := blockHeaderAt(r, streamHeaderSize); err == nil {
			info.DictSize = bh.dictSize
		}
		return info, errors.New("no stream footer at the end of the file")
	}
	if info.Trailing = size - end; info.Trailing%4 == 0 && isZero(r, end, info.Trailing) {
		info.Trailing = 0
	}
	var content int64
	for end > 0 {
		if info.Streams++; info.Streams > maxStreams {
			return info, fmt.Errorf("got more than %d streams", maxStreams)
		}
		s, err := inspectStream(r, end)
		if err != nil {
			return info, fmt.Errorf("stream that ends at byte %d: %w", end, err)
		}
		info.DictSize = max(info.DictSize, s.dictSize)
		info.Blocks += s.blocks
		info.NewFilter = cmp.Or(info.NewFilter, s.newFilter)
		if content += s.content; content < 0 {
			return info, errIndexSum
		}
		end = s.start
		for pad := [4]byte{}; end >= 4; end -= 4 { // padding between streams
			if _, err := r.ReadAt(pad[:], end-4); err != nil || pad != [4]byte{} {
				break
			}
		}
	}
	info.Size = content
	return info, nil
}

var errIndexSum = errors.New("index lists more bytes than a file can hold")

// lastFooter returns where the last stream of a file of size bytes ends. Only a
// bounded tail is searched; beyond it the decoder finds the trouble.
func lastFooter(r io.ReaderAt, size int64) (end int64, ok bool) {
	const least = streamHeaderSize + streamFooterSize
	tail := make([]byte, max(0, min(size, maxTrailing+streamFooterSize)))
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return 0, false
	}
	for n := len(tail); n >= streamFooterSize; n-- {
		end := size - int64(len(tail)-n)
		if _, _, err := parseFooter([streamFooterSize]byte(tail[n-streamFooterSize : n])); err == nil {
			return end, end >= least
		}
	}
	return 0, false
}

// streamInfo is what the index and the block headers of a stream say.
type streamInfo struct {
	blocks    int
	start     int64 // offset in the file
	dictSize  int64 // bytes of the largest dictionary
	content   int64 // bytes, uncompressed
	newFilter string
}

// inspectStream reads the stream that ends at end.
func inspectStream(r io.ReaderAt, end int64) (streamInfo, error) {
	var footer [streamFooterSize]byte
	if end < streamHeaderSize+streamFooterSize {
		return streamInfo{}, errors.New("it is shorter than its header")
	}
	if _, err := r.ReadAt(footer[:], end-streamFooterSize); err != nil {
		return streamInfo{}, err
	}
	indexSize, _, err := parseFooter(footer)
	if err != nil {
		return streamInfo{}, err
	}
	if indexSize > maxIndexSize || indexSize > end-streamHeaderSize-streamFooterSize {
		return streamInfo{}, fmt.Errorf("got an index of %d bytes, which does not fit", indexSize)
	}
	blocks, err := loadIndex(r, end-streamFooterSize-indexSize, indexSize)
	if err != nil {
		return streamInfo{}, err
	}
	return inspectBlocks(r, end-streamFooterSize-indexSize, blocks)
}

// loadIndex reads the index of size bytes at off.
func loadIndex(r io.ReaderAt, off, size int64) ([]blockSizes, error) {
	x := newIndexReader(newSource(io.NewSectionReader(r, off, size)))
	count, err := x.open()
	if err != nil {
		return nil, err
	}
	var blocks []blockSizes
	for range count { // ends with an error if there are fewer
		s, err := x.next()
		if err != nil {
			return nil, err
		}
		blocks = append(blocks, s)
	}
	n, err := x.finish()
	if err == nil && n != size {
		err = errors.New("stream footer does not hold the size of the index")
	}
	return blocks, err
}

// inspectBlocks reads the headers of the blocks that end at end.
func inspectBlocks(r io.ReaderAt, end int64, blocks []blockSizes) (s streamInfo, err error) {
	at := end
	s.blocks = len(blocks)
	for _, b := range blocks {
		if b.unpadded > uint64(end) {
			return s, errors.New("index lists more bytes than the file has")
		}
		if at -= int64(b.unpadded) + int64(padding(b.unpadded)); at < streamHeaderSize {
			return s, errors.New("index lists more bytes than the file has")
		}
		if s.content += int64(b.raw); s.content < 0 {
			return s, errIndexSum
		}
	}
	s.start = at - streamHeaderSize
	for _, b := range blocks {
		bh, err := blockHeaderAt(r, at)
		if err != nil {
			return s, fmt.Errorf("block at byte %d: %w", at, err)
		}
		s.dictSize = max(s.dictSize, bh.dictSize)
		for _, f := range bh.filters {
			s.newFilter = cmp.Or(s.newFilter, newFilters[f.id])
		}
		at += int64(b.unpadded) + int64(padding(b.unpadded))
	}
	return s, nil
}

// newFilters are the filters that came with liblzma 5.4.
var newFilters = map[uint64]string{filterARM64: "ARM64"}

// isZero reports whether the n bytes at off are zeros. n is at most maxTrailing.
func isZero(r io.ReaderAt, off, n int64) bool {
	b := make([]byte, n)
	_, err := r.ReadAt(b, off)
	return (err == nil || errors.Is(err, io.EOF)) && bytes.Count(b, []byte{0}) == len(b)
}

// blockHeaderAt reads the block header at off.
func blockHeaderAt(r io.ReaderAt, off int64) (blockHeader, error) {
	var b [blockHeaderMax]byte
	if _, err := r.ReadAt(b[:1], off); err != nil {
		return blockHeader{}, err
	}
	if b[0] == 0 {
		return blockHeader{}, errors.New("got an index, want a block")
	}
	header := b[:blockHeaderSize(b[0])]
	if _, err := r.ReadAt(header, off); err != nil {
		return blockHeader{}, err
	}
	return checkBlockHeader(header)
}
