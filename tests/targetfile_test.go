package tests

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"x.go/targets"
	"x.go/tests/testenv"
)

var targetFiles = flag.Int("targetfile.cases", 30, "changed target files per compiler; 0 is all of them")

// TestTargetFilesEqualRustc gives each field of a target's file values of all kinds:
// x refuses those that the real compiler refuses. Whether fields agree with each
// other only the compiler knows. All of them take some minutes:
//
//	go test ./tests -run TargetFilesEqualRustc -targetfile.cases 0
func TestTargetFilesEqualRustc(t *testing.T) {
	testenv.Long(t, "the real compilers read each file")
	values := []string{"null", "true", "3", "-1", "0.5", `"x"`, `"64"`, `"gnu-lld-cc"`, "[]", `["x"]`, "[3]", "{}", `{"gnu": ["x"]}`, `{"components": ["linker"]}`, `{"kind": "inline"}`}
	for _, channel := range []string{"stable", "nightly"} {
		t.Run(channel, func(t *testing.T) {
			t.Parallel()
			rustc := filepath.Join(testenv.Sysroot(t, channel), "bin", "rustc")
			release, fields := schemaOf(t, rustc)
			fields = append(fields, "is-builtin", "nonsense")
			dir := t.TempDir()
			all := rand.New(rand.NewPCG(1, 1)).Perm(len(fields) * len(values))
			if *targetFiles > 0 {
				all = all[:min(*targetFiles, len(all))]
			}
			for _, n := range all {
				field, value := fields[n/len(values)], values[n%len(values)]
				data := []byte(fmt.Sprintf(`{"llvm-target": "x86_64-unknown-none", "data-layout": "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128", "arch": "x86_64", "target-pointer-width": 64, %q: %s}`, field, value))
				var members map[string]any
				if json.Unmarshal(data, &members) != nil || strings.Count(string(data), `"`+field+`"`) > 1 {
					continue // one that is there already: twice is another error
				}
				path := filepath.Join(dir, "mine.json")
				testenv.Must(t, os.WriteFile(path, data, 0o644))
				cmd := exec.Command(rustc, "-Zunstable-options", "--print", "cfg", "--target", path)
				cmd.Env = append(os.Environ(), "RUSTC_BOOTSTRAP=1")
				out, err := cmd.CombinedOutput()
				_, xErr := targets.ParseSpecFile("mine", data, release)
				// Messages of the parser name the place; those about fields that do
				// not agree do not.
				refused := err != nil && (strings.Contains(string(out), " at line ") || strings.Contains(string(out), "unrecognized target-pointer-width"))
				if refused != (xErr != nil) {
					t.Errorf("%s = %s: rustc says %.200q, x says %v", field, value, out, xErr)
				}
			}
		})
	}
}

// schemaOf asks a compiler for its release and the fields of a target's file.
func schemaOf(t *testing.T, rustc string) (targets.Release, []string) {
	t.Helper()
	cmd := exec.Command(rustc, "-vV")
	out, err := cmd.Output()
	testenv.Must(t, err)
	_, text, _ := strings.Cut(string(out), "\nrelease: ")
	text, _, _ = strings.Cut(text, "\n")
	release, err := targets.ParseRelease(text)
	testenv.Must(t, err)
	cmd = exec.Command(rustc, "-Zunstable-options", "--print", "target-spec-json-schema")
	cmd.Env = append(os.Environ(), "RUSTC_BOOTSTRAP=1")
	out, err = cmd.Output()
	if err != nil {
		testenv.Missing(t, "rustc %s prints no schema of target files", release)
	}
	var schema struct{ Properties map[string]any }
	testenv.Must(t, json.Unmarshal(out, &schema))
	return release, slices.Sorted(maps.Keys(schema.Properties))
}
