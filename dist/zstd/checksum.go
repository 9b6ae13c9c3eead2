package zstd

import (
	"encoding/binary"
	"math/bits"
)

// The primes of XXH64.
const (
	prime1 uint64 = 11400714785074694791
	prime2 uint64 = 14029467366897019727
	prime3 uint64 = 1609587929392839161
	prime4 uint64 = 9650029242287828579
	prime5 uint64 = 2870177450012600261
)

// checksum computes XXH64 with seed 0, of which a frame has the low half
// (RFC 8878, section 3.1.1).
type checksum struct {
	lanes [4]uint64
	rest  [32]byte // of the input, total%32 bytes
	total uint64
}

func newChecksum() *checksum {
	p := prime1 // variables wrap around where constants do not
	return &checksum{lanes: [4]uint64{p + prime2, prime2, 0, -p}}
}

func xxhRound(acc, v uint64) uint64 { return bits.RotateLeft64(acc+v*prime2, 31) * prime1 }

// add takes in b.
func (c *checksum) add(b []byte) {
	n := int(c.total % 32)
	c.total += uint64(len(b))
	if n > 0 {
		k := copy(c.rest[n:], b)
		b = b[k:]
		if n+k < 32 {
			return
		}
		c.stripes(c.rest[:])
	}
	whole := len(b) &^ 31
	c.stripes(b[:whole])
	copy(c.rest[:], b[whole:])
}

// stripes takes in a multiple of 32 bytes.
func (c *checksum) stripes(b []byte) {
	v0, v1, v2, v3 := c.lanes[0], c.lanes[1], c.lanes[2], c.lanes[3]
	for ; len(b) >= 32; b = b[32:] {
		v0 = xxhRound(v0, binary.LittleEndian.Uint64(b))
		v1 = xxhRound(v1, binary.LittleEndian.Uint64(b[8:]))
		v2 = xxhRound(v2, binary.LittleEndian.Uint64(b[16:]))
		v3 = xxhRound(v3, binary.LittleEndian.Uint64(b[24:]))
	}
	c.lanes = [4]uint64{v0, v1, v2, v3}
}

// sum returns the checksum of all that was added.
func (c *checksum) sum() uint64 {
	h := prime5
	if c.total >= 32 {
		v := c.lanes
		h = bits.RotateLeft64(v[0], 1) + bits.RotateLeft64(v[1], 7) + bits.RotateLeft64(v[2], 12) + bits.RotateLeft64(v[3], 18)
		for _, lane := range v {
			h = (h^xxhRound(0, lane))*prime1 + prime4
		}
	}
	h += c.total
	b := c.rest[:c.total%32]
	for ; len(b) >= 8; b = b[8:] {
		h = bits.RotateLeft64(h^xxhRound(0, binary.LittleEndian.Uint64(b)), 27)*prime1 + prime4
	}
	if len(b) >= 4 {
		h = bits.RotateLeft64(h^uint64(binary.LittleEndian.Uint32(b))*prime1, 23)*prime2 + prime3
		b = b[4:]
	}
	for _, v := range b {
		h = bits.RotateLeft64(h^uint64(v)*prime5, 11) * prime1
	}
	h = (h ^ h>>33) * prime2
	h = (h ^ h>>29) * prime3
	return h ^ h>>32
}
