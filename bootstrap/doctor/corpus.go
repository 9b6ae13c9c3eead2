package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// CorpusOptions say how to read many logs.
type CorpusOptions struct {
	// Options are those of each log. Dir is not used: the files that the logs name lie
	// on other machines.
	Options
	// Jobs is how many logs are read at once; 0 means one for each processor.
	Jobs int
	// Progress is called after each log, in the order of the logs, one call at a time.
	Progress func(CorpusProgress)
}

// CorpusProgress is how far the reading of a corpus has come.
type CorpusProgress struct {
	Logs  int   // that were read
	Bytes int64 // in them, decompressed
	Found int   // logs with a finding
}

// Corpus is what was found in many logs.
type Corpus struct {
	Directory string  `json:"directory"`
	Logs      int     `json:"logs"`    // that were read, those with a problem included
	Bytes     int64   `json:"bytes"`   // in them, decompressed
	Found     int     `json:"found"`   // logs with at least one finding
	Nothing   int     `json:"nothing"` // logs without one
	Seconds   float64 `json:"seconds"`
	// Causes has a row for each cause, the most frequent first.
	Causes []CauseCount `json:"causes"`
	// Problems are the logs that could not be read, or not whole, in order; at most
	// 1000 of them.
	Problems        []Problem           `json:"problems"`
	ProblemCounts   map[ProblemKind]int `json:"problem_counts"`
	ProblemsOmitted int                 `json:"problems_omitted,omitempty"`
}

// CauseCount is how often a cause was found.
type CauseCount struct {
	Cause      Cause              `json:"cause"`
	Count      int                `json:"count"`      // logs
	Confidence map[Confidence]int `json:"confidence"` // the logs by how sure the finding is
	Summary    string             `json:"summary"`    // of the first finding
	Sources    []string           `json:"sources"`
	Examples   []Example          `json:"examples"` // of the first logs, at most 5
	// In names the logs in order, as slash paths from the directory; at most 10,000 of
	// them.
	In        []string `json:"in"`
	InOmitted int      `json:"in_omitted,omitempty"`
}

// Example is where a cause shows in one log.
type Example struct {
	Log        string     `json:"log"` // slash path from the directory
	Confidence Confidence `json:"confidence"`
	Line       int        `json:"line"` // from 1
	Text       string     `json:"text"` // what stands there, shortened
}

// Problem is a log that could not be read, or not whole. What stands in the rest of it
// counts.
type Problem struct {
	Log    string      `json:"log"` // slash path from the directory
	Kind   ProblemKind `json:"kind"`
	Detail string      `json:"detail"`
}

// ProblemKind says what is wrong with a log.
type ProblemKind string

// The kinds of problems.
const (
	Unreadable ProblemKind = "unreadable" // it, or its directory, cannot be opened or decompressed at all
	Cut        ProblemKind = "cut"        // its end is missing
	Huge       ProblemKind = "huge"       // it is longer than what is read of a log
)

// Bounds of a corpus.
const (
	maxLog        = 256 << 20 // bytes read of a log, decompressed
	maxExamples   = 5
	maxIn         = 10_000
	maxProblems   = 1_000
	readAhead     = 64 // logs for each job whose reports may wait for an earlier one
	decoderMemory = 64 << 20
)

// DiagnoseCorpus reads every log in dir and below: files named log, log.*, *.log, *.txt
// or *.build, with .gz, .xz or .zst after that or not. Crater keeps a directory with a
// log.txt for each crate. A symbolic link to a file is followed if that lies in dir. Memory does not depend on the number of logs, but for the names of those that
// have findings. A log that cannot be read is a [Problem]; the error is that of dir or of
// ctx.
func DiagnoseCorpus(ctx context.Context, dir string, o CorpusOptions) (*Corpus, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("reading corpus: %w", err)
	}
	defer root.Close()
	begin := time.Now()
	o.Dir = ""
	c := &corpusReader{root: root, o: o, maxLog: maxLog}
	sum, err := c.run(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading corpus %q: %w", dir, err)
	}
	sum.Directory, sum.Seconds = dir, time.Since(begin).Seconds()
	return sum, nil
}

// corpusReader reads logs in parallel.
type corpusReader struct {
	root   *os.Root
	o      CorpusOptions
	maxLog int64 // bytes read of a log
}

// corpusLog is a log on its way: its name, or a problem with a directory, and then what
// was read.
type corpusLog struct {
	name string
	done chan struct{} // closed when the rest is there

	read     bool // at least a part of it
	bytes    int64
	findings []Finding
	problem  *Problem
}

// run walks the tree, reads the logs and adds them up in the order of the walk, whatever
// the order in which they are read: the same corpus has the same answer.
func (c *corpusReader) run(ctx context.Context) (*Corpus, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	jobs := c.o.Jobs
	if jobs <= 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	work := make(chan *corpusLog)
	order := make(chan *corpusLog, jobs*readAhead)
	var running sync.WaitGroup
	for range jobs {
		running.Go(func() {
			w := corpusWorker{corpusReader: c}
			for l := range work {
				w.read(ctx, l)
				close(l.done)
			}
		})
	}
	var walked error
	running.Go(func() {
		defer close(order)
		defer close(work)
		walked = c.walk(ctx, work, order)
	})
	t := newTally()
	for l := range order {
		<-l.done
		t.add(l)
		if c.o.Progress != nil && l.read {
			c.o.Progress(CorpusProgress{t.sum.Logs, t.sum.Bytes, t.sum.Found})
		}
	}
	running.Wait()
	if walked != nil {
		return nil, walked
	}
	return t.corpus(), ctx.Err()
}

// walk sends each log to work and, in the order of the tree, to order.
func (c *corpusReader) walk(ctx context.Context, work, order chan<- *corpusLog) error {
	send := func(l *corpusLog) error {
		l.done = make(chan struct{})
		if l.problem != nil {
			close(l.done)
		}
		select {
		case order <- l:
		case <-ctx.Done():
			return ctx.Err()
		}
		if l.problem == nil {
			work <- l // a job waits for it: each ends by itself, even after ctx has
		}
		return nil
	}
	return fs.WalkDir(c.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && name == ".":
			return err
		case err != nil:
			return send(&corpusLog{name: name, problem: &Problem{name, Unreadable, withoutPath(err)}})
		case d.IsDir():
			return nil
		case d.Type()&fs.ModeSymlink != 0:
			if l := c.link(name); l != nil {
				return send(l)
			}
		case isLog(name):
			return send(&corpusLog{name: name})
		}
		return nil
	})
}

// link returns what becomes of a symbolic link, or nil if nothing does: the walk comes
// by a log that lies in the tree, and what is no log does not matter.
func (c *corpusReader) link(name string) *corpusLog {
	info, err := c.root.Stat(name)
	switch {
	case err != nil:
		return &corpusLog{name: name, problem: &Problem{name, Unreadable, withoutPath(err)}}
	case info.IsDir():
		return &corpusLog{name: name, problem: &Problem{name, Unreadable, "a symbolic link to a directory is not followed"}}
	}
	if target, err := c.root.Readlink(name); err == nil && isLog(filepath.ToSlash(target)) || !isLog(name) {
		return nil
	}
	return &corpusLog{name: name}
}

// isLog reports whether a file's name is that of a log.
func isLog(name string) bool {
	name = strings.ToLower(path.Base(name))
	for _, ext := range []string{".gz", ".xz", ".zst"} {
		name = strings.TrimSuffix(name, ext)
	}
	return name == "log" || strings.HasPrefix(name, "log.") || slices.Contains([]string{".log", ".txt", ".build"}, path.Ext(name))
}

// withoutPath is the text of an error of a file without the file's name, which stands
// beside it.
func withoutPath(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err.Error()
	}
	return err.Error()
}
