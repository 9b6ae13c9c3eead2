package cli

import (
	"fmt"
	"io"
	"sync"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"x.go/bootstrap"
	"x.go/dist"
	"x.go/dist/verify"
)

// verifyProgress shows a running verification on stderr: bars on a terminal, a line
// for each archive, tree or leg as it starts otherwise, nothing with --quiet.
type verifyProgress struct {
	out  io.Writer
	bars *mpb.Progress // nil if not on a terminal

	mu     sync.Mutex
	active map[string]*mpb.Bar // nil on no terminal; by group and subject
	begun  map[string]bool
}

// newVerifyProgress returns a progress; the caller must close it before it prints
// anything else to stderr.
func (a *app) newVerifyProgress() *verifyProgress {
	p := &verifyProgress{out: a.Stderr, active: map[string]*mpb.Bar{}, begun: map[string]bool{}}
	if a.flags.quiet {
		p.out = io.Discard
	} else if a.StderrTTY {
		p.bars = mpb.New(mpb.WithOutput(a.terminal), mpb.WithAutoRefresh())
		p.out = &output{w: p.bars}
	}
	return p
}

// doings say what verify does with a subject of each group.
var doings = map[verify.Group]string{
	verify.Static: "reading", verify.Sysroot: "checking", verify.Link: "linking", verify.Channel: "checking", verify.Client: "asking rustup:",
}

// event shows one step; see [verify.Options.Progress].
func (p *verifyProgress) event(e verify.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := string(e.Group) + " " + e.Subject
	if !p.begun[key] {
		p.begun[key] = true
		p.start(key, e)
	}
	bar := p.active[key]
	if bar == nil {
		return
	}
	if e.Size > 0 {
		bar.IncrInt64(e.Bytes)
	}
	if e.Done {
		bar.Abort(true)
		delete(p.active, key)
	}
}

// start shows that the work on a subject begins.
func (p *verifyProgress) start(key string, e verify.Event) {
	text := doings[e.Group] + " " + dist.OneLine(e.Subject)
	if p.bars == nil {
		if e.Size > 0 {
			text += fmt.Sprintf(" (%s)", bootstrap.FormatSize(e.Size))
		}
		fmt.Fprintf(p.out, "x: %s\n", text)
		return
	}
	if e.Done {
		return
	}
	name := mpb.PrependDecorators(decor.Name(text, decor.WCSyncSpaceR))
	if e.Size > 0 {
		p.active[key] = p.bars.AddBar(e.Size, name, mpb.AppendDecorators(decor.Percentage(decor.WCSyncSpace)), mpb.BarRemoveOnComplete())
	} else {
		p.active[key] = p.bars.AddSpinner(1, name, mpb.AppendDecorators(decor.Elapsed(decor.ET_STYLE_GO)), mpb.BarRemoveOnComplete())
	}
}

// close ends all bars. It may be called again.
func (p *verifyProgress) close() {
	if p.bars == nil {
		return
	}
	// A bar that is not full would keep Wait from returning.
	p.mu.Lock()
	for _, b := range p.active {
		b.Abort(true)
	}
	p.mu.Unlock()
	p.bars.Wait()
	p.bars, p.out, p.active = nil, io.Discard, nil
}
