package recompress

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Shard is one of Count parts of the work, for as many machines. Index counts
// from 1. The zero Shard is all of the work.
type Shard struct{ Index, Count int }

// maxShards bounds Count: more machines than archives are of no use.
const maxShards = 1 << 16

// ParseShard reads a part as "2/8": the second of eight.
func ParseShard(s string) (Shard, error) {
	index, count, ok := strings.Cut(s, "/")
	i, err1 := strconv.Atoi(index)
	n, err2 := strconv.Atoi(count)
	p := Shard{i, n}
	if !ok || err1 != nil || err2 != nil || p == (Shard{}) || p.check() != nil {
		return Shard{}, fmt.Errorf("parsing shard: got %.20q, want i/n with i from 1 to n, such as 2/8", s)
	}
	return p, nil
}

// String returns what [ParseShard] reads, and "1/1" for the zero Shard.
func (p Shard) String() string {
	if p == (Shard{}) {
		p = Shard{1, 1}
	}
	return fmt.Sprintf("%d/%d", p.Index, p.Count)
}

func (p Shard) check() error {
	if p != (Shard{}) && (p.Index < 1 || p.Index > p.Count || p.Count > maxShards) {
		return fmt.Errorf("got shard %d of %d, want 1 to %d of at most %d", p.Index, p.Count, p.Count, maxShards)
	}
	return nil
}

// sized is an item for a shard. Names are unique and the same on all machines.
type sized struct {
	name string
	size int64
}

// assignShards returns the shard of each item, from 1 on. Largest first, each item
// goes to the shard that has least so far. The fullest shard gets at most 4/3 of
// what the best assignment would give it (Graham, Bounds on Multiprocessing Timing
// Anomalies, 1969). The result depends on names and sizes, not on the order of items.
func assignShards(items []sized, count int) []int {
	order := make([]int, len(items))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(items[b].size, items[a].size), strings.Compare(items[a].name, items[b].name))
	})
	load := make([]int64, count)
	out := make([]int, len(items))
	for _, i := range order {
		least := slices.Index(load, slices.Min(load))
		load[least] += items[i].size
		out[i] = least + 1
	}
	return out
}
