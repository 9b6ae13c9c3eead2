package install

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/tests/testenv"
)

// BenchmarkInstall installs a whole toolchain with its documentation in turns with the
// program that does the like: cp -a for images, the package's install.sh for an unpacked
// package, and tar for archives. None of them flushes what it has written, as x does; so
// x/peer+sync is told, too, with `sync -f` after the peer. All are of the medians: other
// programs may run.
//
// Each round takes new directories, of 3 GB, which stay to the end: for half a minute after
// a large tree is removed, ext4 is slow to create files.
//
//	go test ./dist/install -run '^$' -bench Install -benchtime 5x
//	go test ./dist/install -run '^$' -bench Install/zst -benchtime 5x
func BenchmarkInstall(b *testing.B) {
	source := testenv.Sysroot(b, "stable")
	p := wholePackage(b, source)
	b.Run("images", func(b *testing.B) {
		compare(b, func(ctx context.Context, to string) error {
			_, err := Run(ctx, Options{Prefix: to}, p.Components)
			return err
		}, func(to string) *exec.Cmd { return exec.Command(testenv.Need(b, "cp"), "-a", source, to) })
	})
	dir := b.TempDir()
	for format, program := range map[archive.Format]string{archive.Zst: "zstd", archive.XZ: "xz"} {
		b.Run(string(format), func(b *testing.B) {
			file := wholeArchive(b, p, dir, format)
			compare(b, fromSource(file), func(to string) *exec.Cmd {
				testenv.Must(b, os.Mkdir(to, 0o755))
				return unpacking(b, file, program, to)
			})
		})
	}
	b.Run("unpacked", func(b *testing.B) {
		testenv.Must(b, unpacking(b, wholeArchive(b, p, dir, archive.Zst), "zstd", dir).Run())
		unpacked := filepath.Join(dir, p.Name)
		compare(b, fromSource(unpacked), func(to string) *exec.Cmd {
			return exec.Command(testenv.Need(b, "sh"), unpacked+"/install.sh", "--prefix="+to, "--disable-ldconfig")
		})
	})
}

// wholePackage is a package of all that the toolchain at source has.
func wholePackage(b *testing.B, source string) dist.Package {
	var img dist.Image
	testenv.Must(b, img.AddTree("", source, func(name string, d fs.DirEntry) bool {
		return filepath.Dir(name) != "lib/rustlib" || d.IsDir()
	}))
	c := dist.Component{Name: "rust", Image: img}
	if img.HasDir("share/doc/rust/html") {
		c.BulkDirs = []string{"share/doc/rust/html"}
	}
	return dist.Package{Name: "rust-1.95.0-x86_64-unknown-linux-gnu", Components: []dist.Component{c}}
}

func wholeArchive(b *testing.B, p dist.Package, dir string, format archive.Format) string {
	archives, err := archive.Writer{Formats: []archive.Format{format}, SkipReadBack: true}.Write(b.Context(), dir, p)
	testenv.Must(b, err)
	return archives[0].Path
}

func unpacking(b *testing.B, file, program, to string) *exec.Cmd {
	return exec.Command(testenv.Need(b, "tar"), "-x", "-f", file, "-C", to, "--use-compress-program", testenv.Need(b, program))
}

func fromSource(source string) func(ctx context.Context, to string) error {
	return func(ctx context.Context, to string) error {
		_, err := RunFrom(ctx, Options{Prefix: to}, From{Sources: []string{source}})
		return err
	}
}

// compare times ours and the peer in turns, each with a directory of its own to create.
func compare(b *testing.B, ours func(ctx context.Context, to string) error, peer func(to string) *exec.Cmd) {
	top := b.TempDir()
	flush := func() error { return exec.Command(testenv.Need(b, "sync"), "-f", top).Run() }
	testenv.Must(b, flush())
	var mine, theirs, flushed []time.Duration
	for round := 0; b.Loop(); round++ {
		b.StopTimer()
		cmd := peer(filepath.Join(top, "peer"+strconv.Itoa(round)))
		plain := timed(b, cmd.Run)
		theirs = append(theirs, plain)
		flushed = append(flushed, plain+timed(b, flush))
		b.StartTimer()
		mine = append(mine, timed(b, func() error { return ours(b.Context(), filepath.Join(top, "x"+strconv.Itoa(round))) }))
	}
	b.Logf("x %v\npeer %v\npeer and sync %v", mine, theirs, flushed)
	x := median(mine)
	b.ReportMetric(x.Seconds(), "x-s/op")
	b.ReportMetric(median(theirs).Seconds(), "peer-s/op")
	b.ReportMetric(float64(x)/float64(median(theirs)), "x/peer")
	b.ReportMetric(float64(x)/float64(median(flushed)), "x/peer+sync")
}

func timed(b *testing.B, f func() error) time.Duration {
	start := time.Now()
	testenv.Must(b, f())
	return time.Since(start)
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}
