package verify

import (
	"sync"

	"x.go/manifests"
)

// run is one verification under way: what its groups share.
type run struct {
	opts   Options
	asked  []Group // by name
	in     *input
	report Report
	work   *workspace // created when first needed
	mu     sync.Mutex // guards calls of opts.Progress
	packs  []pack
	digest map[string]*scanned // by path
}

func newRun(opts Options) *run {
	o := opts.withDefaults()
	var inputs []string
	for _, place := range o.Inputs {
		inputs = append(inputs, manifests.Redact(place))
	}
	return &run{opts: o, asked: opts.Groups, in: resolve(o.Inputs), report: Report{Inputs: inputs}, digest: map[string]*scanned{}}
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
		r.report.Checks = append(r.report.Checks, s.checks()...)
	}
}
