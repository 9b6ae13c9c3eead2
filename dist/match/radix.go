package match

import (
	"context"
	"encoding/binary"
	"slices"
	"sync"
	"sync/atomic"
)

// The radix match finder computes, for every position of a span of input at
// once, the longest match in the window before it. Positions are sorted into
// buckets by their first two bytes and each bucket is refined by the bytes that
// follow, in the order of positions. A position's predecessor in its bucket is
// then the nearest one that has as many bytes in common as the bucket is deep;
// once a bucket is small its members are compared with each other directly.
//
// Buckets do not depend on each other, so workers share them; and no step
// follows a chain of dependent loads, which is what makes binary trees slow.
//
// The idea is that of the radix match finder of fast-lzma2; here buckets are
// arrays instead of linked lists.

// Tail is how many bytes the finder reads behind its input.
const Tail = Cap + 16

// Bounds of the finder's own work.
const (
	radixBuffer = 1 << 14 // members refined with their bytes at hand
	radixShare  = 1 << 20 // larger buckets are split before workers share them
	radixGroup  = 1 << 20 // positions sorted at a time, at least
	radixGroups = 16      // or a group is this part of the input, if that is more
)

// radixFinder finds the matches of one span after the other.
type radixFinder struct {
	block    int    // bytes of the whole block
	data     []byte // window and span, and Tail bytes of any value
	end      int    // of the span
	start    int    // of the span: only positions from here on are results
	dictSize int
	cap      int // greatest length looked for
	leaf     int // buckets up to this size are compared directly

	result []Found // of each position of the span
	skips  []skip

	counts  [][]uint32    // positions by prefix, for each part of the input
	group   []radixMember // being refined, bucket by bucket
	scratch []radixMember // as long as group
	workers []*radixWorker
}

const prefixes = 1 << 16

// bucket is a range.
type bucket struct{ from, to int }

// radixMember is a member of a large bucket: its position in the low half, and
// in the high half the bytes that follow the bucket's common ones, first on top.
type radixMember uint64

const memberKey = 4 // bytes

func (m radixMember) pos() uint32       { return uint32(m) }
func (m radixMember) first() uint8      { return uint8(m >> 56) }
func (m radixMember) drop() radixMember { return m>>32<<40 | m&(1<<32-1) }

// radixTask is a bucket with what is known of it.
type radixTask struct {
	members []radixMember
	scratch []radixMember // as long
	depth   int           // common bytes of the members
	avail   int           // bytes that follow in members
}

// radixWorker refines buckets.
type radixWorker struct {
	*radixFinder
	a, b  []radixEntry
	count [256]uint32 // see split
	next  [256]uint32
	first [256]uint32
	parts []bucket    // of w.b still to be refined, by refineEntries' callers too
	tasks []radixTask // buckets that any worker may refine
}

// radixEntry is a member of a small bucket.
type radixEntry struct {
	key  uint64 // the bytes that follow the bucket's common ones, first on top
	pos  uint32
	near uint32 // distance to the predecessor in the parent bucket, 0 if none
}

// Memory is about what a Finder holds for a block of input, in bytes, beside the
// block.
func Memory(block int64, set Settings) int64 {
	dictSize, spanMax := set.DictSize, int64(set.SpanMax)
	span := min(block, spanMax)
	sorted := min(block, span+dictSize)
	group := min(sorted, int64(groupLimit(int(sorted))))
	const perWorker = 2*16*radixBuffer + 4*prefixes
	return repeatMemory(block) + 8*span + 2*8*group + int64(set.Workers)*perWorker
}

// find fills result for data[start:end]. data must go on for Tail bytes
// after end; their values do not matter for valid use of the result, which has
// to be cut to end anyway.
func (f *radixFinder) find(ctx context.Context, set Settings, data []byte, repeats []repeat, start, end int) error {
	workers := set.Workers
	f.data, f.start, f.end = data[:end+Tail], start, end
	f.dictSize = int(min(set.DictSize, foundMaxDist))
	f.cap, f.leaf = set.Depth, set.Leaf
	if cap(f.result) < end-start {
		f.result = make([]Found, end-start)
	} else {
		f.result = f.result[:end-start]
		clear(f.result)
	}
	f.makeSkips(repeats, max(0, start-f.dictSize))
	for len(f.workers) < workers {
		f.workers = append(f.workers, &radixWorker{radixFinder: f})
	}
	parts := f.parts(max(0, start-f.dictSize), workers)
	o := f.prefixOrder(parts)
	limit := groupLimit(int(o.starts[prefixes]))
	if cap(f.group) < limit {
		// The next spans are as long or, with the window, longer; so this is
		// mostly done once.
		most := max(limit, groupLimit(min(f.block, set.SpanMax+f.dictSize)))
		f.group, f.scratch = make([]radixMember, most), make([]radixMember, most)
	}
	return f.sort(ctx, parts, o, limit)
}

// groupLimit is how many of n positions are sorted at a time, unless more have
// the same three bytes.
func groupLimit(n int) int { return max(radixGroup, n/radixGroups) }

// parts cuts the input into as many ranges of positions as there are workers.
func (f *radixFinder) parts(from, workers int) []bucket {
	parts := make([]bucket, workers)
	n := f.end - from
	for i := range parts {
		parts[i] = bucket{from + n*i/workers, from + n*(i+1)/workers}
	}
	return parts
}

// kept calls visit for the ranges of part that are not skipped.
func (f *radixFinder) kept(part bucket, visit func(from, to int)) {
	at := part.from
	i, _ := slices.BinarySearchFunc(f.skips, at, func(s skip, at int) int { return s.to - at })
	for ; i < len(f.skips) && f.skips[i].from < part.to; i++ {
		if s := f.skips[i]; s.from > at {
			visit(at, s.from)
		}
		at = max(at, f.skips[i].to)
	}
	if at < part.to {
		visit(at, part.to)
	}
}

// order is how positions are sorted: by their first bytes, which are a key.
type order struct {
	bytes  int        // of a key
	first  uint64     // key that the first of counts is for
	counts [][]uint32 // positions by key, for each part; then their places
	starts []uint32   // where each key starts, and the end
}

// avail is how many of the bytes that follow a key its members have: as many as if
// they had been sorted by two bytes first, so that results are the same.
func (o *order) avail() int { return memberKey - (o.bytes - 2) }

func (o *order) key(v uint64) uint64 { return v >> (64 - 8*o.bytes) }

// place turns counts into the place of each part's first position of each key, in the
// order of all positions.
func (o *order) place() {
	n := len(o.counts[0])
	o.starts = make([]uint32, n+1)
	sum := uint32(0)
	for k := range n {
		o.starts[k] = sum
		for _, c := range o.counts {
			c[k], sum = sum, sum+c[k]
		}
	}
	o.starts[n] = sum
}

// prefixOrder is the order of all positions by their first two bytes.
func (f *radixFinder) prefixOrder(parts []bucket) order {
	for len(f.counts) < len(parts) {
		f.counts = append(f.counts, make([]uint32, prefixes))
	}
	var wg sync.WaitGroup
	for i, part := range parts {
		wg.Go(func() {
			counts := (*[prefixes]uint32)(f.counts[i])
			clear(counts[:])
			f.kept(part, func(from, to int) {
				prefix := uint16(f.data[from])
				for _, b := range f.data[from+1 : to+1] {
					prefix = prefix<<8 | uint16(b)
					counts[prefix]++
				}
			})
		})
	}
	wg.Wait()
	o := order{bytes: 2, counts: f.counts[:len(parts)]}
	o.place()
	return o
}

// thirdOrder is the order of the positions of one prefix by their third byte.
// Nothing is lost: a match of two bytes is not worth a place.
func (f *radixFinder) thirdOrder(parts []bucket, prefix int) order {
	o := order{bytes: 3, first: uint64(prefix) << 8}
	for range parts {
		o.counts = append(o.counts, make([]uint32, 256))
	}
	var wg sync.WaitGroup
	for i, part := range parts {
		wg.Go(func() {
			counts := o.counts[i]
			f.kept(part, func(from, to int) {
				for p := from; p < to; p++ {
					if third := o.key(binary.BigEndian.Uint64(f.data[p:])) - o.first; third < 256 {
						counts[third]++
					}
				}
			})
		})
	}
	wg.Wait()
	o.place()
	return o
}

// sort works through the positions of the order in groups of up to limit.
func (f *radixFinder) sort(ctx context.Context, parts []bucket, o order, limit int) error {
	for low := 0; low < len(o.starts)-1; {
		high := low + 1
		for high < len(o.starts)-1 && int(o.starts[high+1]-o.starts[low]) <= limit {
			high++
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if n := int(o.starts[high] - o.starts[low]); n > limit && o.bytes == 2 {
			if err := f.sort(ctx, parts, f.thirdOrder(parts, low), limit); err != nil {
				return err
			}
		} else if n > 0 {
			f.sortGroup(parts, o, bucket{low, high})
			f.refine(ctx, o, bucket{low, high}, len(parts))
		}
		low = high
	}
	return nil
}

// sortGroup fills group with the positions whose keys are in g.
func (f *radixFinder) sortGroup(parts []bucket, o order, g bucket) {
	base := o.starts[g.from]
	n := int(o.starts[g.to] - base)
	if cap(f.group) < n {
		f.group, f.scratch = make([]radixMember, n), make([]radixMember, n)
	}
	f.group, f.scratch = f.group[:n], f.scratch[:n]
	lowest, width := o.first+uint64(g.from), uint64(g.to-g.from)
	var wg sync.WaitGroup
	for i, part := range parts {
		wg.Go(func() {
			next := o.counts[i][g.from:g.to]
			shift := uint(8 * o.bytes)
			mask := ^uint64(0) << (32 + shift - 16) // of what avail counts
			f.kept(part, func(from, to int) {
				for p := from; p < to; p++ {
					v := binary.BigEndian.Uint64(f.data[p:])
					if k := v>>(64-shift) - lowest; k < width {
						f.group[next[k]-base] = radixMember(v<<shift&mask | uint64(p))
						next[k]++
					}
				}
			})
		})
	}
	wg.Wait()
}

// refine works through the buckets of the keys in g, the largest first so
// that workers end together.
func (f *radixFinder) refine(ctx context.Context, o order, g bucket, workers int) {
	var tasks []radixTask
	for k := g.from; k < g.to; k++ {
		from, to := o.starts[k]-o.starts[g.from], o.starts[k+1]-o.starts[g.from]
		if to-from > 1 {
			tasks = append(tasks, radixTask{f.group[from:to], f.scratch[from:to], o.bytes, o.avail()})
		}
	}
	for len(tasks) > 0 {
		slices.SortFunc(tasks, func(a, b radixTask) int { return len(b.members) - len(a.members) })
		var next atomic.Int64
		var wg sync.WaitGroup
		for _, w := range f.workers[:workers] {
			w.tasks = w.tasks[:0]
			wg.Go(func() {
				for ctx.Err() == nil {
					i := int(next.Add(1)) - 1
					if i >= len(tasks) {
						return
					}
					w.refineLarge(tasks[i], true)
				}
			})
		}
		wg.Wait()
		tasks = tasks[:0]
		for _, w := range f.workers[:workers] {
			tasks = append(tasks, w.tasks...)
		}
	}
}

// set stores the longest match of pos, unless pos is before the span. differ
// has the bytes of the two that follow the match, the first on top, exclusive
// or'ed, of which avail are known.
func (f *radixFinder) set(pos, length, dist int, differ uint64, avail int) {
	if pos >= f.start && length >= foundMinLen && dist <= f.dictSize {
		f.result[pos-f.start] = makeFound(length, dist).cutTail(differ, avail)
	}
}
