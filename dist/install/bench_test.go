package install

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/tests/testenv"
)

// BenchmarkInstall installs a whole toolchain with its documentation, and copies it with
// cp -a, in turns. cp/op and the ratio are of the medians: other programs may run.
//
//	go test ./dist/install -run '^$' -bench Install -benchtime 5x
func BenchmarkInstall(b *testing.B) {
	source := testenv.Sysroot(b, "stable")
	var img dist.Image
	testenv.Must(b, img.AddTree("", source, func(name string, d fs.DirEntry) bool {
		return filepath.Dir(name) != "lib/rustlib" || d.IsDir()
	}))
	c := dist.Component{Name: "rust", Image: img}
	if img.HasDir("share/doc/rust/html") {
		c.BulkDirs = []string{"share/doc/rust/html"}
	}
	top := b.TempDir()
	var ours, copies, again []time.Duration
	timed := func(f func() error) time.Duration { return timed(b, f) }
	install := func() error {
		_, err := Run(b.Context(), Options{Prefix: top + "/x"}, []dist.Component{c})
		return err
	}
	for b.Loop() {
		b.StopTimer()
		copies = append(copies, timed(exec.Command(testenv.Need(b, "cp"), "-a", source, top+"/cp").Run))
		testenv.Must(b, os.RemoveAll(top+"/cp"))
		b.StartTimer()
		ours = append(ours, timed(install))
		b.StopTimer()
		again = append(again, timed(install))
		testenv.Must(b, os.RemoveAll(top+"/x"))
		b.StartTimer()
	}
	b.ReportMetric(float64(img.Len()), "files")
	b.ReportMetric(median(copies).Seconds(), "cp-s/op")
	b.ReportMetric(median(ours).Seconds(), "x-s/op")
	b.ReportMetric(float64(median(ours))/float64(median(copies)), "x/cp")
	b.ReportMetric(float64(median(again))/float64(median(copies)), "again/cp")
	b.Logf("cp %v\nx %v\nagain %v", copies, ours, again)
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

// BenchmarkInstallArchive installs the compiler and the standard library from archives,
// unpacks them with tar, and runs the install.sh that was in them, in turns, as
// [BenchmarkInstall] does.
//
//	go test ./dist/install -run '^$' -bench InstallArchive -benchtime 5x
func BenchmarkInstallArchive(b *testing.B) {
	source := testenv.Sysroot(b, "stable")
	var img dist.Image
	testenv.Must(b, img.AddTree("", source, func(name string, d fs.DirEntry) bool {
		return name != "share" && (filepath.Dir(name) != "lib/rustlib" || d.IsDir())
	}))
	p := dist.Package{Name: "rust-1.95.0-x86_64-unknown-linux-gnu", Components: []dist.Component{{Name: "rust", Image: img}}}
	dir := b.TempDir()
	for format, program := range map[archive.Format]string{archive.Zst: "zstd", archive.XZ: "xz"} {
		b.Run(string(format), func(b *testing.B) {
			archives, err := archive.Writer{Formats: []archive.Format{format}, SkipReadBack: true}.Write(b.Context(), dir, p)
			testenv.Must(b, err)
			file, top := archives[0].Path, b.TempDir()
			unpack := []string{"-x", "-f", file, "-C", top + "/tar", "--use-compress-program", testenv.Need(b, program)}
			var ours, theirs, scripts []time.Duration
			for b.Loop() {
				b.StopTimer()
				testenv.Must(b, os.Mkdir(top+"/tar", 0o755))
				theirs = append(theirs, timed(b, exec.Command(testenv.Need(b, "tar"), unpack...).Run))
				script := exec.Command(testenv.Need(b, "sh"), top+"/tar/"+p.Name+"/install.sh", "--prefix="+top+"/sh", "--disable-ldconfig")
				scripts = append(scripts, timed(b, script.Run))
				testenv.Must(b, os.RemoveAll(top+"/tar"))
				testenv.Must(b, os.RemoveAll(top+"/sh"))
				b.StartTimer()
				ours = append(ours, timed(b, func() error {
					_, err := RunFrom(b.Context(), Options{Prefix: top + "/x"}, From{Sources: []string{file}})
					return err
				}))
				b.StopTimer()
				testenv.Must(b, os.RemoveAll(top+"/x"))
				b.StartTimer()
			}
			b.ReportMetric(median(theirs).Seconds(), "tar-s/op")
			b.ReportMetric(median(ours).Seconds(), "x-s/op")
			b.ReportMetric(float64(median(ours))/float64(median(theirs)), "x/tar")
			b.ReportMetric(float64(median(ours))/float64(median(scripts)), "x/sh")
			b.Logf("tar %v\ninstall.sh %v\nx %v", theirs, scripts, ours)
		})
	}
}
