package doctor

import (
	"cmp"
	"slices"
)

// findings collects what is found, one finding for each cause.
type findings struct {
	list []*Finding
}

// of returns the finding of a cause that is at least as sure as given.
func (f *findings) of(c Cause, sure Confidence) *Finding {
	for _, one := range f.list {
		if one.Cause == c {
			if rank(sure) < rank(one.Confidence) {
				one.Confidence = sure
			}
			return one
		}
	}
	one := &Finding{Cause: c, Confidence: sure, Evidence: []Evidence{}, Remedies: []Remedy{}, Sources: []string{}}
	f.list = append(f.list, one)
	return one
}

func (f *Finding) addEvidence(e Evidence) {
	if len(f.Evidence) >= maxEvidence {
		f.Omitted++
		return
	}
	if n := len(f.Evidence); n == 0 || f.Evidence[n-1] != e {
		f.Evidence = append(f.Evidence, e)
	}
}

// rank orders degrees of confidence, the surest first.
func rank(c Confidence) int { return slices.Index([]Confidence{High, Medium, Low}, c) }

// report completes the findings: what each cause means, and what to do about it here.
func (f *findings) report(d *diagnosis) Report {
	r := Report{Findings: []Finding{}, Target: d.options.Target, Release: d.options.Release}
	place := newPlace(d)
	r.Target, r.Release = place.target, place.release
	slices.SortStableFunc(f.list, func(a, b *Finding) int { return cmp.Compare(rank(a.Confidence), rank(b.Confidence)) })
	for _, one := range f.list {
		place.complete(one)
		r.Findings = append(r.Findings, *one)
	}
	return r
}
