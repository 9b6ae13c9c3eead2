package verify

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"x.go/dist"
)

// WriteJSON writes the report as one JSON object, indented, with its overall
// status first.
func (r Report) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	err := enc.Encode(struct {
		Status Status `json:"status"`
		Report
	}{r.Status(), r})
	if err != nil {
		return fmt.Errorf("writing report as JSON: %w", err)
	}
	return nil
}

// WriteText writes the report for a terminal, worst first: every failure with
// its findings, every skip with its reason, then the passes, one line each if
// verbose and else as a count; warnings and the linker of a file that was given are always
// told. The verdict is the last line.
func (r Report) WriteText(w io.Writer, verbose bool) error {
	var b strings.Builder
	for _, c := range r.worstFirst() {
		if c.Status == Pass && !verbose && c.Name != programLinker && len(c.Warnings) == 0 {
			continue
		}
		word := string(c.Status)
		if len(c.Warnings) > 0 {
			word = "WARN"
		}
		fmt.Fprintf(&b, "%s %s", word, c.Name)
		if c.Allowed {
			b.WriteString(" (allowed)")
		}
		if c.Subject != "" {
			fmt.Fprintf(&b, " [%s]", dist.OneLine(c.Subject))
		}
		listed := slices.Concat(c.Findings, c.Warnings)
		if c.Detail != "" && len(listed) == 0 {
			fmt.Fprintf(&b, ": %s", dist.OneLine(c.Detail))
		}
		b.WriteByte('\n')
		for _, f := range listed {
			fmt.Fprintf(&b, "     %s\n", dist.OneLine(f))
		}
	}
	if r.Program != "" {
		fmt.Fprintf(&b, "%s by %s on %s, in %.0f s\n", r.Date, dist.OneLine(r.Program), dist.OneLine(r.Machine), r.Seconds)
	}
	for _, f := range r.Foreign {
		fmt.Fprintf(&b, "compiler for %s\n", dist.OneLine(f.String()))
	}
	if r.Sandbox != "" {
		fmt.Fprintf(&b, "the archives' programs ran %s\n", dist.OneLine(r.Sandbox))
	}
	if r.Compiler != "" {
		fmt.Fprintf(&b, "%s, default link expected to use: %s\n", r.Compiler, r.Expect)
	}
	fmt.Fprintf(&b, "%s: %s\n", r.Status(), r.Summary())
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("writing report: %w", err)
	}
	return nil
}

// Summary counts the checks: "2 failed, 1 skipped, 84 passed". Skips that are allowed
// are told apart: "3 skipped (1 allowed)".
func (r Report) Summary() string {
	allowed := ""
	if n := r.allowed(); n > 0 {
		allowed = fmt.Sprintf(" (%d allowed)", n)
	}
	return fmt.Sprintf("%d failed, %d skipped%s, %d passed", r.Count(Fail), r.Count(Skip), allowed, r.Count(Pass))
}

// The JUnit schema as CI systems read it.
type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Time     junitTime    `xml:"time,attr"`
	Date     string       `xml:"timestamp,attr,omitempty"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string    `xml:"name,attr"`
	Tests    int       `xml:"tests,attr"`
	Failures int       `xml:"failures,attr"`
	Skipped  int       `xml:"skipped,attr"`
	Time     junitTime `xml:"time,attr"`
	Date     string    `xml:"timestamp,attr,omitempty"`
	// Properties say what made the report.
	Properties *junitProperties `xml:"properties"`
	Cases      []junitCase      `xml:"testcase"`
}

type junitProperties struct {
	List []junitProperty `xml:"property"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

// junitTime is a number of seconds as CI systems read it: "1.500".
type junitTime float64

// MarshalXMLAttr implements [xml.MarshalerAttr].
func (t junitTime) MarshalXMLAttr(name xml.Name) (xml.Attr, error) {
	return xml.Attr{Name: name, Value: strconv.FormatFloat(float64(t), 'f', 3, 64)}, nil
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Time    junitTime     `xml:"time,attr"`
	Failure *junitMessage `xml:"failure"`
	Skipped *junitMessage `xml:"skipped"`
	Output  string        `xml:"system-out,omitempty"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// WriteJUnit writes the report as JUnit XML: a suite for each group, a case for
// each check. An empty report has one failing case, since CI systems take a
// file without cases for success.
func (r Report) WriteJUnit(w io.Writer) error {
	date := strings.TrimSuffix(r.Date, "Z") // JUnit's schema has no time zone
	out := junitSuites{Name: "dist test", Date: date}
	for _, g := range Groups() {
		suite := junitSuite{Name: string(g), Date: date, Properties: r.junitProperties()}
		for _, c := range r.Checks {
			if groupOf(c.Name) == g {
				suite.add(c)
			}
		}
		out.add(suite)
	}
	if len(r.Checks) == 0 {
		suite := junitSuite{Name: "report"}
		suite.add(Check{Name: "report/empty", Status: Fail, Detail: "nothing was checked"})
		out.add(suite)
	}
	b, err := xml.MarshalIndent(out, "", "  ")
	if err == nil {
		_, err = io.WriteString(w, xml.Header+string(b)+"\n")
	}
	if err != nil {
		return fmt.Errorf("writing report as JUnit XML: %w", err)
	}
	return nil
}

// junitProperties are the facts of the run, or nil if it has none.
func (r Report) junitProperties() *junitProperties {
	var p junitProperties
	for _, fact := range r.facts() {
		p.List = append(p.List, junitProperty{fact[0], dist.OneLine(fact[1])})
	}
	if len(p.List) == 0 {
		return nil
	}
	return &p
}

// facts are what a reader wants to know of the run, as names and values.
func (r Report) facts() [][2]string {
	var out [][2]string
	for _, f := range [][2]string{{"date", r.Date}, {"program", r.Program}, {"machine", r.Machine}, {"compiler", r.Compiler}, {"sandbox", r.Sandbox}} {
		if f[1] != "" {
			out = append(out, f)
		}
	}
	for _, f := range r.Foreign {
		out = append(out, [2]string{"foreign compiler", f.String()})
	}
	return out
}

func (s *junitSuites) add(suite junitSuite) {
	if suite.Tests == 0 {
		return
	}
	s.Tests += suite.Tests
	s.Failures += suite.Failures
	s.Skipped += suite.Skipped
	s.Time += suite.Time
	s.Suites = append(s.Suites, suite)
}

func (s *junitSuite) add(c Check) {
	jc := junitCase{Class: strings.ReplaceAll(c.Name, "/", "."), Name: dist.OneLine(strings.TrimSpace(c.Name + " " + c.Subject)), Time: junitTime(c.Seconds)}
	text := dist.OneLine(c.Detail)
	if len(c.Findings) > 0 {
		lines := make([]string, len(c.Findings))
		for i, f := range c.Findings {
			lines[i] = dist.OneLine(f)
		}
		text = strings.Join(lines, "\n")
	}
	message := &junitMessage{Message: dist.OneLine(c.Detail), Text: text}
	s.Tests++
	s.Time += jc.Time
	switch c.Status {
	case Fail:
		s.Failures++
		jc.Failure = message
	case Skip:
		s.Skipped++
		jc.Skipped = message
	default:
		jc.Output = text
	}
	s.Cases = append(s.Cases, jc)
}

// groupOf returns the group of a check's name, by the catalogue.
func groupOf(name string) Group {
	all := Catalogue()
	i := slices.IndexFunc(all, func(c CheckInfo) bool { return c.Name == name })
	if i < 0 {
		return ""
	}
	return all[i].Group
}
