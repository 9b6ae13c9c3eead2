package cli

import (
	"bytes"
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"x.go/bootstrap/doctor"
	"x.go/dist"
)

// diagnoseCorpus reads all logs in a directory and prints what was found. If html is
// not "", a page goes there, too.
func (a *app) diagnoseCorpus(ctx context.Context, dir, html string, o doctor.Options) error {
	progress := a.newCorpusProgress()
	corpus, err := doctor.DiagnoseCorpus(ctx, a.path(dir), doctor.CorpusOptions{Options: o, Jobs: a.flags.jobs, Progress: progress.event})
	progress.close()
	if err != nil {
		return usage(err)
	}
	if corpus.Logs == 0 && len(corpus.Problems) == 0 {
		return usagef("reading corpus %q: there is no log: want files named log.txt or *.log, compressed or not", dir)
	}
	if html != "" {
		var buf bytes.Buffer // so that a page that cannot be rendered leaves the file alone
		if err := corpus.WriteHTML(&buf); err != nil {
			return usage(err)
		}
		if err := dist.WriteOutput(a.path(html), buf.Bytes()); err != nil {
			return usagef("writing page %q: %w", html, err)
		}
	}
	if a.flags.json {
		err = a.printJSON(corpus)
	} else {
		err = corpus.WriteText(a.Stdout)
	}
	switch {
	case err != nil:
		return usage(err)
	case corpus.Logs == 0:
		return exitError{code: exitUsage} // the problems are the message
	case corpus.Found > 0:
		return exitError{code: exitFail}
	}
	return nil
}

// corpusProgress shows how many logs have been read.
type corpusProgress struct {
	*meter
	at   atomic.Pointer[doctor.CorpusProgress] // the bar's goroutine reads it
	next time.Time                             // of the next line, if there is no terminal
}

// corpusPause is the time between two lines of progress.
const corpusPause = 10 * time.Second

func (a *app) newCorpusProgress() *corpusProgress {
	p := &corpusProgress{meter: a.newMeter(), next: time.Now().Add(corpusPause)}
	p.at.Store(&doctor.CorpusProgress{})
	if p.bars != nil {
		text := decor.Any(func(decor.Statistics) string { return p.text() })
		p.active["corpus"] = p.bars.AddSpinner(1, mpb.AppendDecorators(text), mpb.BarRemoveOnComplete())
	}
	return p
}

// event shows a log; see [doctor.CorpusOptions.Progress].
func (p *corpusProgress) event(at doctor.CorpusProgress) {
	p.at.Store(&at)
	if now := time.Now(); p.bars == nil && now.After(p.next) {
		p.next = now.Add(corpusPause)
		fmt.Fprintf(p.out, "x: %s\n", p.text())
	}
}

// text says how far it is.
func (p *corpusProgress) text() string {
	at := p.at.Load()
	return fmt.Sprintf("read %s (%s), %d with a cause", plural(at.Logs, "log"), dist.FormatBytes(at.Bytes), at.Found)
}
