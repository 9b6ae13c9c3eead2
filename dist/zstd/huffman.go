package zstd

import "slices"

// huffTable codes literals (RFC 8878, section 4.2).
type huffTable struct {
	lens  [256]uint8 // bits of each literal, 0 if it does not occur
	codes [256]uint16
	log   uint8 // of the longest
	text  []byte
}

// newTable returns the best table for counts, at least two of which are not 0.
// It is nil if no description of it exists.
func (c *huffCoder) newTable(counts *[256]uint32) *huffTable {
	t := &huffTable{lens: c.codeLengths(counts)}
	for _, l := range t.lens {
		t.log = max(t.log, l)
	}
	var ranks, next [maxHuffLog + 2]uint16
	for _, l := range t.lens {
		ranks[l]++
	}
	at := uint16(0)
	for l := t.log; l > 0; l-- {
		next[l] = at
		at = (at + ranks[l]) >> 1
	}
	for s, l := range t.lens {
		if l > 0 {
			t.codes[s] = next[l]
			next[l]++
		}
	}
	if t.text = t.describe(); t.text == nil {
		return nil
	}
	return t
}

// huffCoder makes tables and codes literals with them. It only holds memory, which the
// next block uses again: garbage in such amounts would double the memory of all.
type huffCoder struct {
	symbols, all []pack
	row, merged  []int32 // of all, in order of weight
	body         []byte
}

// pack is a package of symbols.
type pack struct {
	weight      uint64
	left, right int32 // packages; left -1 and right a symbol otherwise
}

// codeLengths returns the lengths, at most maxHuffLog, that code counts in the fewest
// bits, by merging packages (Larmore and Hirschberg).
func (c *huffCoder) codeLengths(counts *[256]uint32) (lens [256]uint8) {
	symbols := c.symbols[:0]
	for s, n := range counts {
		if n > 0 {
			symbols = append(symbols, pack{uint64(n), -1, int32(s)})
		}
	}
	slices.SortStableFunc(symbols, func(a, b pack) int { return int(a.weight) - int(b.weight) })
	row, spare := c.row[:0], c.merged
	all := append(c.all[:0], symbols...)
	for range symbols {
		row = append(row, int32(len(row)))
	}
	for range maxHuffLog - 1 {
		merged := spare[:0]
		k := int32(0)
		for i := 0; i+1 < len(row); i += 2 {
			p := pack{all[row[i]].weight + all[row[i+1]].weight, row[i], row[i+1]}
			for ; int(k) < len(symbols) && symbols[k].weight <= p.weight; k++ {
				merged = append(merged, k)
			}
			merged = append(merged, int32(len(all)))
			all = append(all, p)
		}
		for ; int(k) < len(symbols); k++ {
			merged = append(merged, k)
		}
		row, spare = merged, row
	}
	c.symbols, c.all, c.row, c.merged = symbols, all, row, spare
	for _, i := range row[:2*len(symbols)-2] {
		c.take(i, &lens)
	}
	return lens
}

// take makes the codes of the symbols in a package longer by one.
func (c *huffCoder) take(i int32, lens *[256]uint8) {
	if p := c.all[i]; p.left < 0 {
		lens[p.right]++
	} else {
		c.take(p.left, lens)
		c.take(p.right, lens)
	}
}

// describe returns the description of the table, or nil if there is none: weights
// of four bits only exist for the first half of the symbols.
func (t *huffTable) describe() []byte {
	last := 255
	for t.lens[last] == 0 {
		last--
	}
	weights := make([]uint8, last) // the last one follows from the others
	var counts [maxHuffLog + 1]uint32
	for s := range weights {
		if l := t.lens[s]; l > 0 {
			weights[s] = t.log + 1 - l
		}
		counts[weights[s]]++
	}
	text := describeCoded(weights, counts[:])
	if plain := 1 + (last+1)/2; last <= 128 && (text == nil || plain <= len(text)) {
		text = append(make([]byte, 0, plain), byte(127+last))
		for i := 0; i < last; i += 2 {
			b := weights[i] << 4
			if i+1 < last {
				b |= weights[i+1]
			}
			text = append(text, b)
		}
	}
	return text
}

// describeCoded codes the weights with two states that take turns. It returns nil if
// that is not possible.
func describeCoded(weights []uint8, counts []uint32) []byte {
	used := 0
	for _, c := range counts {
		used += int(min(c, 1))
	}
	if used < 2 || len(weights) < 3 {
		return nil
	}
	table, text, _ := bestTable(counts, 6)
	w := bitWriter{out: append([]byte{0}, text...)}
	n := len(weights)
	var states [2]uint32
	states[(n-1)&1] = table.start(weights[n-1])
	states[(n-2)&1] = table.start(weights[n-2])
	for i := n - 3; i >= 0; i-- {
		states[i&1] = table.encode(&w, states[i&1], weights[i])
	}
	table.end(&w, states[1])
	table.end(&w, states[0])
	w.end()
	if len(w.out) > 128 {
		return nil
	}
	w.out[0] = byte(len(w.out) - 1)
	return w.out
}

// size returns the bytes of the streams of literals with counts, or -1 if one has no
// code. It may be a few less with several streams.
func (t *huffTable) size(counts *[256]uint32) int {
	n := 0
	for s, c := range counts {
		if c > 0 && t.lens[s] == 0 {
			return -1
		}
		n += int(c) * int(t.lens[s])
	}
	return n/8 + 1
}

// encode appends one stream of literals.
func (t *huffTable) encode(out, literals []byte) []byte {
	w := bitWriter{out: out}
	for _, b := range slices.Backward(literals) {
		w.add(uint64(t.codes[b]), uint(t.lens[b]))
	}
	w.end()
	return w.out
}

// fourStreams is the least number of literals that are coded in four streams.
const fourStreams = 1024

// literalsSection appends the literals section of a block. before is the last
// Huffman table of the frame, or nil; the new last one is returned.
func (c *huffCoder) literalsSection(out, literals []byte, counts *[256]uint32, before *huffTable) ([]byte, *huffTable) {
	n := len(literals)
	used := 0
	for _, n := range counts {
		used += int(min(n, 1))
	}
	if used <= 1 && n > 1 {
		return append(plainHeader(out, 1, n), literals[0]), before
	}
	if used < 2 {
		return append(plainHeader(out, 0, n), literals...), before
	}
	best, kind := c.newTable(counts), 2
	size := n
	if best != nil {
		size = len(best.text) + best.size(counts)
	}
	if before != nil {
		if s := before.size(counts); s >= 0 && (best == nil || s <= size) {
			best, size, kind = before, s, 3
		}
	}
	if best == nil || size >= n {
		return append(plainHeader(out, 0, n), literals...), before
	}
	start := len(out)
	out = c.section(out, literals, best, kind)
	if plain := len(plainHeader(nil, 0, n)) + n; len(out)-start >= plain {
		return append(plainHeader(out[:start], 0, n), literals...), before
	}
	return out, best
}

// plainHeader appends the header of raw (kind 0) or repeated (kind 1) literals.
func plainHeader(out []byte, kind, n int) []byte {
	switch {
	case n < 1<<5:
		return append(out, byte(kind|n<<3))
	case n < 1<<12:
		return append(out, byte(kind|1<<2|n<<4), byte(n>>4))
	}
	return append(out, byte(kind|3<<2|n<<4), byte(n>>4), byte(n>>12))
}

// section appends literals coded by t with their header.
func (c *huffCoder) section(out, literals []byte, t *huffTable, kind int) []byte {
	body := c.body[:0]
	if kind == 2 {
		body = append(body, t.text...)
	}
	n := len(literals)
	format := 0
	if n < fourStreams {
		body = t.encode(body, literals)
	} else {
		jump := len(body)
		body = append(body, make([]byte, 6)...)
		quarter := (n + 3) / 4
		for i := range 4 {
			from := len(body)
			body = t.encode(body, literals[min(i*quarter, n):min((i+1)*quarter, n)])
			if size := len(body) - from; i < 3 {
				body[jump+2*i], body[jump+2*i+1] = byte(size), byte(size>>8)
			}
		}
		format = 1
	}
	c.body = body
	width := uint(10)
	if most := max(n, len(body)); most >= 1<<14 {
		format, width = 3, 18
	} else if most >= 1<<10 {
		format, width = 2, 14
	}
	header := uint64(kind) | uint64(format)<<2 | uint64(n)<<4 | uint64(len(body))<<(4+width)
	for i := uint(0); i < (4+2*width+7)/8; i++ {
		out = append(out, byte(header>>(8*i)))
	}
	return append(out, body...)
}
