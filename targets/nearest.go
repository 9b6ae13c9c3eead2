package targets

import (
	"cmp"
	"slices"
	"strings"
)

// nearest returns up to three names at the smallest edit distances from name,
// none farther than a third of its length, else three that hold it.
func nearest(name string, names []string) []string {
	if len(name) > maxTripleLen {
		return nil // its distance to all names would take long, and nobody meant one of them
	}
	type hit struct {
		name     string
		distance int
	}
	limit := max(len(name)/3, 2)
	var hits []hit
	for _, n := range names {
		if d := distance(name, n); d <= limit {
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

// distance is Levenshtein's, in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
