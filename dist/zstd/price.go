package zstd

// prices are what symbols are thought to cost, in 1/256 bits.
type prices struct {
	lit [256]int32
	ll  [llPriced]int32
	ml  [longest + 1]int32
	of  [ofCodes]int32 // with the bits that follow

	llCodes [llCodes]int32 // with the bits that follow
	mlCodes [mlCodes]int32
}

const (
	llPriced = 1 << 10 // numbers of literals with a price at hand
	longest  = 1 << 10 // the longest match that competes with others, in bytes
)

// set takes the prices from what was counted. Each symbol counts a bit more, so that
// those that did not occur have a price.
func (p *prices) set(h *histogram) {
	symbolPrices(p.lit[:], h.lit[:], 11<<costShift)
	symbolPrices(p.llCodes[:], h.ll[:], 10<<costShift)
	symbolPrices(p.mlCodes[:], h.ml[:], 10<<costShift)
	symbolPrices(p.of[:], h.of[:], 10<<costShift)
	for i := range p.of {
		p.of[i] += int32(i << costShift)
	}
	for i, c := range llTable {
		p.llCodes[i] += int32(c.bits) << costShift
	}
	for i, c := range mlTable {
		p.mlCodes[i] += int32(c.bits) << costShift
	}
	for n := range p.ll {
		p.ll[n] = p.llCodes[llCode(uint32(n))]
	}
	for n := minMatch; n <= longest; n++ {
		p.ml[n] = p.mlCodes[mlCode(uint32(n))]
	}
}

// symbolPrices fills table with the price of each symbol, at most most.
func symbolPrices(table []int32, counts []uint32, most int32) {
	const unseen = 6 // counts of a symbol are multiplied by 4 and get this
	total := uint32(0)
	for _, c := range counts {
		total += 4*c + unseen
	}
	whole := int32(log2(total))
	for s, c := range counts {
		table[s] = min(whole-int32(log2(4*c+unseen)), most)
	}
}

// literals is the price of a number of literals.
func (p *prices) literals(n uint32) int32 {
	if n < llPriced {
		return p.ll[n]
	}
	return p.llCodes[llCode(min(n, 1<<17-1))]
}

// add counts one sequence.
func (h *histogram) add(s seq, value uint32, literals []byte) {
	for _, v := range literals {
		h.lit[v]++
	}
	if s.length > 0 {
		h.ll[llCode(s.literals)]++
		h.of[ofCode(value)]++
		h.ml[mlCode(s.length)]++
	}
}

// addAll adds what o counted.
func (h *histogram) addAll(o *histogram) {
	addCounts(h.lit[:], o.lit[:])
	addCounts(h.ll[:], o.ll[:])
	addCounts(h.of[:], o.of[:])
	addCounts(h.ml[:], o.ml[:])
}

func addCounts(a, b []uint32) {
	for i, v := range b {
		a[i] += v
	}
}

// fade halves the weight of what was counted.
func (h *histogram) fade() {
	for _, counts := range [][]uint32{h.lit[:], h.ll[:], h.of[:], h.ml[:]} {
		for i := range counts {
			counts[i] >>= 1
		}
	}
}
