package dist

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"x.go/manifests"
	"x.go/tests/testenv"
)

// TestManifestsOfToolchain rebuilds the file lists of an installed toolchain from
// its files. rustup keeps the lines of each archive's manifest.in in their order,
// so the lists must be equal byte for byte.
func TestManifestsOfToolchain(t *testing.T) {
	out, err := exec.Command(testenv.Need(t, "rustc"), "--print=sysroot").Output()
	testenv.Must(t, err)
	sysroot := strings.TrimSpace(string(out))
	lists, err := filepath.Glob(filepath.Join(sysroot, "lib/rustlib/manifest-*"))
	testenv.Must(t, err)
	if len(lists) == 0 {
		testenv.Missing(t, "file lists in %q", sysroot)
	}
	for _, list := range lists {
		t.Run(filepath.Base(list), func(t *testing.T) {
			want, err := os.ReadFile(list)
			testenv.Must(t, err)
			directives, err := manifests.ParseInstalledFileList(want, sysroot)
			testenv.Must(t, err)
			name := strings.TrimPrefix(filepath.Base(list), manifests.InstalledPrefix)
			c := Component{Name: name}
			for i := range directives {
				d := directives[len(directives)-1-i] // any order must do
				path := filepath.Join(sysroot, d.Path)
				if d.Kind == manifests.DirDirective {
					c.BulkDirs = append(c.BulkDirs, d.Path)
					testenv.Must(t, c.Image.AddTree(d.Path, path, nil))
					continue
				}
				testenv.Must(t, c.Image.AddFile(d.Path, path))
			}
			if got := c.Manifest().Encode(); !bytes.Equal(got, want) {
				t.Errorf("got %d bytes that differ from the %d installed", len(got), len(want))
			}
			for _, err := range CheckComponent(c) {
				t.Error(err)
			}
		})
	}
}
