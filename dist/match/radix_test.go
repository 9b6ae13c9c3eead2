package match

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/tests/corpus"
	"x.go/tests/testenv"
)

// slowMatch is the longest match of data[pos:end] at up to dictSize, nearest
// first, of at most maxLen bytes.
func slowMatch(data []byte, pos, end, dictSize, maxLen int) (length, dist int) {
	for from := pos - 1; from >= max(0, pos-dictSize); from-- {
		if l := Len(data, from, pos, min(maxLen, end-pos)); l > length {
			length, dist = l, pos-from
			if l == maxLen {
				break
			}
		}
	}
	return length, dist
}

func finderSettings(dict, depth, workers int) Settings {
	return Settings{DictSize: int64(dict), Depth: depth, Leaf: 20, Workers: workers}
}

func TestRadixFinder(t *testing.T) {
	testenv.Long(t, "minutes with -race; shorter tests use as many goroutines")
	text := corpus.Mixed(12_000)
	period := bytes.Repeat([]byte("abcdefg"), 600)
	for _, tc := range []struct {
		name        string
		data        []byte
		start, dict int
		maxLen      int
	}{
		{"text", text, 0, 1 << 20, Cap},
		{"short matches", text, 0, 1 << 20, 20},
		{"second span", text, 5000, 1 << 20, Cap},
		{"small dictionary", text, 6000, 1500, Cap},
		{"zeros", make([]byte, 3000), 0, 1 << 20, Cap},
		{"zeros, second span", make([]byte, 3000), 1000, 500, 40},
		{"period", period, 0, 1 << 20, Cap},
		{"mixed", append(append(bytes.Clone(period), make([]byte, 2000)...), text[:3000]...), 0, 1 << 20, Cap},
		{"tiny", []byte("ab"), 0, 1 << 20, Cap},
		{"one byte", []byte("a"), 0, 1 << 20, Cap},
	} {
		for _, workers := range []int{1, 3} {
			t.Run(fmt.Sprintf("%s/%d", tc.name, workers), func(t *testing.T) {
				end := len(tc.data)
				data := append(bytes.Clone(tc.data), make([]byte, Tail)...)
				var f radixFinder
				if err := f.find(t.Context(), finderSettings(tc.dict, tc.maxLen, workers), data, nil, tc.start, end); err != nil {
					t.Fatal(err)
				}
				checkFound(t, data, f.result, tc.start, end, tc.dict, tc.maxLen)
			})
		}
	}
}

// checkFound compares each result with a slow search. The finder may leave out
// runs of one byte as sources of matches and may see past end, so lengths are
// cut there and a match as long as the limit may be any.
func checkFound(t *testing.T, data []byte, result []Found, start, end, dict, maxLen int) {
	t.Helper()
	for pos := start; pos < end; pos++ {
		length, dist := result[pos-start].longest()
		length = min(length, end-pos)
		want, wantDist := slowMatch(data, pos, end, dict, maxLen)
		if dist == 0 {
			if want >= foundMinLen && pos+Cap < end {
				t.Fatalf("position %d: found nothing, want length %d at %d", pos, want, wantDist)
			}
			continue
		}
		if dist > min(dict, pos) || Len(data, pos-dist, pos, length) != length {
			t.Fatalf("position %d: length %d at %d is not a match", pos, length, dist)
		}
		if length < want && pos+Cap < end {
			t.Fatalf("position %d: found length %d at %d, want %d at %d", pos, length, dist, want, wantDist)
		}
		if near, d := result[pos-start].nearer(); d != 0 {
			near = min(near, end-pos)
			if d >= dist || Len(data, pos-d, pos, near) != near {
				t.Fatalf("position %d: length %d at %d is not a nearer match", pos, near, d)
			}
		}
	}
}

// Buckets larger than the buffers take another way through the finder.
func TestRadixFinderLargeBuckets(t *testing.T) {
	data := bytes.Repeat([]byte("\x01\x02\x03\x04\x05\x06\x07"), 3*radixBuffer/2)
	for i := 0; i < len(data); i += 701 {
		data[i] = byte(i >> 8)
	}
	end := len(data) - Tail
	var f radixFinder
	if err := f.find(t.Context(), finderSettings(1<<20, Cap, 2), data, nil, 0, end); err != nil {
		t.Fatal(err)
	}
	for _, pos := range []int{1000, 50_000, 123_456, end - 500} {
		length, dist := f.result[pos].longest()
		want, wantDist := slowMatch(data, pos, end, 1<<20, Cap)
		if diff := cmp.Diff([]int{want, wantDist}, []int{length, dist}); diff != "" {
			t.Errorf("position %d: length and distance (-want +got):\n%s", pos, diff)
		}
	}
}

// However few positions are sorted at a time, the matches are the same, those of a
// prefix that is sorted by its third byte included.
func TestRadixFinderGroups(t *testing.T) {
	data := append(corpus.Mixed(60_000), make([]byte, Tail)...)
	for i := 0; i < 30_000; i += 5 {
		data[i], data[i+1] = 0, 0
	}
	end := len(data) - Tail
	var f radixFinder
	if err := f.find(t.Context(), finderSettings(1<<20, Cap, 2), data, nil, 20_000, end); err != nil {
		t.Fatal(err)
	}
	want := slices.Clone(f.result)
	for _, limit := range []int{200, 3000} {
		clear(f.result)
		f.makeSkips(nil, 0)
		parts := f.parts(0, 2)
		if err := f.sort(t.Context(), parts, f.prefixOrder(parts), limit); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, f.result); diff != "" {
			t.Errorf("groups of %d (-want +got):\n%s", limit, diff)
		}
	}
}

func TestFoundPacking(t *testing.T) {
	f := makeFound(Cap, foundMaxDist).withNear(nearMaxLen+5, nearMaxDist)
	l, d := f.longest()
	n, nd := f.nearer()
	if diff := cmp.Diff([]int{Cap, foundMaxDist, nearMaxLen, nearMaxDist}, []int{l, d, n, nd}); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	if _, d := makeFound(3, 1).withNear(3, nearMaxDist+1).nearer(); d != 0 {
		t.Errorf("a nearer match beyond its range has distance %d, want it left out", d)
	}
}
