package match

import (
	"encoding/binary"
	"math/bits"
)

// refineLarge refines a bucket. If share is true it leaves large parts of a
// very large bucket to be shared by all workers.
func (w *radixWorker) refineLarge(t radixTask, share bool) {
	if int(t.members[len(t.members)-1].pos()) < w.start {
		return
	}
	if len(t.members) <= radixBuffer {
		w.refineLoaded(t)
		return
	}
	var count [256]int
	for {
		if t.depth >= w.cap {
			for i, m := range t.members[1:] {
				w.set(int(m.pos()), t.depth, int(m.pos()-t.members[i].pos()), 0, 0)
			}
			return
		}
		if t.avail == 0 {
			t.load(w.data)
		}
		for _, m := range t.members {
			count[m.first()]++
		}
		only := t.members[0].first()
		if count[only] < len(t.members) {
			break
		}
		count[only] = 0
		for i, m := range t.members {
			t.members[i] = m.drop()
		}
		t.depth++
		t.avail--
	}
	next := count
	sum := 0
	for i, c := range count {
		next[i] = sum
		sum += c
	}
	first := next
	last := t.members[0]
	for _, m := range t.members {
		b := m.first()
		if next[b] == first[b] {
			w.set(int(m.pos()), t.depth, int(m.pos()-last.pos()), uint64(m^last)>>32<<32, t.avail)
		}
		last = m
		t.scratch[next[b]] = m.drop()
		next[b]++
	}
	share = share && len(t.members) > radixShare
	for b, c := range count {
		if c < 2 {
			continue
		}
		from, to := first[b], first[b]+c
		part := radixTask{t.scratch[from:to], t.members[from:to], t.depth + 1, t.avail - 1}
		if share && c > radixBuffer {
			w.tasks = append(w.tasks, part)
		} else {
			w.refineLarge(part, false)
		}
	}
}

// load reads the next bytes of all members.
func (t *radixTask) load(data []byte) {
	data = data[t.depth:]
	for i, m := range t.members {
		t.members[i] = radixMember(binary.BigEndian.Uint32(data[m.pos():]))<<32 | m&(1<<32-1)
	}
	t.avail = memberKey
}

// refineLoaded is refineLarge for a bucket that fits the worker's own memory.
func (w *radixWorker) refineLoaded(t radixTask) {
	if w.a == nil {
		w.a = make([]radixEntry, radixBuffer)
		w.b = make([]radixEntry, radixBuffer)
	}
	a := w.a[:len(t.members)]
	for i, m := range t.members {
		a[i] = radixEntry{key: uint64(m) >> 32 << 32, pos: m.pos()}
	}
	w.refineEntries(a, w.b[:len(a)], t.depth, t.avail, 0)
}

// load reads the next 8 bytes of all members.
func (w *radixWorker) load(a []radixEntry, depth int) {
	data := w.data[depth:]
	for i := range a {
		a[i].key = binary.BigEndian.Uint64(data[a[i].pos:])
	}
}

// refineEntries refines members with depth common bytes of which keys hold the
// next avail. above is the depth that near distances are of. b is scratch.
func (w *radixWorker) refineEntries(a, b []radixEntry, depth, avail, above int) {
	for {
		if int(a[len(a)-1].pos) < w.start {
			return
		}
		if len(a) <= w.leaf {
			if avail < leafKey {
				w.load(a, depth)
				avail = 8
			}
			w.compareAll(a, depth, avail, above)
			return
		}
		if depth >= w.cap {
			for i := 1; i < len(a); i++ {
				w.set(int(a[i].pos), w.cap, int(a[i].pos-a[i-1].pos), 0, 0)
			}
			return
		}
		if avail == 0 {
			w.load(a, depth)
			avail = 8
		}
		if a[0].key>>56 != a[len(a)-1].key>>56 {
			break
		}
		common := commonBytes(a, avail)
		if common == 0 {
			break
		}
		depth += common
		avail -= common
	}
	base := len(w.parts)
	w.split(a, b, depth, avail)
	for i := base; i < len(w.parts); i++ {
		p := w.parts[i]
		w.refineEntries(b[p.from:p.to], a[p.from:p.to], depth+1, avail-1, depth)
	}
	w.parts = w.parts[:base]
}

// leafKey is the least number of bytes at hand that makes members worth
// comparing without reading more of them.
const leafKey = 6

// commonBytes drops the bytes that all keys of a start with, up to avail, and
// returns their number.
func commonBytes(a []radixEntry, avail int) int {
	differ := uint64(0)
	for i := range a {
		differ |= a[i].key ^ a[0].key
	}
	common := min(bits.LeadingZeros64(differ)/8, avail)
	if common > 0 {
		for i := range a {
			a[i].key <<= 8 * uint(common)
		}
	}
	return common
}

// split moves the members of a to b, together with those that have the same
// next byte. It appends the ranges of b with two members or more to parts.
// Buckets are mostly small, so it does no work for byte
// values that do not occur.
func (w *radixWorker) split(a, b []radixEntry, depth, avail int) {
	var values [256]uint8
	n := 0
	count := &w.count // all zero between calls
	for i := range a {
		k := uint8(a[i].key >> 56)
		if count[k] == 0 {
			values[n&255] = k
			n++
		}
		count[k]++
	}
	sum := uint32(0)
	next, first := &w.next, &w.first
	for _, k := range values[:n] {
		c := count[k]
		count[k] = 0
		next[k], first[k] = sum, sum
		if c > 1 {
			w.parts = append(w.parts, bucket{int(sum), int(sum + c)})
		}
		sum += c
	}
	last := &a[0]
	for i := range a {
		e := &a[i]
		k := uint8(e.key >> 56)
		dist := e.pos - last.pos
		at := next[k]
		if at == first[k] && dist != 0 {
			w.set(int(e.pos), depth, int(dist), e.key^last.key, avail)
		}
		last = e
		b[at] = radixEntry{key: e.key << 8, pos: e.pos, near: dist}
		next[k] = at + 1
	}
}

// compareAll finds the matches of few members by comparing each with those
// before it, nearest first.
func (w *radixWorker) compareAll(a []radixEntry, depth, avail, above int) {
	for i := len(a) - 1; i > 0; i-- {
		e := &a[i]
		pos := int(e.pos)
		if pos < w.start {
			return
		}
		oldest := uint32(max(0, pos-w.dictSize))
		best, bestDist := depth-1, 0
		differ := uint64(0) // of the best match, 0 if not known
		near, nearDist := above, int(e.near)
		below := uint64(1<<64 - 1) // keys that differ by this or less are better
		key := e.key
		before := a[:i]
		for j := len(before) - 1; j >= 0; j-- {
			x := key ^ before[j].key
			if x > below {
				continue
			}
			if before[j].pos < oldest {
				break
			}
			dist := int(e.pos - before[j].pos)
			same := bits.LeadingZeros64(x) / 8
			length := depth + same
			if same >= avail {
				x = 0
				length = depth + avail
				length += Len(w.data, int(before[j].pos)+length, pos+length, max(w.cap-length, 0))
				if length <= best {
					continue
				}
			}
			if bestDist != 0 && worthKeeping(near, nearDist, best, bestDist) {
				near, nearDist = best, bestDist
			}
			best, bestDist, differ = length, dist, x
			if best >= w.cap {
				best = w.cap
				break
			}
			below = 1<<(64-8*uint(min(best-depth+1, avail))) - 1
		}
		if bestDist == 0 || best < foundMinLen {
			if nearDist != 0 && bestDist == 0 {
				w.set(pos, near, nearDist, 0, 0)
			}
			continue
		}
		f := makeFound(best, bestDist).cutTail(differ<<(8*uint(best-depth)), 8)
		if nearDist != 0 && near >= foundMinLen && near < best && nearDist < bestDist {
			f = f.withNear(near, nearDist)
		}
		w.result[pos-w.start] = f
	}
}

// worthKeeping decides which of two matches to remember beside the longest one:
// whether the longer b is worth more than the nearer a.
func worthKeeping(aLen, aDist, bLen, bDist int) bool {
	if aDist == 0 || aLen < 4 {
		return true
	}
	return bits.Len(uint(bDist))-bits.Len(uint(aDist)) <= 2*(bLen-aLen)
}
