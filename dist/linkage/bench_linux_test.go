package linkage_test

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"x.go/dist/linkage"
	"x.go/tests/testenv"
)

// BenchmarkConstructors looks for .ctors, in this package's way and in that of debug/elf,
// with the file in the page cache (warm) and without (cold).
func BenchmarkConstructors(b *testing.B) {
	ways := []struct {
		name string
		look func(*os.File) error
	}{
		{"read", func(f *os.File) error { _, err := linkage.Read(f); return err }},
		{"headers", func(f *os.File) error {
			e, err := linkage.Open(f)
			if err != nil {
				return err
			}
			for _, s := range e.Sections {
				if s.Name == ".ctors" {
					return fmt.Errorf("got a section .ctors")
				}
			}
			return nil
		}},
		{"debug-elf", func(f *os.File) error {
			e, err := elf.NewFile(f)
			if err != nil {
				return err
			}
			if e.Section(".ctors") != nil {
				return fmt.Errorf("got a section .ctors")
			}
			return nil
		}},
	}
	for name, path := range benchmarkFiles(b) {
		for _, way := range ways {
			for _, cold := range []bool{false, true} {
				b.Run(fmt.Sprintf("%s/%s/cold=%t", name, way.name, cold), func(b *testing.B) {
					f, err := os.Open(path)
					testenv.Must(b, err)
					defer f.Close()
					best := time.Hour // without the time for the cache, or for others
					for b.Loop() {
						if cold {
							testenv.Must(b, unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED))
						}
						start := time.Now()
						testenv.Must(b, way.look(f))
						best = min(best, time.Since(start))
					}
					b.ReportMetric(float64(best.Nanoseconds()), "best-ns/op")
				})
			}
		}
	}
}

// benchmarkFiles are the compiler's library, a file of 240 MiB, and an object with
// 20,011 sections.
func benchmarkFiles(b *testing.B) map[string]string {
	gcc, dir := testenv.Need(b, "gcc"), b.TempDir()
	drivers, err := filepath.Glob(filepath.Join(testenv.Sysroot(b, "stable"), "lib", "librustc_driver-*.so"))
	testenv.Must(b, err)
	var many strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&many, ".section .text.f%d,\"ax\"\n.globl f%d\nf%d: ret\n", i, i, i)
	}
	files := map[string]string{"driver": drivers[0]}
	for _, f := range []struct{ name, source, flag string }{
		{"240MiB", ".globl main\nmain: ret\n.data\n.fill 240*1024*1024,1,7\n.section .note.GNU-stack\n", "-pie"},
		{"20011-sections", many.String(), "-c"},
	} {
		out := filepath.Join(dir, f.name)
		testenv.Must(b, os.WriteFile(out+".s", []byte(f.source), 0o644))
		if text, err := exec.Command(gcc, f.flag, "-o", out, out+".s").CombinedOutput(); err != nil {
			b.Fatalf("%s: %v\n%s", f.name, err, text)
		}
		files[f.name] = out
	}
	for _, path := range files { // written out, so that the cache can drop it
		f, err := os.Open(path)
		testenv.Must(b, err)
		testenv.Must(b, f.Sync())
		f.Close()
	}
	return files
}
