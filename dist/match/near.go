package match

import "encoding/binary"

// Near finds the nearest match of each of a few short lengths. The radix
// finder knows the longest match, which is often far away; a shorter and nearer
// one can be cheaper.
type Near struct {
	data   []byte
	result []Found // of data[origin:]
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
	pairLen = 2

	nearBits   = 14
	nearWarmUp = 1 << 16 // bytes before the start that are entered

	// NearMatches is how many matches [Near.Find] finds at most.
	NearMatches = len(nearLengths) + 3
)

// Reset prepares for finding matches from start on.
func (t *Near) Reset(set Settings, data []byte, result []Found, origin, start int) {
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
	t.dict, t.cap = int(set.DictSize), set.Depth
	t.next = max(0, start-nearWarmUp)
	t.enter(start)
}

// nearHash hashes the first n bytes of v.
func nearHash(v uint64, n uint) uint64 {
	return v << (64 - 8*n) * 0x9E3779B97F4A7C15 >> (64 - nearBits)
}

// enter enters the positions before pos.
func (t *Near) enter(pos int) {
	for i := t.next; i < pos; i++ {
		v := binary.LittleEndian.Uint64(t.data[i:])
		t.pairs[uint16(v)] = uint32(i) + 1
		for k, n := range nearLengths {
			t.tables[k][nearHash(v, n)] = uint32(i) + 1
		}
	}
	t.next = max(t.next, pos)
}

// Find stores the matches of pos in m, each longer than the one before, and
// returns their number. limit is at least 2, and no match passes it.
func (t *Near) Find(pos, limit int, m *[NearMatches]Match) int {
	t.enter(pos)
	t.next = pos + 1
	f := t.result[pos-t.origin]
	longest, dist := f.longest()
	if longest = min(longest, limit); dist == 0 {
		longest, dist = limit, t.dict+1 // so that all near ones count
	} else if longest >= t.cap {
		longest += Len(t.data, pos-dist+longest, pos+longest, limit-longest)
	}
	v := binary.LittleEndian.Uint64(t.data[pos:])
	now := uint32(pos) + 1
	n, best := 0, 1
	pair := &t.pairs[uint16(v)]
	if d := now - *pair; *pair != 0 && int(d) < dist {
		m[0] = Match{Length: pairLen, Dist: d}
		n, best = 1, pairLen
	}
	*pair = now
	for k, bytes := range nearLengths {
		slot := &t.tables[k][nearHash(v, bytes)]
		d := int(now - *slot)
		if *slot != 0 && d < dist && best < longest {
			if l := Len(t.data, pos-d, pos, longest); l > best {
				m[n] = Match{Length: uint32(l), Dist: uint32(d)}
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
		m[n] = Match{Length: uint32(l), Dist: uint32(d), NoTail: true}
		n++
	}
	if longest > best {
		m[n] = Match{Length: uint32(longest), Dist: uint32(dist), NoTail: !f.tail()}
		n++
	}
	return n
}
