package xz

// propChoices are the literal and position bits that a slice may be coded with, the
// default first: for text and code without alignment, and for tables of words of 4
// and of 8 bytes, such as symbols and relocations.
var propChoices = [...]props{{3, 0, 2}, {4, 0, 0}, {0, 2, 2}, {0, 3, 3}}

// propSizes are the coded sizes of a sample of a slice with each choice, in bytes.
type propSizes [len(propChoices)]int

// The sample is one of trialEvery pieces of a slice, each of so many bytes and a match.
const (
	trialEvery = 4
	trialPiece = 64 << 10
)

// switchLoss is what other properties cost: all probabilities start anew. In bytes.
const switchLoss = 2 << 10

// propTrial finds what each choice makes of a slice.
type propTrial struct {
	chunkEncoder
	pieces []trialOps
}

// trialOps are a piece of a slice, which starts at data[start].
type trialOps struct {
	ops   []op
	start int
}

// sizes codes a sample of ops, which start at data[start], with each choice.
func (t *propTrial) sizes(data []byte, start int, ops []op) (sizes propSizes) {
	t.cut(start, ops)
	for i, p := range propChoices {
		t.reset(p, data, start, false, t.out[:0])
		for _, piece := range t.pieces {
			t.pos = piece.start
			t.encode(piece.ops)
		}
		t.closeChunk()
		sizes[i] = len(t.out)
	}
	return sizes
}

// cut cuts ops into pieces and keeps those of the sample.
func (t *propTrial) cut(start int, ops []op) {
	t.pieces = t.pieces[:0]
	pos := start
	for n := 0; len(ops) > 0; n++ {
		from, k := pos, 0
		for ; k < len(ops) && pos-from < trialPiece; k++ {
			pos += int(ops[k].literals + ops[k].length)
		}
		if n%trialEvery == 0 {
			t.pieces = append(t.pieces, trialOps{ops[:k], from})
		}
		ops = ops[k:]
	}
}

// propChooser chooses the properties of one slice after the other.
type propChooser struct {
	now   int       // the choice in use
	gains propSizes // what each choice would have gained of late
}

// next tells a chunk encoder the properties for a slice of these sizes. Others than
// those in use have to have gained what they cost; how they do with the slices that
// follow is not known. Where all begins anew they cost nothing.
func (p *propChooser) next(sizes propSizes, anew bool) props {
	best := p.now
	for i, size := range sizes {
		p.gains[i] = max(0, p.gains[i]+sizes[p.now]-size)
		if p.gains[i] > p.gains[best] {
			best = i
		}
	}
	if p.gains[best]*trialEvery > switchLoss || anew {
		p.now, p.gains = best, propSizes{}
	}
	return propChoices[p.now]
}
