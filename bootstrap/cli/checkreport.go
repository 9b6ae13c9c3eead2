package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"x.go/bootstrap/config"
	"x.go/targets"
)

// checkReport is what `x check --json` prints.
type checkReport struct {
	Config    string           `json:"config"` // main file; empty if there is none
	Toolchain *checkToolchain  `json:"toolchain"`
	Findings  []config.Finding `json:"findings"`
	Errors    int              `json:"errors"`
	Warnings  int              `json:"warnings"`
	Notes     int              `json:"notes"`
}

// checkToolchain is the compiler that was asked.
type checkToolchain struct {
	Rustc    string         `json:"rustc"`
	Sysroot  string         `json:"sysroot"`
	Host     targets.Triple `json:"host"`
	Release  string         `json:"release"`
	BakedLLD bool           `json:"baked_lld"`
}

// count sorts the findings, by severity and then by their places in files, and
// counts them.
func (r *checkReport) count() {
	order := []config.Severity{config.Failure, config.Warning, config.Note}
	slices.SortStableFunc(r.Findings, func(x, y config.Finding) int {
		if c := cmp.Compare(slices.Index(order, x.Severity), slices.Index(order, y.Severity)); c != 0 {
			return c
		}
		xFile, xLine, xCol := splitPlace(x.Place)
		yFile, yLine, yCol := splitPlace(y.Place)
		if (xLine == 0) != (yLine == 0) {
			return cmp.Compare(yLine, xLine) // places in files come first
		}
		return cmp.Or(cmp.Compare(xFile, yFile), cmp.Compare(xLine, yLine), cmp.Compare(xCol, yCol))
	})
	for _, f := range r.Findings {
		switch f.Severity {
		case config.Failure:
			r.Errors++
		case config.Warning:
			r.Warnings++
		default:
			r.Notes++
		}
	}
}

// printCheck prints the findings and a summary.
func (a *app) printCheck(r checkReport) error {
	if a.flags.json {
		return a.printJSON(r)
	}
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintln(&b, f)
	}
	var with []string
	if r.Config != "" {
		with = append(with, r.Config)
	}
	if t := r.Toolchain; t != nil {
		with = append(with, fmt.Sprintf("rustc %s in %s", t.Release, t.Sysroot))
	}
	subject := cmp.Or(strings.Join(with, ", "), "the defaults")
	if len(r.Findings) == 0 {
		fmt.Fprintf(&b, "%s: nothing found\n", subject)
	} else {
		fmt.Fprintf(&b, "%s: %s, %s, %s\n", subject, plural(r.Errors, "error"), plural(r.Warnings, "warning"), plural(r.Notes, "note"))
	}
	_, err := fmt.Fprint(a.Stdout, b.String())
	return err
}

// splitPlace splits "file:line:column". Line and column of other places are 0,
// and they are all equal: their order is that of finding.
func splitPlace(place string) (file string, line, column int) {
	rest, col, _ := cutLast(place, ":")
	file, text, ok := cutLast(rest, ":")
	if line, err := strconv.Atoi(text); err == nil && ok {
		if column, err := strconv.Atoi(col); err == nil {
			return file, line, column
		}
	}
	return "", 0, 0
}

// cutLast is [strings.Cut] at the last separator.
func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// counted writes a number with its noun.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
