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

// TestCodegenOptions gives every -C option of the compilers a value that is
// wrong for most, or none, and compares the message with the model's.
func TestCodegenOptions(t *testing.T) {
	for channel, value := range map[string]string{"stable": "=@", "nightly": ""} {
		t.Run(channel, func(t *testing.T) {
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
			source := filepath.Join(dir, "a.rs")
			if err := os.WriteFile(source, []byte("#![no_std]\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			for _, m := range names {
				flag := "-C" + m[1] + value
				// LLVM reads its own options and ends the process, and
				// which modifiers exist is not for the command line.
				if value != "" && (m[1] == "llvm-args" || m[1] == "unsafe-allow-abi-mismatch") {
					continue
				}
				cmd := exec.Command(tc.Rustc, "--crate-type=rlib", "--emit=metadata", source, flag)
				cmd.Dir = dir
				out, _ := cmd.CombinedOutput()
				want := ""
				for line := range strings.Lines(string(out)) {
					if strings.HasPrefix(line, "error") {
						want = strings.TrimSpace(line)
						break
					}
				}
				c := oracle.Case{Target: tc.Host.String(), Flags: []string{"--crate-type=rlib", "--emit=metadata", flag}}
				if got := decide(t, tc, c).Error; got != want {
					t.Errorf("%s: got %q, want %q", flag, got, want)
				}
			}
		})
	}
}
