package doctor

import (
	"bytes"
	"slices"
)

// diagnosis collects what a log tells.
type diagnosis struct {
	name     string
	findings []Finding
}

// messageRules lead from a text to a cause.
var messageRules = []struct {
	text    string
	cause   Cause
	sure    Confidence
	summary string
	sources []string
}{
	{"the encapsulation symbol needs to be retained under --gc-sections properly", StartStopGC, High,
		"LLD drops a section that only __start_ and __stop_ symbols refer to", []string{"rust-lang/rust#140872"}},
	{"disallowed by --no-allow-shlib-undefined", ShlibUndefined, High,
		"a shared library needs a symbol that no library on the command line defines", []string{"llvm/llvm-project#54700"}},
}

// line looks at one line of the log.
func (d *diagnosis) line(no int, text []byte) {
	for _, r := range messageRules {
		if !bytes.Contains(text, []byte(r.text)) {
			continue
		}
		e := Evidence{d.name, no, string(bytes.TrimSpace(text[:min(len(text), maxText)]))}
		i := slices.IndexFunc(d.findings, func(f Finding) bool { return f.Cause == r.cause })
		if i < 0 {
			d.findings = append(d.findings, Finding{Cause: r.cause, Summary: r.summary, Confidence: r.sure, Evidence: []Evidence{e}, Remedies: []Remedy{}, Sources: r.sources})
		} else if f := &d.findings[i]; len(f.Evidence) < maxEvidence {
			f.Evidence = append(f.Evidence, e)
		} else {
			f.Omitted++
		}
	}
}

func (d *diagnosis) report(o Options) Report {
	findings := d.findings
	if findings == nil {
		findings = []Finding{}
	}
	return Report{Findings: findings, Target: o.Target, Release: o.Release}
}
