package verify_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"x.go/dist/verify"
	"x.go/tests/testenv"
)

// A build record must tell the story of the files beside it.
func TestBuildRecord(t *testing.T) {
	testenv.Need(t, "rustc")
	from, err := smallDist()
	if err != nil {
		t.Fatal(err)
	}
	c, err := thisCompiler()
	if err != nil {
		t.Fatal(err)
	}
	record := func(shipped bool, wrapper, launcher, programs string) string {
		return fmt.Sprintf(`{"format": 1, "toolchain": {"commit": %q, "host": %q}, "lld": {"shipped": %t, "wrapper": %q, "launcher": %q}, "programs": [%s]}`,
			c.version.CommitHash, c.host, shipped, wrapper, launcher, programs)
	}
	good := record(true, "kept", "none", "")
	tests := []struct {
		name, record, want string // want is part of the finding; empty for a pass
	}{
		{"agrees", good, ""},
		{"no JSON", "{", "parsing x-build.json"},
		{"other format", strings.Replace(good, `"format": 1`, `"format": 2`, 1), "got format 2, want 1"},
		{"other commit", strings.Replace(good, c.version.CommitHash, "0123", 1), `got commit "0123"`},
		{"no LLD", record(false, "kept", "none", ""), "rust-lld: got false in the record, want true"},
		{"no gcc-ld", record(true, "none", "none", ""), "gcc-ld/ld.lld: got false in the record, want true"},
		{"launcher", record(true, "kept", "system", ""), "a launcher before rustc: got true in the record, want false"},
		{"other program", record(true, "built", "none", `{"package": "lldwrapper", "sha256": "`+strings.Repeat("0", 64)+`"}`), "lldwrapper has another digest"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := mutantOf(t, from, "rustc-"+c.version.PackageVersion()+"-"+c.host.String(), "gz")
			bin := "rustc/lib/rustlib/" + c.host.String() + "/bin/"
			for _, name := range []string{"rustc/bin/rustc", bin + "rust-lld", bin + "gcc-ld/ld.lld"} {
				m.add(name, 0o755, "a program")
			}
			m.add("x-build.json", 0o644, tt.record)
			dir := t.TempDir()
			if err := m.write(dir); err != nil {
				t.Fatal(err)
			}
			report := verifyAll(t, verify.Options{Inputs: []string{dir}, Groups: []verify.Group{verify.Static}})
			i := slices.IndexFunc(report.Checks, func(c verify.Check) bool { return c.Name == "archive/build-record" })
			if i < 0 {
				t.Fatal("the record was not checked")
			}
			got := report.Checks[i]
			if pass := got.Status == verify.Pass; pass != (tt.want == "") || !strings.Contains(got.Detail, tt.want) {
				t.Errorf("got %s %q, want a finding with %q", got.Status, got.Detail, tt.want)
			}
		})
	}
}
