package cli

import (
	"fmt"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"x.go/bootstrap"
	"x.go/dist"
	"x.go/dist/archive"
)

// progress shows a running build: a bar for each package, or a line for each event.
type progress struct {
	*meter
	verbose bool
	planned bool                 // a dry run, whose actions are its answer
	writer  archive.Writer       // of the archives
	plans   []archive.Plan       // of the archives, once they are known
	begun   map[string]time.Time // by package
}

func (a *app) newProgress() *progress {
	return &progress{meter: a.newMeter(), verbose: a.flags.verbose, planned: a.flags.dryRun, begun: map[string]time.Time{}}
}

// event prints what a build did.
func (p *progress) event(e bootstrap.Event) {
	switch {
	case e.Plans != nil:
		p.plan(e.Plans)
	case e.Note != "" && e.Warn:
		fmt.Fprintf(p.out, "x: warning: %s\n", e.Note)
	case e.Note != "":
		fmt.Fprintf(p.out, "x: note: %s\n", e.Note)
	case p.planned:
	case !p.verbose && e.Action.Verb != "install" && e.Action.Verb != "run":
		// Archives have bars or lines of their own, and the answer lists files.
	default:
		fmt.Fprintf(p.out, "x: %s\n", e.Action)
	}
}

// plan says how archives are going to be compressed.
func (p *progress) plan(plans []archive.Plan) {
	p.plans = plans
	archives, lowered, workers := 0, 0, 0
	var decoder int64
	for _, plan := range plans {
		workers = max(workers, plan.Workers)
		for _, a := range plan.Archives {
			archives++
			decoder = max(decoder, a.DecoderMemory)
			if a.Lowered {
				lowered++
			}
		}
		if p.verbose {
			fmt.Fprintf(p.out, "x: plan    %s (%s, %s, %s of memory)\n", plan.Package, bootstrap.FormatSize(plan.Size),
				plural(plan.Workers, "worker"), dist.FormatBytes(plan.Memory))
		}
	}
	fmt.Fprintf(p.out, "x: packing %s, profile %s: at most %s each, about %s of memory; unpacking takes up to %s\n",
		plural(archives, "archive"), p.writer.Profile, plural(workers, "worker"), dist.FormatBytes(p.writer.PeakMemory(plans)), dist.FormatBytes(decoder))
	if lowered > 0 {
		fmt.Fprintf(p.out, "x: note: the memory limit of %s forces smaller dictionaries or blocks on %s: they grow larger\n",
			dist.FormatBytes(p.writer.MaxMemory), plural(lowered, "archive"))
	}
}

// compression is what plan has said, as data.
func (p *progress) compression() compressionAnswer {
	return compressionAnswer{
		Profile: p.writer.Profile, MaxMemory: p.writer.MaxMemory, Memory: p.writer.PeakMemory(p.plans), Plans: append([]archive.Plan{}, p.plans...),
	}
}

// plural writes a number of things.
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// packing follows the writing of archives; see [archive.Writer.Progress].
func (p *progress) packing(at archive.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.begun[at.Package]; !ok {
		p.begun[at.Package] = time.Now()
		if p.bars != nil {
			p.active[at.Package] = p.bars.AddBar(at.Total,
				mpb.PrependDecorators(decor.Name(dist.OneLine(at.Package), decor.WCSyncSpaceR), decor.CountersKiloByte("% .1f / % .1f", decor.WCSyncSpace)),
				mpb.AppendDecorators(decor.Percentage(decor.WCSyncSpace), decor.OnComplete(decor.AverageETA(decor.ET_STYLE_GO, decor.WCSyncSpace), "done")),
				mpb.BarRemoveOnComplete())
		} else {
			fmt.Fprintf(p.out, "x: packing %s (%s)\n", at.Package, bootstrap.FormatSize(at.Total))
		}
	}
	if bar := p.active[at.Package]; bar != nil {
		bar.SetCurrent(at.Done)
	}
	if at.Done == at.Total {
		delete(p.active, at.Package)
		fmt.Fprintf(p.out, "x: packed  %s (%s, %.1f s)\n", at.Package, bootstrap.FormatSize(at.Total), time.Since(p.begun[at.Package]).Seconds())
	}
}
