package xz

import (
	"encoding/binary"
	"math/bits"
)

// refineLarge refines a bucket of positions with depth common bytes.
func (w *radixWorker) refineLarge(positions, scratch []uint32, depth int) {
	if int(positions[len(positions)-1]) < w.start {
		return
	}
	if len(positions) <= radixBuffer {
		w.refineLoaded(positions, depth)
		return
	}
	var count [256]int
	for data := w.data[depth:]; ; data = data[1:] {
		if depth >= w.cap {
			for i := 1; i < len(positions); i++ {
				w.set(int(positions[i]), depth, int(positions[i]-positions[i-1]))
			}
			return
		}
		for _, p := range positions {
			count[data[p]]++
		}
		only := data[positions[0]]
		if count[only] < len(positions) {
			break
		}
		count[only] = 0
		depth++
	}
	data := w.data[depth:]
	next := count
	sum := 0
	for i, c := range count {
		next[i] = sum
		sum += c
	}
	first := next
	last := positions[0]
	for _, p := range positions {
		b := data[p]
		if next[b] == first[b] {
			w.set(int(p), depth, int(p-last))
		}
		last = p
		scratch[next[b]] = p
		next[b]++
	}
	for b, c := range count {
		if c > 1 {
			from := first[b]
			w.refineLarge(scratch[from:from+c], positions[from:from+c], depth+1)
		}
	}
}

// refineLoaded is refineLarge with the bytes of all members read at once.
func (w *radixWorker) refineLoaded(positions []uint32, depth int) {
	if w.a == nil {
		w.a = make([]radixEntry, radixBuffer)
		w.b = make([]radixEntry, radixBuffer)
	}
	a := w.a[:len(positions)]
	data := w.data[depth:]
	for i, p := range positions {
		a[i] = radixEntry{key: binary.BigEndian.Uint64(data[p:]), pos: p}
	}
	w.refineEntries(a, w.b[:len(positions)], depth, 8, 0)
}

// refineEntries refines members with depth common bytes of which keys hold the
// next avail. above is the depth that near distances are of. b is scratch.
func (w *radixWorker) refineEntries(a, b []radixEntry, depth, avail, above int) {
	for {
		if int(a[len(a)-1].pos) < w.start {
			return
		}
		if len(a) <= w.leaf {
			w.compareAll(a, depth, avail, above)
			return
		}
		if depth >= w.cap {
			for i := 1; i < len(a); i++ {
				w.set(int(a[i].pos), w.cap, int(a[i].pos-a[i-1].pos))
			}
			return
		}
		if avail == 0 {
			data := w.data[depth:]
			for i := range a {
				a[i].key = binary.BigEndian.Uint64(data[a[i].pos:])
			}
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
	w.split(a, b, depth)
	for i := base; i < len(w.parts); i++ {
		p := w.parts[i]
		w.refineEntries(b[p.from:p.to], a[p.from:p.to], depth+1, avail-1, depth)
	}
	w.parts = w.parts[:base]
}

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
func (w *radixWorker) split(a, b []radixEntry, depth int) {
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
	last := a[0].pos
	for i := range a {
		e := &a[i]
		k := uint8(e.key >> 56)
		dist := e.pos - last
		last = e.pos
		at := next[k]
		if at == first[k] && dist != 0 {
			w.set(int(e.pos), depth, int(dist))
		}
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
				length = depth + avail
				length += matchLen(w.data, int(before[j].pos)+length, pos+length, max(w.cap-length, 0))
				if length <= best {
					continue
				}
			}
			if bestDist != 0 && worthKeeping(near, nearDist, best, bestDist) {
				near, nearDist = best, bestDist
			}
			best, bestDist = length, dist
			if best >= w.cap {
				best = w.cap
				break
			}
			below = 1<<(64-8*uint(min(best-depth+1, avail))) - 1
		}
		if bestDist == 0 || best < foundMinLen {
			if nearDist != 0 && bestDist == 0 {
				w.set(pos, near, nearDist)
			}
			continue
		}
		f := makeFound(best, bestDist)
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
