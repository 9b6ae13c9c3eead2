package dist

import (
	"errors"
	"fmt"
	"slices"
)

// Demand is what a [Rule] asks of the entries that its glob matches.
type Demand byte

// The demands. Executable and NotExecutable look at regular files only.
const (
	Present       Demand = iota + 1 // at least one entry matches
	Absent                          // no entry matches
	Executable                      // every match is executable
	NotExecutable                   // no match is executable
	NotLink                         // no match is a symbolic link
)

// Rule is one row of a table that says what must and must not be in an image.
// Images are checked before they are written, so that a wrong toolchain fails in
// seconds.
//
// Glob is matched against whole names, directories included. "*", "?" and
// "[a-z]" match within a path element as in [path.Match], an element "**"
// matches any number of elements, "{a,b}" matches a or b: the syntax of
// github.com/bmatcuk/doublestar.
type Rule struct {
	Glob   string
	Demand Demand
	Why    string // reason or remedy, ends the message; may be empty
}

// Check returns what in img breaks the rules, in the order of the rules and then of
// the names.
func Check(img Image, rules []Rule) []error {
	names := img.Dirs()
	for e := range img.Entries() {
		names = append(names, e.Name)
	}
	slices.Sort(names)
	names = slices.Compact(names)

	var findings []error
	for _, r := range rules {
		match, err := compileGlobs([]string{r.Glob})
		if err != nil {
			findings = append(findings, err)
			continue
		}
		matched := 0
		for _, name := range names {
			if !match(name) {
				continue
			}
			matched++
			if e, ok := img.Lookup(name); ok || r.Demand == Absent {
				e.Name = name
				findings = append(findings, r.judge(e)...)
			}
		}
		if r.Demand == Present && matched == 0 {
			findings = append(findings, r.finding(r.Glob, "is missing"))
		}
	}
	return findings
}

// judge returns what is wrong with one matching entry.
func (r Rule) judge(e Entry) []error {
	switch {
	case r.Demand == Absent:
		return []error{r.finding(e.Name, "must not be there")}
	case r.Demand == Executable && e.IsRegular() && !e.IsExec():
		return []error{r.finding(e.Name, fmt.Sprintf("is not executable: got mode %v, want %v", e.Mode, ModeExec))}
	case r.Demand == NotExecutable && e.IsExec():
		return []error{r.finding(e.Name, fmt.Sprintf("is executable: got mode %v, want %v", e.Mode, ModeFile))}
	case r.Demand == NotLink && e.Mode == ModeSymlink:
		return []error{r.finding(e.Name, fmt.Sprintf("is a symbolic link to %q", e.Link))}
	}
	return nil
}

func (r Rule) finding(name, problem string) error {
	if r.Why == "" {
		return fmt.Errorf("%q %s", name, problem)
	}
	return fmt.Errorf("%q %s: %s", name, problem, r.Why)
}

// CheckOwners returns a finding for each file that two components of one
// installation own. rustup refuses the second with "detected conflict"; with
// install.sh the last one would win.
func CheckOwners(components []Component) []error {
	var findings []error
	owner := map[string]string{}
	isDir := map[string]bool{} // of the owned names
	for _, c := range components {
		for _, dir := range c.Image.Dirs() {
			if first, ok := owner[dir]; ok && !isDir[dir] {
				findings = append(findings, fmt.Errorf("%q is a file of component %q and a directory of component %q", dir, first, c.Name))
				continue
			}
			owner[dir], isDir[dir] = c.Name, true
		}
		for e := range c.Image.Entries() {
			if e.IsDir() {
				continue
			}
			if first, ok := owner[e.Name]; ok {
				findings = append(findings, fmt.Errorf("%q belongs to component %q and to component %q", e.Name, first, c.Name))
				continue
			}
			owner[e.Name], isDir[e.Name] = c.Name, false
		}
	}
	return findings
}

// CheckComponent returns what [Component.Validate] finds and what breaks the rules
// for components of c's name: no symbolic links, the modes of programs and
// documents, and the files without which the component is of no use.
func CheckComponent(c Component) []error {
	var findings []error
	for _, err := range append([]error{c.Validate()}, Check(c.Image, componentRules(c.Name))...) {
		if err != nil {
			findings = append(findings, fmt.Errorf("checking component %q: %w", c.Name, err))
		}
	}
	return findings
}

// Incomplete returns what a component lacks of the files without which it is of no
// use.
func Incomplete(c Component) []error {
	rules := slices.DeleteFunc(componentRules(c.Name), func(r Rule) bool { return r.Demand != Present })
	findings := Check(c.Image, rules)
	if len(findings) == 0 && c.Image.Len() == 0 {
		findings = append(findings, errors.New("it has no files"))
	}
	return findings
}
