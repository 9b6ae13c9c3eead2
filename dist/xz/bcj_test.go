package xz

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestBeforeCall(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	near := []byte{0xE6, 0xE7, 0xE8, 0xE9, 0xEA, 0x68, 0x69, 0x00, 0x01, 0xFF}
	for n := range 40 {
		for range 200 {
			b := make([]byte, n)
			for i := range b {
				b[i] = near[rng.IntN(2)*rng.IntN(len(near))]
			}
			want := slices.IndexFunc(b, func(v byte) bool { return v == 0xE8 || v == 0xE9 })
			if want < 0 {
				want = n
			}
			if got := beforeCall(b); got != want {
				t.Fatalf("%x: got %d, want %d", b, got, want)
			}
		}
	}
}
