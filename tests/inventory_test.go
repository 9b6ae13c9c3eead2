package tests

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/tests/foreign"
	"x.go/tests/runx"
	"x.go/tests/testenv"
)

// TestInventory takes stock of a tree, of the archives made of it, of the combined one and
// of that one unpacked: the steps of a build are the same.
func TestInventory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tree := foreign.Sysroot(t, filepath.Join(dir, "tree"), linuxARM)
	runx.Must(t, dir, nil, "dist", "--sysroot", tree, "--set", gzOnly)
	at := func(name string) string {
		return filepath.Join(dir, "build/dist", name+"-1.95.0-"+linuxARM+".tar.gz")
	}
	testenv.Need(t, "tar")
	out, err := exec.Command("tar", "-xf", at("rust"), "-C", dir).CombinedOutput()
	if err != nil {
		t.Fatalf("unpacking: %v: %s", err, out)
	}
	steps := func(places ...string) any {
		var answer struct{ Steps any }
		r := runx.Must(t, dir, nil, append([]string{"inspect", "--inventory"}, places...)...)
		testenv.Must(t, json.Unmarshal([]byte(r.Stdout), &answer))
		return answer.Steps
	}
	want := steps(tree)
	for name, places := range map[string][]string{
		"archives": {at("rustc"), at("rust-std"), at("cargo")},
		"combined": {at("rust")},
		"unpacked": {filepath.Join(dir, "rust-1.95.0-"+linuxARM)},
	} {
		if diff := cmp.Diff(want, steps(places...)); diff != "" {
			t.Errorf("%s (-tree +there):\n%s", name, diff)
		}
	}
	r := runx.X(t, dir, nil, "inspect", "--inventory", at("rust-std"))
	if r.Code == 0 {
		t.Errorf("got no error of archives without a compiler: %s", r.Stdout)
	}
}
