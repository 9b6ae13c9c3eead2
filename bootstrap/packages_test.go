package bootstrap

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/bootstrap/toolchain"
	"x.go/tests/testenv"
)

// TestManifestsEqualInput checks that the manifest.in of each component is the
// list that came with it, byte for byte.
func TestManifestsEqualInput(t *testing.T) {
	for _, channel := range []string{"stable", "nightly"} {
		t.Run(channel, func(t *testing.T) { manifestsEqual(t, testenv.Sysroot(t, channel)) })
	}
}

func manifestsEqual(t *testing.T, sysroot string) {
	tc, err := toolchain.Find(t.Context(), toolchain.Source{Sysroot: sysroot, Env: os.Environ()})
	if err != nil {
		t.Fatal(err)
	}
	in, err := toolchain.ReadInput(tc)
	if err != nil {
		t.Fatal(err)
	}
	if !in.Listed || len(in.Unowned) > 0 {
		t.Errorf("listed: got %v, want true; unowned files: got %q, want none", in.Listed, in.Unowned)
	}
	lists, err := filepath.Glob(filepath.Join(tc.Sysroot, "lib/rustlib/manifest-*"))
	if err != nil || len(lists) != len(in.Components) {
		t.Fatalf("got %d components for %d lists (%v)", len(in.Components), len(lists), err)
	}
	for _, c := range in.Components {
		want, err := os.ReadFile(filepath.Join(tc.Sysroot, "lib/rustlib/manifest-"+c.Spec.InstalledName(c.Target)))
		if err != nil {
			t.Fatal(err)
		}
		d := c.Component()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(d.Manifest().Encode())); diff != "" {
			t.Errorf("manifest.in of %s for %s (-want +got):\n%s", c.Spec.Archive, tc.Host, diff)
		}
	}
}
