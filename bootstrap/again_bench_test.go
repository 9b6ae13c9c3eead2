package bootstrap_test

import (
	"cmp"
	"os"
	"testing"
	"time"

	"x.go/bootstrap"
	"x.go/bootstrap/config"
	"x.go/tests/testenv"
)

// buildVar names a build directory that has the archives of the first run already.
const buildVar = "X_BENCH_BUILD"

// BenchmarkAgain packages the toolchain stable, and once more, when nothing of it has
// changed. %first is what the second run takes of the first one's time. With X_BENCH_BUILD
// only second runs are measured, as for a profile:
//
//	go test ./bootstrap -run '^$' -bench Again -benchtime 3x -timeout 30m
func BenchmarkAgain(b *testing.B) {
	sysroot := testenv.Sysroot(b, "stable")
	build := cmp.Or(os.Getenv(buildVar), b.TempDir())
	run := func(b *testing.B) time.Duration {
		b.Helper()
		began := time.Now()
		x, err := bootstrap.Open(b.Context(), bootstrap.Options{
			Sysroot: sysroot, Env: os.Environ(),
			Config: config.Source{Sets: []string{`build.build-dir="` + build + `"`}},
		})
		testenv.Must(b, err)
		everything, err := x.Select()
		testenv.Must(b, err)
		_, err = x.Dist(b.Context(), everything)
		testenv.Must(b, err)
		x.Close()
		return time.Since(began)
	}
	first := run(b)
	var again time.Duration
	for b.Loop() {
		again += run(b)
	}
	if os.Getenv(buildVar) == "" {
		b.ReportMetric(first.Seconds(), "first-s")
		b.ReportMetric(100*again.Seconds()/float64(b.N)/first.Seconds(), "%first")
	}
}
