package mirroring

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"x.go/dist/mirror"
	"x.go/dist/store"
	_ "x.go/dist/store/cloud" // for BenchmarkMirrorS3
	"x.go/manifests"
	"x.go/tests/storetest"
	"x.go/tests/testenv"
)

const host = "x86_64-unknown-linux-gnu"

// bulk writes days with so many files of a size each, and their manifests. It returns the
// sum of the sizes.
func bulk(b *testing.B, dir string, days, files, size int) (total int64) {
	b.Helper()
	data := make([]byte, size)
	for n := range days {
		date := time.Date(2026, 1, 1+n, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
		var m strings.Builder
		fmt.Fprintf(&m, "manifest-version = \"2\"\ndate = %q\n[pkg.rust]\nversion = \"1.98.0-nightly (012345678 %s)\"\n[pkg.rust.target.%s]\navailable = false\n", date, date, host)
		testenv.Must(b, os.MkdirAll(filepath.Join(dir, "dist", date), 0o755))
		for i := range files {
			_, _ = rand.Read(data)
			sum := manifests.Hash(sha256.Sum256(data))
			name := fmt.Sprintf("c%d-nightly-%s.tar.xz", i, host)
			file := filepath.Join(dir, "dist", date, name)
			testenv.Must(b, os.WriteFile(file, data, 0o644))
			testenv.Must(b, os.WriteFile(file+".sha256", manifests.FormatChecksum(sum, name), 0o644))
			fmt.Fprintf(&m, "[pkg.c%d]\nversion = \"1\"\n[pkg.c%d.target.%s]\navailable = true\nxz_url = \"%s/dist/%s/%s\"\nxz_hash = \"%s\"\n", i, i, host, manifests.OfficialServer, date, name, sum)
			total += int64(size)
		}
		text := []byte(m.String())
		for _, at := range []string{filepath.Join(dir, "dist", date), filepath.Join(dir, "dist")} {
			name := "channel-rust-nightly.toml"
			testenv.Must(b, os.WriteFile(filepath.Join(at, name), text, 0o644))
			testenv.Must(b, os.WriteFile(filepath.Join(at, name+".sha256"), manifests.FormatChecksum(manifests.HashOf(text), name), 0o644))
		}
	}
	return total
}

// BenchmarkVerify lists and reads back stores of a thousand and of ten thousand objects.
// The most memory that is in use meanwhile is peak-MB.
func BenchmarkVerify(b *testing.B) {
	for _, objects := range []int{1000, 10000} {
		dir := b.TempDir()
		total := bulk(b, dir, objects/200, 100, 16<<10)
		b.Run(fmt.Sprintf("objects=%d/directory", objects), func(b *testing.B) { verifyAll(b, dir, objects, total) })
		b.Run(fmt.Sprintf("objects=%d/s3", objects), func(b *testing.B) {
			place := storetest.S3(b)
			to := val(store.Open(b.Context(), place))(b)
			defer to.Close()
			o := mirror.Options{Source: dir, Since: "2026-01-01"}
			val(mirror.Run(b.Context(), to, o))(b)
			verifyAll(b, place, objects, total)
		})
	}
}

// verifyAll verifies a store.
func verifyAll(b *testing.B, place string, objects int, total int64) {
	b.SetBytes(total)
	s := val(store.Open(b.Context(), place))(b)
	defer s.Close()
	var peak uint64
	var mu sync.Mutex
	n := 0
	for b.Loop() {
		r, err := mirror.Verify(b.Context(), s, mirror.VerifyOptions{Progress: func(mirror.Event) {
			mu.Lock()
			defer mu.Unlock()
			if n++; n%100 == 0 {
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapInuse)
			}
		}})
		if err != nil || !r.Passed || r.Objects < objects {
			b.Fatalf("got %d objects, %v, %v", r.Objects, r.Problems, err)
		}
	}
	b.ReportMetric(float64(peak)/1e6, "peak-MB")
}

// BenchmarkMirror mirrors files from a server on this machine, by turns with rsync, which
// copies the same ones from its own. The metric of-rsync is x's speed as a part of
// rsync's: the median of all turns. Where the name says again, nothing has changed since.
// No tree is removed before the end: ext4 creates files
// slowly while it still remembers those that were deleted.
func BenchmarkMirror(b *testing.B) {
	trees := b.TempDir()
	for _, files := range []struct{ count, size int }{{1000, 16 << 10}, {60, 4 << 20}, {6, 48 << 20}} {
		from := b.TempDir()
		total := bulk(b, from, 1, files.count, files.size)
		b.Run(fmt.Sprintf("files=%dx%dKiB", files.count, files.size>>10), func(b *testing.B) {
			server := httptest.NewServer(http.FileServer(http.Dir(from)))
			defer server.Close()
			address := rsyncDaemon(b, from)
			cache := val(os.OpenRoot(b.TempDir()))(b)
			defer cache.Close()
			var t turns
			for b.Loop() {
				t.measure(
					func() { mirrorAll(b, server.URL, newDir(b, trees), cache, files.count) },
					func() { command(b, "rsync", "-a", "--whole-file", address, newDir(b, trees)) },
				)
			}
			t.report(b, "rsync", total)
		})
		b.Run(fmt.Sprintf("files=%dx%dKiB/again", files.count, files.size>>10), func(b *testing.B) {
			server := httptest.NewServer(http.FileServer(http.Dir(from)))
			defer server.Close()
			address := rsyncDaemon(b, from)
			x, other := newDir(b, trees), newDir(b, trees)
			mirrorAll(b, server.URL, x, nil, files.count)
			command(b, "rsync", "-a", "--whole-file", address, other)
			var t turns
			for b.Loop() {
				t.measure(
					func() { mirrorAll(b, server.URL, x, nil, 0) },
					func() { command(b, "rsync", "-a", "--whole-file", address, other) },
				)
			}
			t.report(b, "rsync", total)
		})
	}
}

// BenchmarkMirrorS3 mirrors files between a bucket and a directory, by turns with aws s3
// sync.
func BenchmarkMirrorS3(b *testing.B) {
	testenv.Need(b, "aws")
	place := storetest.S3(b)
	u := val(url.Parse(place))(b)
	endpoint := u.Query().Get("endpoint")
	trees := b.TempDir()
	for _, files := range []struct{ count, size int }{{1000, 16 << 10}, {60, 4 << 20}, {6, 48 << 20}} {
		from := b.TempDir()
		total := bulk(b, from, 1, files.count, files.size)
		name := fmt.Sprintf("files=%dx%dKiB", files.count, files.size>>10)
		n := 0
		bucket := func(who string) string {
			n++
			return fmt.Sprintf("%s-%s-%d", who, name, n)
		}
		at := func(prefix string) string { return strings.Replace(place, u.Path, "/"+prefix, 1) }
		sync := func(b *testing.B, args ...string) {
			command(b, "aws", append([]string{"--endpoint-url", endpoint, "s3", "sync", "--only-show-errors"}, args...)...)
		}
		b.Run(name+"/up", func(b *testing.B) {
			var t turns
			for b.Loop() {
				t.measure(
					func() { mirrorAll(b, from, at(bucket("x")), nil, files.count) },
					func() { sync(b, from, "s3://"+u.Host+"/"+bucket("aws")) },
				)
			}
			t.report(b, "aws", total)
		})
		b.Run(name+"/down", func(b *testing.B) {
			there := bucket("source")
			mirrorAll(b, from, at(there), nil, files.count)
			var t turns
			for b.Loop() {
				t.measure(
					func() { mirrorAll(b, at(there), newDir(b, trees), nil, files.count) },
					func() { sync(b, "s3://"+u.Host+"/"+there, newDir(b, trees)) },
				)
			}
			t.report(b, "aws", total)
		})
	}
}

// mirrorAll mirrors the channel nightly. At least so many files must be new; none if that
// is 0.
func mirrorAll(b *testing.B, from, to string, cache *os.Root, files int) {
	s := val(store.Open(b.Context(), to))(b)
	r, err := mirror.Run(b.Context(), s, mirror.Options{Source: from, Channels: []string{"nightly"}, Cache: cache})
	if err != nil || len(r.Files) < files || files == 0 && len(r.Files) > 0 {
		b.Fatalf("got %d files, %v", len(r.Files), err)
	}
	testenv.Must(b, s.Close())
}

func newDir(b *testing.B, in string) string { return val(os.MkdirTemp(in, ""))(b) }

func command(b *testing.B, name string, args ...string) {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		b.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// turns are the times of two programs that did the same.
type turns struct{ x, other []time.Duration }

// measure runs both, each as often first as the other.
func (t *turns) measure(x, other func()) {
	run := func(to *[]time.Duration, do func()) {
		begun := time.Now()
		do()
		*to = append(*to, time.Since(begun))
	}
	if len(t.x)%2 == 0 {
		run(&t.x, x)
		run(&t.other, other)
	} else {
		run(&t.other, other)
		run(&t.x, x)
	}
}

// report reports medians.
func (t *turns) report(b *testing.B, name string, bytes int64) {
	var of, x, other []float64
	for i := range t.x {
		of = append(of, t.other[i].Seconds()/t.x[i].Seconds())
		x = append(x, float64(bytes)/1e6/t.x[i].Seconds())
		other = append(other, float64(bytes)/1e6/t.other[i].Seconds())
	}
	for unit, all := range map[string][]float64{"of-" + name: of, "x-MB/s": x, name + "-MB/s": other} {
		slices.Sort(all)
		b.ReportMetric(all[len(all)/2], unit)
	}
	b.ReportMetric(0, "ns/op")
}

// rsyncDaemon serves a directory, and returns its address.
func rsyncDaemon(b *testing.B, dir string) string {
	rsync := testenv.Need(b, "rsync")
	l := httptest.NewServer(http.NotFoundHandler())
	port := l.Listener.Addr().String()[strings.LastIndex(l.Listener.Addr().String(), ":")+1:]
	l.Close()
	conf := filepath.Join(b.TempDir(), "rsyncd.conf")
	testenv.Must(b, os.WriteFile(conf, []byte("use chroot = no\n[files]\npath = "+dir+"\nread only = yes\nuid = "+fmt.Sprint(os.Getuid())+"\ngid = "+fmt.Sprint(os.Getgid())+"\n"), 0o644))
	cmd := exec.Command(rsync, "--daemon", "--no-detach", "--address=127.0.0.1", "--port="+port, "--config="+conf)
	cmd.Stdout, cmd.Stderr = io.Discard, io.Discard
	testenv.Must(b, cmd.Start())
	b.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	time.Sleep(300 * time.Millisecond) // until it listens
	return "rsync://127.0.0.1:" + port + "/files/"
}

// val returns a value, or ends the benchmark with the error.
func val[T any](v T, err error) func(b *testing.B) T {
	return func(b *testing.B) T {
		b.Helper()
		testenv.Must(b, err)
		return v
	}
}
