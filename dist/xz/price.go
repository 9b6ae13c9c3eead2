package xz

import "math"

// Prices are estimates of coded size in 1/priceUnit bits.
const (
	priceShift = 4 // a price unit is 1/16 bit
	priceUnit  = 1 << priceShift
	priceStep  = 4 // probabilities are told apart in steps of 1<<priceStep
	priceMax   = 1 << 30
)

// bitPrices holds the price of a zero bit by its probability.
var bitPrices = makeBitPrices()

func makeBitPrices() (t [1 << (probBits - priceStep)]uint32) {
	for i := range t {
		p := (float64(i) + 0.5) / float64(len(t))
		t[i] = uint32(math.Round(-math.Log2(p) * priceUnit))
	}
	return t
}

// bitPrice is the price of bit, 0 or 1, at probability p.
func bitPrice(p prob, bit uint32) uint32 {
	return bitPrices[(uint32(p)^-bit&(1<<probBits-1))>>priceStep&(1<<(probBits-priceStep)-1)]
}

// treePrices fills table with base plus the price of rangeEncoder.tree for each
// symbol. The lengths of probs and table are the same power of two.
func treePrices(probs []prob, base uint32, table []uint32) {
	// Node i of the tree stands at i, then is replaced by its two children;
	// going down from the last symbol, no parent is overwritten too early.
	table[0] = base
	for n := 1; n < len(table); n *= 2 {
		for i := n - 1; i >= 0; i-- {
			parent, p := table[i], probs[n+i]
			table[2*i] = parent + bitPrice(p, 0)
			table[2*i+1] = parent + bitPrice(p, 1)
		}
	}
}

// reverseTreePrice is the price of rangeEncoder.reverseTree.
func reverseTreePrice(probs []prob, n uint, symbol uint32) uint32 {
	price, node := uint32(0), uint32(1)
	for range n {
		b := symbol & 1
		symbol >>= 1
		price += bitPrice(probs[node], b)
		node = node<<1 | b
	}
	return price
}

// literalPrice is the price of rangeEncoder.literal.
func literalPrice(probs *[literalCoder]prob, symbol uint32) uint32 {
	price := uint32(0)
	for symbol |= 0x100; symbol > 1; symbol >>= 1 {
		price += bitPrice(probs[symbol>>1], symbol&1)
	}
	return price
}

// matchedLiteralPrice is the price of rangeEncoder.matchedLiteral.
func matchedLiteralPrice(probs *[literalCoder]prob, symbol, matchByte uint32) uint32 {
	price := uint32(0)
	offs := uint32(0x100)
	symbol |= 0x100
	for symbol < 0x10000 {
		matchByte <<= 1
		b := symbol >> 7 & 1
		price += bitPrice(probs[offs+matchByte&offs+symbol>>8], b)
		symbol <<= 1
		offs &= ^(matchByte ^ symbol)
	}
	return price
}

// prices holds tables that are costly to compute, taken from a model now and
// then.
type prices struct {
	matchLen [posStatesMax][maxMatch + 1]uint32
	repLen   [posStatesMax][maxMatch + 1]uint32
	slot     [distStates][distSlots]uint32
	small    [distStates][fullDistances]uint32 // whole price of small distances
	align    [alignSize]uint32
}

// refresh takes all prices from the model.
func (t *prices) refresh(m *model, posStates int) {
	m.matchLen.prices(t.matchLen[:posStates])
	m.repLen.prices(t.repLen[:posStates])
	for s := range t.slot {
		treePrices(m.distSlot[s][:], 0, t.slot[s][:])
		for slot := distModelEnd; slot < distSlots; slot++ {
			t.slot[s][slot] += uint32(slot>>1-1-alignBits) << priceShift
		}
	}
	for dist := range uint32(fullDistances) {
		extra := uint32(0)
		slot := distSlot(dist)
		if slot >= distModelFrom {
			n := uint(slot>>1 - 1)
			base := (2 | slot&1) << n
			extra = reverseTreePrice(m.distSmall[base-slot:], n, dist-base)
		}
		for s := range t.small {
			t.small[s][dist] = t.slot[s][slot] + extra
		}
	}
	for i := range t.align {
		t.align[i] = reverseTreePrice(m.distAlign[:], alignBits, uint32(i))
	}
}

// prices fills tables[posState][length] from the shortest length on.
func (l *lengthModel) prices(tables [][maxMatch + 1]uint32) {
	low := bitPrice(l.choice, 0)
	high := bitPrice(l.choice, 1)
	mid := high + bitPrice(l.choice2, 0)
	high += bitPrice(l.choice2, 1)
	for s := range tables {
		table := tables[s][minMatch:]
		treePrices(l.low[s<<lenLowBits:][:lenLow], low, table[:lenLow])
		treePrices(l.mid[s<<lenMidBits:][:lenMid], mid, table[lenLow:][:lenMid])
		if s == 0 {
			treePrices(l.high[:], high, table[lenLow+lenMid:])
		} else {
			copy(table[lenLow+lenMid:], tables[0][minMatch+lenLow+lenMid:])
		}
	}
}

// distance is the price of a distance, counted from 0, of a match.
func (t *prices) distance(dist, distState uint32) uint32 {
	if dist < fullDistances {
		return t.small[distState][dist]
	}
	return t.slot[distState][distSlot(dist)&(distSlots-1)] + t.align[dist&(alignSize-1)]
}
