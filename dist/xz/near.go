package xz

import "encoding/binary"

// nearTable finds the nearest match of each of a few short lengths. The radix
// finder knows the longest match, which is often far away; a shorter and nearer
// one can be cheaper.
type nearTable struct {
	data   []byte
	result []found // of data[origin:]
	origin int
	dict   int
	cap    int                        // results as long as this may be longer
	pairs  []uint32                   // newest position plus one, by the next two bytes
	tables [len(nearLengths)][]uint32 // likewise, by a hash of more bytes
	next   int                        // first position not entered
}

// nearLengths are the numbers of bytes that the tables hash.
var nearLengths = [...]uint{3, 5}

const (
	nearBits    = 14
	nearWarmUp  = 1 << 16 // bytes before the start that are entered
	nearMatches = len(nearLengths) + 3
)

// reset prepares for finding matches from start on.
func (t *nearTable) reset(set settings, data []byte, result []found, origin, start int) {
	if t.pairs == nil {
		t.pairs = make([]uint32, 1<<16)
		for i := range t.tables {
			t.tables[i] = make([]uint32, 1<<nearBits)
		}
	}
	clear(t.pairs)
	for _, table := range t.tables {
		clear(table)
	}
	t.data, t.result, t.origin = data, result, origin
	t.dict, t.cap = int(set.dictSize), set.depth
	t.next = max(0, start-nearWarmUp)
	t.enter(start)
}

// nearHash hashes the first n bytes of v.
func nearHash(v uint64, n uint) uint64 {
	return v << (64 - 8*n) * 0x9E3779B97F4A7C15 >> (64 - nearBits)
}

// enter enters the positions before pos.
func (t *nearTable) enter(pos int) {
	for i := t.next; i < pos; i++ {
		v := binary.LittleEndian.Uint64(t.data[i:])
		t.pairs[uint16(v)] = uint32(i) + 1
		for k, n := range nearLengths {
			t.tables[k][nearHash(v, n)] = uint32(i) + 1
		}
	}
	t.next = max(t.next, pos)
}

// find stores the matches of pos in m, each longer than the one before, and
// returns their number. limit is at least minMatch, and no match passes it.
func (t *nearTable) find(pos, limit int, m *[nearMatches]match) int {
	t.enter(pos)
	t.next = pos + 1
	f := t.result[pos-t.origin]
	longest, dist := f.longest()
	if longest = min(longest, limit); dist == 0 {
		longest, dist = limit, t.dict+1 // so that all near ones count
	} else if longest >= t.cap {
		longest += matchLen(t.data, pos-dist+longest, pos+longest, limit-longest)
	}
	v := binary.LittleEndian.Uint64(t.data[pos:])
	now := uint32(pos) + 1
	n, best := 0, 1
	pair := &t.pairs[uint16(v)]
	if d := now - *pair; *pair != 0 && int(d) < dist {
		m[0] = match{length: minMatch, dist: d}
		n, best = 1, minMatch
	}
	*pair = now
	for k, bytes := range nearLengths {
		slot := &t.tables[k][nearHash(v, bytes)]
		d := int(now - *slot)
		if *slot != 0 && d < dist && best < longest {
			if l := matchLen(t.data, pos-d, pos, longest); l > best {
				m[n] = match{length: uint32(l), dist: uint32(d)}
				n++
				best = l
			}
		}
		*slot = now
	}
	if dist > t.dict {
		return n
	}
	if l, d := f.nearer(); d != 0 && l > best && l < longest {
		m[n] = match{length: uint32(l), dist: uint32(d), noTail: true}
		n++
	}
	if longest > best {
		m[n] = match{length: uint32(longest), dist: uint32(dist), noTail: !f.tail()}
		n++
	}
	return n
}
