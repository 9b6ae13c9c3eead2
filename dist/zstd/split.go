package zstd

// unit is a part of a slice that is not split: where it starts, and what it has.
type unit struct {
	start int // bytes from the slice's start
	histogram
}

// splitter cuts a slice into blocks of which each is worth tables of its own.
type splitter struct {
	units  []unit
	best   []uint64 // cost of what is before each unit
	from   []int    // where the block that ends there starts
	blocks []int
}

// units of a slice that a block has at most; a unit is longer only by a match.
const blockUnits = 32

// cut cuts the seqs of a slice b into units. Blocks have at most limit bytes.
func (s *splitter) cut(b []byte, seqs []seq, reps repeats, limit int) {
	s.units = append(s.units[:0], unit{})
	size := max(limit/blockUnits, 1)
	at := 0
	next := func() *unit {
		u := &s.units[len(s.units)-1]
		if at-u.start >= size {
			s.units = append(s.units, unit{start: at})
			u = &s.units[len(s.units)-1]
		}
		return u
	}
	for _, q := range seqs {
		for left := int(q.literals); left > 0; {
			u := next()
			n := min(left, u.start+size-at)
			for _, v := range b[at : at+n] {
				u.lit[v]++
			}
			at, left = at+n, left-n
		}
		if q.length > 0 {
			u := next()
			u.add(q, reps.value(q.dist, q.literals), nil)
			at += int(q.length)
		}
	}
}

// split returns where the blocks of the slice end that cost least together; n is its
// length.
func (s *splitter) split(n, limit int) []int {
	count := len(s.units)
	s.best = append(s.best[:0], make([]uint64, count+1)...)
	s.from = append(s.from[:0], make([]int, count+1)...)
	end := func(i int) int {
		if i == count {
			return n
		}
		return s.units[i].start
	}
	for i := 1; i <= count; i++ {
		s.best[i] = 1 << 62
		var h histogram
		for k := i - 1; k >= 0 && (end(i)-s.units[k].start <= limit); k-- {
			h.addAll(&s.units[k].histogram)
			if c := s.best[k] + h.cost(); c < s.best[i] {
				s.best[i], s.from[i] = c, k
			}
		}
	}
	s.blocks = s.blocks[:0]
	for i := count; i > 0; i = s.from[i] {
		s.blocks = append(s.blocks, end(i))
	}
	for i, k := 0, len(s.blocks)-1; i < k; i, k = i+1, k-1 {
		s.blocks[i], s.blocks[k] = s.blocks[k], s.blocks[i]
	}
	return s.blocks
}

// Guesses of what a block costs besides its symbols, in 1/256 bits.
const (
	headerCost   = 150 << costShift
	litTableCost = 64 << costShift // and for each symbol that occurs:
	litCost      = 5 << (costShift - 1)
	fseTableCost = 16 << costShift
	fseCost      = 9 << (costShift - 1)
)

// cost is about what a block with these counts costs, in 1/256 bits.
func (h *histogram) cost() uint64 {
	bits, used, total := entropy(h.lit[:])
	cost := headerCost + min(bits+litTableCost+uint64(used)*litCost, uint64(total)<<(costShift+3))
	for k := range kinds {
		bits, used, _ := entropy(h.kind(k))
		cost += bits
		if used > 1 {
			cost += fseTableCost + uint64(used)*fseCost
		}
	}
	for i, c := range h.of {
		cost += uint64(c) * uint64(i) << costShift
	}
	return cost
}

// entropy returns the bits that the counted symbols have, in 1/256, and the number
// of different ones and of all.
func entropy(counts []uint32) (bits uint64, used, total uint32) {
	sum := uint64(0)
	for _, c := range counts {
		if c > 0 {
			used++
			total += c
			sum += uint64(c) * uint64(log2(c))
		}
	}
	if total == 0 {
		return 0, 0, 0
	}
	return uint64(total)*uint64(log2(total)) - sum, used, total
}
