package config

import "strings"

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
