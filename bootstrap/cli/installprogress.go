package cli

import (
	"fmt"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"x.go/dist"
)

// installProgress shows a download and an installation: bars on a terminal.
type installProgress struct{ *meter }

func (a *app) newInstallProgress() *installProgress { return &installProgress{a.newMeter()} }

// fetching follows a download, of total bytes, -1 if nobody knows.
func (p *installProgress) fetching(name string, done, total int64) {
	p.follow("fetching", name, done, total)
}

// reading follows a file that is read, of total bytes.
func (p *installProgress) reading(name string, done, total int64) {
	p.follow("reading", name, done, total)
}

// follow shows that something is done with a file: a line at its start, or a bar.
func (p *installProgress) follow(doing, name string, done, total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, begun := p.active[name]
	if !begun {
		p.active[name] = nil
		if p.bars == nil {
			fmt.Fprintf(p.out, "x: %s %s\n", doing, dist.OneLine(name))
		}
	}
	p.show(name, done, total)
}

// end takes the bar of a file away.
func (p *installProgress) end(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if bar := p.active[name]; bar != nil {
		bar.Abort(true)
	}
	delete(p.active, name)
}

// writing follows the writing of files. The total grows while archives are decoded.
func (p *installProgress) writing(done, total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.show("installing", done, total)
}

// show moves the bar of a name; p.mu is held.
func (p *installProgress) show(name string, done, total int64) {
	if p.bars == nil {
		return
	}
	bar := p.active[name]
	if bar == nil {
		bar = p.bars.AddBar(0,
			mpb.PrependDecorators(decor.Name(dist.OneLine(name), decor.WCSyncSpaceR), decor.CountersKiloByte("% .1f / % .1f", decor.WCSyncSpace)),
			mpb.AppendDecorators(decor.AverageSpeed(decor.SizeB1000(0), "% .1f", decor.WCSyncSpace)))
		p.active[name] = bar
	}
	bar.SetTotal(total, false)
	bar.SetCurrent(done)
}
