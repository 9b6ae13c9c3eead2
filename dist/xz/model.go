package xz

// Numbers of the LZMA format. They are the same for encoder and decoder; the
// names follow the LZMA specification (lzma-specification.txt of the LZMA SDK).
const (
	numStates    = 12
	numReps      = 4
	posStatesMax = 16 // 1 << pb, pb <= 4

	minMatch = 2
	maxMatch = 273

	lenLowBits  = 3
	lenMidBits  = 3
	lenHighBits = 8
	lenLow      = 1 << lenLowBits
	lenMid      = 1 << lenMidBits
	lenHigh     = 1 << lenHighBits

	distStates    = 4 // lengths 2, 3, 4 and 5 or more
	distSlotBits  = 6
	distSlots     = 1 << distSlotBits
	distModelFrom = 4  // first slot with extra bits
	distModelEnd  = 14 // first slot whose low bits use the align coder
	fullDistances = 1 << (distModelEnd / 2)
	alignBits     = 4
	alignSize     = 1 << alignBits

	literalCoder = 0x300 // probabilities of one literal context
	maxLCLP      = 4     // LZMA2's limit for lc + lp
	maxPB        = 4

	probBits = 11
	probInit = 1 << (probBits - 1)
	probMove = 5
	topValue = 1 << 24
)

// prob is the probability of a zero bit, in units of 1/2048.
type prob = uint16

// state is the LZMA state: what the last few symbols were. States below 7
// follow a literal.
type state uint8

const firstNonLiteral = 7

// isLiteral reports whether the last symbol was a literal.
func (s state) isLiteral() bool { return s < firstNonLiteral }

// Next state after each kind of symbol.
var (
	afterLiteral  = [16]state{0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 4, 5}
	afterMatch    = [16]state{7, 7, 7, 7, 7, 7, 7, 10, 10, 10, 10, 10}
	afterRep      = [16]state{8, 8, 8, 8, 8, 8, 8, 11, 11, 11, 11, 11}
	afterShortRep = [16]state{9, 9, 9, 9, 9, 9, 9, 11, 11, 11, 11, 11}
)

// props are lc, lp and pb.
type props struct{ lc, lp, pb uint8 }

// byte returns the properties byte of LZMA2 chunks and LZMA headers.
func (p props) byte() byte { return (p.pb*5+p.lp)*9 + p.lc }

// parseProps reads a properties byte; ok is false if LZMA2 forbids it.
func parseProps(b byte) (p props, ok bool) {
	if b > (4*5+4)*9+8 {
		return props{}, false
	}
	p.lc = b % 9
	b /= 9
	p.lp, p.pb = b%5, b/5
	return p, p.lc+p.lp <= maxLCLP
}

// lengthModel codes match lengths.
type lengthModel struct {
	choice  prob
	choice2 prob
	low     [posStatesMax << lenLowBits]prob
	mid     [posStatesMax << lenMidBits]prob
	high    [lenHigh]prob
}

// model holds every probability of the LZMA coder.
type model struct {
	isMatch    [numStates * posStatesMax]prob
	isRep0Long [numStates * posStatesMax]prob
	isRep      [numStates]prob
	isRepG0    [numStates]prob
	isRepG1    [numStates]prob
	isRepG2    [numStates]prob
	distSlot   [distStates][distSlots]prob
	distSmall  [fullDistances]prob // low bits of slots 4 to 13, by base distance
	distAlign  [alignSize]prob
	matchLen   lengthModel
	repLen     lengthModel
	literals   [literalCoder << maxLCLP]prob
}

// freshModel is a model in which every bit is as likely as not.
var freshModel = newModel()

func newModel() *model {
	m := new(model)
	for _, tree := range [][]prob{
		m.isMatch[:], m.isRep0Long[:], m.isRep[:], m.isRepG0[:], m.isRepG1[:], m.isRepG2[:],
		m.distSmall[:], m.distAlign[:], m.literals[:],
	} {
		fillProbs(tree)
	}
	for i := range m.distSlot {
		fillProbs(m.distSlot[i][:])
	}
	for _, l := range []*lengthModel{&m.matchLen, &m.repLen} {
		l.choice, l.choice2 = probInit, probInit
		fillProbs(l.low[:])
		fillProbs(l.mid[:])
		fillProbs(l.high[:])
	}
	return m
}

func fillProbs(p []prob) {
	for i := range p {
		p[i] = probInit
	}
}

// reset makes all probabilities equal to one half.
func (m *model) reset() { *m = *freshModel }

// distState maps a match length to its row of distance slot probabilities.
func distState(length uint32) uint32 {
	return min(length-minMatch, distStates-1)
}
