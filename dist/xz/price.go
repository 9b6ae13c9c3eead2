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

// treePrice is the price of rangeEncoder.tree.
func treePrice(probs []prob, n uint, symbol uint32) uint32 {
	price := uint32(0)
	for symbol |= 1 << n; symbol > 1; symbol >>= 1 {
		price += bitPrice(probs[symbol>>1], symbol&1)
	}
	return price
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

// refresh takes all prices from the model, for lengths up to maxLen.
func (t *prices) refresh(m *model, posStates, maxLen int) {
	for s := range posStates {
		m.matchLen.prices(uint32(s), t.matchLen[s][:maxLen+1])
		m.repLen.prices(uint32(s), t.repLen[s][:maxLen+1])
	}
	for s := range t.slot {
		for slot := range uint32(distSlots) {
			p := treePrice(m.distSlot[s][:], distSlotBits, slot)
			if slot >= distModelEnd {
				p += (slot>>1 - 1 - alignBits) << priceShift
			}
			t.slot[s][slot] = p
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

// prices fills table[length] from the shortest length on.
func (l *lengthModel) prices(posState uint32, table []uint32) {
	low := bitPrice(l.choice, 0)
	high := bitPrice(l.choice, 1)
	mid := high + bitPrice(l.choice2, 0)
	high += bitPrice(l.choice2, 1)
	for i := range table[minMatch:] {
		n := uint32(i)
		var p uint32
		switch {
		case n < lenLow:
			p = low + treePrice(l.low[posState<<lenLowBits:][:lenLow], lenLowBits, n)
		case n < lenLow+lenMid:
			p = mid + treePrice(l.mid[posState<<lenMidBits:][:lenMid], lenMidBits, n-lenLow)
		default:
			p = high + treePrice(l.high[:], lenHighBits, n-lenLow-lenMid)
		}
		table[minMatch+i] = p
	}
}

// distance is the price of a distance, counted from 0, of a match.
func (t *prices) distance(dist, distState uint32) uint32 {
	if dist < fullDistances {
		return t.small[distState][dist]
	}
	return t.slot[distState][distSlot(dist)&(distSlots-1)] + t.align[dist&(alignSize-1)]
}
