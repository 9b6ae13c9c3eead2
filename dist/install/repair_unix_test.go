//go:build unix

package install

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"x.go/tests/testenv"
)

// TestFIFO has FIFOs in the places of files and records: nobody waits for them.
func TestFIFO(t *testing.T) {
	prefix, components := installedSample(t)
	places := []string{"bin/rustc", "lib/rustlib/components", "lib/rustlib/digests-rust-docs", "share/doc/rust/html/pipe", "lib/rustlib/multirust-x"}
	for _, name := range places {
		file := filepath.Join(prefix, name)
		_ = os.Remove(file)
		testenv.Must(t, syscall.Mkfifo(file, 0o644))
	}
	for _, against := range []bool{false, true} {
		s := inspect(t, prefix, components[:0])
		if against {
			s = inspect(t, prefix, components)
		}
		text := strings.Join(summary(prefix, s), "\n")
		for _, want := range []string{"kind [rustc] bin/rustc: got a FIFO", "records lib/rustlib/components: it is a FIFO", "share/doc/rust/html/pipe"} {
			// Without digests of rust-docs nobody knows what is in its directories.
			if !strings.Contains(text, want) && (against || !strings.HasPrefix(want, "share")) {
				t.Errorf("got %s\nwant %q", text, want)
			}
		}
	}
	_, err := Run(t.Context(), Options{Prefix: prefix, Repair: true}, components)
	if err == nil || !strings.Contains(err.Error(), "FIFO, want a regular file") {
		t.Errorf("got %v, want an error about a record", err)
	}
	testenv.Must(t, os.Remove(filepath.Join(prefix, "lib/rustlib/components")))
	testenv.Must(t, os.Remove(filepath.Join(prefix, "lib/rustlib/digests-rust-docs")))
	done := repair(t, Options{Prefix: prefix}, components)
	if len(done.Backups) != 1 || !strings.HasSuffix(done.Backups[0].Old, "bin/rustc.old") {
		t.Errorf("got backups %q, want that of the FIFO", done.Backups)
	}
}
