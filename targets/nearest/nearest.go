// Package nearest guesses which name somebody meant by one that is none.
package nearest

import (
	"cmp"
	"slices"
	"strings"
)

// longest is the length in bytes up to which a name is compared: nobody mistypes
// a longer one, and the work grows with its square.
const longest = 200

// Names returns up to three of names at the smallest distances from name, none
// farther than a third of its length, else three that hold it.
func Names(name string, names []string) []string {
	if len(name) > longest {
		return nil
	}
	type hit struct {
		name     string
		distance int
	}
	limit := max((len(name)+1)/3, 1)
	var hits []hit
	for _, n := range names {
		if d := Distance(name, n); d <= limit && d < len(n) {
			hits = append(hits, hit{n, d})
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return cmp.Compare(a.distance, b.distance) })
	if len(hits) == 0 && len(name) > 2 {
		for _, n := range names {
			if strings.Contains(n, name) {
				hits = append(hits, hit{name: n})
			}
		}
	}
	out := make([]string, 0, 3)
	for _, h := range hits[:min(len(hits), 3)] {
		out = append(out, h.name)
	}
	return out
}

// Hint returns what an error about a wrong name ends with: ": did you mean lld?", or
// "" if none of names is near.
func Hint(name string, names []string) string {
	near := Names(name, names)
	if len(near) == 0 {
		return ""
	}
	return ": did you mean " + strings.Join(near, " or ") + "?"
}

// Distance is the number of insertions, deletions, replacements and swaps of
// neighbours, in bytes, that turn a into b.
func Distance(a, b string) int {
	prev2, prev, cur := []int(nil), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, make([]int, len(b)+1)
	}
	return prev[len(b)]
}
