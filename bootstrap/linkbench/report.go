package linkbench

import (
	"encoding/json"
	"fmt"
	"slices"

	"x.go/dist/measure"
)

// Report is what a comparison found, with what one has to know to judge it.
type Report struct {
	Schema    int             `json:"schema"` // see schemaVersion
	Machine   measure.Machine `json:"machine"`
	Command   []string        `json:"command"`
	Mode      Mode            `json:"mode"`
	Rounds    int             `json:"rounds"`
	Baseline  string          `json:"baseline"` // name of the row that ratios are to
	Toolchain Toolchain       `json:"toolchain"`
	Rows      []Row           `json:"rows"`
	LeftOut   []LeftOut       `json:"left_out,omitempty"`
}

// schemaVersion is the version of the JSON form of a [Report].
const schemaVersion = 1

// Toolchain is that of the command.
type Toolchain struct {
	Release string `json:"release"`
	Host    string `json:"host"`
	Sysroot string `json:"sysroot"`
}

// LeftOut is a linker that took no part.
type LeftOut struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// Row is what one linker did.
type Row struct {
	Name    string   `json:"name"`
	About   string   `json:"about"`
	Linker  string   `json:"linker"`  // that every result is of, in the words of package linkage
	Version string   `json:"version"` // "" if it does not tell
	Program string   `json:"program"`
	Args    []string `json:"args,omitempty"` // that x adds
	// Runs are in the order of the rounds. There are none if Error is set.
	Runs   []RunFigures `json:"runs"`
	Median RunFigures   `json:"median"`
	Ratio  *Ratio       `json:"ratio,omitempty"`  // to the baseline, nil without one
	Spread *Spread      `json:"spread,omitempty"` // nil for less than two runs
	Error  string       `json:"error,omitempty"`
}

// RunFigures are those of one run of the command.
type RunFigures struct {
	// Final is what the command is for: programs, tests and libraries of its packages.
	// Helpers run only during the build: build scripts, procedural macros, and what
	// dependencies link.
	Final   Links           `json:"final"`
	Helpers Links           `json:"helpers"`
	Build   measure.Figures `json:"build"` // of the whole command; its bytes are not counted
}

// Links are several links together: the sum of times and bytes, and the most memory of
// one of them. Their times may overlap.
type Links struct {
	measure.Figures
	Count int `json:"count"`
}

// add counts one link more.
func (l *Links) add(f measure.Figures) {
	l.Count++
	l.Wall += f.Wall
	l.CPU += f.CPU
	l.Bytes += f.Bytes
	if f.Peak.Bytes > l.Peak.Bytes {
		l.Peak = f.Peak
	}
}

// told is what is told of a run while it goes on: its time, and the bytes of its results.
func (r RunFigures) told() measure.Figures {
	f := r.Build
	f.Bytes = r.Final.Bytes + r.Helpers.Bytes
	return f
}

// Ratio is a median divided by that of the baseline, for each part of a run.
type Ratio struct {
	Final   measure.Ratio `json:"final"`
	Helpers measure.Ratio `json:"helpers"`
	Build   measure.Ratio `json:"build"`
}

// Spread is the greatest less the least figure of the runs, as a part of the median: how
// much of a ratio may be chance.
type Spread struct {
	Final   Times `json:"final"`
	Helpers Times `json:"helpers"`
	Build   Times `json:"build"`
}

// Times are about the time on the wall and that of processors.
type Times struct {
	Wall float64 `json:"wall"`
	CPU  float64 `json:"cpu"`
}

// Part names a part of a run.
type Part string

// The parts.
const (
	Final   Part = "final"
	Helpers Part = "helpers"
	Build   Part = "build"
)

// Of returns the figures of a part, with the number of its links.
func (r RunFigures) Of(p Part) Links {
	switch p {
	case Final:
		return r.Final
	case Helpers:
		return r.Helpers
	}
	return Links{Figures: r.Build, Count: r.Final.Count + r.Helpers.Count}
}

// Of returns the ratios of a part.
func (r Ratio) Of(p Part) measure.Ratio {
	return map[Part]measure.Ratio{Final: r.Final, Helpers: r.Helpers, Build: r.Build}[p]
}

// Of returns the spread of a part.
func (s Spread) Of(p Part) Times {
	return map[Part]Times{Final: s.Final, Helpers: s.Helpers, Build: s.Build}[p]
}

// Parts returns the parts that a report has figures of.
func (r Report) Parts() []Part {
	out := []Part{Final, Helpers, Build}
	return slices.DeleteFunc(out, func(p Part) bool {
		return !slices.ContainsFunc(r.Rows, func(row Row) bool { return row.Median.Of(p).Count > 0 })
	})
}

// figures are those of one part in all runs.
func (r Row) figures(p Part) []measure.Figures {
	var out []measure.Figures
	for _, run := range r.Runs {
		out = append(out, run.Of(p).Figures)
	}
	return out
}

// median takes each figure by itself.
func (r Row) median() RunFigures {
	count := func(p Part) int { // it is the same in all runs, as a rule
		most := 0
		for _, run := range r.Runs {
			most = max(most, run.Of(p).Count)
		}
		return most
	}
	return RunFigures{
		Final:   Links{measure.Median(r.figures(Final)), count(Final)},
		Helpers: Links{measure.Median(r.figures(Helpers)), count(Helpers)},
		Build:   measure.Median(r.figures(Build)),
	}
}

func (r Row) spread(p Part) Times {
	runs := r.figures(p)
	return Times{Wall: measure.Spread(runs, measure.Wall), CPU: measure.Spread(runs, measure.CPU)}
}

// Rate fills in medians, spreads, and ratios to the row called baseline.
func (r *Report) Rate(baseline string) {
	r.Baseline = baseline
	for i := range r.Rows {
		row := &r.Rows[i]
		row.Median, row.Ratio, row.Spread = row.median(), nil, nil
		if len(row.Runs) > 1 {
			row.Spread = &Spread{Final: row.spread(Final), Helpers: row.spread(Helpers), Build: row.spread(Build)}
		}
	}
	at := slices.IndexFunc(r.Rows, func(row Row) bool { return row.Name == baseline && len(row.Runs) > 0 })
	if at < 0 {
		return
	}
	base := r.Rows[at].Median
	for i := range r.Rows {
		row := &r.Rows[i]
		if len(row.Runs) == 0 {
			continue
		}
		to := func(p Part) measure.Ratio { return *row.Median.Of(p).To(base.Of(p).Figures) }
		row.Ratio = &Ratio{Final: to(Final), Helpers: to(Helpers), Build: to(Build)}
	}
}

// Errors returns what went wrong, in the order of the rows.
func (r Report) Errors() []error {
	var errs []error
	for _, row := range r.Rows {
		if row.Error != "" {
			errs = append(errs, fmt.Errorf("measuring %s: %s", row.Name, row.Error))
		}
	}
	return errs
}

// Limits of a report that ParseReport takes.
const (
	maxRows  = 100
	maxText  = 64 << 10 // bytes of a text
	maxCount = 1 << 30
)

// ParseReport reads the JSON form of a report. Medians, spreads and ratios are computed
// anew from the runs.
func ParseReport(data []byte) (Report, error) {
	var r Report
	if err := json.Unmarshal(data, &r); err != nil {
		return Report{}, fmt.Errorf("parsing report: %w", err)
	}
	if r.Schema != schemaVersion {
		return Report{}, fmt.Errorf("parsing report: got schema %d, want %d", r.Schema, schemaVersion)
	}
	if err := r.check(); err != nil {
		return Report{}, fmt.Errorf("parsing report: %w", err)
	}
	r.Rate(r.Baseline)
	return r, nil
}

// check finds what no comparison can have given.
func (r Report) check() error {
	switch {
	case len(r.Rows) == 0 || len(r.Rows) > maxRows || len(r.LeftOut) > maxRows:
		return fmt.Errorf("got %d linkers and %d left out, want 1 to %d", len(r.Rows), len(r.LeftOut), maxRows)
	case r.Mode != Clean && r.Mode != Incremental:
		return fmt.Errorf("got mode %q, want %s or %s", r.Mode, Clean, Incremental)
	case len(r.Command) == 0:
		return fmt.Errorf("got no command")
	}
	for _, row := range r.Rows {
		if err := row.check(); err != nil {
			return fmt.Errorf("linker %.40q: %w", row.Name, err)
		}
	}
	return nil
}

func (r Row) check() error {
	for _, text := range []string{r.Name, r.About, r.Linker, r.Version, r.Program, r.Error} {
		if len(text) > maxText {
			return fmt.Errorf("got a text of %d bytes, want at most %d", len(text), maxText)
		}
	}
	if len(r.Runs) > measure.MaxRounds {
		return fmt.Errorf("got %d runs, want at most %d", len(r.Runs), measure.MaxRounds)
	}
	for _, run := range r.Runs {
		for _, p := range []Part{Final, Helpers, Build} {
			if n := run.Of(p).Count; n < 0 || n > maxCount {
				return fmt.Errorf("got %d links", n)
			}
			if err := run.Of(p).Check(); err != nil {
				return err
			}
		}
	}
	return nil
}
