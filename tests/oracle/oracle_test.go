package oracle_test

import (
	"encoding/json"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/tests/oracle"
)

var (
	seed        = flag.Uint64("oracle.seed", 1, "seed of the cases drawn")
	cases       = flag.Int("oracle.cases", 50, "cases drawn per compiler, beside the fixed ones of each target")
	targetCount = flag.Int("oracle.targets", 6, "targets drawn per compiler")
	only        = flag.String("oracle.only", "", "comma-separated targets to use instead of drawn ones")
	record      = flag.String("oracle.record", "", "file to append the recordings to, as JSON lines")
)

func TestMain(m *testing.M) { oracle.Main(m) }

// TestModelAgainstCompilers draws cases over targets and flags, runs the real
// compilers on them and compares with the model. A larger run is
//
//	go test ./tests/oracle -run Compilers -oracle.cases 5000 -oracle.targets 400 -oracle.seed 7 -timeout 1h
func TestModelAgainstCompilers(t *testing.T) {
	for _, channel := range []string{"stable", "nightly"} {
		t.Run(channel, func(t *testing.T) {
			tc := oracle.Open(t, channel)
			all, err := tc.Targets()
			if err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(*seed, uint64(len(channel))))
			g := &oracle.Generator{Rand: r, Channel: channel, Targets: oracle.Draw(r, all, *targetCount)}
			if *only != "" {
				g.Targets = strings.Split(*only, ",")
			}
			t.Logf("seed %d, rustc %s, targets %v", *seed, tc.Release, g.Targets)
			drawn := make(chan oracle.Case)
			go func() {
				defer close(drawn)
				for _, c := range g.Fixed() {
					drawn <- c
				}
				for range *cases {
					drawn <- g.Next()
				}
			}()
			var w sync.WaitGroup
			for range runtime.NumCPU() {
				w.Go(func() { compare(t, tc, drawn) })
			}
			w.Wait()
		})
	}
}

func compare(t *testing.T, tc *oracle.Toolchain, cases <-chan oracle.Case) {
	batch, err := tc.NewBatch()
	if err != nil {
		t.Error(err)
	}
	for c := range cases {
		if err != nil {
			continue
		}
		got, err := oracle.Predict(batch, c)
		if err != nil {
			t.Error(err)
			continue
		}
		want, err := tc.Record(t.Context(), c)
		if errors.Is(err, oracle.ErrNoBackend) {
			t.Logf("not recorded: %v", err)
			continue
		}
		if err != nil {
			t.Error(err)
			continue
		}
		if diff := cmp.Diff(want.Answer, got); diff != "" {
			boot := "-"
			if c.Bootstrap != nil {
				boot = *c.Bootstrap
			}
			t.Errorf("%s: %s unstable=%v bootstrap=%s sysroot=%s flags %q (-compiler +model)\n%s%s", c.Channel, c.Target, c.Unstable, boot, c.Sysroot, c.Flags, diff, firstLines(want.Stderr, 6))
		}
		if *record != "" {
			appendRecording(t, want)
		}
	}
}

func firstLines(s string, n int) string {
	lines := strings.SplitAfterN(s, "\n", n+1)
	return strings.Join(lines[:min(n, len(lines))], "")
}

var recordMu sync.Mutex

func appendRecording(t *testing.T, r oracle.Recording) {
	recordMu.Lock()
	defer recordMu.Unlock()
	line, err := json.Marshal(r)
	if err != nil {
		t.Error(err)
		return
	}
	f, err := os.OpenFile(*record, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Error(err)
		return
	}
	defer f.Close()
	if _, err := f.Write(append(line, '\n')); err != nil {
		t.Error(err)
	}
}
