package dist

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
)

// largerFirst orders sizes: what starts last should not be what takes longest.
func largerFirst(a, b int64) int { return cmp.Compare(b, a) }

// writeAll writes the works, large ones first, each with a share of the jobs by
// its part of the bytes. The first failure ends all, unless keepGoing is set:
// then each work has its own.
func (s *setup) writeAll(ctx context.Context, works []work) error {
	order := make([]*work, 0, len(works))
	for i := range works {
		order = append(order, &works[i])
	}
	slices.SortStableFunc(order, func(a, b *work) int { return largerFirst(a.size, b.size) })

	jobs, memory := semaphore.NewWeighted(int64(s.Jobs)), semaphore.NewWeighted(cmp.Or(s.MaxMemory, math.MaxInt64))
	g, gctx := errgroup.WithContext(ctx)
	var stopped error
	for _, k := range order {
		workers, need := int64(k.plan.Workers), k.plan.Memory
		// Only this goroutine waits for shares, so that none waits for half of one.
		if jobs.Acquire(gctx, workers) != nil || memory.Acquire(gctx, need) != nil {
			stopped = context.Cause(gctx)
			break
		}
		g.Go(func() error {
			defer jobs.Release(workers)
			defer memory.Release(need)
			k.err = s.write(gctx, k)
			if s.keepGoing && gctx.Err() == nil {
				return nil
			}
			return k.err
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
