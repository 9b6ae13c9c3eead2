package xz

import (
	"context"
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

// radixTail is how many bytes the finder reads behind its input.
const radixTail = foundCap + 16

// Bounds of the finder's own work.
const (
	radixBuffer = 1 << 16 // members refined with their bytes at hand
	radixGroup  = 1 << 24 // positions sorted at a time, at least
	radixGroups = 4       // or a group is this part of the input, if that is more
)

// radixFinder finds the matches of one span after the other.
type radixFinder struct {
	data     []byte // window and span, and radixTail bytes of any value
	end      int    // of the span
	start    int    // of the span: only positions from here on are results
	dictSize int
	cap      int // greatest length looked for
	leaf     int // buckets up to this size are compared directly

	result []found // of each position of the span
	skips  []skip

	counts    [][]uint32 // positions by prefix, for each part of the input
	positions []uint32   // of the group being refined, bucket by bucket
	scratch   []uint32   // as long as positions
	workers   []*radixWorker
}

// skip is a range of positions that the finder leaves out, because all of them
// have a match of at least cap bytes at dist.
type skip struct{ from, to, dist int }

const prefixes = 1 << 16

// bucket is a range of radixFinder.positions.
type bucket struct{ from, to int }

// radixWorker refines buckets.
type radixWorker struct {
	*radixFinder
	a, b  []radixEntry
	count [256]uint32 // see split
	next  [256]uint32
	first [256]uint32
	parts []bucket // of w.b still to be refined, by refineEntries' callers too
}

// radixEntry is a member of a small bucket.
type radixEntry struct {
	key  uint64 // the bytes that follow the bucket's common ones, first on top
	pos  uint32
	near uint32 // distance to the predecessor in the parent bucket, 0 if none
}

// radixMemory is about what a sliceCoder with its finder holds for a block, in
// bytes, beside the block.
func radixMemory(block, dictSize int64, workers int) int64 {
	span := min(block, spanSize)
	sorted := min(block, span+dictSize)
	group := min(sorted, max(radixGroup, sorted/radixGroups))
	const perWorker = 2*16*radixBuffer + 4*prefixes + 16*sliceSize + 2<<20
	return 8*span + 2*4*group + int64(workers)*perWorker
}

// find fills result for data[start:end]. data must go on for radixTail bytes
// after end; their values do not matter for valid use of the result, which has
// to be cut to end anyway.
func (f *radixFinder) find(ctx context.Context, set settings, data []byte, start, end int) error {
	workers := set.workers
	f.data, f.start, f.end = data[:end+radixTail], start, end
	f.dictSize = int(min(set.dictSize, foundMaxDist))
	f.cap, f.leaf = set.depth, set.leaf
	f.result = slices.Grow(f.result[:0], end-start)[:end-start]
	clear(f.result)
	f.findRuns(max(0, start-f.dictSize))
	for len(f.workers) < workers {
		f.workers = append(f.workers, &radixWorker{radixFinder: f})
	}
	parts := f.parts(max(0, start-f.dictSize), workers)
	f.count(parts)
	starts := f.prefixStarts()
	limit := max(radixGroup, int(starts[prefixes])/radixGroups)
	for low := 0; low < prefixes; {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		high := low + 1
		for high < prefixes && int(starts[high+1]-starts[low]) <= limit {
			high++
		}
		f.sortGroup(parts, starts, low, high)
		f.refine(ctx, starts, low, high, workers)
		low = high
	}
	return nil
}

// findRuns makes skips of the runs of one byte, which would otherwise make the
// largest buckets: all positions of a run but the first and last ones repeat
// the byte before.
func (f *radixFinder) findRuns(from int) {
	f.skips = f.skips[:0]
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
			f.skips = append(f.skips, skip{first + 1, last - f.cap + 1, 1})
		}
		i = max(last+1, i+f.cap/2)
	}
	for _, s := range f.skips {
		for p := max(s.from, f.start); p < s.to; p++ {
			f.result[p-f.start] = makeFound(f.cap, s.dist)
		}
	}
}

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

// count counts the prefixes of each part.
func (f *radixFinder) count(parts []bucket) {
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
}

// prefixStarts turns counts into the place of each part's first position of
// each prefix, in the order of all positions. It returns where each prefix
// starts.
func (f *radixFinder) prefixStarts() []uint32 {
	starts := make([]uint32, prefixes+1)
	sum := uint32(0)
	for p := range prefixes {
		starts[p] = sum
		for _, c := range f.counts {
			c[p], sum = sum, sum+c[p]
		}
	}
	starts[prefixes] = sum
	return starts
}

// sortGroup fills positions with those whose prefix is in [low, high).
func (f *radixFinder) sortGroup(parts []bucket, starts []uint32, low, high int) {
	base := starts[low]
	n := int(starts[high] - base)
	f.positions = slices.Grow(f.positions[:0], n)[:n]
	f.scratch = slices.Grow(f.scratch[:0], n)[:n]
	lowest, width := uint16(low), uint32(high-low)
	var wg sync.WaitGroup
	for i, part := range parts {
		wg.Go(func() {
			next := (*[prefixes]uint32)(f.counts[i])
			f.kept(part, func(from, to int) {
				prefix := uint16(f.data[from])
				for k, b := range f.data[from+1 : to+1] {
					prefix = prefix<<8 | uint16(b)
					if uint32(prefix-lowest) < width {
						f.positions[next[prefix]-base] = uint32(from + k)
						next[prefix]++
					}
				}
			})
		})
	}
	wg.Wait()
}

// refine works through the buckets of prefixes [low, high), the largest first
// so that workers end together.
func (f *radixFinder) refine(ctx context.Context, starts []uint32, low, high, workers int) {
	var buckets []bucket
	for p := low; p < high; p++ {
		if b := (bucket{int(starts[p] - starts[low]), int(starts[p+1] - starts[low])}); b.to-b.from > 1 {
			buckets = append(buckets, b)
		}
	}
	slices.SortFunc(buckets, func(a, b bucket) int { return (b.to - b.from) - (a.to - a.from) })
	var next atomic.Int64
	var wg sync.WaitGroup
	for _, w := range f.workers[:workers] {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(buckets) {
					return
				}
				b := buckets[i]
				w.refineLarge(f.positions[b.from:b.to], f.scratch[b.from:b.to], 2)
			}
		})
	}
	wg.Wait()
}

// set stores the longest match of pos, unless pos is before the span.
func (f *radixFinder) set(pos, length, dist int) {
	if pos >= f.start && length >= foundMinLen && dist <= f.dictSize {
		f.result[pos-f.start] = makeFound(length, dist)
	}
}
