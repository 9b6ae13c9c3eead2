package oracle_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/targets"
	"x.go/tests/oracle"
)

var update = flag.Bool("oracle.update", false, "write targets/data anew from the compilers of the machine")

// dataDir is the registry's text in the source tree.
const dataDir = "../../targets/data"

// TestImportEqualsBuiltin imports the targets of the real compilers again: the
// registry in the program must be what comes out, byte for byte.
func TestImportEqualsBuiltin(t *testing.T) {
	var texts []string
	for _, channel := range []string{"stable", "nightly"} {
		tc := oracle.Find(t, channel)
		var parent *targets.Snapshot
		if len(texts) > 0 {
			r, err := targets.NewRegistry(texts...)
			if err != nil {
				t.Fatal(err)
			}
			s, _ := r.Newest("")
			parent = &s
		}
		got, err := targets.Import(tc.Specs, targets.Info{Release: tc.Release, Commit: tc.Commit, Host: tc.Host}, parent)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(got))
		path := filepath.Join(dataDir, tc.Release.String()+".txt")
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
			t.Errorf("%s: write it with go test ./tests/oracle -run Import -oracle.update (-held +compiler)\n%s", path, diff)
		}
	}
}

// TestSpecsEqualCompilers compares every target's JSON with what the compiler
// prints for all targets, and that of some with what it prints for one.
func TestSpecsEqualCompilers(t *testing.T) {
	for _, channel := range []string{"stable", "nightly"} {
		t.Run(channel, func(t *testing.T) {
			tc := oracle.Find(t, channel)
			s, note, err := targets.Builtin().At(tc.Release)
			if err != nil || note != "" {
				t.Fatalf("registry for %s: %s %v", tc.Release, note, err)
			}
			var want map[string]json.RawMessage
			if err := json.Unmarshal(tc.Specs, &want); err != nil {
				t.Fatal(err)
			}
			if len(s.Names()) != len(want) {
				t.Errorf("got %d targets, want %d", len(s.Names()), len(want))
			}
			for name, raw := range want {
				spec := lookup(t, s, tc, name)
				var b bytes.Buffer
				if err := json.Indent(&b, raw, "", "  "); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(b.String()+"\n", string(spec.JSON())); diff != "" {
					t.Errorf("%s (-compiler +registry)\n%s", name, diff)
				}
			}
			r := rand.New(rand.NewPCG(*seed, 3))
			for _, name := range oracle.Draw(r, s.Names(), 12) {
				cmd := exec.Command(tc.Rustc, "-Zunstable-options", "--print", "target-spec-json", "--target", name)
				cmd.Env = append(os.Environ(), "RUSTC_BOOTSTRAP=1")
				out, err := cmd.Output()
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(out), string(lookup(t, s, tc, name).JSON())); diff != "" {
					t.Errorf("%s alone (-compiler +registry)\n%s", name, diff)
				}
			}
		})
	}
}

func lookup(t *testing.T, s targets.Snapshot, tc *oracle.Toolchain, name string) *targets.Spec {
	t.Helper()
	triple, err := targets.ParseTriple(name)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := s.For(tc.Compiler(), triple)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// TestAppleVersions compares the oldest system versions, which no spec holds,
// with the compiler's.
func TestAppleVersions(t *testing.T) {
	tc := oracle.Find(t, "nightly")
	s, _, err := targets.Builtin().At(tc.Release)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for spec := range s.All() {
		if !spec.LikeDarwin {
			continue
		}
		n++
		out, err := exec.Command(tc.Rustc, "--print", "deployment-target", "--target", spec.Triple.String()).Output()
		if err != nil {
			t.Fatal(err)
		}
		_, version, _ := strings.Cut(strings.TrimSpace(string(out)), "=")
		if strings.Count(version, ".") == 1 {
			version += ".0"
		}
		if got := spec.VersionedLLVMTarget(); !strings.Contains(got, version) {
			t.Errorf("%s: got %s, want version %s", spec.Triple, got, version)
		}
	}
	if n == 0 {
		t.Error("no target of Apple's was seen")
	}
}
