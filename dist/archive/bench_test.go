package archive

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"x.go/dist"
	"x.go/tests/testenv"
)

// benchTree is a directory of 2,000 small files and one of 32 MiB, about the mix of a
// toolchain with documentation.
func benchTree(b *testing.B) (dir string, img dist.Image) {
	b.Helper()
	dir = b.TempDir()
	for i := range 2000 {
		path := filepath.Join(dir, "share/doc", fmt.Sprintf("%d/%d.html", i%50, i))
		must(b, os.MkdirAll(filepath.Dir(path), 0o755))
		must(b, os.WriteFile(path, fmt.Appendf(nil, "%4000d", i), 0o644))
	}
	big := bulkPackage(b, "big", 32<<20).Components[0].Image
	for e := range big.Entries() {
		r, err := e.Open()
		must(b, err)
		data, err := io.ReadAll(r)
		must(b, err)
		must(b, os.MkdirAll(filepath.Dir(filepath.Join(dir, e.Name)), 0o755))
		must(b, os.WriteFile(filepath.Join(dir, e.Name), data, 0o644))
	}
	must(b, img.AddTree("top", dir, nil))
	return dir, img
}

// against reports how the time of the loop compares with that of a command, as
// the metric x-NAME: below 1 is faster. The command runs as often as the loop did.
func against(b *testing.B, name, dir string, args ...string) {
	b.Helper()
	ours := b.Elapsed()
	path := testenv.Need(b, args[0])
	var theirs time.Duration
	for range b.N {
		cmd := exec.Command(path, args[1:]...)
		cmd.Dir = dir
		start := time.Now()
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%q: %v\n%s", args, err, out)
		}
		theirs += time.Since(start)
	}
	b.ReportMetric(ours.Seconds()/theirs.Seconds(), "x-"+name)
}

func BenchmarkAddTree(b *testing.B) {
	dir, _ := benchTree(b)
	for b.Loop() {
		var img dist.Image
		must(b, img.AddTree("", dir, nil))
	}
}

func BenchmarkTar(b *testing.B) {
	dir, img := benchTree(b)
	plan, err := planTarball(img, ReversedPath, 0)
	must(b, err)
	out := filepath.Join(b.TempDir(), "out.tar")
	b.SetBytes(plan.size)
	for b.Loop() {
		f, err := os.Create(out)
		must(b, err)
		must(b, plan.write(b.Context(), f))
		must(b, f.Close())
	}
	against(b, "tar", dir, "tar", "-cf", out, ".")
}

func BenchmarkWriteGZ(b *testing.B) {
	dir, img := benchTree(b)
	out := b.TempDir()
	b.SetBytes(img.Size())
	for b.Loop() {
		_, err := Writer{Formats: []Format{GZ}}.WriteImage(b.Context(), out, "top", img)
		must(b, err)
	}
	against(b, "tar-gzip-1", dir, "tar", "-I", "gzip -1", "-cf", filepath.Join(out, "other.tar.gz"), ".")
}

func BenchmarkUnpackGZ(b *testing.B) {
	_, img := benchTree(b)
	out := b.TempDir()
	artifacts, err := Writer{Formats: []Format{GZ}}.WriteImage(b.Context(), out, "top", img)
	must(b, err)
	b.SetBytes(img.Size())
	for i := 0; b.Loop(); i++ {
		must(b, Unpack(b.Context(), artifacts[0].Path, filepath.Join(out, fmt.Sprint("ours", i)), UnpackOptions{}))
	}
	theirs := b.TempDir()
	against(b, "tar", theirs, "sh", "-c", "mkdir d$$ && tar -xf "+artifacts[0].Path+" -C d$$")
}
