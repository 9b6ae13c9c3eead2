package cli

import (
	"fmt"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"x.go/bootstrap"
	"x.go/dist"
	"x.go/dist/publish"
)

// publishProgress shows a running publication: bars for files that are sent, or a line
// for each phase and, with --verbose, for each name.
type publishProgress struct {
	*meter
	verbose bool
	phase   publish.Phase
}

func (a *app) newPublishProgress() *publishProgress {
	return &publishProgress{meter: a.newMeter(), verbose: a.flags.verbose}
}

// event shows one step; see [publish.Options.Progress].
func (p *publishProgress) event(e publish.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.Phase != p.phase {
		p.phase = e.Phase
		fmt.Fprintf(p.out, "x: publishing: %s\n", e.Phase)
	}
	bar := p.active[e.Name]
	switch {
	case e.Done && bar != nil:
		bar.Abort(true)
		delete(p.active, e.Name)
	case e.Done || e.Bytes == 0 && p.bars != nil:
	case e.Bytes == 0 && p.verbose:
		fmt.Fprintf(p.out, "x: %s (%s)\n", dist.OneLine(e.Name), bootstrap.FormatSize(e.Size))
	case p.bars != nil:
		if bar == nil {
			bar = p.bars.AddBar(e.Size, mpb.PrependDecorators(decor.Name(dist.OneLine(e.Name), decor.WCSyncSpaceR)),
				mpb.AppendDecorators(decor.Percentage(decor.WCSyncSpace)), mpb.BarRemoveOnComplete())
			p.active[e.Name] = bar
		}
		bar.IncrInt64(e.Bytes)
	}
}
