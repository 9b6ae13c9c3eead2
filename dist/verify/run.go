package verify

import (
	"context"
	"fmt"
	"time"
)

// Run verifies the inputs. The error is for trouble with the machine or the
// options, such as a full disk or a canceled context; whatever is wrong with
// the inputs is in the report.
func Run(ctx context.Context, opts Options) (Report, error) {
	if err := opts.check(); err != nil {
		return Report{}, fmt.Errorf("verifying: %w", err)
	}
	r := newRun(opts)
	defer r.finish()
	if err := runGroups(ctx, r); err != nil {
		return Report{}, fmt.Errorf("verifying: %w", err)
	}
	r.allowSkips()
	r.report.Seconds = seconds(time.Since(r.begun))
	return r.report, nil
}

// allowSkips marks the skips that the caller accepts.
func (r *run) allowSkips() {
	allowed := map[string]bool{}
	for _, glob := range r.opts.AllowSkip {
		checks, _ := Match(glob) // an error was found by [Options.check]
		for _, c := range checks {
			allowed[c.Name] = true
		}
	}
	for i := range r.report.Checks {
		c := &r.report.Checks[i]
		c.Allowed = c.Status == Skip && allowed[c.Name]
	}
}

// runGroups runs the groups that were chosen. A group takes the inputs, and the
// archives that were read, from r and adds to its report; it knows no other group.
func runGroups(ctx context.Context, r *run) error {
	trees := newTreeGroup(r)
	for _, step := range []struct {
		chosen bool
		run    func(context.Context) error
	}{
		{true, archiveReader{r, trees.plans}.read},
		{r.opts.has(Static), programGroup{r}.verify},
		{r.opts.has(Static), staticGroup{r}.verify},
		{r.opts.has(Sysroot) || r.opts.has(Link), trees.verify}, // both need the trees
		{r.opts.has(Channel), channelGroup{r}.verify},
		{r.opts.has(Client), clientGroup{r}.verify},
	} {
		if !step.chosen {
			continue
		}
		if err := step.run(ctx); err != nil {
			return err
		}
	}
	r.idle()
	if !r.opts.has(Channel) {
		r.in.leaveManifests()
	}
	r.in.leftOut(r.opts)
	if r.opts.has(Static) && len(r.in.others) > 0 {
		r.add(r.in.unchecked(r.opts)) // last: every group marks what it looked at
	}
	r.report.Checks = append(r.in.subject.checks(), r.report.Checks...)
	return ctx.Err()
}
