package tests

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"x.go/tests/runx"
	"x.go/tests/testenv"
)

// BenchmarkCheck measures `x check` as a process, its start included, on a
// configuration with every key that has a default, and one `rustc -vV` beside
// it: the runs alternate, so that what else the machine does bears on all of
// them alike. The medians are reported in milliseconds, and asked/rustc is how
// many times `rustc -vV` a check takes that asks the compiler.
//
//	go test ./tests -run '^$' -bench Check -benchtime 50x
//
// The aim is less than 30 ms without the compiler, and less than 2.5 times
// `rustc -vV` with it.
func BenchmarkCheck(b *testing.B) {
	sysroot := testenv.Sysroot(b, "stable")
	x := runx.Build(b)
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "bootstrap.toml"), fullConfig(b, x), 0o644); err != nil {
		b.Fatal(err)
	}
	runs := []struct {
		name string
		args []string
		took []time.Duration
	}{
		{name: "check-ms", args: []string{x, "check", "--no-toolchain"}},
		{name: "asked-ms", args: []string{x, "check", "--sysroot", sysroot}},
		{name: "rustc-ms", args: []string{filepath.Join(sysroot, "bin/rustc"), "-vV"}},
	}
	for b.Loop() {
		for i, r := range runs {
			cmd := exec.Command(r.args[0], r.args[1:]...)
			cmd.Dir = dir
			start := time.Now()
			out, err := cmd.CombinedOutput()
			runs[i].took = append(runs[i].took, time.Since(start))
			if err != nil {
				b.Fatalf("%v: %v\n%s", r.args, err, out)
			}
		}
	}
	medians := map[string]float64{}
	for _, r := range runs {
		slices.Sort(r.took)
		medians[r.name] = float64(r.took[len(r.took)/2]) / float64(time.Millisecond)
		b.ReportMetric(medians[r.name], r.name)
	}
	b.ReportMetric(medians["asked-ms"]/medians["rustc-ms"], "asked/rustc")
	b.ReportMetric(0, "ns/op") // of all three together: says nothing
}

// fullConfig returns a file that sets every key with a default to that, and a
// target.
func fullConfig(b *testing.B, x string) []byte {
	b.Helper()
	cmd := exec.Command(x, "config")
	cmd.Dir = b.TempDir()
	text, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			b.Fatalf("x config: %v\n%s", err, exit.Stderr)
		}
		b.Fatal(err)
	}
	full := strings.ReplaceAll("\n"+string(text), "\n#", "\n")
	full = strings.Replace(full, "\nchannel = \"dev\"", "\nchannel = \"stable\"", 1)
	return []byte(full + "\n[target.x86_64-unknown-linux-gnu]\ncc = \"gcc\"\ncxx = \"g++\"\nlinker = \"gcc\"\n")
}
