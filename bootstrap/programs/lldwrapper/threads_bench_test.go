//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"x.go/tests/testenv"
)

// BenchmarkThreads links with gcc-ld as it is, and with one that knows jobservers. The
// runs alternate, so that what else the machine does bears on both alike. It reports the
// medians in milliseconds, and how many times longer the second takes, and how many
// times the processor time: in one link with a token for each processor, and in four
// links under make with two jobs. On a busy machine only the latter tells.
//
// It links the whole standard library, or what the file X_LINK_ARGS says: a response
// file of LLD without -o, such as rustc --print link-args has it behind "cc".
//
//	go test ./bootstrap/programs/lldwrapper -run '^$' -bench Threads -benchtime 20x
//
// The aim is at most 1.0, but for what differs from run to run.
func BenchmarkThreads(b *testing.B) {
	needGuest(b)
	makes := testenv.Need(b, "make")
	root := b.TempDir()
	for _, name := range []string{"plain", "tokens"} {
		symlink(b, filepath.Join(original(b), "../rust-lld"), filepath.Join(root, name, "rust-lld"))
	}
	install(b, guest.wrapper(b, lld...), root+"/plain/gcc-ld/ld.lld")
	install(b, guest.wrapper(b, jobs...), root+"/tokens/gcc-ld/ld.lld")
	args := os.Getenv("X_LINK_ARGS")
	if args == "" {
		args = root + "/args"
		rlibs, err := filepath.Glob(filepath.Join(original(b), "../../lib/*.rlib"))
		testenv.Must(b, err)
		write(b, args, "-shared --unresolved-symbols=ignore-all --allow-multiple-definition --whole-archive "+strings.Join(rlibs, " "), 0o644)
	}
	write(b, root+"/make.mk", "all: 1 2 3 4\n1 2 3 4:\n\t@$(W)/gcc-ld/ld.lld @$(A) -o $(W)/out$@\n.PHONY: all 1 2 3 4\n", 0o644)
	took := map[string][]time.Duration{}
	timed := func(name string, cmd *exec.Cmd) {
		start := time.Now()
		out, err := cmd.CombinedOutput()
		took[name] = append(took[name], time.Since(start))
		if cmd.ProcessState != nil {
			took[name+" cpu"] = append(took[name+" cpu"], cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
		}
		if err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
	}
	r, w, err := os.Pipe()
	testenv.Must(b, err)
	defer r.Close()
	defer w.Close()
	_, err = w.WriteString(tokens[:min(runtime.NumCPU(), 16)-1])
	testenv.Must(b, err)
	for b.Loop() {
		for _, name := range []string{"plain", "tokens"} {
			dir := filepath.Join(root, name)
			one := exec.Command(dir+"/gcc-ld/ld.lld", "@"+args, "-o", dir+"/out")
			one.Env, one.ExtraFiles = []string{"MAKEFLAGS=--jobserver-auth=3,4"}, []*os.File{r, w}
			timed(name+" one", one)
			four := exec.Command(makes, "-s", "-j"+strconv.Itoa(2), "-f", root+"/make.mk", "W="+dir, "A="+args)
			four.Env = []string{"PATH=" + os.Getenv("PATH")}
			timed(name+" four", four)
		}
	}
	median := func(name string) float64 {
		slices.Sort(took[name])
		return float64(took[name][len(took[name])/2]) / float64(time.Millisecond)
	}
	for _, links := range []string{"one", "four"} {
		b.ReportMetric(median("plain "+links), links+"-plain-ms")
		b.ReportMetric(median("tokens "+links), links+"-tokens-ms")
		b.ReportMetric(median("tokens "+links)/median("plain "+links), links+"-ratio")
		b.ReportMetric(median("tokens "+links+" cpu")/median("plain "+links+" cpu"), links+"-cpu-ratio")
	}
	b.ReportMetric(0, "ns/op") // says nothing
}
