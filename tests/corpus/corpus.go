// Package corpus makes content for the tests of the compressors: the same bytes on
// every call.
package corpus

import (
	"bytes"
	"math/rand/v2"
)

// Mixed is n bytes of generated content of the kinds that matter: text, machine code
// like records, noise and long repeats.
func Mixed(n int) []byte {
	rng := rand.New(rand.NewPCG(1, 2))
	words := make([][]byte, 300)
	for i := range words {
		words[i] = make([]byte, 2+rng.IntN(9))
		for k := range words[i] {
			words[i][k] = byte('a' + rng.IntN(20))
		}
	}
	var b []byte
	for len(b) < n {
		switch rng.IntN(8) {
		case 0: // noise
			for range 100 + rng.IntN(3000) {
				b = append(b, byte(rng.Uint32()))
			}
		case 1: // records with a changing field
			v := rng.Uint32()
			for range 50 + rng.IntN(500) {
				v += rng.Uint32N(64)
				b = append(b, 0x48, 0x8b, byte(v), byte(v>>8), byte(v>>16), 0, 0, byte(rng.IntN(4)))
			}
		case 2: // an old part again
			if len(b) > 0 {
				from := rng.IntN(len(b))
				b = append(b, b[from:min(len(b), from+rng.IntN(20000))]...)
			}
		case 3: // one byte
			b = append(b, bytes.Repeat([]byte{byte(rng.IntN(256))}, rng.IntN(4000))...)
		default:
			for range 20 + rng.IntN(400) {
				b = append(append(b, words[rng.IntN(1+rng.IntN(len(words)))]...), ' ')
			}
		}
	}
	return b[:n]
}

// noise is n bytes that cannot be compressed, the same on every call with the
// same seed.
func noise(seed byte, n int) []byte {
	data := make([]byte, n)
	rand.NewChaCha8([32]byte{seed}).Read(data)
	return data
}

// RepeatedPages is four copies of a page with a change in each, and other bytes
// between them.
func RepeatedPages() []byte {
	page := noise(0, 20_000)
	var data []byte
	for i := range 4 {
		data = append(data, page[:7000]...)
		data = append(data, byte(i))
		data = append(data, page[7001:]...)
		data = append(data, noise(byte(i+1), 300+i)...)
	}
	return data
}
