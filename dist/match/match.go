package match

import (
	"encoding/binary"
	"math/bits"
)

// Match says that the next Length bytes equal those Dist before, counted from 1.
type Match struct {
	Length, Dist uint32
	NoTail       bool // two bytes after the one that ends it do not match
}

// Len counts the equal bytes at a and b, a < b, up to limit, which must
// not pass the end of data.
func Len(data []byte, a, b, limit int) int {
	n := 0
	for ; n+8 <= limit; n += 8 {
		x := binary.LittleEndian.Uint64(data[a+n:]) ^ binary.LittleEndian.Uint64(data[b+n:])
		if x != 0 {
			return n + bits.TrailingZeros64(x)>>3
		}
	}
	for n < limit && data[a+n] == data[b+n] {
		n++
	}
	return n
}
