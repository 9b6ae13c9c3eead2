package diff

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"x.go/dist"
)

// Sameness is how alike two archives, directories or trees are.
type Sameness string

// The degrees, closest first.
const (
	// SameBytes: every file is equal byte by byte.
	SameBytes Sameness = "same bytes"
	// SameContent: the compressed files differ, but hold equal members, down to
	// names, modes, times and content.
	SameContent Sameness = "same content in another container"
	// AllowedOnly: every difference is allowed.
	AllowedOnly Sameness = "only allowed differences"
	// Differs: see the list of differences.
	Differs Sameness = "different"
)

// Difference is one thing that differs.
type Difference struct {
	// Kind is one of the names that [Kinds] explains.
	Kind string `json:"kind"`
	// In is the archive in which it was seen, by A's name; empty for trees.
	In   string `json:"in,omitempty"`
	Path string `json:"path,omitempty"`
	A    string `json:"a,omitempty"`
	B    string `json:"b,omitempty"`
	// Allowed is the reason of the allowance that covers it, or empty.
	Allowed string `json:"allowed,omitempty"`
}

// Comparison is the outcome of [Run]. Its JSON encoding is stable: fields are only
// added.
type Comparison struct {
	A           string       `json:"a"`
	B           string       `json:"b"`
	Sameness    Sameness     `json:"sameness"`
	Compared    int          `json:"compared"` // archives, or files of a tree
	Differences []Difference `json:"differences"`
	// Unused are allowances that covered nothing: remove them.
	Unused []string `json:"unused_allowances,omitempty"`
}

// Same reports whether every difference is allowed. Containers may differ.
func (c Comparison) Same() bool { return c.Sameness != Differs }

// Unreadable reports whether an archive could not be read to its end, which says more
// of the archive than of what differs.
func (c Comparison) Unreadable() bool {
	return slices.ContainsFunc(c.Differences, func(d Difference) bool { return d.Kind == unreadable && d.Allowed == "" })
}

// unreadable is the kind of difference of a side that could not be read.
const unreadable = "unreadable"

// Kinds returns the kinds of differences, each with its explanation.
func Kinds() [][2]string {
	return [][2]string{
		{"only-in-a", "a file, directory or archive that B does not have"},
		{"only-in-b", "a file, directory or archive that A does not have"},
		{"name", "the same file under another name, but for a hash or release in it"},
		{"kind", "a file in one, a directory or link in the other"},
		{"mode", "permissions, setuid, setgid and sticky"},
		{"link", "the target of a symbolic link"},
		{"size", "a size that changed by more than the budget"},
		{"content", "other bytes of about the same size; for ELF files, the first section that differs"},
		{"soname", "DT_SONAME"},
		{"needed", "DT_NEEDED, without releases and hashes"},
		{"runpath", "DT_RUNPATH or DT_RPATH"},
		{"glibc-floor", "the oldest glibc that a file runs with"},
		{"linker", "the linker of a file; not its version"},
		{"container", "equal members in other compressed bytes"},
		{"tar", "equal members in another tar: the first field that differs"},
		{"order", "equal members in another order"},
		{"time", "modification times of members, in seconds since 1970"},
		{unreadable, "an archive that could not be read to its end"},
	}
}

// WriteJSON writes the comparison as one JSON object, indented.
func (c Comparison) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(c); err != nil {
		return fmt.Errorf("writing comparison as JSON: %w", err)
	}
	return nil
}

// WriteText writes the comparison for a terminal: the differences that are not
// allowed, then a count of the others, then the verdict.
func (c Comparison) WriteText(w io.Writer) error {
	var b strings.Builder
	allowed := 0
	for _, d := range c.Differences {
		if d.Allowed != "" {
			allowed++
			continue
		}
		fmt.Fprintf(&b, "%-11s %s", d.Kind, dist.OneLine(strings.TrimSpace(d.In+" "+d.Path)))
		switch {
		case d.A != "" && d.B != "":
			fmt.Fprintf(&b, ": %s -> %s", dist.OneLine(d.A), dist.OneLine(d.B))
		case d.A != "" || d.B != "":
			fmt.Fprintf(&b, ": %s", dist.OneLine(d.A+d.B))
		}
		b.WriteByte('\n')
	}
	if allowed > 0 {
		fmt.Fprintf(&b, "%d allowed differences\n", allowed)
	}
	for _, u := range c.Unused {
		fmt.Fprintf(&b, "allowance covers nothing: %s\n", dist.OneLine(u))
	}
	fmt.Fprintf(&b, "%s\n", c.Sameness)
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("writing comparison: %w", err)
	}
	return nil
}
