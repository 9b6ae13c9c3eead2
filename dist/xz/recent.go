package xz

import "encoding/binary"

// recentTable remembers the newest positions by hashes of their bytes. That
// finds fewer matches than the radix finder, in a fraction of its time.
type recentTable struct {
	data  []byte
	short []recent       // the newest by a hash of shortBytes
	long  []recentBucket // the newest few by a hash of longBytes
	next  int            // first position not entered
}

// recent is a position plus one and four bytes there, so that most positions
// that only share the hash are told apart without a look at them.
type recent struct{ pos, head uint32 }

// recentBucket has the newest first. It has the size of a cache line.
type recentBucket [8]recent

const (
	shortBytes = 3
	shortBits  = 14
	longBytes  = 6
	longBits   = 17
)

const recentMemory = 8<<shortBits + 64<<longBits // bytes

// reset forgets all positions. Tables that are new are not cleared: their memory is not
// there before it is written, which with a short block it hardly is.
func (t *recentTable) reset(data []byte) {
	if t.short == nil {
		t.short = make([]recent, 1<<shortBits)
		t.long = make([]recentBucket, 1<<longBits)
	} else {
		clear(t.short)
		clear(t.long)
	}
	t.data, t.next = data, 0
}

func shortHash(v uint64) uint64 {
	return v << (64 - 8*shortBytes) * 0x9E3779B97F4A7C15 >> (64 - shortBits)
}

func longHash(v uint64) uint64 {
	return v << (64 - 8*longBytes) * 0x9E3779B97F4A7C15 >> (64 - longBits)
}

// shortHead and longHead are the last of the hashed bytes.
func shortHead(v uint64) uint32 { return uint32(v) << (32 - 8*shortBytes) }
func longHead(v uint64) uint32  { return uint32(v >> (8 * (longBytes - 4))) }

// enter enters the positions before pos.
func (t *recentTable) enter(pos int) {
	for i := t.next; i < pos; i++ {
		v := binary.LittleEndian.Uint64(t.data[i:])
		now := uint32(i) + 1
		t.short[shortHash(v)] = recent{now, shortHead(v)}
		b := &t.long[longHash(v)]
		copy(b[1:], b[:])
		b[0] = recent{now, longHead(v)}
	}
	t.next = max(t.next, pos)
}

// find appends to out earlier positions that probably have some bytes in common
// with pos.
func (t *recentTable) find(pos int, out []int) []int {
	t.enter(pos)
	v := binary.LittleEndian.Uint64(t.data[pos:])
	for _, e := range &t.long[longHash(v)] {
		if e.head == longHead(v) && e.pos != 0 {
			out = append(out, int(e.pos)-1)
		}
	}
	if e := t.short[shortHash(v)]; e.head == shortHead(v) && e.pos != 0 {
		out = append(out, int(e.pos)-1)
	}
	return out
}
