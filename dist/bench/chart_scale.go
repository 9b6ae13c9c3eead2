package bench

import "math"

// axis maps values to positions on the page.
type axis struct {
	low, high float64 // values at from and to
	from, to  float64
	log       bool
}

// at returns the position of a value.
func (a axis) at(v float64) float64 {
	low, high := a.low, a.high
	if a.log {
		v, low, high = math.Log10(v), math.Log10(low), math.Log10(high)
	}
	return a.from + (v-low)/(high-low)*(a.to-a.from)
}

// leastSeconds stands for times that are too short to be measured; a logarithmic
// axis has no zero.
const leastSeconds = 1e-3

// timeAxis holds all values with room at both ends.
func timeAxis(values []float64, from, to float64) axis {
	low, high := bounds(values)
	low, high = max(low, leastSeconds), max(high, leastSeconds)
	room := max(math.Pow(high/low, 0.08), 1.3)
	return axis{low: low / room, high: high * room, from: from, to: to, log: true}
}

// sizeAxis holds all values with room at both ends. It does not start at zero:
// the differences that matter are of a few per cent.
func sizeAxis(values []float64, from, to float64) axis {
	low, high := bounds(values)
	room := max((high-low)*0.12, high*0.01, 1e-6)
	return axis{low: max(low-room, 0), high: high + room, from: from, to: to}
}

// bounds returns the least and the greatest of the values, 0 and 0 for none.
func bounds(values []float64) (low, high float64) {
	for i, v := range values {
		if i == 0 || v < low {
			low = v
		}
		if i == 0 || v > high {
			high = v
		}
	}
	return low, high
}

// linearTicks returns round values, about as many as wanted.
func (a axis) linearTicks(want int) []float64 {
	rough := (a.high - a.low) / float64(want)
	power := math.Pow(10, math.Floor(math.Log10(rough)))
	step := 10 * power
	for _, m := range []float64{1, 2, 2.5, 5} {
		if m*power >= rough*0.8 {
			step = m * power
			break
		}
	}
	var ticks []float64
	for i := math.Ceil(a.low / step); i*step <= a.high && len(ticks) <= 4*want; i++ {
		ticks = append(ticks, i*step)
	}
	return ticks
}

// logTicks returns round values of a logarithmic axis: 1, 2 and 5 of each power
// of ten, all digits where the axis is short, powers of ten where it is long.
func (a axis) logTicks() []float64 {
	decades := math.Log10(a.high / a.low)
	digits := []float64{1, 2, 5}
	switch {
	case decades < 1:
		digits = []float64{1, 2, 3, 4, 5, 6, 7, 8, 9}
	case decades > 3.5:
		digits = []float64{1}
	}
	var ticks []float64
	for e := math.Floor(math.Log10(a.low)); e <= math.Ceil(math.Log10(a.high)); e++ {
		for _, d := range digits {
			if v := d * math.Pow(10, e); v >= a.low && v <= a.high {
				ticks = append(ticks, v)
			}
		}
	}
	return ticks
}
