package zstd

// coderState is what a block takes over from those before it.
type coderState struct {
	lits   *huffTable
	tables [3]*fseTable // of literal lengths, offsets and match lengths
	reps   repeats
}

// kind is one of the three kinds of symbols of a sequence.
type kind struct {
	maxLog uint
	shift  uint // of its mode in the header
	base   *fseTable
}

// The kinds in the order of their tables.
const (
	kindLL = iota
	kindOF
	kindML
)

var kinds = [3]kind{
	kindLL: {9, 6, newFSETable([]int16{4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1,
		2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1}, 6)},
	kindOF: {8, 4, newFSETable([]int16{1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1,
		1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1}, 5)},
	kindML: {9, 2, newFSETable([]int16{1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1,
		1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
		1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1}, 6)},
}

// Modes of a table.
const (
	modePredefined = iota
	modeRLE
	modeDescribed
	modeRepeat
)

// Types of a block.
const (
	blockRaw = iota
	blockRLE
	blockCompressed
)

// coded is a sequence as symbols: codes of the kinds, and the bits that follow them.
type coded struct {
	codes [3]uint8
	extra [3]uint32
}

// blockCoder encodes blocks, each into one buffer after the other.
type blockCoder struct {
	coderState
	literals []byte
	coded    []coded
	counts   histogram
	huff     huffCoder
}

// histogram counts the symbols of a block.
type histogram struct {
	lit [256]uint32
	ll  [llCodes]uint32
	of  [ofCodes]uint32
	ml  [mlCodes]uint32
}

// kind returns the counts of one kind.
func (h *histogram) kind(k int) []uint32 {
	switch k {
	case kindLL:
		return h.ll[:]
	case kindOF:
		return h.of[:]
	}
	return h.ml[:]
}

// block appends a block of the input b, parsed as seqs, to out.
func (c *blockCoder) block(out, b []byte, seqs []seq, last bool) []byte {
	before := c.coderState
	c.gather(b, seqs)
	start := len(out)
	out = append(out, 0, 0, 0)
	kind, size := blockCompressed, len(b)
	if n := len(b); n > 1 && allEqual(b) {
		kind = blockRLE
	} else if out = c.sections(out); len(out)-start-3 >= n {
		kind = blockRaw
	} else {
		size = len(out) - start - 3
	}
	switch kind {
	case blockRLE:
		out = append(out[:start+3], b[0])
	case blockRaw:
		out = append(out[:start+3], b...)
	}
	if kind != blockCompressed {
		c.coderState = before
	}
	header := size<<3 | kind<<1
	if last {
		header |= 1
	}
	out[start], out[start+1], out[start+2] = byte(header), byte(header>>8), byte(header>>16)
	return out
}

func allEqual(b []byte) bool {
	for _, v := range b {
		if v != b[0] {
			return false
		}
	}
	return true
}

// gather makes symbols of the sequences and counts them.
func (c *blockCoder) gather(b []byte, seqs []seq) {
	c.literals, c.coded = c.literals[:0], c.coded[:0]
	c.counts = histogram{}
	h := &c.counts
	at := uint32(0)
	for _, s := range seqs {
		for _, v := range b[at : at+s.literals] {
			h.lit[v]++
		}
		c.literals = append(c.literals, b[at:at+s.literals]...)
		at += s.literals + s.length
		if s.length == 0 {
			continue
		}
		v := c.reps.value(s.dist, s.literals)
		ll, of, ml := llCode(s.literals), ofCode(v), mlCode(s.length)
		h.ll[ll]++
		h.of[of]++
		h.ml[ml]++
		c.coded = append(c.coded, coded{
			[3]uint8{ll, of, ml},
			[3]uint32{s.literals - llTable[ll].base, v - 1<<of, s.length - mlTable[ml].base},
		})
	}
}

// sections appends the content of a compressed block.
func (c *blockCoder) sections(out []byte) []byte {
	out, c.lits = c.huff.literalsSection(out, c.literals, &c.counts.lit, c.lits)
	switch n := len(c.coded); {
	case n == 0:
		return append(out, 0)
	case n < 128:
		out = append(out, byte(n))
	case n < 0x7f00:
		out = append(out, byte(n>>8+128), byte(n))
	default:
		out = append(out, 255, byte(n-0x7f00), byte((n-0x7f00)>>8))
	}
	modes := len(out)
	out = append(out, 0)
	for k := range kinds {
		mode, table, text := chooseTable(k, c.counts.kind(k), c.tables[k])
		c.tables[k] = table
		out[modes] |= byte(mode << kinds[k].shift)
		out = append(out, text...)
	}
	return c.sequences(out)
}

// chooseTable returns the cheapest way to code the counted symbols of a kind, with
// the description of its table. before is the last table of the kind, or nil.
func chooseTable(k int, counts []uint32, before *fseTable) (mode int, table *fseTable, text []byte) {
	used, symbol := 0, 0
	for s, c := range counts {
		if c > 0 {
			used, symbol = used+1, s
		}
	}
	table = kinds[k].base
	cost := table.cost(counts)
	if used == 1 {
		if c := uint64(8 << costShift); c < cost {
			mode, table, text, cost = modeRLE, newRLETable(uint8(symbol)), []byte{byte(symbol)}, c
		}
	} else if t, description, c := bestTable(counts, kinds[k].maxLog); c < cost {
		mode, table, text, cost = modeDescribed, t, description, c
	}
	if before != nil && before.cost(counts) <= cost {
		mode, table, text = modeRepeat, before, nil
	}
	return mode, table, text
}

// sequences appends the bit stream of the sequences, the last one first.
func (c *blockCoder) sequences(out []byte) []byte {
	w := bitWriter{out: out}
	ll, of, ml := c.tables[kindLL], c.tables[kindOF], c.tables[kindML]
	s := &c.coded[len(c.coded)-1]
	stateML, stateOF, stateLL := ml.start(s.codes[kindML]), of.start(s.codes[kindOF]), ll.start(s.codes[kindLL])
	for i := len(c.coded) - 1; ; i-- {
		s := &c.coded[i]
		if i < len(c.coded)-1 {
			stateOF = of.encode(&w, stateOF, s.codes[kindOF])
			stateML = ml.encode(&w, stateML, s.codes[kindML])
			stateLL = ll.encode(&w, stateLL, s.codes[kindLL])
		}
		w.add(uint64(s.extra[kindLL]), uint(llTable[s.codes[kindLL]].bits))
		w.add(uint64(s.extra[kindML]), uint(mlTable[s.codes[kindML]].bits))
		w.add(uint64(s.extra[kindOF]), uint(s.codes[kindOF]))
		if i == 0 {
			break
		}
	}
	ml.end(&w, stateML)
	of.end(&w, stateOF)
	ll.end(&w, stateLL)
	w.end()
	return w.out
}
