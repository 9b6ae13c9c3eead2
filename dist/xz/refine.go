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
	if depth >= w.cap {
		for i := 1; i < len(positions); i++ {
			w.set(int(positions[i]), depth, int(positions[i]-positions[i-1]))
		}
		return
	}
	var count [256]int
	data := w.data[depth:]
	for _, p := range positions {
		count[data[p]]++
	}
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
		if len(a) <= radixLeaf {
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
		differ := uint64(0)
		for i := range a {
			differ |= a[i].key ^ a[0].key
		}
		common := min(bits.LeadingZeros64(differ)/8, avail)
		if common == 0 {
			break
		}
		depth += common
		avail -= common
		for i := range a {
			a[i].key <<= 8 * uint(common)
		}
	}
	var next [256]uint32
	for i := range a {
		next[a[i].key>>56]++
	}
	sum := uint32(0)
	for i, c := range next {
		next[i] = sum
		sum += c
	}
	first := next
	last := a[0].pos
	for i := range a {
		e := &a[i]
		k := e.key >> 56
		dist := e.pos - last
		last = e.pos
		if next[k] == first[k] && dist != 0 {
			w.set(int(e.pos), depth, int(dist))
		}
		b[next[k]] = radixEntry{key: e.key << 8, pos: e.pos, near: dist}
		next[k]++
	}
	for k := range next {
		if from, to := first[k], next[k]; to-from > 1 {
			w.refineEntries(b[from:to], a[from:to], depth+1, avail-1, depth)
		}
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
		for j := i - 1; j >= 0; j-- {
			x := e.key ^ a[j].key
			if x > below {
				continue
			}
			if a[j].pos < oldest {
				break
			}
			dist := int(e.pos - a[j].pos)
			same := bits.LeadingZeros64(x) / 8
			length := depth + same
			if same >= avail {
				length = depth + avail
				length += matchLen(w.data, int(a[j].pos)+length, pos+length, max(w.cap-length, 0))
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
