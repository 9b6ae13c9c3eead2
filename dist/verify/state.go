package verify

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"x.go/dist"
	"x.go/manifests"
)

// run is one verification under way: what its groups share.
type run struct {
	opts   Options
	asked  []Group // by name
	in     *input
	report Report
	begun  time.Time
	work   *workspace // created when first needed
	mu     sync.Mutex // guards calls of opts.Progress
	packs  []pack
	digest map[string]*scanned // by path
}

func newRun(opts Options) *run {
	o := opts.withDefaults()
	return &run{opts: o, asked: opts.Groups, in: resolve(o.Inputs), report: newReport(o), begun: time.Now(), digest: map[string]*scanned{}}
}

// newReport is the report of a run that begins.
func newReport(o Options) Report {
	var inputs []string
	for _, place := range o.Inputs {
		inputs = append(inputs, manifests.Redact(place))
	}
	return Report{
		Date: o.Now.UTC().Format(time.RFC3339), Program: o.Program, Machine: describeMachine(), Inputs: inputs,
	}
}

// describeMachine says what kind of machine this is: "linux/amd64, 2 processors,
// Debian GNU/Linux 12 (bookworm)". It does not name the machine itself.
func describeMachine() string {
	text := fmt.Sprintf("%s/%s, %d processors", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	b, err := dist.ReadFile("/etc/os-release", 64<<10)
	if err != nil {
		return text
	}
	for line := range strings.Lines(string(b)) {
		if name, ok := strings.CutPrefix(line, "PRETTY_NAME="); ok {
			return text + ", " + dist.OneLine(strings.Trim(strings.TrimSpace(name), `"'`))
		}
	}
	return text
}

// needWorkspace creates the temporary directory unless it is there.
func (r *run) needWorkspace() error {
	if r.work != nil {
		return nil
	}
	work, err := newWorkspace(r.opts.TempDir)
	r.work = work
	return err
}

func (r *run) finish() {
	if r.work != nil {
		// Nothing of the report depends on it, and a leftover in a temporary
		// directory is no verdict.
		_ = r.work.close()
	}
}

func (r *run) progress(e Event) {
	if r.opts.Progress != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.opts.Progress(e)
	}
}

// add puts the outcomes of subjects into the report.
func (r *run) add(subjects ...*subject) {
	for _, s := range subjects {
		s.stop()
		r.report.Checks = append(r.report.Checks, s.checks()...)
	}
}
