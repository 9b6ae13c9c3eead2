package xz

import (
	"encoding/binary"
	"math/bits"
)

// matchLen counts the equal bytes at a and b, a < b, up to limit, which must
// not pass the end of data.
func matchLen(data []byte, a, b, limit int) int {
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
