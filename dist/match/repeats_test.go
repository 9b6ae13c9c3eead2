package match

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/tests/corpus"
)

func TestRepeatFinder(t *testing.T) {
	data := corpus.RepeatedPages()
	var first []repeat
	for _, workers := range []int{1, 3} {
		for _, step := range []int{len(data), 33_333} {
			var r repeatFinder
			r.reset(len(data))
			for end := 0; end < len(data); {
				end = min(end+step, len(data))
				r.find(t.Context(), Settings{Workers: workers, DictSize: 1 << 20}, data, end)
			}
			covered, last := 0, 0
			for _, rep := range r.repeats {
				if rep.from < last || !bytes.Equal(data[rep.from:rep.to], data[rep.from-rep.dist:rep.to-rep.dist]) {
					t.Fatalf("%+v is not a repeat after %d", rep, last)
				}
				last = rep.to
				covered += rep.to - rep.from
			}
			// Three of four pages, less a few hundred bytes at each border.
			if covered < 3*20_000-3*2*400 {
				t.Errorf("workers %d, step %d: %d bytes are in repeats, want nearly 60000", workers, step, covered)
			}
			if step == len(data) {
				if first == nil {
					first = r.repeats
				} else if diff := cmp.Diff(first, r.repeats, cmp.AllowUnexported(repeat{})); diff != "" {
					t.Errorf("repeats of %d workers (-one +more):\n%s", workers, diff)
				}
			}
		}
	}
}

// Skips are in order, do not overlap, and name true matches.
func TestRadixFinderSkips(t *testing.T) {
	data := append(corpus.RepeatedPages(), make([]byte, 5000)...)
	data = append(data, corpus.RepeatedPages()...)
	end := len(data)
	data = append(data, make([]byte, Tail)...)
	set := finderSettings(1<<20, Cap, 2)
	var r repeatFinder
	r.reset(end)
	r.find(t.Context(), set, data, end)
	var f radixFinder
	if err := f.find(t.Context(), set, data, r.repeats, 0, end); err != nil {
		t.Fatal(err)
	}
	last, left := 0, 0
	for _, s := range f.skips {
		if s.from < last || s.to <= s.from || !bytes.Equal(data[s.from:s.end], data[s.from-s.dist:s.end-s.dist]) {
			t.Fatalf("%+v is no skip after %d", s, last)
		}
		last = s.to
		left += s.to - s.from
	}
	if want := end * 3 / 4; left < want {
		t.Errorf("%d bytes are left out, want at least %d", left, want)
	}
	for pos := range end {
		length, dist := f.result[pos].longest()
		if length = min(length, end-pos); dist != 0 && Len(data, pos-dist, pos, length) != length {
			t.Fatalf("position %d: length %d at %d is not a match", pos, length, dist)
		}
	}
}
