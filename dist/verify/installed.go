package verify

import (
	"fmt"
	"time"

	"x.go/dist/install"
)

// Names of the checks of an installation.
const (
	installedRecords = "installed/records"
	installedDigests = "installed/digests"
	installedPresent = "installed/present"
	installedContent = "installed/content"
	installedKind    = "installed/kind"
	installedMode    = "installed/mode"
	installedExtra   = "installed/extra-file"
)

var installedTable = []CheckInfo{
	{installedRecords, Installed, "components, manifest-NAME, rust-installer-version and uninstall.sh are there and agree, and no run of an installer has left one unfinished"},
	{installedDigests, Installed, "the digests of the component's files are known: from the record of x install, which belongs to the list of today, or from the sources given"},
	{installedPresent, Installed, "every file of the component is there"},
	{installedContent, Installed, "every file of the component could be read, and has the content that was installed"},
	{installedKind, Installed, "what is in the place of a file is a file, and no link leads to another directory"},
	{installedMode, Installed, "permissions are those that were installed"},
	{installedExtra, Installed, "nothing but installed files, and backups of them, is in rustlib and in the directories that belong to components"},
}

// Installation is the report on what [install.Inspect] found since begun. Of opts it
// takes what a report bears, and AllowSkip.
func Installation(opts Options, state install.State, begun time.Time) (Report, error) {
	if err := opts.check(); err != nil {
		return Report{}, fmt.Errorf("verifying: %w", err)
	}
	r := &run{opts: opts.withDefaults(), begun: begun}
	r.report = newReport(r.opts)
	r.report.Installation = &state
	whole := newSubject(state.Prefix, installedRecords, installedExtra)
	if n := len(state.Components); n > 0 {
		whole.notef(installedRecords, "%d components", n)
	}
	for _, note := range state.Notes {
		whole.notef(installedRecords, "%s", note)
	}
	if n := len(state.Backups); n > 0 {
		whole.notef(installedExtra, "%d backups, such as %q", n, state.Backups[0])
	}
	subjects := map[string]*subject{}
	order := []*subject{whole}
	for _, c := range state.Components {
		s := newSubject(c.Name, installedDigests, installedPresent, installedContent, installedKind, installedMode)
		if c.Against == "" {
			for _, check := range []string{installedDigests, installedContent, installedMode} {
				s.skipf(check, "nothing says what its files should be")
			}
		} else {
			s.notef(installedDigests, "those of %s", c.Against)
			s.notef(installedContent, "%d files, %d bytes", c.Files, c.Bytes)
		}
		subjects[c.Name] = s
		order = append(order, s)
	}
	for _, p := range state.Problems {
		s := subjects[p.Component]
		if s == nil || p.Kind == install.WrongRecords || p.Kind == install.Extra {
			s = whole
		}
		addProblem(s, p)
	}
	r.add(order...)
	r.hintReplaced(state)
	r.allowSkips()
	r.report.Seconds = seconds(time.Since(r.begun))
	return r.report, nil
}

// addProblem makes a problem a finding.
func addProblem(s *subject, p install.Problem) {
	check := map[install.ProblemKind]string{
		install.Changed: installedContent, install.Missing: installedPresent, install.Extra: installedExtra, install.WrongMode: installedMode,
		install.WrongKind: installedKind, install.WrongRecords: installedRecords,
	}[p.Kind]
	switch p.Kind {
	case install.Unknown:
		s.skipf(installedDigests, "%s", p.Detail)
	case install.Unreadable:
		if s.out[installedContent] == nil { // the installation as a whole
			s.skipf(installedExtra, "%q: %s", p.Path, p.Detail)
			return
		}
		s.skipf(installedContent, "%q: %s", p.Path, p.Detail)
	default:
		s.failf(check, "%q: %s", p.Path, p.Detail)
	}
}

// hintReplaced tells of components of which most files differ: an installer that
// writes no digests may have put another version in their place.
func (r *run) hintReplaced(state install.State) {
	changed := map[string]int{}
	for _, p := range state.Of(install.Changed) {
		changed[p.Component]++
	}
	for i := range r.report.Checks {
		c := &r.report.Checks[i]
		for _, component := range state.Components {
			if c.Name == installedContent && c.Subject == component.Name && changed[component.Name] > 1 && 2*changed[component.Name] > component.Files {
				hint := fmt.Sprintf("%d of %d files differ: another version was installed over it, or the sources are of another one", changed[component.Name], component.Files)
				c.Detail = hint
				c.Findings = append([]string{hint}, c.Findings...)
			}
		}
	}
}
