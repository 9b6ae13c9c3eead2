package optouts_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"x.go/bootstrap/optouts"
	"x.go/tests/testenv"
)

var treeFiles = flag.Int("optouts.files", 100_000, "files of the tree of BenchmarkTree")

// BenchmarkTree looks through a tree of real shapes, and lets ripgrep, where there is
// one, search it for the same strings, in turn: x/rg is the ratio of their times.
//
//	go test -run - -bench Tree ./bootstrap/optouts
func BenchmarkTree(b *testing.B) {
	dir := b.TempDir()
	writeLargeTree(b, dir, *treeFiles)
	rg, rgErr := exec.LookPath("rg")
	o := options(b, "1.95.0", "")
	var own, other time.Duration
	n := 0
	search := func() {
		if rgErr != nil {
			return
		}
		begin := time.Now()
		out, err := exec.Command(rg, "--hidden", "--line-number", "linker|LINKER|lld|link-arg|link_arg|link-self|link_self|fuse-ld|stop-gc|shlib-undefined", dir).Output()
		other += time.Since(begin)
		if e, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || e.ExitCode() != 1) || len(out) == 0 {
			b.Fatalf("rg: got %d bytes, %v", len(out), err)
		}
	}
	search() // both find the files in memory
	other = 0
	for b.Loop() {
		begin := time.Now()
		r, err := optouts.Run(b.Context(), []string{dir}, o)
		testenv.Must(b, err)
		own += time.Since(begin)
		n = len(r.Findings)
		b.StopTimer()
		search()
		b.StartTimer()
	}
	if n == 0 {
		b.Fatal("got no finding")
	}
	b.ReportMetric(float64(n), "findings")
	if rgErr == nil {
		b.ReportMetric(own.Seconds()/other.Seconds(), "x/rg")
	}
}

// writeLargeTree writes files such as a workspace of many crates has: sources, pages,
// manifests, and one configuration of cargo for a thousand of them.
func writeLargeTree(b *testing.B, dir string, files int) {
	line := []byte("    let value = compute(first, second)?; // what the caller wants to know\n")
	names := []string{"src/lib.rs", "src/main.rs", "src/a/mod.rs", "src/a/b.rs", "tests/t.rs", "Cargo.toml", "README.md", "build.rs", "data/x.json", "include/x.h"}
	for i := range files {
		name := filepath.Join(dir, fmt.Sprintf("crate%d", i/len(names)/20), fmt.Sprintf("p%d", i/len(names)), filepath.FromSlash(names[i%len(names)]))
		data := bytes.Repeat(line, 10+i%80)
		switch {
		case filepath.Base(name) == "Cargo.toml":
			data = []byte("[package]\nname = \"x\"\nversion = \"0.1.0\"\n")
		case i%1000 == 6:
			data = append(data, "Build with `RUSTFLAGS=-Clinker-features=-lld cargo build`.\n"...)
		case i%50 == 0:
			data = append(data, "// the linker does the rest\n"...)
		}
		testenv.Must(b, os.MkdirAll(filepath.Dir(name), 0o755))
		testenv.Must(b, os.WriteFile(name, data, 0o644))
	}
}
