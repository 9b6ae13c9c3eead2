package config

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Severity is how bad a [Finding] is.
type Severity string

// The severities.
const (
	// Failure stops dist and install.
	Failure Severity = "error"
	// Warning does not, unless asked to.
	Warning Severity = "warning"
	// Note is for those who want to know all.
	Note Severity = "note"
)

// Finding is one thing to know before work starts.
type Finding struct {
	Severity Severity `json:"severity"`
	// Place is a place in a file, an option, a key or a path.
	Place string `json:"place"`
	// Key is the full key that decides; may be empty.
	Key string `json:"key,omitempty"`
	// Reason says what is wrong, Remedy what to do.
	Reason string `json:"reason"`
	Remedy string `json:"remedy,omitempty"`
}

// Text returns the reason and the remedy.
func (f Finding) Text() string {
	if f.Remedy == "" {
		return f.Reason
	}
	return strings.TrimSuffix(f.Reason, ".") + "; " + f.Remedy
}

// String returns the finding in one line, as compilers write theirs.
func (f Finding) String() string {
	text := string(f.Severity) + ": "
	if f.Place != "" {
		text = f.Place + ": " + text
	}
	if f.Key != "" && f.Key != f.Place {
		text += f.Key + ": "
	}
	return text + f.Text()
}

// SortFindings sorts findings in place: errors first, then warnings, then notes,
// each by their places in files. Findings without such a place come after those
// with one, in the order in which they were found.
func SortFindings(list []Finding) {
	rank := map[Severity]int{Failure: 0, Warning: 1, Note: 2}
	slices.SortStableFunc(list, func(x, y Finding) int {
		if c := cmp.Compare(rank[x.Severity], rank[y.Severity]); c != 0 {
			return c
		}
		xFile, xLine, xColumn := splitPlace(x.Place)
		yFile, yLine, yColumn := splitPlace(y.Place)
		if (xLine == 0) != (yLine == 0) {
			return cmp.Compare(yLine, xLine)
		}
		return cmp.Or(cmp.Compare(xFile, yFile), cmp.Compare(xLine, yLine), cmp.Compare(xColumn, yColumn))
	})
}

// splitPlace splits "file:line:column". Of any other place it returns zeros, so
// that all of them are equal.
func splitPlace(place string) (file string, line, column int) {
	rest, last := cutLast(place)
	file, middle := cutLast(rest)
	line, errLine := strconv.Atoi(middle)
	column, errColumn := strconv.Atoi(last)
	if file == "" || errLine != nil || errColumn != nil {
		return "", 0, 0
	}
	return file, line, column
}

// cutLast cuts s at its last colon; before is "" if there is none.
func cutLast(s string) (before, after string) {
	i := strings.LastIndexByte(s, ':')
	return s[:max(i, 0)], s[i+1:]
}
