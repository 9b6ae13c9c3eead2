package config

import (
	"cmp"
	"slices"
	"strings"

	"x.go/bootstrap/toml"
)

// Error is one thing wrong with a configuration.
type Error struct {
	// Where is the place of the mistake: in a file, an option or a flag.
	Where Origin
	// Key is the full key, such as "rust.lld"; empty for a syntax error.
	Key string
	// Message says what is wrong.
	Message string
	// Hint is the remedy; may be empty.
	Hint string
}

// Error returns "file:line:column: key: message; hint".
func (e *Error) Error() string {
	var b strings.Builder
	if w := e.Place(); w != "" {
		b.WriteString(w)
		b.WriteString(": ")
	}
	if e.Key != "" {
		b.WriteString(e.Key)
		b.WriteString(": ")
	}
	b.WriteString(e.Message)
	if e.Hint != "" {
		b.WriteString("; ")
		b.WriteString(e.Hint)
	}
	return b.String()
}

// Place returns where the error is: "file:line:column", any other
// origin, such as "--set rust.lld=1", or "" if there is none.
func (e *Error) Place() string {
	if e.Where.Pos != (toml.Position{}) {
		return e.Where.Pos.String()
	}
	if e.Where == (Origin{}) {
		return ""
	}
	return e.Where.String()
}

// Errors is everything wrong with a configuration, in the order of the files
// and of the lines in them. It is never empty as an error value.
type Errors []*Error

// Error returns all errors, one a line.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Findings returns the errors as findings, for a list with those of package check.
func (e Errors) Findings() []Finding {
	out := make([]Finding, len(e))
	for i, one := range e {
		out[i] = Finding{Severity: Failure, Place: cmp.Or(one.Place(), one.Key), Key: one.Key, Reason: one.Message, Remedy: one.Hint}
	}
	return out
}

// Unwrap gives each error to [errors.Is] and [errors.As].
func (e Errors) Unwrap() []error {
	out := make([]error, len(e))
	for i, one := range e {
		out[i] = one
	}
	return out
}

// sorted orders errors by files, in the order given, and by their place in
// them; options keep their order.
func (e Errors) sorted(files []string) Errors {
	rank := map[string]int{}
	for i, name := range files {
		rank[name] = i
	}
	for _, one := range e {
		if _, ok := rank[one.Where.Pos.File]; !ok {
			rank[one.Where.Pos.File] = len(rank)
		}
	}
	slices.SortStableFunc(e, func(a, b *Error) int {
		return cmp.Or(
			cmp.Compare(rank[a.Where.Pos.File], rank[b.Where.Pos.File]),
			cmp.Compare(a.Where.Pos.Line, b.Where.Pos.Line),
			cmp.Compare(a.Where.Pos.Column, b.Where.Pos.Column))
	})
	return e
}
