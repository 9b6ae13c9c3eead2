package verify

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"

	"x.go/targets"
)

// task is a leg of one toolchain, and what came of it.
type task struct {
	leg   leg
	label string
	out   *subject // nil if the leg does not exist for the toolchain
	rows  []Binary
	err   error
}

// linkGroup links with one toolchain.
type linkGroup struct {
	*run
	t        *toolchain
	probeErr error // why its compiler does not run
	expect   Expect
	crossed  map[string]bool // of [treeState]
}

// verify runs the legs, and one for each other target, several at once: each has a
// directory of its own. The report has them in the order of the table.
func (g linkGroup) verify(ctx context.Context) error {
	var tasks []*task
	for _, l := range legs {
		tasks = append(tasks, &task{leg: l, label: g.t.label})
	}
	for _, target := range g.t.targets {
		if target != g.t.host && !g.covered(target) {
			tasks = append(tasks, &task{leg: crossLeg(target), label: target.String()})
		}
	}
	var wg sync.WaitGroup
	slots := make(chan struct{}, g.opts.Jobs)
	for _, k := range tasks {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			k.err = g.leg(ctx, k)
		})
	}
	wg.Wait()
	for _, k := range tasks {
		if k.err != nil {
			return k.err
		}
		if k.out != nil {
			g.add(k.out)
			g.report.Binaries = append(g.report.Binaries, k.rows...)
		}
	}
	return ctx.Err()
}

// covered reports whether a compiler of the same build has linked for a target already,
// so that one for another machine need not. If not, this one does, if it runs.
func (g linkGroup) covered(target targets.Triple) bool {
	version := g.t.foreign.facts.Version
	if !g.t.isForeign {
		version = g.t.says.Version
	}
	key := version.String() + " " + target.String()
	if g.t.isForeign && g.crossed[key] {
		return true
	}
	g.crossed[key] = g.crossed[key] || g.links()
	return false
}

// links reports whether a compiler can link.
func (g linkGroup) links() bool {
	return g.t.foreign.lender != nil || g.probeErr == nil && g.t.borrowed == ""
}

// leg runs one leg.
func (g linkGroup) leg(ctx context.Context, k *task) error {
	if ctx.Err() != nil || len(g.opts.Legs) > 0 && !slices.Contains(g.opts.Legs, k.leg.name) {
		return ctx.Err()
	}
	b := &bench{toolchain: g.t, expect: g.expect}
	if k.leg.only != nil && (g.links() || g.t.isForeign) && !k.leg.only(b) {
		return nil
	}
	if g.probeErr != nil && g.t.foreign.lender == nil {
		k.out = newSubject(k.label)
		why := fmt.Sprintf("the compiler does not run: %v", g.probeErr)
		if g.t.foreign.unlent != "" {
			why += "; and " + g.t.foreign.unlent
		}
		k.out.skipf(legCheck(k.leg.name, partLinks), "%s", why)
		return nil
	}
	if g.t.borrowed != "" {
		k.out = newSubject(k.label)
		k.out.skipf(legCheck(k.leg.name, partLinks), "the compiler is not the one of the archives: %s", g.t.borrowed)
		return nil
	}
	var err error
	if b.dir, err = os.MkdirTemp(g.work.dir, "leg-"); err != nil {
		return fmt.Errorf("creating a directory for a link: %w", err)
	}
	g.progress(Event{Group: Link, Subject: k.leg.name})
	k.out, k.rows = runLeg(ctx, k.leg, b, k.label)
	k.out.stop()
	g.progress(Event{Group: Link, Subject: k.leg.name, Done: true})
	if err := removeTree(b.dir); err != nil {
		return fmt.Errorf("removing the directory of a link: %w", err)
	}
	return nil
}
