package doctor

import (
	"cmp"
	"slices"
)

// tally adds logs up.
type tally struct {
	sum    Corpus
	causes map[Cause]*CauseCount
}

func newTally() *tally {
	return &tally{Corpus{Causes: []CauseCount{}, Problems: []Problem{}, ProblemCounts: map[ProblemKind]int{}}, map[Cause]*CauseCount{}}
}

// add adds a log.
func (t *tally) add(l *corpusLog) {
	if p := l.problem; p != nil {
		t.sum.ProblemCounts[p.Kind]++
		if len(t.sum.Problems) < maxProblems {
			t.sum.Problems = append(t.sum.Problems, *p)
		} else {
			t.sum.ProblemsOmitted++
		}
	}
	if !l.read {
		return
	}
	t.sum.Logs++
	t.sum.Bytes += l.bytes
	if len(l.findings) == 0 {
		t.sum.Nothing++
		return
	}
	t.sum.Found++
	for i, f := range l.findings {
		if slices.ContainsFunc(l.findings[:i], func(earlier Finding) bool { return earlier.Cause == f.Cause }) {
			continue // a log counts once for a cause, by its surest finding
		}
		t.count(l.name, f)
	}
}

// count adds one finding of a log.
func (t *tally) count(log string, f Finding) {
	c := t.causes[f.Cause]
	if c == nil {
		c = &CauseCount{Cause: f.Cause, Summary: f.Summary, Sources: f.Sources, Confidence: map[Confidence]int{}}
		t.causes[f.Cause] = c
	}
	c.Count++
	c.Confidence[f.Confidence]++
	if len(c.Examples) < maxExamples {
		e := Example{Log: log, Confidence: f.Confidence}
		if len(f.Evidence) > 0 {
			e.Line, e.Text = f.Evidence[0].Line, f.Evidence[0].Text
		}
		c.Examples = append(c.Examples, e)
	}
	if len(c.In) < maxIn {
		c.In = append(c.In, log)
	} else {
		c.InOmitted++
	}
}

// corpus returns the sum.
func (t *tally) corpus() *Corpus {
	for _, c := range t.causes {
		t.sum.Causes = append(t.sum.Causes, *c)
	}
	slices.SortFunc(t.sum.Causes, func(a, b CauseCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Cause, b.Cause))
	})
	return &t.sum
}
