package verify

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"x.go/bootstrap/marks"
	"x.go/dist/install"
)

// Status is the outcome of a check or a report.
type Status string

// The outcomes, worst first.
const (
	Fail Status = "FAIL"
	Skip Status = "SKIP" // it applies, but could not be tested here
	Pass Status = "PASS"
)

// rank orders by severity, worst first.
func (s Status) rank() int {
	return slices.Index([]Status{Fail, Skip, Pass}, s)
}

// Check is the outcome of one check of one subject.
type Check struct {
	// Name is one of [Catalogue]'s. Names are stable: CI may match on them.
	Name string `json:"name"`
	// Subject is what was checked: an archive, a path, a compiler target.
	Subject string `json:"subject,omitempty"`
	Status  Status `json:"status"`
	// Detail is one line: the first finding, the reason of a skip, or what
	// was seen.
	Detail string `json:"detail,omitempty"`
	// Findings are all findings when there is more than one, at most 100 and
	// then a count of the rest.
	Findings []string `json:"findings,omitempty"`
	// Warnings are what passes and may still bite, at most 100. Detail is the first.
	Warnings []string `json:"warnings,omitempty"`
	// Allowed says that a skip is accepted, by [Options.AllowSkip].
	Allowed bool `json:"allowed,omitempty"`
	// Seconds is how long the work of the subject took. The first of its checks has
	// it, so that a sum counts it once.
	Seconds float64 `json:"seconds,omitempty"`
}

// accepted is the status as far as a verdict goes.
func (c Check) accepted() Status {
	if c.Status == Skip && c.Allowed {
		return Pass
	}
	return c.Status
}

// maxFindings bounds the findings kept of one check of one subject.
const maxFindings = 100

// Report is the outcome of [Run]. Its JSON encoding is stable: fields are only
// added.
type Report struct {
	// Date is when the run began, in UTC as RFC 3339 has it, unless [Options.Now] says
	// otherwise.
	Date string `json:"date,omitempty"`
	// Program is what verified, and Machine where: its system and processors.
	Program string `json:"program,omitempty"`
	Machine string `json:"machine,omitempty"`
	// Seconds is how long the run took.
	Seconds float64 `json:"seconds,omitempty"`
	// Inputs are the operands as given.
	Inputs []string `json:"inputs"`
	// Expect is what a default link was required to use. With [Auto] it is
	// what the compiler and the archives said; empty if nothing was linked.
	Expect Expect `json:"expect,omitempty"`
	// Compiler is the first line of `rustc -vV`, if it ran.
	Compiler string `json:"compiler,omitempty"`
	// Sandbox says how the archives' programs were contained, or why they were not;
	// empty if none ran.
	Sandbox string `json:"sandbox,omitempty"`
	// Foreign are the compilers for other machines, and how each was tested.
	Foreign []Foreign `json:"foreign,omitempty"`
	Checks  []Check   `json:"checks"`
	// Installation is what an installed toolchain was found to be; nil unless the report
	// is on one.
	Installation *install.State `json:"installation,omitempty"`
	Archives     []Archive      `json:"archives,omitempty"`
	Binaries     []Binary       `json:"binaries,omitempty"`
}

// Foreign is a compiler for another machine.
type Foreign struct {
	Subject string `json:"subject"`
	Host    string `json:"host"`
	// Version is that of the compiler by its files; empty if they do not tell.
	Version string `json:"version,omitempty"`
	// Facts are what its files tell, each with how it is known.
	Facts []marks.Known `json:"facts,omitempty"`
	// Runs is what runs its programs here, "qemu-s390x-static", with the libraries of the
	// system at Root; empty if nothing does.
	Runs string `json:"runs,omitempty"`
	Root string `json:"root,omitempty"`
	// LinkedBy is the compiler that linked in its place; empty if it did so itself, or
	// nothing did.
	LinkedBy string `json:"linked_by,omitempty"`
}

// String says how the compiler was tested, for a reader.
func (f Foreign) String() string {
	how := "not run, and nothing links in its place"
	switch {
	case f.LinkedBy != "":
		how = "not run: linked by " + f.LinkedBy
	case f.Runs != "":
		how = "run by " + f.Runs
	}
	return cmp.Or(f.Host, f.Subject) + ": rustc " + cmp.Or(f.Version, "of an unknown release") + ", " + how
}

// Archive is a row of the report's table of archives.
type Archive struct {
	Name       string   `json:"name"`
	Size       int64    `json:"size"`     // bytes of the file
	Unpacked   int64    `json:"unpacked"` // bytes of its members
	Members    int      `json:"members"`
	SHA256     string   `json:"sha256,omitempty"`
	Memory     int64    `json:"decoder_memory,omitempty"` // bytes of dictionary or window a decoder needs
	Version    string   `json:"version,omitempty"`        // content of the file `version`
	Components []string `json:"components,omitempty"`
	Status     Status   `json:"status"`
}

// Binary is a row of the report's table of ELF files, shipped and produced.
type Binary struct {
	Path          string   `json:"path"`
	Leg           string   `json:"leg,omitempty"` // the link leg that linked it; empty for shipped files
	Kind          string   `json:"kind"`
	Machine       string   `json:"machine"`
	Size          int64    `json:"size"`
	Linker        string   `json:"linker"`
	LinkerVersion string   `json:"linker_version,omitempty"`
	Witness       string   `json:"witness,omitempty"` // what -Wl,-v printed
	GlibcFloor    string   `json:"glibc_floor,omitempty"`
	RunPath       []string `json:"runpath,omitempty"`
	Needed        []string `json:"needed,omitempty"`
	SOName        string   `json:"soname,omitempty"`
}

// Status is [Fail] if any check failed or there is none, else [Skip] if any
// was skipped that may not be, else [Pass].
func (r Report) Status() Status {
	if len(r.Checks) == 0 {
		return Fail
	}
	return worst(r.Checks)
}

func worst(checks []Check) Status {
	status := Pass
	for _, c := range checks {
		if c.accepted().rank() < status.rank() {
			status = c.accepted()
		}
	}
	return status
}

// allowed counts the skips that are accepted.
func (r Report) allowed() int {
	n := 0
	for _, c := range r.Checks {
		if c.Status == Skip && c.Allowed {
			n++
		}
	}
	return n
}

// Count returns the number of checks with the given status.
func (r Report) Count(s Status) int {
	n := 0
	for _, c := range r.Checks {
		if c.Status == s {
			n++
		}
	}
	return n
}

// Failed returns the failed checks.
func (r Report) Failed() []Check {
	return slices.DeleteFunc(slices.Clone(r.Checks), func(c Check) bool { return c.Status != Fail })
}

// worstFirst returns the checks ordered by status, then as they ran.
func (r Report) worstFirst() []Check {
	checks := slices.Clone(r.Checks)
	slices.SortStableFunc(checks, func(a, b Check) int { return cmp.Compare(a.Status.rank(), b.Status.rank()) })
	return checks
}

// subject collects the outcomes of the checks of one subject. A declared check
// without a finding passes. It is not safe for concurrent use.
type subject struct {
	name  string
	names []string // declared checks, in order
	out   map[string]*outcome
	begun time.Time
	took  time.Duration // 0 until stop
}

type outcome struct {
	findings []string
	more     int    // findings beyond maxFindings
	skip     string // reason
	note     string // what was seen, if it passes
	warnings []string
}

func newSubject(name string, checks ...string) *subject {
	s := &subject{name: name, out: map[string]*outcome{}, begun: time.Now()}
	for _, c := range checks {
		s.declare(c)
	}
	return s
}

// stop ends the time that the subject took. The first call counts.
func (s *subject) stop() {
	if s.took == 0 {
		s.took = time.Since(s.begun)
	}
}

func (s *subject) declare(check string) *outcome {
	o := s.out[check]
	if o == nil {
		o = &outcome{}
		s.out[check] = o
		s.names = append(s.names, check)
	}
	return o
}

// failf adds a finding.
func (s *subject) failf(check, format string, args ...any) {
	o := s.declare(check)
	if len(o.findings) >= maxFindings {
		o.more++
		return
	}
	o.findings = append(o.findings, fmt.Sprintf(format, args...))
}

// skipf says why a check could not run. A finding outweighs it.
func (s *subject) skipf(check, format string, args ...any) {
	s.declare(check).skip = fmt.Sprintf(format, args...)
}

// notef says what a passing check saw.
func (s *subject) notef(check, format string, args ...any) {
	s.declare(check).note = fmt.Sprintf(format, args...)
}

// warnf adds what is to be told of a check that passes.
func (s *subject) warnf(check, format string, args ...any) {
	if o := s.declare(check); len(o.warnings) < maxFindings {
		o.warnings = append(o.warnings, fmt.Sprintf(format, args...))
	}
}

// failed reports whether any of the checks has a finding.
func (s *subject) failed(checks ...string) bool {
	return slices.ContainsFunc(checks, func(c string) bool { return s.out[c] != nil && len(s.out[c].findings) > 0 })
}

// checks returns one Check for each declared check.
func (s *subject) checks() []Check {
	var checks []Check
	for i, name := range s.names {
		o := s.out[name]
		c := Check{Name: name, Subject: s.name, Status: Pass, Detail: o.note}
		if i == 0 {
			c.Seconds = seconds(s.took)
		}
		switch {
		case len(o.findings) > 0:
			c.Status, c.Detail = Fail, o.findings[0]
			if len(o.findings) > 1 {
				c.Findings = o.findings
			}
			if o.more > 0 {
				c.Findings = append(c.Findings, fmt.Sprintf("and %d more", o.more))
			}
		case o.skip != "":
			c.Status, c.Detail = Skip, o.skip
		case len(o.warnings) > 0:
			c.Detail, c.Warnings = o.warnings[0], o.warnings
		}
		checks = append(checks, c)
	}
	return checks
}

// seconds are those of d, to a thousandth.
func seconds(d time.Duration) float64 { return d.Round(time.Millisecond).Seconds() }
