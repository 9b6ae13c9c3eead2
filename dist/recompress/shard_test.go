package recompress

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/tests/testenv"
)

func TestParseShard(t *testing.T) {
	for text, want := range map[string]Shard{"1/1": {1, 1}, "2/8": {2, 8}, "65536/65536": {65536, 65536}} {
		got, err := ParseShard(text)
		testenv.Must(t, err)
		if got != want || got.String() != text {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
	for _, text := range []string{"", "1", "/", "0/0", "0/2", "3/2", "-1/2", "1/0", "1/65537", "1/2/3", "a/b", "1 /2"} {
		if got, err := ParseShard(text); err == nil || !strings.Contains(err.Error(), "want i/n") {
			t.Errorf("%q: got %v and error %v", text, got, err)
		}
	}
	if got := (Shard{}).String(); got != "1/1" {
		t.Errorf("zero shard: got %q", got)
	}
}

func TestAssignShards(t *testing.T) {
	tests := []struct {
		name  string
		sizes []int64 // of items a, b, c, ...
		count int
		want  []int
	}{
		{"nothing", nil, 3, []int{}},
		{"one shard", []int64{1, 2, 3}, 1, []int{1, 1, 1}},
		{"more shards than items", []int64{1, 2}, 4, []int{2, 1}},
		{"largest first", []int64{1, 2, 3, 4}, 2, []int{1, 2, 2, 1}},
		{"one large", []int64{10, 3, 3, 3}, 2, []int{1, 2, 2, 2}},
		{"equal sizes, by name", []int64{5, 5, 5, 5}, 2, []int{1, 2, 1, 2}},
		{"sizes of nothing", []int64{0, 0, 0}, 2, []int{1, 1, 1}},
	}
	for _, tt := range tests {
		items := make([]sized, 0, len(tt.sizes))
		for i, n := range tt.sizes {
			items = append(items, sized{string(rune('a' + i)), n})
		}
		if diff := cmp.Diff(tt.want, assignShards(items, tt.count)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestAssignShardsProperties deals out random items: each goes to one shard, the
// same whatever the order in which they come, and no shard is far fuller than
// another.
func TestAssignShardsProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 11))
	for range 300 {
		count := 1 + r.IntN(12)
		items := make([]sized, r.IntN(60))
		for i := range items {
			// Few different sizes, so that there are ties.
			items[i] = sized{fmt.Sprintf("item-%03d", i), int64(r.IntN(20)) << r.IntN(12)}
		}
		shards := map[string]int{}
		load := make([]int64, count)
		var largest int64
		for i, s := range assignShards(items, count) {
			if s < 1 || s > count {
				t.Fatalf("%v: got shard %d of %d", items[i], s, count)
			}
			shards[items[i].name] = s
			load[s-1] += items[i].size
			largest = max(largest, items[i].size)
		}
		if gap := slices.Max(load) - slices.Min(load); gap > largest {
			t.Errorf("loads %v differ by more than the largest item, %d", load, largest)
		}
		r.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
		for i, s := range assignShards(items, count) {
			if s != shards[items[i].name] {
				t.Errorf("%v: got shard %d in another order, want %d", items[i], s, shards[items[i].name])
			}
		}
	}
}
