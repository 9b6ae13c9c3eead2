package publishing

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"x.go/dist/channel"
	"x.go/dist/store"
	"x.go/tests/runx"
	"x.go/tests/storetest"
	"x.go/tests/testenv"
)

// times returns how often a test is to try: few, or what a variable says.
func times(t *testing.T, variable string, few int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return few
	}
	n, err := strconv.Atoi(text)
	testenv.Must(t, err)
	return n
}

// A publication that is killed at any moment leaves a sound store, and the same command
// finishes it. So it is with a withdrawal.
func TestKilled(t *testing.T) {
	t.Parallel()
	kills := times(t, "X_TEST_KILLS", 3)
	first := release{version: "1.95.0", date: "2026-04-16"}.write(t)
	second := release{version: "1.96.0", date: "2026-05-28"}.write(t)
	onEach(t, func(t *testing.T, p place) {
		s := p.open(t)
		began := time.Now()
		p.must(t, first, "--public-url", "https://h")
		whole := time.Since(began)
		for range kills {
			for _, args := range [][]string{
				{"publish", "--gate=none", second, p.url},
				{"channel", "withdraw", "--to", "2026-04-16", p.url, "stable"},
			} {
				cmd := runx.Command(t, t.TempDir(), p.env, args...)
				testenv.Must(t, cmd.Start())
				time.Sleep(rand.N(whole))
				testenv.Must(t, cmd.Process.Kill())
				_ = cmd.Wait()
				soundButTorn(t, p)
				runx.Must(t, t.TempDir(), p.env, args...)
				sound(t, s)
			}
			if got := offered(t, s, "stable") + offered(t, s, "1.95"); got != "2026-04-162026-04-16" {
				t.Errorf("after a withdrawal: stable and 1.95 are of %s", got)
			}
			forget(t, p)
		}
		if local, ok := channel.LocalPath(p.url); ok {
			left, err := filepath.Glob(filepath.Join(local, "dist", "*", ".x-*"))
			if err != nil || len(left) > 0 {
				t.Errorf("%q were left behind, %v", left, err)
			}
		}
	})
}

// forget deletes the second release, so that there is something to kill again. No store
// stays open that has written: x could not tell what is left from what is in use.
func forget(t *testing.T, p place) {
	t.Helper()
	s, err := store.Open(t.Context(), p.url)
	testenv.Must(t, err)
	names := append(storetest.Names(t, s, "dist/2026-05-28/"), "dist/channel-rust-1.96.0.toml", "dist/channel-rust-1.96.toml")
	for _, name := range names {
		testenv.Must(t, s.Delete(t.Context(), name))
	}
	testenv.Must(t, s.Close())
}

// soundButTorn is sound, but a channel may have a new manifest beside an old checksum.
func soundButTorn(t *testing.T, p place) {
	t.Helper()
	s := p.open(t)
	for _, name := range storetest.Names(t, s, "dist/channel-rust-") {
		if manifest, ok := strings.CutSuffix(name, ".toml"); ok {
			offered(t, s, strings.TrimPrefix(manifest, "dist/channel-rust-"))
		}
	}
}

// While releases are published, rustup installs the old one or the new one. What no store
// can avoid, a new manifest beside an old checksum, is counted, and is gone at the next try.
func TestInstallMeanwhile(t *testing.T) {
	t.Parallel()
	rustup := testenv.Need(t, "rustup")
	installs := times(t, "X_TEST_INSTALLS", 6)
	dirs := []string{
		release{version: "1.97.0-nightly", date: "2026-04-16"}.write(t),
		release{version: "1.97.0-nightly", date: "2026-04-17"}.write(t),
	}
	p := place{url: t.TempDir()}
	p.must(t, dirs[0])
	done := make(chan error)
	stop := make(chan struct{})
	go func() {
		for i := 1; ; i++ {
			select {
			case <-stop:
				close(done)
				return
			default:
			}
			args := []string{"publish", "--gate=none", "--move-back", dirs[i%2], p.url}
			if out, err := runx.Command(t, dirs[0], p.env, args...).CombinedOutput(); err != nil {
				done <- fmt.Errorf("%w: %s", err, out)
				return
			}
		}
	}()
	torn := 0
	for i := range installs {
		home := filepath.Join(t.TempDir(), fmt.Sprint(i))
		for try := 0; ; try++ {
			cmd := exec.CommandContext(t.Context(), rustup, "toolchain", "install", "nightly", "--no-self-update", "--profile", "minimal")
			cmd.Env = append(os.Environ(), "RUSTUP_HOME="+home, "CARGO_HOME="+home, "RUSTUP_DIST_SERVER=file://"+filepath.ToSlash(p.url))
			out, err := cmd.CombinedOutput()
			if err == nil {
				break
			}
			if torn++; try > 3 || !strings.Contains(string(out), "checksum failed") {
				t.Fatalf("install %d: %v\n%s", i, err, out)
			}
		}
		testenv.Must(t, os.RemoveAll(home))
	}
	close(stop)
	if err := <-done; err != nil {
		t.Error(err)
	}
	t.Logf("%d of %d installations met a new manifest beside an old checksum", torn, installs)
}
