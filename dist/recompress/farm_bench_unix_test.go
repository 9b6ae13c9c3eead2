//go:build unix

package recompress

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"x.go/dist/archive"
	"x.go/tests/testenv"
)

// archivesVar names a directory of archives for the benchmarks, in place of made ones.
const archivesVar = "X_BENCH_ARCHIVES"

// benchArchives returns a directory with archives in ci: those of the user, or count made
// ones of size bytes.
func benchArchives(b *testing.B, count, size int) string {
	b.Helper()
	dir := b.TempDir()
	if real := os.Getenv(archivesVar); real != "" {
		at, err := filepath.Abs(real)
		testenv.Must(b, err)
		paths, err := expandDir(at)
		testenv.Must(b, err)
		testenv.Must(b, os.Mkdir(filepath.Join(dir, "ci"), 0o755))
		for _, path := range paths {
			data, err := os.ReadFile(path)
			testenv.Must(b, err)
			testenv.Must(b, os.WriteFile(filepath.Join(dir, "ci", filepath.Base(path)), data, 0o644))
		}
		return dir
	}
	for i := range count {
		pack(b, filepath.Join(dir, "ci"), fmt.Sprintf("a%03d", i), tarOf(b, i, size), archive.GZ)
	}
	return dir
}

// processor returns the processor time of this process.
func processor(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	testenv.Must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// hard are the settings of a release.
var hard = Settings{Formats: []archive.Format{archive.GZ, archive.XZ}, Profile: archive.Best, BCJ: "none", Jobs: 1}

// BenchmarkOverhead compares plan, tasks and collect, which reads back, with a run on one machine, by processor time:
//
//	X_BENCH_ARCHIVES=build/dist go test ./dist/recompress -run '^$' -bench Overhead -benchtime 1x
func BenchmarkOverhead(b *testing.B) {
	dir := benchArchives(b, 3, 4<<20)
	var one, plan, tasks, collect time.Duration
	recompress(b, Options{Formats: hard.Formats, Profile: hard.Profile, Jobs: 1, Dir: b.TempDir()}, filepath.Join(dir, "ci")) // the first run in a process takes longer
	for b.Loop() {
		work := b.TempDir()
		timed := func(sum *time.Duration, do func() error) {
			before := processor(b)
			testenv.Must(b, do())
			*sum += processor(b) - before
		}
		timed(&one, func() error {
			j, err := Plan(b.Context(), []string{filepath.Join(dir, "ci")}, Options{Formats: hard.Formats, Profile: hard.Profile, Jobs: 1, Dir: filepath.Join(work, "one")})
			if err == nil {
				_, err = j.Run(b.Context())
			}
			return err
		})
		var p *Tasks
		timed(&plan, func() (err error) {
			p, err = Split(b.Context(), []string{"ci"}, SplitOptions{Settings: hard, Dir: dir})
			return err
		})
		s := openStore(b, filepath.Join(work, "kept"))
		timed(&tasks, func() error {
			for n := range p.Tasks {
				if _, err := p.Perform(b.Context(), n, PerformOptions{Store: s, Dir: dir}); err != nil {
					return err
				}
			}
			return nil
		})
		timed(&collect, func() error {
			_, err := p.Collect(b.Context(), CollectOptions{Store: s, Dir: filepath.Join(work, "release")})
			return err
		})
	}
	share := func(d time.Duration) float64 { return 100 * d.Seconds() / one.Seconds() }
	b.ReportMetric(one.Seconds()/float64(b.N), "one-s/op")
	b.ReportMetric(share(plan), "%plan")
	b.ReportMetric(share(tasks)-100, "%tasks-more")
	b.ReportMetric(share(collect), "%collect")
	b.ReportMetric(share(plan+tasks+collect)-100, "%overhead")
}

// BenchmarkWorkers does fifty archives with one thread each, by one worker and by two:
//
//	go test ./dist/recompress -run '^$' -bench Workers -benchtime 1x
func BenchmarkWorkers(b *testing.B) {
	dir := benchArchives(b, 50, 1<<20)
	p, err := Split(b.Context(), []string{"ci"}, SplitOptions{Settings: hard, Dir: dir})
	testenv.Must(b, err)
	var wall, busy [3]time.Duration
	for b.Loop() {
		for workers := 1; workers <= 2; workers++ {
			s := openStore(b, filepath.Join(b.TempDir(), "kept"))
			began, before := time.Now(), processor(b)
			next := make(chan int, len(p.Tasks))
			for n := range p.Tasks {
				next <- n
			}
			close(next)
			var all sync.WaitGroup
			for range workers {
				all.Go(func() {
					for n := range next {
						if _, err := p.Perform(b.Context(), n, PerformOptions{Store: s, Dir: dir}); err != nil {
							b.Error(err)
						}
					}
				})
			}
			all.Wait()
			wall[workers] += time.Since(began)
			busy[workers] += processor(b) - before
		}
	}
	b.ReportMetric(wall[1].Seconds()/wall[2].Seconds(), "times-faster")
	// What two would gain on two processors of their own.
	b.ReportMetric(2*busy[1].Seconds()/busy[2].Seconds(), "times-by-processor")
}

// BenchmarkMany plans and collects a release of 500 archives, which are small: what is
// measured is what there is besides their bytes.
//
//	go test ./dist/recompress -run '^$' -bench Many -benchmem -benchtime 1x
func BenchmarkMany(b *testing.B) {
	const count = 500
	dir := benchArchives(b, count, 20_000)
	o := SplitOptions{Settings: quick, Dir: dir, Readers: 2}
	p, err := Split(b.Context(), []string{"ci"}, o)
	testenv.Must(b, err)
	s := openStore(b, filepath.Join(dir, "kept"))
	for n := range p.Tasks {
		_, err := p.Perform(b.Context(), n, PerformOptions{Store: s, Dir: dir})
		testenv.Must(b, err)
	}
	b.Run("plan", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, err := Split(b.Context(), []string{"ci"}, o)
			testenv.Must(b, err)
		}
	})
	b.Run("collect", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, err := p.Collect(b.Context(), CollectOptions{Store: s, Dir: filepath.Join(b.TempDir(), "release"), Jobs: 2})
			testenv.Must(b, err)
		}
	})
}
