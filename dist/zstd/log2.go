package zstd

import (
	"math"
	"math/bits"
)

// logBits is the number of leading binary digits that log2 tells apart.
const logBits = 12

var logTable = makeLogTable()

func makeLogTable() (t [1 << logBits]uint32) {
	for i := 1; i < len(t); i++ {
		t[i] = uint32(math.Round(math.Log2(float64(i)) * (1 << costShift)))
	}
	return t
}

// log2 is the logarithm of n, at least 1, in 1/256.
func log2(n uint32) uint32 {
	if n < 1<<logBits {
		return logTable[n]
	}
	shift := uint(bits.Len32(n) - logBits)
	return logTable[n>>shift&(1<<logBits-1)] + uint32(shift<<costShift)
}
