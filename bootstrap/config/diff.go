package config

import (
	"fmt"
	"strings"
)

// diffContext is the number of unchanged lines around a change.
const diffContext = 3

// Diff returns a unified diff of two texts, or "" if they are equal. The names
// stand in its first two lines.
func Diff(oldName, newName string, oldText, newText []byte) string {
	a, b := splitLines(string(oldText)), splitLines(string(newText))
	ops := myers(a, b)
	var out strings.Builder
	for i := 0; i < len(ops); {
		if ops[i].kind == ' ' {
			i++
			continue
		}
		if out.Len() == 0 {
			fmt.Fprintf(&out, "--- %s\n+++ %s\n", oldName, newName)
		}
		i = hunk(&out, ops, i)
	}
	return out.String()
}

// op is a line of the diff: ' ' kept, '-' removed, '+' added; a and b are the
// numbers of lines before it.
type op struct {
	kind byte
	text string
	a, b int
}

// hunk writes the hunk around ops[i] and returns where to go on.
func hunk(out *strings.Builder, ops []op, i int) int {
	start, end, same := max(0, i-diffContext), i, 0
	for ; end < len(ops) && same <= 2*diffContext; end++ {
		same++
		if ops[end].kind != ' ' {
			same = 0
		}
	}
	end -= max(0, same-diffContext)
	var removed, added int
	for _, o := range ops[start:end] {
		if o.kind != '+' {
			removed++
		}
		if o.kind != '-' {
			added++
		}
	}
	fmt.Fprintf(out, "@@ -%s +%s @@\n", span(ops[start].a, removed), span(ops[start].b, added))
	for _, o := range ops[start:end] {
		out.WriteByte(o.kind)
		out.WriteString(o.text)
		if !strings.HasSuffix(o.text, "\n") {
			out.WriteString("\n\\ No newline at end of file\n")
		}
	}
	return end
}

// span writes the range of a hunk as diff -u does: an empty one names the line
// before it, one line has no count.
func span(before, count int) string {
	switch count {
	case 0:
		return fmt.Sprintf("%d,0", before)
	case 1:
		return fmt.Sprintf("%d", before+1)
	}
	return fmt.Sprintf("%d,%d", before+1, count)
}

// splitLines keeps the line ends, so that a missing last one shows.
func splitLines(s string) []string {
	lines := strings.SplitAfter(s, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// myers finds a shortest edit script (E. W. Myers, An O(ND) Difference
// Algorithm, 1986). Time and memory grow with the number of changed lines.
func myers(a, b []string) []op {
	n, m := len(a), len(b)
	v := map[int]int{1: 0}
	var trace []map[int]int
search:
	for d := 0; d <= n+m; d++ {
		next := make(map[int]int, d+1)
		for k := -d; k <= d; k += 2 {
			x := v[k-1] + 1
			if k == -d || k != d && v[k-1] < v[k+1] {
				x = v[k+1]
			}
			for x < n && x-k < m && a[x] == b[x-k] {
				x++
			}
			next[k] = x
			if x >= n && x-k >= m {
				trace = append(trace, v)
				break search
			}
		}
		trace = append(trace, v)
		v = next
	}
	return backtrack(a, b, trace)
}

func backtrack(a, b []string, trace []map[int]int) []op {
	var ops []op
	x, y := len(a), len(b)
	for d := len(trace) - 1; d >= 0; d-- {
		v, k := trace[d], x-y
		prev := k - 1
		if k == -d || k != d && v[k-1] < v[k+1] {
			prev = k + 1
		}
		px := v[prev]
		py := px - prev
		for x > px && y > py {
			x, y = x-1, y-1
			ops = append(ops, op{' ', a[x], x, y})
		}
		switch {
		case d == 0:
		case x > px:
			x--
			ops = append(ops, op{'-', a[x], x, y})
		case y > py:
			y--
			ops = append(ops, op{'+', b[y], x, y})
		}
	}
	for i, j := 0, len(ops)-1; i < j; i, j = i+1, j-1 {
		ops[i], ops[j] = ops[j], ops[i]
	}
	return ops
}
