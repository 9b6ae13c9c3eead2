package cli

import (
	"io"
	"sync"

	"github.com/vbauerster/mpb/v8"
)

// meter is where progress appears on stderr: bars on a terminal, lines otherwise,
// nothing with --quiet.
type meter struct {
	plain io.Writer     // stderr itself
	out   io.Writer     // where lines go now
	bars  *mpb.Progress // nil if not on a terminal

	mu     sync.Mutex
	active map[string]*mpb.Bar // by what they stand for
}

// newMeter returns a meter; the caller must close it before it prints anything else
// to stderr.
func (a *app) newMeter() *meter {
	m := &meter{plain: a.Stderr, out: a.Stderr, active: map[string]*mpb.Bar{}}
	if a.flags.quiet {
		m.out = io.Discard
	} else if a.StderrTTY {
		m.bars = mpb.New(mpb.WithOutput(a.terminal), mpb.WithAutoRefresh())
		m.out = &output{w: m.bars}
	}
	return m
}

// close ends all bars. It may be called again.
func (m *meter) close() {
	if m.bars == nil {
		return
	}
	// A bar that is not full would keep Wait from returning.
	m.mu.Lock()
	for _, b := range m.active {
		b.Abort(true)
	}
	m.mu.Unlock()
	m.bars.Wait()
	m.bars, m.out = nil, m.plain
}
