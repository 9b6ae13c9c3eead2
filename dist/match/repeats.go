package match

import (
	"context"
	"math/bits"
	"sync"
)

// repeat says that data[from:to] equals data[from-dist:to-dist].
type repeat struct{ from, to, dist int }

// repeatFinder finds the long repeats of a block by looking only at positions
// that their content selects, so that copies select the same ones. The radix
// finder then leaves them out, which in content such as documentation are most
// of the input and would make its deepest buckets. It also prefers the longest
// of many copies, where the radix finder stops at the nearest that has as many
// bytes as it looks for.
type repeatFinder struct {
	repeats []repeat // found so far, in order, without overlap

	table   []repeatSample // buckets of repeatWays, newest first
	shift   uint           // of a hash that makes it a bucket's number
	next    int            // end of what is in the table
	samples [][]repeatSample
}

// repeatSample is a selected position and a hash of the bytes before it. Only
// unused ones have position 0.
type repeatSample struct {
	hash uint32
	pos  uint32
}

const (
	repeatMin    = 128 // bytes of a repeat worth listing
	repeatWindow = 64  // bytes that the hash covers
	repeatEvery  = 5   // one of 1<<repeatEvery positions is selected
	repeatWays   = 8
	repeatPiece  = 16 << 20 // bytes sampled at a time
)

// gears are random numbers for a rolling hash (gear hash, as in zstd's search
// for long distance matches), made by the generator splitmix64.
var gears = makeGears()

func makeGears() (g [256]uint64) {
	state := uint64(0)
	for i := range g {
		state += 0x9E3779B97F4A7C15
		z := state
		z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		g[i] = z ^ z>>31
	}
	return g
}

// repeatTableSize is the number of samples remembered of a block of n bytes.
func repeatTableSize(n int64) int64 { return 1 << max(10, bits.Len64(uint64(n)>>(repeatEvery+1))) }

// repeatMemory is what a repeatFinder holds for a block, in bytes.
func repeatMemory(block int64) int64 {
	return 8*repeatTableSize(block) + 2*8*min(block, repeatPiece)>>repeatEvery
}

// reset prepares for a block of n bytes.
func (r *repeatFinder) reset(n int) {
	size := int(repeatTableSize(int64(n)))
	if len(r.table) == size {
		clear(r.table)
	} else {
		r.table = make([]repeatSample, size)
	}
	r.shift = uint(32 - bits.TrailingZeros(uint(size/repeatWays)))
	r.next = 0
	r.repeats = r.repeats[:0]
}

// find adds the repeats between the end of the last call and end. It stops when
// ctx ends.
func (r *repeatFinder) find(ctx context.Context, set Settings, data []byte, end int) {
	for len(r.samples) < set.Workers {
		r.samples = append(r.samples, nil)
	}
	for r.next < end && ctx.Err() == nil {
		from := r.next
		n := min(repeatPiece, end-from)
		var wg sync.WaitGroup
		for i := range set.Workers {
			wg.Go(func() {
				r.samples[i] = sampleRepeats(data, from+n*i/set.Workers, from+n*(i+1)/set.Workers, r.samples[i][:0])
			})
		}
		wg.Wait()
		for _, samples := range r.samples[:set.Workers] {
			for _, s := range samples {
				r.add(data, s, end, int(set.DictSize))
			}
		}
		r.next = from + n
	}
}

// sampleRepeats appends the selected positions in (from, to] to out.
func sampleRepeats(data []byte, from, to int, out []repeatSample) []repeatSample {
	h := uint64(0) // of the last 64 bytes: older ones are shifted out
	for _, b := range data[max(0, from-repeatWindow):from] {
		h = h<<1 + gears[b]
	}
	for i, b := range data[from:to] {
		h = h<<1 + gears[b]
		if h>>(64-repeatEvery) == 0 {
			out = append(out, repeatSample{uint32(h * 0x9E3779B97F4A7C15 >> 32), uint32(from + i + 1)})
		}
	}
	return out
}

// add looks for a repeat around s, if s is not in one already, and enters s.
func (r *repeatFinder) add(data []byte, s repeatSample, end, dictSize int) {
	bucket := (*[repeatWays]repeatSample)(r.table[s.hash>>r.shift*repeatWays:])
	covered := 0
	if k := len(r.repeats); k > 0 {
		covered = r.repeats[k-1].to
	}
	if int(s.pos) >= covered {
		if found := longestRepeat(data, s, bucket, covered, end, dictSize); found.to > 0 {
			r.repeats = append(r.repeats, found)
		}
	}
	copy(bucket[1:], bucket[:repeatWays-1])
	bucket[0] = s
}

// longestRepeat returns the repeat around s that goes on longest, or a zero
// repeat. It lies between from and end.
func longestRepeat(data []byte, s repeatSample, bucket *[repeatWays]repeatSample, from, end, dictSize int) repeat {
	best := repeat{}
	pos := int(s.pos)
	for _, c := range bucket {
		dist := pos - int(c.pos)
		if c.hash != s.hash || c.pos == 0 || dist > dictSize {
			continue
		}
		to := pos + Len(data, pos-dist, pos, end-pos)
		start := pos
		for start > max(from, dist) && data[start-1] == data[start-1-dist] {
			start--
		}
		if to-start >= repeatMin && to > best.to {
			best = repeat{start, to, dist}
		}
	}
	return best
}

// skip is a range of positions that the finder leaves out, because those from
// it to end have their match at dist.
type skip struct{ from, to, end, dist int }

// skipKeep is how many positions at the end of a repeat are not left out: others
// may begin there that go on.
const skipKeep = 24

// makeSkips makes skips of the repeats and of runs of one byte, which would
// otherwise make the largest buckets, and fills in their results.
func (f *radixFinder) makeSkips(repeats []repeat, from int) {
	runs := f.runs(from)
	f.skips = f.skips[:0]
	at := from
	for len(repeats) > 0 || len(runs) > 0 {
		next := &runs
		if len(runs) == 0 || len(repeats) > 0 && repeats[0].from < runs[0].from {
			next = &repeats
		}
		r := (*next)[0]
		*next = (*next)[1:]
		s := skip{max(r.from, at), r.to - min(skipKeep, f.cap-1), r.to, r.dist}
		if s.from < s.to {
			f.skips = append(f.skips, s)
			at = s.to
		}
	}
	for _, s := range f.skips {
		for p := max(s.from, f.start); p < s.to; p++ {
			f.result[p-f.start] = makeFound(min(f.cap, s.end-p), s.dist)
		}
	}
}

// runs returns where a byte is repeated more than cap times.
func (f *radixFinder) runs(from int) (runs []repeat) {
	data := f.data
	for i := from + 1; i < f.end; {
		// A run of cap bytes or more has equal bytes at any place and cap/2
		// further on, so it is enough to look at every cap/2-th place.
		if data[i] != data[i-1] {
			i += f.cap / 2
			continue
		}
		first, last := i-1, i
		for first > from && data[first-1] == data[i] {
			first--
		}
		for last < f.end && data[last] == data[i] {
			last++
		}
		if last-first > f.cap {
			runs = append(runs, repeat{first + 1, last, 1})
		}
		i = max(last+1, i+f.cap/2)
	}
	return runs
}
