package xz

import (
	"encoding/binary"
	"hash/crc32"
)

// The .xz container, after "The .xz File Format" 1.2.1 (xz-file-format.txt):
//
//	stream = header, blocks, index, footer
//	block  = header, compressed data, padding to 4 bytes, check
const (
	headerMagic = "\xFD7zXZ\x00"
	footerMagic = "YZ"

	streamHeaderSize = 12
	streamFooterSize = 12
	blockHeaderMax   = 1024
	vliMax           = 9       // bytes of the longest variable length integer
	vliLimit         = 1 << 63 // integers are smaller
)

// Bits of a block header's flags.
const (
	blockFilterMask   = 0x03
	blockReserved     = 0x3C
	blockHasCoded     = 0x40
	blockHasRaw       = 0x80
	filtersPerBlock   = 4
	filterDelta       = 0x03
	filterX86         = 0x04
	filterARM64       = 0x0A
	filterLZMA2       = 0x21
	dictSizeCodeLimit = 40 // code of 4 GiB - 1
)

// filter is one entry of a block's filter chain, as stored.
type filter struct {
	id    uint64
	props []byte
}

// blockSizes are the figures the index holds of a block.
type blockSizes struct {
	unpadded uint64 // header, compressed data and check, without padding
	raw      uint64 // uncompressed
}

// appendVLI appends a variable length integer: seven bits a byte, low first.
func appendVLI(b []byte, v uint64) []byte { return binary.AppendUvarint(b, v) }

// appendCRC32 appends the CRC32 of all b after its first skip bytes.
func appendCRC32(b []byte, skip int) []byte {
	return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b[skip:]))
}

// padding is how many zero bytes bring n up to a multiple of four.
func padding(n uint64) int { return int(-n & 3) }

func appendStreamHeader(b []byte, c Check) []byte {
	b = append(b, headerMagic...)
	b = append(b, 0, checks[c].id)
	return appendCRC32(b, len(headerMagic))
}

// appendBlockHeader appends a header that states both sizes, so that a decoder
// can find the next block without decoding this one.
func appendBlockHeader(b []byte, coded, raw uint64, filters []filter) []byte {
	start := len(b)
	b = append(b, 0, byte(len(filters)-1)|blockHasCoded|blockHasRaw)
	b = appendVLI(b, coded)
	b = appendVLI(b, raw)
	for _, f := range filters {
		b = appendVLI(b, f.id)
		b = appendVLI(b, uint64(len(f.props)))
		b = append(b, f.props...)
	}
	for (len(b)-start)%4 != 0 {
		b = append(b, 0)
	}
	b[start] = byte((len(b) - start) / 4) // of the header with its CRC, minus one
	return appendCRC32(b, start)
}

// appendIndex appends the index of a stream with these blocks.
func appendIndex(b []byte, blocks []blockSizes) []byte {
	start := len(b)
	b = append(b, 0)
	b = appendVLI(b, uint64(len(blocks)))
	for _, s := range blocks {
		b = appendVLI(b, s.unpadded)
		b = appendVLI(b, s.raw)
	}
	for (len(b)-start)%4 != 0 {
		b = append(b, 0)
	}
	return appendCRC32(b, start)
}

// appendStreamFooter appends the footer after an index of indexSize bytes.
func appendStreamFooter(b []byte, c Check, indexSize int) []byte {
	var f [6]byte
	binary.LittleEndian.PutUint32(f[:], uint32(indexSize/4-1))
	f[5] = checks[c].id
	b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(f[:]))
	b = append(b, f[:]...)
	return append(b, footerMagic...)
}

// dictSizeCode is LZMA2's property byte for the smallest size of the form 2^n
// or 2^n + 2^(n-1) that is at least size.
func dictSizeCode(size int64) byte {
	for code := range byte(dictSizeCodeLimit) {
		if dictSizeOf(code) >= size {
			return code
		}
	}
	return dictSizeCodeLimit
}

// dictSizeOf is the dictionary size in bytes that a property byte names.
func dictSizeOf(code byte) int64 {
	if code >= dictSizeCodeLimit {
		return 1<<32 - 1
	}
	return int64(2|code&1) << (code/2 + 11)
}
