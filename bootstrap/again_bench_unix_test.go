//go:build unix

package bootstrap_test

import (
	"cmp"
	"os"
	"syscall"
	"testing"
	"time"

	"x.go/bootstrap"
	"x.go/bootstrap/config"
	"x.go/tests/testenv"
)

// buildVar names a build directory that has the archives of the first run already.
const buildVar = "X_BENCH_BUILD"

// BenchmarkAgain packages the toolchain stable, and once more, when nothing of it has
// changed. %first is what the second run takes of the first one's time, and
// %first-processor the same of the processor's, which other work on the machine does not
// change:
//
//	go test ./bootstrap -run '^$' -bench Again -benchtime 3x -timeout 30m
//
// With X_BENCH_BUILD only second runs are measured, as for a profile.
func BenchmarkAgain(b *testing.B) {
	sysroot := testenv.Sysroot(b, "stable")
	build := cmp.Or(os.Getenv(buildVar), b.TempDir())
	processor := func() time.Duration {
		var u syscall.Rusage
		testenv.Must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	run := func() (wall, busy float64) {
		began, before := time.Now(), processor()
		x, err := bootstrap.Open(b.Context(), bootstrap.Options{
			Sysroots: []string{sysroot}, Env: os.Environ(), Config: config.Source{Sets: []string{`build.build-dir="` + build + `"`}},
		})
		testenv.Must(b, err)
		everything, err := x.Select()
		testenv.Must(b, err)
		_, err = x.Dist(b.Context(), everything)
		testenv.Must(b, err)
		x.Close()
		return time.Since(began).Seconds(), (processor() - before).Seconds()
	}
	firstWall, firstBusy := run()
	var wall, busy float64
	for b.Loop() {
		w, p := run()
		wall, busy = wall+w/firstWall, busy+p/firstBusy
	}
	if os.Getenv(buildVar) == "" {
		b.ReportMetric(firstWall, "first-s")
		b.ReportMetric(100*wall/float64(b.N), "%first")
		b.ReportMetric(100*busy/float64(b.N), "%first-processor")
	}
}
