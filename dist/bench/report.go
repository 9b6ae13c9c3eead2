package bench

import (
	"encoding/json"
	"fmt"
	"slices"

	"x.go/dist/measure"
)

// Report is what a comparison found, with what one has to know to judge it.
type Report struct {
	Schema   int             `json:"schema"` // see schemaVersion
	Machine  measure.Machine `json:"machine"`
	Programs []Program       `json:"programs"`
	Jobs     int             `json:"jobs"`     // threads that each program was given
	Rounds   int             `json:"rounds"`   // runs of each program
	Baseline string          `json:"baseline"` // name of the row that ratios are to; "" for none
	Results  []Result        `json:"results"`  // one for each input
}

// schemaVersion is the version of the JSON form of a [Report]. It grows when a
// reader of the old form would misunderstand the new one.
const schemaVersion = 1

// Program is a program that took part.
type Program struct {
	Tool    string `json:"tool"`
	Version string `json:"version"` // "" if it does not tell
}

// Input is a file to compress.
type Input struct {
	Name   string `json:"name"`
	Path   string `json:"-"` // absolute
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	Note   string `json:"note,omitempty"` // where it comes from, if the name does not say
}

// Result is what was found for one input.
type Result struct {
	Input  Input `json:"input"`
	Encode []Row `json:"encode"`
	Decode []Row `json:"decode,omitempty"`
}

// Row is what one coder did.
type Row struct {
	Name    string `json:"name"`
	Tool    string `json:"tool"`
	Level   string `json:"level"`
	Format  string `json:"format"`
	Ours    bool   `json:"ours"`
	Command string `json:"command"`
	Of      string `json:"of,omitempty"` // when decoding: the row that made the file
	// Runs are in the order of the rounds. There are none if Error is set.
	Runs   []measure.Figures `json:"runs"`
	Median measure.Figures   `json:"median"`
	Ratio  *measure.Ratio    `json:"ratio,omitempty"` // to the baseline, nil without one
	// CheckedBy names the decoder that gave the input back from the output.
	CheckedBy string `json:"checked_by,omitempty"`
	// DecoderPeak is the memory that this decoder needed.
	DecoderPeak measure.Memory `json:"decoder_peak,omitzero"`
	Error       string         `json:"error,omitempty"`
}

// Rate fills in medians, and ratios to the row called baseline; "" leaves them
// out. Of rows that decode, the first of each file is the baseline.
func (r *Report) Rate(baseline string) {
	r.Baseline = baseline
	for i := range r.Results {
		res := &r.Results[i]
		for _, rows := range [][]Row{res.Encode, res.Decode} {
			for j := range rows {
				rows[j].Median, rows[j].Ratio = measure.Median(rows[j].Runs), nil
			}
		}
		if k := slices.IndexFunc(res.Encode, func(row Row) bool { return row.Name == baseline }); k >= 0 {
			rate(res.Encode, res.Encode[k])
		}
		for first := 0; first < len(res.Decode); {
			next := first + 1
			for next < len(res.Decode) && res.Decode[next].Of == res.Decode[first].Of {
				next++
			}
			rate(res.Decode[first:next], res.Decode[first])
			first = next
		}
	}
}

// rate fills in the ratios to base.
func rate(rows []Row, base Row) {
	if len(base.Runs) == 0 {
		return
	}
	b := base.Median
	for i := range rows {
		if m := rows[i].Median; len(rows[i].Runs) > 0 {
			rows[i].Ratio = m.To(b)
		}
	}
}

// Errors returns what went wrong, in the order of the rows.
func (r Report) Errors() []error {
	var errs []error
	for _, res := range r.Results {
		for _, row := range slices.Concat(res.Encode, res.Decode) {
			if row.Error != "" {
				errs = append(errs, fmt.Errorf("measuring %q on %q: %s", row.title(), res.Input.Name, row.Error))
			}
		}
	}
	return errs
}

// Spread is that of the times of the runs: see [measure.Spread].
func (r Row) Spread() float64 { return measure.Spread(r.Runs, measure.Wall) }

// title is the name of a row in messages.
func (r Row) title() string {
	if r.Of != "" {
		return r.Name + ", of " + r.Of
	}
	return r.Name
}

// Limits of a report that ParseReport takes.
const (
	maxResults = 20
	maxRows    = 100
	maxText    = 1 << 10 // bytes of a name
)

// ParseReport reads the JSON form of a report. Medians and ratios are computed
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

// check finds what no measurement can have given.
func (r Report) check() error {
	if len(r.Results) == 0 || len(r.Results) > maxResults {
		return fmt.Errorf("got %d results, want 1 to %d", len(r.Results), maxResults)
	}
	if n := len(r.Programs); n > maxRows {
		return fmt.Errorf("got %d programs, want at most %d", n, maxRows)
	}
	for _, res := range r.Results {
		if res.Input.Bytes < 0 || res.Input.Bytes > measure.MaxBytes || len(res.Input.Name) > maxText {
			return fmt.Errorf("result %.40q: got %d bytes, or a name that is too long", res.Input.Name, res.Input.Bytes)
		}
		rows := slices.Concat(res.Encode, res.Decode)
		if len(rows) > maxRows {
			return fmt.Errorf("result %q: got %d rows, want at most %d", res.Input.Name, len(rows), maxRows)
		}
		for _, row := range rows {
			if err := row.check(); err != nil {
				return fmt.Errorf("result %q, row %.40q: %w", res.Input.Name, row.Name, err)
			}
		}
	}
	return nil
}

func (r Row) check() error {
	for _, text := range []string{r.Name, r.Tool, r.Level, r.Of} {
		if len(text) > maxText {
			return fmt.Errorf("got a name of %d bytes, want at most %d", len(text), maxText)
		}
	}
	if len(r.Runs) > measure.MaxRounds {
		return fmt.Errorf("got %d runs, want at most %d", len(r.Runs), measure.MaxRounds)
	}
	for _, run := range r.Runs {
		if err := run.Check(); err != nil {
			return err
		}
	}
	return nil
}
