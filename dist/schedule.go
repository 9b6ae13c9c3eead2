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

// writeAll writes the works, large ones first: what starts last should not be
// what takes longest. Each takes a share of the jobs by its part of the bytes, so
// that the combined archive, which is as large as all others together, takes half
// of them and is done when the others are.
func (s *setup) writeAll(ctx context.Context, dir string, works []work) error {
	order := make([]*work, 0, len(works))
	var total int64
	for i := range works {
		order = append(order, &works[i])
		total += works[i].tar.size
	}
	slices.SortStableFunc(order, func(a, b *work) int { return cmp.Compare(b.tar.size, a.tar.size) })

	limit := cmp.Or(s.MaxMemory, math.MaxInt64)
	jobs, memory := semaphore.NewWeighted(int64(s.Jobs)), semaphore.NewWeighted(limit)
	g, gctx := errgroup.WithContext(ctx)
	var stopped error
	for _, k := range order {
		workers := s.workers(float64(k.tar.size) / float64(total))
		need := min(s.memory(workers), limit)
		// Only this goroutine waits for shares, so that none waits for half of one.
		if jobs.Acquire(gctx, int64(workers)) != nil || memory.Acquire(gctx, need) != nil {
			stopped = context.Cause(gctx)
			break
		}
		g.Go(func() error {
			defer jobs.Release(int64(workers))
			defer memory.Release(need)
			return s.write(gctx, dir, k, workers)
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if stopped != nil {
		return fmt.Errorf("writing archives to %q: %w", dir, stopped)
	}
	return nil
}

// workers returns how many jobs a package with the given part of all bytes has.
func (s *setup) workers(part float64) int {
	if !slices.Contains(s.Formats, XZ) {
		return 1
	}
	n := min(max(int(math.Ceil(float64(s.Jobs)*part)), 1), s.Jobs)
	for n > 1 && s.MaxMemory > 0 && s.memory(n) > s.MaxMemory {
		n--
	}
	return n
}

// memory estimates what writing one package holds, in bytes.
func (s *setup) memory(workers int) int64 {
	need := int64(chunkSize * chunkCount)
	for _, f := range s.Formats {
		need += compressorMemory(f, s.level, workers)
	}
	return need
}
