package oracle_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"x.go/tests/oracle"
)

// optionLine is a line of `rustc -C help`.
var optionLine = regexp.MustCompile(`(?m)^ +-C +([a-z-]+)=val -- `)

// TestCodegenOptions gives every -C option of the compilers no value, and one
// that is wrong for most, and compares the message with the model's. Each compiler is
// asked one of the two, in turn.
func TestCodegenOptions(t *testing.T) {
	for turn, channel := range []string{"stable", "nightly"} {
		t.Run(channel, func(t *testing.T) {
			t.Parallel()
			tc := oracle.Find(t, channel)
			help, err := exec.Command(tc.Rustc, "-C", "help").Output()
			if err != nil {
				t.Fatal(err)
			}
			names := optionLine.FindAllStringSubmatch(string(help), -1)
			if len(names) < 50 {
				t.Fatalf("got %d options", len(names))
			}
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "a.rs"), []byte("#![no_std]\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			for i, m := range names {
				// LLVM reads its own options and ends the process, and
				// which modifiers exist is not for the command line.
				if m[1] == "llvm-args" || m[1] == "unsafe-allow-abi-mismatch" || (i+turn)%2 == 0 {
					compareOption(t, tc, dir, "-C"+m[1])
				} else {
					compareOption(t, tc, dir, "-C"+m[1]+"=@")
				}
			}
		})
	}
}

func compareOption(t *testing.T, tc *oracle.Toolchain, dir, flag string) {
	t.Helper()
	flags := []string{"--crate-type=rlib", "--emit=metadata", flag}
	cmd := exec.Command(tc.Rustc, append(flags, "a.rs")...)
	cmd.Dir = dir
	out, _ := cmd.CombinedOutput()
	want := ""
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "error") {
			want = strings.TrimSpace(line)
			break
		}
	}
	if got := tc.Decide(t, oracle.Case{Target: tc.Host.String(), Flags: flags}).Error; got != want {
		t.Errorf("%s: got %q, want %q", flag, got, want)
	}
}
