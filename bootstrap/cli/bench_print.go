package cli

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"x.go/dist"
	"x.go/dist/bench"
	"x.go/dist/measure"
)

// measuring follows a comparison; see [bench.Options.Notify].
func (p *progress) measuring() func(measure.Event) {
	var bar *mpb.Bar               // of the current input
	var now atomic.Pointer[string] // for the goroutine that draws
	return func(e measure.Event) {
		if e.Step == 1 && !e.Done && p.bars != nil {
			if bar != nil {
				bar.Abort(true) // the steps of a program that failed were left out
			}
			now.Store(&e.Name)
			name := decor.Any(func(decor.Statistics) string { return e.Input + ": " + *now.Load() + " " })
			bar = p.bars.AddBar(int64(e.Steps), mpb.PrependDecorators(name, decor.CountersNoUnit("%d / %d")), mpb.BarRemoveOnComplete())
			p.active["bench"] = bar // the only one
		}
		if !e.Done {
			now.Store(&e.Name)
			return
		}
		what := fmt.Sprintf("%s bytes, %.2f s", thousands(e.Run.Bytes), e.Run.Wall)
		if e.Err != nil {
			what = "failed"
		}
		fmt.Fprintf(p.out, "x: %d/%d %s, round %d of %s: %s\n", e.Step, e.Steps, e.Input, e.Round, e.Name, what)
		if bar != nil {
			bar.SetCurrent(int64(e.Step))
		}
	}
}

// comparison is a report of programs against each other.
type comparison interface {
	SVG() []byte
	Errors() []error
}

// printComparison prints a report, as JSON or as text, draws it in the file svg if there
// is a name, and fails if a program did. The chart comes first: a closed pipe must not
// cost it.
func (a *app) printComparison(r comparison, text, svg string) error {
	if svg != "" && !a.flags.dryRun {
		if err := dist.WriteOutput(a.path(svg), r.SVG()); err != nil {
			return fmt.Errorf("writing chart %q: %w", svg, err)
		}
	}
	errs := r.Errors()
	if a.flags.json {
		return errors.Join(append(errs, a.printJSON(r))...)
	}
	_, err := io.WriteString(a.Stdout, text)
	return errors.Join(append(errs, err)...)
}

// printBenchPlan prints the commands that would be run.
func (a *app) printBenchPlan(r bench.Report) error {
	if a.flags.json {
		return a.printJSON(r)
	}
	for _, res := range r.Results {
		for _, row := range res.Encode {
			if _, err := fmt.Fprintln(a.Stdout, row.Command); err != nil {
				return err
			}
		}
	}
	return nil
}

// benchText is the report to people.
func benchText(r bench.Report) string {
	var b strings.Builder
	m := r.Machine
	facts := fmt.Sprintf("%d cores, %s/%s, %s, %d threads", m.Cores, m.OS, m.Arch, m.Go, r.Jobs)
	if m.CPU != "" {
		facts = m.CPU + ", " + facts
	}
	if len(m.Load) > 0 {
		facts += fmt.Sprintf(", load %.2f at the start", m.Load[0])
	}
	var programs []string
	for _, p := range r.Programs {
		programs = append(programs, strings.TrimSpace(p.Tool+" "+p.Version))
	}
	rounds := "one round"
	if r.Rounds > 1 {
		rounds = fmt.Sprintf("medians of %d rounds", r.Rounds)
	}
	fmt.Fprintf(&b, "%s\n%s\n%s, ratios to %s\n", facts, strings.Join(programs, ", "), rounds, r.Baseline)
	for _, res := range r.Results {
		note := ""
		if res.Input.Note != "" {
			note = " (" + res.Input.Note + ")"
		}
		fmt.Fprintf(&b, "\n%s%s: %s bytes\n", res.Input.Name, note, thousands(res.Input.Bytes))
		rows := [][]string{{"ENCODER", "BYTES", "RATIO", "WALL s", "RATIO", "SPREAD", "CPU s", "RATIO", "MEMORY MiB", "DECODER MiB"}}
		for _, row := range res.Encode {
			rows = append(rows, append(encodeCells(row), memoryText(row.DecoderPeak)))
		}
		writeColumns(&b, rows)
		if len(res.Decode) == 0 {
			continue
		}
		b.WriteString("\n")
		rows = [][]string{{"DECODER", "WALL s", "RATIO", "SPREAD", "CPU s", "RATIO", "MEMORY MiB"}}
		for _, row := range res.Decode {
			cells := encodeCells(row)
			rows = append(rows, append([]string{row.Of + ": " + row.Name}, cells[3:]...))
		}
		writeColumns(&b, rows)
	}
	return b.String()
}

// encodeCells are the cells of a row: dashes if it failed.
func encodeCells(r bench.Row) []string {
	if len(r.Runs) == 0 {
		return []string{r.Name, "-", "-", "-", "-", "-", "-", "-", "-"}
	}
	size, wall, cpu, spread := "-", "-", "-", "-"
	if len(r.Runs) > 1 {
		spread = fmt.Sprintf("%.0f %%", 100*r.Spread())
	}
	if r.Ratio != nil {
		size, wall, cpu = fmt.Sprintf("%.3f", r.Ratio.Size), fmt.Sprintf("%.2f", r.Ratio.Wall), fmt.Sprintf("%.2f", r.Ratio.CPU)
	}
	return []string{
		r.Name, thousands(r.Median.Bytes), size, fmt.Sprintf("%.2f", r.Median.Wall), wall,
		spread, fmt.Sprintf("%.2f", r.Median.CPU), cpu, memoryText(r.Median.Peak),
	}
}

// memoryText prints MiB.
func memoryText(m measure.Memory) string {
	if m.Bytes == 0 {
		return "-"
	}
	text := fmt.Sprintf("%.0f", float64(m.Bytes)/(1<<20))
	if m.Bound {
		text = "<" + text
	}
	return text
}

// thousands prints n with a comma after each three digits.
func thousands(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// writeColumns writes a table: the first column to the left, numbers to the
// right.
func writeColumns(b *strings.Builder, rows [][]string) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		for i, cell := range row {
			if i == 0 {
				fmt.Fprintf(b, "%-*s", widths[i], cell)
			} else {
				fmt.Fprintf(b, "  %*s", widths[i], cell)
			}
		}
		b.WriteString("\n")
	}
}
