package install

import (
	"sync"
	"sync/atomic"

	"x.go/dist"
)

// earlyFlush brings files to the disk while others are written, so that the flush before
// the change of names, for which all wait, finds little to do.
type earlyFlush struct {
	unflushed atomic.Int64 // bytes
	busy      atomic.Bool
	running   sync.WaitGroup
	err       error // of the earlier ones: the kernel tells it once
}

// flushEvery is how much is written before a flush, in bytes: each one makes creating
// files wait for a moment.
const flushEvery = 128 << 20

// flushEarly notes that n bytes were written, and starts a flush when there are many,
// unless one is running.
func (t *transaction) flushEarly(n int) {
	e := &t.early
	if e.unflushed.Add(int64(n)) < flushEvery || dist.SyncEach || t.opts.DryRun || !e.busy.CompareAndSwap(false, true) {
		return
	}
	e.unflushed.Store(0)
	e.running.Go(func() {
		defer e.busy.Store(false)
		if err := t.roots.sync(); err != nil {
			e.err = err
		}
	})
}
