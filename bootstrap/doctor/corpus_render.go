package doctor

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"text/tabwriter"

	"x.go/dist"
	"x.go/dist/page"
)

//go:embed corpus.html
var corpusText string

// corpusPage is parsed once; that it parses is tested.
var corpusPage = page.Parse(corpusText, template.FuncMap{"logs": countLogs, "link": sourceLink})

// pageCause is a cause with what only the page shows.
type pageCause struct {
	CauseCount
	Bar  float64 // percent of the most frequent cause
	Sure string
}

// WriteHTML writes the corpus as one page that needs nothing else.
func (c *Corpus) WriteHTML(w io.Writer) error {
	data := struct {
		*Corpus
		Rows        []pageCause
		ProblemText string
	}{Corpus: c, ProblemText: c.problemText()}
	for _, row := range c.Causes {
		data.Rows = append(data.Rows, pageCause{row, 100 * float64(row.Count) / float64(c.Causes[0].Count), row.sure()})
	}
	if err := corpusPage().Execute(w, data); err != nil {
		return fmt.Errorf("writing corpus as HTML: %w", err)
	}
	return nil
}

// WriteText writes the corpus for a terminal: the counts, then the first examples of
// each cause, then what could not be read.
func (c *Corpus) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s, in %.1f s: %d with a cause, %d without\n", countLogs(c.Logs), dist.FormatBytes(c.Bytes), c.Seconds, c.Found, c.Nothing)
	if len(c.Causes) > 0 {
		b.WriteByte('\n')
		t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
		for _, row := range c.Causes {
			fmt.Fprintf(t, "%d\t %s (%s)\n", row.Count, row.Cause, row.sure())
		}
		_ = t.Flush() // into a Builder
	}
	for _, row := range c.Causes {
		fmt.Fprintf(&b, "\n%s: %s\n", row.Cause, row.Summary)
		for _, e := range row.Examples {
			fmt.Fprintf(&b, "  %s:%d: %q\n", dist.OneLine(e.Log), e.Line, e.Text)
		}
		if n := row.Count - len(row.Examples); n > 0 {
			fmt.Fprintf(&b, "  and %d more\n", n)
		}
	}
	if text := c.problemText(); text != "" {
		fmt.Fprintf(&b, "\nnot read, or not whole: %s\n", text)
		for _, p := range c.Problems {
			fmt.Fprintf(&b, "  %s: %s: %s\n", p.Kind, dist.OneLine(p.Log), dist.OneLine(p.Detail))
		}
		if c.ProblemsOmitted > 0 {
			fmt.Fprintf(&b, "  and %d more\n", c.ProblemsOmitted)
		}
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("writing corpus: %w", err)
	}
	return nil
}

// sure counts the logs of a cause by confidence: "12 high, 3 low".
func (c CauseCount) sure() string {
	var parts []string
	for _, level := range []Confidence{High, Medium, Low} {
		if n := c.Confidence[level]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, level))
		}
	}
	return strings.Join(parts, ", ")
}

// problemText counts the problems by kind: "2 unreadable, 1 cut".
func (c *Corpus) problemText() string {
	var parts []string
	for _, kind := range []ProblemKind{Unreadable, Cut, Huge} {
		if n := c.ProblemCounts[kind]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, kind))
		}
	}
	return strings.Join(parts, ", ")
}

// countLogs writes a number of logs.
func countLogs(n int) string {
	if n == 1 {
		return "1 log"
	}
	return fmt.Sprintf("%d logs", n)
}

// sourceLink is the address of an issue such as "rust-lang/rust#128286", or "".
func sourceLink(source string) string {
	repo, number, ok := strings.Cut(source, "#")
	if !ok || strings.Count(repo, "/") != 1 || strings.ContainsAny(source, " :") {
		return ""
	}
	return "https://github.com/" + repo + "/issues/" + number
}
