package oracle

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

// Recorded is one line of a file of recordings.
type Recorded struct {
	Case
	Answer
	Question []byte // the line as a [link.Batch] takes it
}

// Recordings reads a file of recordings, such as those in
// targets/link/testdata.
func Recordings(t testing.TB, path string) []Recorded {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatalf("reading %s: %v", path, err)
	}
	var out []Recorded
	sc := bufio.NewScanner(z)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		var r Recorded
		if err := json.Unmarshal(sc.Bytes(), &r); err != nil {
			t.Fatalf("reading %s: %v", path, err)
		}
		if r.Question, err = question(sc.Bytes()); err != nil {
			t.Fatalf("reading %s: %v", path, err)
		}
		out = append(out, r)
	}
	if err := sc.Err(); err != nil {
		t.Fatalf("reading %s: %v", path, err)
	}
	return out
}

// noLLDNote follows the triple in recordings of a compiler built with
// rust.lld = false, which ran with a bare sysroot.
const noLLDNote = " (spec of a rust.lld=false compiler)"

// relativeSysroot is the relative path that recordings give to --sysroot.
// toolchain is stable or nightly.
func relativeSysroot(toolchain string) string { return "../research/oracle/tc/" + toolchain }

// question translates a recorded line into one for a [link.Batch] and drops
// the answer. It keeps members that are absent so: an absent "bootstrap" does
// not mean null.
func question(line []byte) ([]byte, error) {
	var c Case
	if err := json.Unmarshal(line, &c); err != nil {
		return nil, err
	}
	members := map[string]any{}
	if err := json.Unmarshal(line, &members); err != nil {
		return nil, err
	}
	for _, answer := range []string{"group", "exit", "error", "linker", "lld_args", "argv"} {
		delete(members, answer)
	}
	if target, ok := strings.CutSuffix(c.Target, noLLDNote); ok {
		members["target"], members["lld_default"], members["sysroot"] = target, false, "explicit-bare"
	}
	if c.Sysroot == "relative-cwd" {
		toolchain, _, _ := strings.Cut(c.Channel, "+")
		members["sysroot"] = "normal"
		members["flags"] = append([]string{"--sysroot=" + relativeSysroot(toolchain)}, c.Flags...)
	}
	out, err := json.Marshal(members)
	if err != nil {
		return nil, fmt.Errorf("translating case %d: %w", c.ID, err)
	}
	return out, nil
}
