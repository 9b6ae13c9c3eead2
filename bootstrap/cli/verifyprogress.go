package cli

import (
	"fmt"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"x.go/bootstrap"
	"x.go/dist"
	"x.go/dist/verify"
)

// verifyProgress shows a running verification: a bar or a line for each archive, tree
// or leg as it starts.
type verifyProgress struct {
	*meter
	begun map[string]bool // by group and subject
}

func (a *app) newVerifyProgress() *verifyProgress {
	return &verifyProgress{meter: a.newMeter(), begun: map[string]bool{}}
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
