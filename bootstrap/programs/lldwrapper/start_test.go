package main

import (
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"x.go/bootstrap/programs"
	"x.go/targets"
	"x.go/tests/testenv"
)

// BenchmarkStart measures what a wrapper and a launcher add to the start of a program
// that does nothing, beside that program itself and the wrapper that came with rustc.
// The runs alternate, so that what else the machine does bears on all of them alike.
// The medians are reported in microseconds, and guest/upstream is how much longer
// than with upstream's wrapper a start takes with that of x.
//
//	go test ./bootstrap/programs/lldwrapper -run '^$' -bench Start -benchtime 500x
//
// The aim is guest/upstream of at most 1.05.
func BenchmarkStart(b *testing.B) {
	needGuest(b)
	root := b.TempDir()
	nothing := testenv.Need(b, "true")
	runs := []struct {
		name, path string
		took       []time.Duration
	}{
		{name: "nothing", path: nothing},
		{name: "upstream", path: root + "/upstream/gcc-ld/ld.lld"},
		{name: "guest", path: root + "/guest/gcc-ld/ld.lld"},
		{name: "go", path: root + "/go/gcc-ld/ld.lld"},
		{name: "launcher", path: root + "/bin/rustc"},
	}
	install(b, filepath.Join(original(b), "ld.lld"), runs[1].path)
	install(b, guest.wrapper(b, lld...), runs[2].path)
	install(b, inGo.wrapper(b, lld...), runs[3].path)
	for _, name := range []string{"upstream/rust-lld", "guest/rust-lld", "go/rust-lld", "libexec/rustc"} {
		install(b, nothing, root+"/"+name)
	}
	testenv.Must(b, programs.Build{
		Name: programs.Launcher, Host: &targets.Spec{OS: "linux", Arch: guestArch()}, Out: runs[4].path,
		Settings: []programs.Setting{{Name: "linker", Value: "system"}, {Name: "host", Value: "x86_64-unknown-linux-gnu"}},
	}.Run(b.Context(), nil))
	for b.Loop() {
		for i, r := range runs {
			start := time.Now()
			err := exec.Command(r.path, "-o", "a").Run()
			runs[i].took = append(runs[i].took, time.Since(start))
			testenv.Must(b, err)
		}
	}
	medians := map[string]float64{}
	for _, r := range runs {
		slices.Sort(r.took)
		medians[r.name] = float64(r.took[len(r.took)/2]) / float64(time.Microsecond)
		b.ReportMetric(medians[r.name], r.name+"-µs")
	}
	b.ReportMetric(medians["guest"]/medians["upstream"], "guest/upstream")
	b.ReportMetric(medians["go"]/medians["upstream"], "go/upstream")
}
