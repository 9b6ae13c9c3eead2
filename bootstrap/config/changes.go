package config

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
)

// Change is an entry of upstream's history of the configuration
// (`src/bootstrap/src/utils/change_tracker.rs`), in words of this program.
type Change struct {
	// ID is the pull request of rust-lang/rust, and the value of change-id.
	ID int
	// Warning marks changes of a default or the end of a key.
	Warning bool
	// Since is the first release with the change.
	Since Minor
	// Topic is what it bears on here: "lld", "dist", "config", or "" for
	// everything that does not matter to packaging.
	Topic   string
	Summary string
}

// Changes returns the whole history in upstream's order, which is the order of
// merging and not of numbers.
func Changes() []Change { return slices.Clone(changes) }

// ChangesSince returns the changes that came after the one with this id. As in
// upstream, an id above all known ones has none after it, and any other
// unknown id counts as a mistake, so that the whole history comes.
func ChangesSince(id int) []Change {
	if i := slices.IndexFunc(changes, func(c Change) bool { return c.ID == id }); i >= 0 {
		return slices.Clone(changes[i+1:])
	}
	newest := slices.MaxFunc(changes, func(a, b Change) int { return cmp.Compare(a.ID, b.ID) })
	if id > newest.ID {
		return nil
	}
	return Changes()
}

// LastChange returns the last change that a release has; the zero Change if it has none.
func LastChange(m Minor) (last Change) {
	for _, c := range changes {
		if c.Since <= m {
			last = c
		}
	}
	return last
}

// changedKeys finds the full names of keys in a summary.
var changedKeys = regexp.MustCompile(`[a-z]+(\.(<[A-Za-z]+>|[a-z0-9-]+))+`)

// Keys returns the keys that the change is about, by their [Key.ID]: those that its
// summary names, and those that came or changed with it.
func (c Change) Keys() []string {
	var out []string
	for _, name := range changedKeys.FindAllString(c.Summary, -1) {
		out = append(out, namedByUser.ReplaceAllString(name, "*"))
	}
	for _, k := range schema.keys {
		if k.ChangeID == c.ID {
			out = append(out, k.ID())
		}
	}
	return out
}

var namedByUser = regexp.MustCompile(`<[A-Za-z]+>`)

// String returns the change as upstream lists it, in one line.
func (c Change) String() string {
	level := "INFO"
	if c.Warning {
		level = "WARNING"
	}
	return fmt.Sprintf("[%s] %s (https://github.com/rust-lang/rust/pull/%d)", level, c.Summary, c.ID)
}
