package doctor

// anchorSet is a set of rows of a table, by their numbers.
type anchorSet [2]uint64

func (s *anchorSet) add(i int)     { s[i/64] |= 1 << (i % 64) }
func (s anchorSet) has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }
func (s anchorSet) empty() bool    { return s == anchorSet{} }

// automaton finds many words in one pass over a text (Aho and Corasick, 1975). Its cost
// is the same for every text: two looks into tables for a byte.
type automaton struct {
	class  [256]uint16 // of a byte; 0 for those in no word
	width  int         // classes
	next   []uint32    // by state and class; a state is the offset of its row
	hits   []anchorSet // by number of state
	hasHit []bool      // by state
}

// newAutomaton builds the automaton for words, at most 128, none of them empty.
func newAutomaton(words []string) *automaton {
	a := &automaton{width: 1}
	for _, w := range words {
		for i := range len(w) {
			if a.class[w[i]] == 0 {
				a.class[w[i]] = uint16(a.width)
				a.width++
			}
		}
	}
	states := a.trie(words)
	a.close(states)
	return a
}

// trie adds the words and returns the number of states.
func (a *automaton) trie(words []string) int {
	states := 0
	grow := func() uint32 {
		a.next = append(a.next, make([]uint32, a.width)...)
		a.hits = append(a.hits, anchorSet{})
		states++
		return uint32((states - 1) * a.width)
	}
	grow()
	for n, w := range words {
		at := uint32(0)
		for i := range len(w) {
			slot := at + uint32(a.class[w[i]])
			if a.next[slot] == 0 {
				next := grow() // moves the slots
				a.next[slot] = next
			}
			at = a.next[slot]
		}
		a.hits[int(at)/a.width].add(n)
	}
	return states
}

// close gives each state a successor for every class, that of its longest proper
// suffix where it has none of its own, and the words that this suffix ends with.
func (a *automaton) close(states int) {
	fail := make([]uint32, states)
	queue := make([]uint32, 0, states)
	for c := range a.width {
		if s := a.next[c]; s != 0 {
			queue = append(queue, s)
		}
	}
	for i := 0; i < len(queue); i++ {
		at := queue[i]
		suffix := fail[int(at)/a.width]
		for c := range uint32(a.width) {
			s := a.next[at+c]
			if s == 0 {
				a.next[at+c] = a.next[suffix+c]
				continue
			}
			f := a.next[suffix+c]
			fail[int(s)/a.width] = f
			for w := range a.hits[0] {
				a.hits[int(s)/a.width][w] |= a.hits[int(f)/a.width][w]
			}
			queue = append(queue, s)
		}
	}
	a.hasHit = make([]bool, states*a.width)
	for s := range states {
		a.hasHit[s*a.width] = !a.hits[s].empty()
	}
}

// find returns the words in text.
func (a *automaton) find(text []byte) anchorSet {
	var found anchorSet
	state := uint32(0)
	for _, b := range text {
		state = a.next[state+uint32(a.class[b])]
		if a.hasHit[state] {
			for w, bits := range a.hits[int(state)/a.width] {
				found[w] |= bits
			}
		}
	}
	return found
}

// first returns the position after the first word in text, or -1.
func (a *automaton) first(text []byte) int {
	state := uint32(0)
	for i, b := range text {
		state = a.next[state+uint32(a.class[b])]
		if a.hasHit[state] {
			return i + 1
		}
	}
	return -1
}
