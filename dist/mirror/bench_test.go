package mirror_test

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"x.go/dist/mirror"
	"x.go/dist/store"
	"x.go/manifests"
	"x.go/tests/testenv"
)

// bulk writes days with so many files of a size each, and their manifests. It returns the
// sum of the sizes.
func bulk(b *testing.B, dir string, days, files, size int) (total int64) {
	b.Helper()
	data := make([]byte, size)
	for n := range days {
		date := day(n)
		var m strings.Builder
		fmt.Fprintf(&m, "manifest-version = \"2\"\ndate = %q\n[pkg.rust]\nversion = \"1.98.0-nightly (012345678 %s)\"\n[pkg.rust.target.%s]\navailable = false\n", date, date, gnu)
		testenv.Must(b, os.MkdirAll(filepath.Join(dir, "dist", date), 0o755))
		for i := range files {
			_, _ = rand.Read(data)
			sum := manifests.Hash(sha256.Sum256(data))
			name := fmt.Sprintf("c%d-nightly-%s.tar.xz", i, gnu)
			file := filepath.Join(dir, "dist", date, name)
			testenv.Must(b, os.WriteFile(file, data, 0o644))
			testenv.Must(b, os.WriteFile(file+".sha256", manifests.FormatChecksum(sum, name), 0o644))
			fmt.Fprintf(&m, "[pkg.c%d]\nversion = \"1\"\n[pkg.c%d.target.%s]\navailable = true\nxz_url = \"%s/dist/%s/%s\"\nxz_hash = \"%s\"\n", i, i, gnu, manifests.OfficialServer, date, name, sum)
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
		b.Run(fmt.Sprintf("objects=%d", objects), func(b *testing.B) {
			dir := b.TempDir()
			b.SetBytes(bulk(b, dir, objects/200, 100, 16<<10))
			s := val(store.Open(b.Context(), dir))(b)
			defer s.Close()
			var peak uint64
			var mu sync.Mutex
			for b.Loop() {
				n := 0
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
		})
	}
}

// BenchmarkMirror mirrors files from a server on this machine, and has rsync copy the
// same ones from its own.
func BenchmarkMirror(b *testing.B) {
	for _, files := range []struct{ count, size int }{{1000, 16 << 10}, {60, 4 << 20}, {6, 48 << 20}} {
		from := b.TempDir()
		total := bulk(b, from, 1, files.count, files.size)
		name := fmt.Sprintf("files=%dx%dKiB", files.count, files.size>>10)
		b.Run(name+"/x", func(b *testing.B) {
			server := httptest.NewServer(http.FileServer(http.Dir(from)))
			defer server.Close()
			cache := val(os.OpenRoot(b.TempDir()))(b)
			b.SetBytes(total)
			for b.Loop() {
				to := b.TempDir()
				s := val(store.Open(b.Context(), to))(b)
				r, err := mirror.Run(b.Context(), s, mirror.Options{Source: server.URL, Channels: []string{"nightly"}, Cache: cache})
				if err != nil || len(r.Files) < files.count {
					b.Fatalf("got %d files, %v", len(r.Files), err)
				}
				testenv.Must(b, s.Close())
				testenv.Must(b, os.RemoveAll(to))
			}
		})
		b.Run(name+"/rsync", func(b *testing.B) {
			address := rsyncDaemon(b, from)
			b.SetBytes(total)
			for b.Loop() {
				to := b.TempDir()
				if out, err := exec.Command("rsync", "-a", "--whole-file", address, to).CombinedOutput(); err != nil {
					b.Fatalf("%v\n%s", err, out)
				}
				testenv.Must(b, os.RemoveAll(to))
			}
		})
	}
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
