package cli

import (
	"cmp"
	"fmt"
	"strings"

	"x.go/bootstrap/config"
	"x.go/bootstrap/marks"
	"x.go/targets"
)

// checkReport is what `x check --json` prints.
type checkReport struct {
	Config     string           `json:"config"`    // main file; empty if there is none
	Toolchain  *checkToolchain  `json:"toolchain"` // the first of Toolchains
	Toolchains []checkToolchain `json:"toolchains,omitempty"`
	Findings   []config.Finding `json:"findings"`
	Errors     int              `json:"errors"`
	Warnings   int              `json:"warnings"`
	Notes      int              `json:"notes"`
}

// checkToolchain is the compiler that was asked.
type checkToolchain struct {
	Rustc    string         `json:"rustc"`
	Sysroot  string         `json:"sysroot"`
	Host     targets.Triple `json:"host"`
	Release  string         `json:"release"`
	BakedLLD bool           `json:"baked_lld"`
	// Read are facts that were read from files, each with how it is known.
	Read []marks.Known `json:"read,omitempty"`
}

// count counts the findings by their severity.
func (r *checkReport) count() {
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
	for _, t := range r.Toolchains {
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
