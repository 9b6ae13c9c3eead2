package xz

import (
	"encoding/binary"
	"math/bits"
)

// hashChain finds matches by hash tables over the last 3 and 4 bytes. Equal
// 4-byte hashes are linked from each position to the one before; of 3-byte
// hashes only the newest position is kept.
//
// It serves one block held in memory, so positions are plain indices. They are
// stored plus one: zero is "none".
type hashChain struct {
	data     []byte
	dictSize int
	depth    int // links followed per search
	niceLen  int // a match as long as this ends a search
	head3    []uint32
	head4    []uint32
	prev     []uint32 // link of each position, by position
	next     int      // first position not in the tables
}

const (
	hash3Bits = 14
	hash4Bits = 18
)

// reset forgets all positions and starts on data.
func (h *hashChain) reset(data []byte, dictSize, depth, niceLen int) {
	if h.head3 == nil {
		h.head3 = make([]uint32, 1<<hash3Bits)
		h.head4 = make([]uint32, 1<<hash4Bits)
	} else {
		clear(h.head3)
		clear(h.head4)
	}
	if cap(h.prev) < len(data) {
		h.prev = make([]uint32, len(data))
	}
	h.prev = h.prev[:len(data)]
	h.data, h.dictSize, h.depth, h.niceLen, h.next = data, dictSize, depth, niceLen, 0
}

func hash3(v uint32) uint32 { return (v << 8) * 0x9E3779B1 >> (32 - hash3Bits) }
func hash4(v uint32) uint32 { return v * 0x9E3779B1 >> (32 - hash4Bits) }

// insertTo enters all positions before end.
func (h *hashChain) insertTo(end int) {
	stop := min(end, len(h.data)-3)
	for i := h.next; i < stop; i++ {
		v := binary.LittleEndian.Uint32(h.data[i:])
		h3, h4 := hash3(v), hash4(v)
		h.prev[i] = h.head4[h4]
		h.head3[h3] = uint32(i) + 1
		h.head4[h4] = uint32(i) + 1
	}
	h.next = max(h.next, end)
}

// match is a length and a distance counted from 1.
type match struct{ length, dist uint32 }

// find enters position i, which must be the next, and returns the matches that
// start there: the nearest for each greater length, shortest first.
func (h *hashChain) find(i int, found []match) []match {
	found = found[:0]
	h.next = i + 1
	limit := min(len(h.data)-i, maxMatch)
	if limit < 4 {
		return found
	}
	v := binary.LittleEndian.Uint32(h.data[i:])
	h3, h4 := hash3(v), hash4(v)
	near, far := int(h.head3[h3])-1, int(h.head4[h4])-1
	h.prev[i] = uint32(far) + 1
	h.head3[h3] = uint32(i) + 1
	h.head4[h4] = uint32(i) + 1

	best := minMatch
	oldest := max(0, i-h.dictSize)
	if near >= oldest && near != far && (binary.LittleEndian.Uint32(h.data[near:])^v)<<8 == 0 {
		best = matchLen(h.data, near, i, limit)
		found = append(found, match{uint32(best), uint32(i - near)})
	}
	// A near match may have reached the limit, which is where the data can end.
	for n := h.depth; best < limit && far >= oldest && n > 0; n-- {
		if h.data[far+best] == h.data[i+best] {
			if l := matchLen(h.data, far, i, limit); l > best {
				best = l
				found = append(found, match{uint32(l), uint32(i - far)})
				if l >= h.niceLen || l == limit {
					break
				}
			}
		}
		far = int(h.prev[far]) - 1
	}
	return found
}

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
