package archive

import (
	"cmp"
	"context"
	"fmt"
	"math"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
)

// largerFirst orders sizes, so that the longest task does not start last.
func largerFirst(a, b int64) int { return cmp.Compare(b, a) }

// eachTask runs do for all tasks, large ones first. Each gets a share of the jobs by
// its part of the bytes. The first error ends all.
func (j *Job) eachTask(ctx context.Context, do func(ctx context.Context, i int) error) error {
	jobs := semaphore.NewWeighted(int64(j.writer.Jobs))
	memory := semaphore.NewWeighted(cmp.Or(j.writer.MaxMemory, math.MaxInt64))
	g, gctx := errgroup.WithContext(ctx)
	var stopped error
	for _, i := range j.largestFirst() {
		workers, need := int64(j.tasks[i].plan.Workers), j.tasks[i].plan.Memory
		// Only this goroutine acquires, so two tasks cannot each hold what the
		// other waits for.
		if jobs.Acquire(gctx, workers) != nil || memory.Acquire(gctx, need) != nil {
			stopped = context.Cause(gctx)
			break
		}
		g.Go(func() error {
			defer jobs.Release(workers)
			defer memory.Release(need)
			return do(gctx, i)
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if stopped != nil {
		return fmt.Errorf("writing archives: %w", stopped)
	}
	return nil
}
