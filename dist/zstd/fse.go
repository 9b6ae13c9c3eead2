package zstd

import "math/bits"

// fseTable codes the symbols of one kind (RFC 8878, section 4.1). A table of one
// symbol has log 0 and takes no bits.
type fseTable struct {
	log    uint
	norm   []int16 // states of each symbol; -1 is one state, too
	next   []uint16
	deltas []fseDelta
	costs  []uint32 // see cost
}

// fseDelta is what coding a symbol does to the state.
type fseDelta struct {
	bits  uint32
	state int32
}

// newFSETable makes the table of norm, whose states add up to 1<<log.
func newFSETable(norm []int16, log uint) *fseTable {
	t := &fseTable{log: log, norm: norm, next: make([]uint16, 1<<log), deltas: make([]fseDelta, len(norm))}
	cumulated := make([]int32, len(norm))
	total := int32(0)
	for s, n := range norm {
		cumulated[s] = total
		switch n {
		case 0:
			continue
		case -1, 1:
			t.deltas[s] = fseDelta{uint32(log<<16) - 1<<log, total - 1}
			total++
		default:
			out := uint32(log) - uint32(bits.Len16(uint16(n-1))-1)
			t.deltas[s] = fseDelta{out<<16 - uint32(n)<<out, total - int32(n)}
			total += int32(n)
		}
	}
	for u, s := range spread(norm, log) {
		t.next[cumulated[s]] = uint16(1<<log + u)
		cumulated[s]++
	}
	t.setCosts()
	return t
}

// spread returns the symbol of each state.
func spread(norm []int16, log uint) []uint8 {
	size := 1 << log
	table := make([]uint8, size)
	high := size - 1
	for s, n := range norm {
		if n == -1 {
			table[high] = uint8(s)
			high--
		}
	}
	step, at := size>>1+size>>3+3, 0
	for s, n := range norm {
		for range n {
			table[at] = uint8(s)
			for at = (at + step) & (size - 1); at > high; {
				at = (at + step) & (size - 1)
			}
		}
	}
	return table
}

// newRLETable is the table of a single symbol.
func newRLETable(symbol uint8) *fseTable {
	norm := make([]int16, symbol+1)
	norm[symbol] = 1
	t := &fseTable{norm: norm, next: []uint16{1}, deltas: make([]fseDelta, len(norm))}
	t.deltas[symbol] = fseDelta{^uint32(0), -1}
	t.setCosts()
	return t
}

// costShift is the number of binary places of a cost in bits.
const costShift = 8

// noCost is more than any true cost.
const noCost = 1 << 40

func (t *fseTable) setCosts() {
	t.costs = make([]uint32, len(t.norm))
	for s, n := range t.norm {
		if n != 0 {
			t.costs[s] = uint32(t.log<<costShift) - log2(uint32(max(n, 1)))
		}
	}
}

// cost is about what coding the counted symbols takes, in 1/256 bits, or noCost if
// one has no state.
func (t *fseTable) cost(counts []uint32) uint64 {
	sum := uint64(0)
	for s, c := range counts {
		if c == 0 {
			continue
		}
		if s >= len(t.norm) || t.norm[s] == 0 {
			return noCost
		}
		sum += uint64(c) * uint64(t.costs[s])
	}
	return sum
}

// start is the state for coding the last symbol.
func (t *fseTable) start(symbol uint8) uint32 {
	d := t.deltas[symbol]
	n := (d.bits + 1<<15) >> 16
	return uint32(t.next[int32((n<<16-d.bits)>>n)+d.state])
}

// encode codes the symbol before and returns the new state.
func (t *fseTable) encode(w *bitWriter, state uint32, symbol uint8) uint32 {
	d := t.deltas[symbol]
	n := (state + d.bits) >> 16
	w.add(uint64(state&(1<<n-1)), uint(n))
	return uint32(t.next[int32(state>>n)+d.state])
}

// end writes the last state, which a decoder reads first.
func (t *fseTable) end(w *bitWriter, state uint32) {
	w.add(uint64(state&(1<<t.log-1)), t.log)
}

// describe appends the description of a table (RFC 8878, section 4.1.1).
func (t *fseTable) describe(out []byte) []byte {
	w := bitWriter{out: out}
	w.add(uint64(t.log-5), 4)
	width := t.log + 1
	threshold, remaining := 1<<t.log, 1<<t.log+1
	for s := 0; s < len(t.norm) && remaining > 1; {
		n := int(t.norm[s])
		s++
		most := 2*threshold - 1 - remaining
		remaining -= max(n, -n)
		v := n + 1
		if v >= threshold {
			v += most
		}
		if v < most {
			w.add(uint64(v), width-1)
		} else {
			w.add(uint64(v), width)
		}
		if n == 0 {
			s = w.zeros(t.norm, s)
		}
		for ; remaining < threshold; threshold >>= 1 {
			width--
		}
	}
	w.flush()
	return w.out
}

// zeros writes how many symbols without states follow, and returns the next one.
func (w *bitWriter) zeros(norm []int16, s int) int {
	from := s
	for s < len(norm) && norm[s] == 0 {
		s++
	}
	for ; s-from >= 3; from += 3 {
		w.add(3, 2)
	}
	w.add(uint64(s-from), 2)
	return s
}

// bestTable returns the table for counts that is smallest together with what it
// codes, with its description and the cost of all, in 1/256 bits. At least two
// symbols must occur.
func bestTable(counts []uint32, maxLog uint) (best *fseTable, description []byte, cost uint64) {
	total, used := uint32(0), uint(0)
	for len(counts) > 0 && counts[len(counts)-1] == 0 {
		counts = counts[:len(counts)-1]
	}
	for _, c := range counts {
		total += c
		if c > 0 {
			used++
		}
	}
	cost = noCost
	lowest := max(5, uint(bits.Len(used-1)))
	for log := lowest; log <= maxLog; log++ {
		if log > lowest && 1<<log > 4*total {
			break
		}
		t := &fseTable{log: log, norm: normalize(counts, total, log)}
		t.setCosts()
		text := t.describe(nil)
		if c := t.cost(counts) + uint64(len(text))<<(costShift+3); c < cost {
			best, description, cost = t, text, c
		}
	}
	return newFSETable(best.norm, best.log), description, cost
}

// normalize gives each symbol that occurs a state or more, 1<<log in all, so that
// coding takes few bits.
func normalize(counts []uint32, total uint32, log uint) []int16 {
	norm := make([]int16, len(counts))
	left := 1 << log
	for s, c := range counts {
		if c > 0 {
			norm[s] = int16(max(1, uint64(c)<<log/uint64(total)))
			left -= int(norm[s])
		}
	}
	for ; left > 0; left-- {
		at, best := 0, uint64(0)
		for s, c := range counts {
			if c > 0 {
				if gain := uint64(c) * uint64(log2(uint32(norm[s]+1))-log2(uint32(norm[s]))); gain >= best {
					at, best = s, gain
				}
			}
		}
		norm[at]++
	}
	for ; left < 0; left++ {
		at, best := 0, uint64(noCost)
		for s, c := range counts {
			if norm[s] > 1 {
				if loss := uint64(c) * uint64(log2(uint32(norm[s]))-log2(uint32(norm[s]-1))); loss < best {
					at, best = s, loss
				}
			}
		}
		norm[at]--
	}
	return norm
}
