package measure

import (
	"cmp"
	"slices"
)

// median returns the middle of the values, the mean of both for an even number,
// and 0 for none.
func median(values []float64) float64 {
	v := slices.Sorted(slices.Values(values))
	switch n := len(v); {
	case n == 0:
		return 0
	case n%2 == 1:
		return v[n/2]
	default:
		return v[n/2-1]/2 + v[n/2]/2 // halves first: the sum could overflow
	}
}

// medianOf returns the median of one figure of the runs.
func medianOf(runs []Figures, figure func(Figures) float64) float64 {
	values := make([]float64, len(runs))
	for i, r := range runs {
		values[i] = figure(r)
	}
	return median(values)
}

// Median returns the median of each figure by itself.
func Median(runs []Figures) Figures {
	return Figures{
		Wall: medianOf(runs, func(r Figures) float64 { return r.Wall }),
		CPU:  medianOf(runs, func(r Figures) float64 { return r.CPU }),
		Peak: Memory{
			Bytes: int64(medianOf(runs, func(r Figures) float64 { return float64(r.Peak.Bytes) })),
			Bound: slices.ContainsFunc(runs, func(r Figures) bool { return r.Peak.Bound }),
		},
		Bytes: int64(medianOf(runs, func(r Figures) float64 { return float64(r.Bytes) })),
	}
}

// Wall is the figure of that name, for [Spread].
func Wall(f Figures) float64 { return f.Wall }

// CPU is the figure of that name, for [Spread].
func CPU(f Figures) float64 { return f.CPU }

// Spread is the difference of the greatest and the least figure of the runs as a part of
// the median: how much of a ratio may be chance.
func Spread(runs []Figures, figure func(Figures) float64) float64 {
	if len(runs) == 0 {
		return 0
	}
	by := func(a, b Figures) int { return cmp.Compare(figure(a), figure(b)) }
	return divide(figure(slices.MaxFunc(runs, by))-figure(slices.MinFunc(runs, by)), medianOf(runs, figure))
}

// divide returns a / b, and 0 where b is 0.
func divide(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
