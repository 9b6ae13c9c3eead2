package xz

import "encoding/binary"

// nearTable knows the nearest matches of 2 and 3 bytes, which the radix finder
// does not keep, and joins them with the finder's results.
type nearTable struct {
	data   []byte
	pairs  []uint32 // newest position plus one, by the next two bytes
	triple []uint32 // likewise, by a hash of three bytes
	next   int      // first position not entered
	dict   int
	cap    int // results as long as this may be longer
}

const (
	tripleBits = 16
	nearWarmUp = 1 << 16 // bytes before the start that are entered
)

// reset prepares for finding matches from start on.
func (t *nearTable) reset(data []byte, start, dictSize, longest int) {
	if t.pairs == nil {
		t.pairs = make([]uint32, 1<<16)
		t.triple = make([]uint32, 1<<tripleBits)
	}
	clear(t.pairs)
	clear(t.triple)
	t.data, t.dict, t.cap = data, dictSize, longest
	t.next = max(0, start-nearWarmUp)
	t.enter(start)
}

func tripleHash(v uint32) uint32 { return v << 8 * 0x9E3779B1 >> (32 - tripleBits) }

// enter enters the positions before pos.
func (t *nearTable) enter(pos int) {
	for i := t.next; i < pos; i++ {
		v := binary.LittleEndian.Uint32(t.data[i:])
		t.pairs[uint16(v)] = uint32(i) + 1
		t.triple[tripleHash(v)] = uint32(i) + 1
	}
	t.next = max(t.next, pos)
}

// find stores the matches of pos in m, each longer and farther than the one
// before, and returns their number.
func (t *nearTable) find(pos, limit int, f found, m *[4]match) int {
	t.enter(pos)
	n := 0
	v := binary.LittleEndian.Uint32(t.data[pos:])
	pair, triple := &t.pairs[uint16(v)], &t.triple[tripleHash(v)]
	length, dist := f.longest()
	if dist == 0 {
		dist, length = t.dict+1, maxMatch // so that near ones count
	}
	dist2, dist3 := pos+1-int(*pair), pos+1-int(*triple)
	*pair, *triple = uint32(pos)+1, uint32(pos)+1
	t.next = pos + 1
	if dist2 < dist && dist2 <= pos {
		m[n] = match{length: 2, dist: uint32(dist2)}
		n++
	}
	if dist3 <= pos && dist3 < dist && limit >= 3 && (v^binary.LittleEndian.Uint32(t.data[pos-dist3:]))<<8 == 0 {
		if n > 0 && dist3 <= dist2 {
			n = 0
		}
		m[n] = match{length: 3, dist: uint32(dist3)}
		n++
	}
	if d := f & (1<<30 - 1); d == 0 {
		return n
	}
	if l, d := f.nearer(); d != 0 && l > 3 && l < limit {
		m[n] = match{length: uint32(l), dist: uint32(d)}
		n++
	}
	if length >= t.cap || length >= limit {
		length = min(length, limit)
		length += matchLen(t.data, pos-dist+length, pos+length, limit-length)
	}
	m[n] = match{length: uint32(length), dist: uint32(dist)}
	return n + 1
}
