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
	f.count(parts)
	starts := f.prefixStarts()
	groups, largest := cutGroups(starts)
	if cap(f.group) < largest {
		// The next spans are as long or, with the window, longer; so this is
		// mostly done once.
		largest = max(largest, groupLimit(min(f.block, set.SpanMax+f.dictSize)))
		f.group, f.scratch = make([]radixMember, largest), make([]radixMember, largest)
	}
	for _, g := range groups {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		f.sortGroup(parts, starts, g)
		f.refine(ctx, starts, g, workers)
	}
	return nil
}

// groupLimit is how many of n positions are sorted at a time, unless more have
// the same prefix.
func groupLimit(n int) int { return max(radixGroup, n/radixGroups) }

// cutGroups makes ranges of prefixes that are sorted one after the other, to
// save memory. It also returns the greatest number of positions in one.
func cutGroups(starts []uint32) (groups []bucket, largest int) {
	limit := groupLimit(int(starts[prefixes]))
	for low := 0; low < prefixes; {
		high := low + 1
		for high < prefixes && int(starts[high+1]-starts[low]) <= limit {
			high++
		}
		groups = append(groups, bucket{low, high})
		largest = max(largest, int(starts[high]-starts[low]))
		low = high
	}
	return groups, largest
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

// sortGroup fills group with the positions whose prefix is in g.
func (f *radixFinder) sortGroup(parts []bucket, starts []uint32, g bucket) {
	base := starts[g.from]
	n := int(starts[g.to] - base)
	f.group, f.scratch = f.group[:n], f.scratch[:n]
	lowest, width := uint16(g.from), uint32(g.to-g.from)
	var wg sync.WaitGroup
	for i, part := range parts {
		wg.Go(func() {
			next := (*[prefixes]uint32)(f.counts[i])
			f.kept(part, func(from, to int) {
				for p := from; p < to; p++ {
					v := binary.BigEndian.Uint64(f.data[p:])
					prefix := uint16(v >> 48)
					if uint32(prefix-lowest) < width {
						f.group[next[prefix]-base] = radixMember(v>>16<<32 | uint64(p))
						next[prefix]++
					}
				}
			})
		})
	}
	wg.Wait()
}

// refine works through the buckets of the prefixes in g, the largest first so
// that workers end together.
func (f *radixFinder) refine(ctx context.Context, starts []uint32, g bucket, workers int) {
	var tasks []radixTask
	for p := g.from; p < g.to; p++ {
		from, to := starts[p]-starts[g.from], starts[p+1]-starts[g.from]
		if to-from > 1 {
			tasks = append(tasks, radixTask{f.group[from:to], f.scratch[from:to], 2, memberKey})
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
