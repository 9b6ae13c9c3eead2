package install

import (
	"cmp"
	"slices"
)

// ProblemKind says in which way a file is not as it was installed.
type ProblemKind string

// The kinds of problems.
const (
	Changed      ProblemKind = "changed"    // the content, or the target of a link
	Missing      ProblemKind = "missing"    // nothing is there
	Extra        ProblemKind = "extra"      // nothing installed owns it
	WrongMode    ProblemKind = "mode"       // the permissions
	WrongKind    ProblemKind = "kind"       // such as a symbolic link in the place of a file
	WrongRecords ProblemKind = "records"    // the lists of what is installed disagree
	Unreadable   ProblemKind = "unreadable" // so it is not known whether it is right
	Unknown      ProblemKind = "unknown"    // nothing says what the files of a component should be
)

// Problem is one way in which an installation is not as it should be.
type Problem struct {
	Kind ProblemKind `json:"problem"`
	// Component is the one that owns the file, if one does.
	Component string `json:"component,omitempty"`
	// Path is absolute, with the staging directory before it.
	Path string `json:"path,omitempty"`
	// Detail is what there is and what should be, in a few words.
	Detail string `json:"detail"`
}

// InspectedComponent is a component of [State].
type InspectedComponent struct {
	Name string `json:"name"`
	// Files counts its files, and Bytes what they should have.
	Files int   `json:"files"`
	Bytes int64 `json:"bytes"`
	// Against is what the files were compared with: the record of digests or an
	// archive; "" if nothing was known of them but their names.
	Against string `json:"against,omitempty"`
}

// State is what [Inspect] finds.
type State struct {
	Prefix     string               `json:"prefix"` // with the staging directory before it
	Components []InspectedComponent `json:"components"`
	// Problems are sorted by path.
	Problems []Problem `json:"problems"`
	// Backups are files that an installation has moved out of its way, in
	// directories that belong to components: NAME.old beside NAME.
	Backups []string `json:"backups,omitempty"`
	// Notes tell what is no fault, such as that the prefix has moved.
	Notes []string `json:"notes,omitempty"`
}

// Of returns the problems of some kinds.
func (s State) Of(kinds ...ProblemKind) []Problem {
	var out []Problem
	for _, p := range s.Problems {
		if slices.Contains(kinds, p.Kind) {
			out = append(out, p)
		}
	}
	return out
}

func (s *State) sort() {
	slices.SortStableFunc(s.Problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Component, b.Component))
	})
	s.Problems = slices.Compact(s.Problems)
	slices.Sort(s.Backups)
}
