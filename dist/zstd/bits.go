package zstd

// bitWriter appends bits to out, the first in the lowest place.
type bitWriter struct {
	out []byte
	acc uint64
	n   uint // bits in acc, below 32 between calls
}

// add appends the low n bits of v, at most 32; v has no other bits.
func (w *bitWriter) add(v uint64, n uint) {
	w.acc |= v << (w.n & 63)
	w.n += n
	if w.n >= 32 {
		a := uint32(w.acc)
		w.out = append(w.out, byte(a), byte(a>>8), byte(a>>16), byte(a>>24))
		w.acc >>= 32
		w.n -= 32
	}
}

// flush fills the last byte with zeros.
func (w *bitWriter) flush() {
	for ; w.n > 0; w.n -= min(w.n, 8) {
		w.out = append(w.out, byte(w.acc))
		w.acc >>= 8
	}
}

// end marks the end of a stream that is read backwards.
func (w *bitWriter) end() {
	w.add(1, 1)
	w.flush()
}
