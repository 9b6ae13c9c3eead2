package lld

import (
	"os"
	"path/filepath"
	"testing"
)

// TestDistros loads one file in the manner of each distribution and pins what
// it decides on LLD, as of the release the distribution had.
func TestDistros(t *testing.T) {
	for _, row := range []struct {
		name, release string
		sets          []string
		want          string
	}{
		{"debian", "1.95.0", nil, "shipped=false x86_64=system by rust.lld"},
		{"freebsd", "1.92.0", nil, "shipped=true x86_64=system by rust.lld"},
		{"gentoo", "1.87.0", nil, "shipped=false x86_64=system by rust.lld"},
		{"chimera", "1.85.0", nil, "shipped=false x86_64=system by lld-not-by-default"},
		{"netbsd", "1.81.0", nil, "shipped=true x86_64=system by rust.lld"},
		{"netbsd", "1.81.0", []string{"rust.lld=false", "target.x86_64-unknown-netbsd.llvm-config=/usr/pkg/bin/llvm-config"}, "shipped=false x86_64=system by rust.lld"},
		{"nixpkgs", "1.92.0", nil, "shipped=false x86_64=system by rust.lld"},
		{"easybuild", "1.94.0", nil, "shipped=true x86_64=lld by lld-host"},
		{"easybuild", "1.94.0", []string{"rust.lld=false"}, "shipped=false x86_64=system by rust.lld"},
	} {
		data, err := os.ReadFile(filepath.Join("testdata", "distros", row.name+".toml"))
		if err != nil {
			t.Fatal(err)
		}
		src := source(bootstrapToml(string(data)), row.sets...)
		src.Release = release(t, row.release)
		c := load(t, src)
		if got := decideText(t, c, Facts{}); got != row.want {
			t.Errorf("%s of %s %v:\ngot  %s\nwant %s", row.name, row.release, row.sets, got, row.want)
		}
	}
}
