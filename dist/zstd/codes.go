package zstd

import "math/bits"

// Limits of the format.
const (
	minMatch   = 3
	blockMax   = 128 << 10
	maxMatch   = 1<<16 + 65538 // the longest that a match length code states
	llCodes    = 36
	mlCodes    = 53
	ofCodes    = 32
	maxHuffLog = 11
)

// code is a range of values: base and the next 1<<bits - 1.
type code struct {
	base uint32
	bits uint8
}

// Literal length and match length codes (RFC 8878, tables 16 and 17).
var (
	llTable = makeCodes(0, 16, []uint8{1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
	mlTable = makeCodes(minMatch, 32, []uint8{1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
)

// makeCodes returns single codes for values from first on, and then longer ones.
// Bases of codes for long lengths start at a power of two above first.
func makeCodes(first uint32, single int, extra []uint8) []code {
	var t []code
	at := first
	for range single {
		t = append(t, code{at, 0})
		at++
	}
	for _, b := range extra {
		t = append(t, code{at, b})
		at += 1 << b
	}
	return t
}

// llSmall and mlSmall are the codes of small values.
var (
	llSmall = smallCodes(llTable, 64)
	mlSmall = smallCodes(mlTable, 131)
)

func smallCodes(t []code, n int) []uint8 {
	small := make([]uint8, n)
	for i, c := range t {
		for v := int(c.base); v < min(n, int(c.base)+1<<c.bits); v++ {
			small[v] = uint8(i)
		}
	}
	return small
}

// llCode returns the code of a number of literals.
func llCode(n uint32) uint8 {
	if n < 64 {
		return llSmall[n]
	}
	return uint8(bits.Len32(n)) + 18
}

// mlCode returns the code of a match length.
func mlCode(n uint32) uint8 {
	if n < 131 {
		return mlSmall[n]
	}
	return uint8(bits.Len32(n-minMatch)) + 35
}

// ofCode returns the code of an offset value.
func ofCode(v uint32) uint8 { return uint8(bits.Len32(v) - 1) }

// seq is one sequence: literals plain bytes, then length bytes at dist (from 1).
// length 0 means that the literals end a block or a slice.
//
// Sequences name distances: whether one is coded as a repeat is seen when it is.
type seq struct {
	literals, length, dist uint32
}

// repeats are the last distances, newest first; 0 stands for one that is not known.
type repeats [3]uint32

// value returns the offset value of dist after some literals or none, and makes it
// the last distance (RFC 8878, section 3.1.1.5).
func (r *repeats) value(dist, literals uint32) uint32 {
	a, b, c := r[0], r[1], r[2]
	if literals > 0 {
		switch dist {
		case a:
			return 1
		case b:
			r[0], r[1] = b, a
			return 2
		case c:
			r[0], r[1], r[2] = c, a, b
			return 3
		}
	} else {
		switch {
		case dist == b:
			r[0], r[1] = b, a
			return 1
		case dist == c:
			r[0], r[1], r[2] = c, a, b
			return 2
		case dist == a-1 && a > 1:
			r[0], r[1], r[2] = dist, a, b
			return 3
		}
	}
	r[0], r[1], r[2] = dist, a, b
	return dist + 3
}
