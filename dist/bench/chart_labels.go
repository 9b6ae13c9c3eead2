package bench

import "math"

// point is a place on the page: to the right, and down.
type point struct{ x, y float64 }

// box is a part of the page.
type box struct{ x0, y0, x1, y1 float64 }

// around returns the box with a centre and extents.
func around(c point, w, h float64) box { return box{c.x - w/2, c.y - h/2, c.x + w/2, c.y + h/2} }

// shared is the area that two boxes have in common.
func (b box) shared(o box) float64 {
	w := min(b.x1, o.x1) - max(b.x0, o.x0)
	h := min(b.y1, o.y1) - max(b.y0, o.y0)
	return max(w, 0) * max(h, 0)
}

// area returns the area of b.
func (b box) area() float64 { return (b.x1 - b.x0) * (b.y1 - b.y0) }

// centre returns the middle of b.
func (b box) centre() point { return point{(b.x0 + b.x1) / 2, (b.y0 + b.y1) / 2} }

// segment is a straight line.
type segment struct{ a, b point }

// crosses reports whether s touches b: whether something is left of s when it
// is clipped at each edge.
func (s segment) crosses(b box) bool {
	low, high := 0.0, 1.0
	dx, dy := s.b.x-s.a.x, s.b.y-s.a.y
	for _, edge := range [][2]float64{{-dx, s.a.x - b.x0}, {dx, b.x1 - s.a.x}, {-dy, s.a.y - b.y0}, {dy, b.y1 - s.a.y}} {
		p, q := edge[0], edge[1]
		switch {
		case p == 0 && q < 0:
			return false
		case p < 0:
			low = max(low, q/p)
		case p > 0:
			high = min(high, q/p)
		}
	}
	return low <= high
}

// scene is what labels must not hide.
type scene struct {
	page    box // where labels may be
	marks   []box
	lines   []segment
	blocked []box // other text
}

// label is a text for a point.
type label struct {
	at   point
	w, h float64
}

// directions in which a label may lie from its point, liked best first.
var directions = []point{
	{1, 0}, {-1, 0}, {1, -1}, {1, 1}, {-1, -1}, {-1, 1}, {0, -1}, {0, 1},
	{1, -0.5}, {1, 0.5}, {-1, -0.5}, {-1, 0.5}, {0.5, -1}, {-0.5, -1}, {0.5, 1}, {-0.5, 1},
}

// distances of a label from its point.
var distances = []float64{9, 14, 20, 28, 38, 50, 64}

// place puts each label where it hides least. It starts with one label after the
// other, as what is placed first has the free choice, and keeps the best result.
func (s scene) place(labels []label) []box {
	const starts = 16
	var best []box
	least := math.Inf(1)
	for first := range min(starts, len(labels)) {
		if placed, cost := s.settle(labels, first); cost < least {
			best, least = placed, cost
		}
	}
	return best
}

// settle gives each label its best place given the others', a few times over,
// and returns the places with what they cost. The label first begins.
func (s scene) settle(labels []label, first int) (placed []box, total float64) {
	placed = make([]box, len(labels)) // an empty box hides nothing
	const passes = 8
	for range passes {
		moved := false
		total = 0
		for k := range labels {
			i := (first + k) % len(labels)
			best, least := s.best(labels[i], i, placed)
			moved = moved || best != placed[i]
			placed[i] = best
			total += least
		}
		if !moved {
			break
		}
	}
	return placed, total
}

// best returns the place for the label i that costs least, and its cost.
func (s scene) best(l label, i int, placed []box) (best box, least float64) {
	least = math.Inf(1)
	for d, dist := range distances {
		for k, dir := range directions {
			b := l.box(dir, dist)
			cost := s.cost(l, b, i, placed) + 5*float64(d*d) + float64(k)
			if cost < least {
				best, least = b, cost
			}
		}
	}
	return best, least
}

// box returns where the label is in a direction.
func (l label) box(dir point, dist float64) box {
	dist /= math.Hypot(dir.x, dir.y)
	return around(point{l.at.x + dir.x*(dist+l.w/2), l.at.y + dir.y*(dist+l.h/2)}, l.w, l.h)
}

// cost says how much the label i hides at b.
func (s scene) cost(l label, b box, i int, labels []box) float64 {
	cost := 50 * (b.area() - b.shared(s.page))
	leader, far := l.leader(b)
	for k, o := range labels {
		if k == i || o == (box{}) {
			continue
		}
		cost += 10 * b.shared(o)
		if far && leader.crosses(o) {
			cost += 80
		}
	}
	for _, m := range s.marks {
		cost += 6 * b.shared(m)
	}
	for _, t := range s.blocked {
		cost += 10 * b.shared(t)
	}
	for _, l := range s.lines {
		if l.crosses(b) {
			cost += 25
		}
	}
	return cost
}

// leader is the line from the point to its label at b; far says that the two are
// so far apart that it has to be drawn.
func (l label) leader(b box) (line segment, far bool) {
	end := point{min(max(l.at.x, b.x0), b.x1), min(max(l.at.y, b.y0), b.y1)}
	return segment{l.at, end}, math.Hypot(end.x-l.at.x, end.y-l.at.y) > 16
}
