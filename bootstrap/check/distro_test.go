package check

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/bootstrap/config"
	"x.go/targets"
)

// TestDistros checks files in the manner of distributions as of their own releases:
// nothing that is right there is an error or a warning.
func TestDistros(t *testing.T) {
	for _, row := range []struct {
		name, x string
		want    []string // errors and warnings
	}{
		{name: "alpine-1.82"},
		{name: "arch-1.88"},
		{name: "debian-1.85"},
		{name: "yocto-1.90"},
		{name: "fedora-1.92", want: []string{
			"error target.wasm32-wasip1.self-contained", "error target.x86_64-unknown-linux-gnu.self-contained",
		}},
		{name: "fedora-1.92", x: "bootstrap.allow-keys = ['target.*.self-contained']"},
		{name: "void-1.52", want: []string{
			"warning ", "warning rust.debuginfo", "warning target.x86_64-unknown-linux-gnu.jemalloc",
		}},
	} {
		data, err := os.ReadFile(filepath.Join("testdata", "distros", row.name+".toml"))
		if err != nil {
			t.Fatal(err)
		}
		_, version, _ := strings.Cut(row.name, "-")
		of, err := targets.ParseRelease(version)
		if err != nil {
			t.Fatal(err)
		}
		files := map[string]string{config.FileName(config.MinorOf(of)): string(data), "x.toml": row.x}
		c, loadErr := config.Load(config.Source{Host: triple(linux), Release: of, ReadFile: func(path string) ([]byte, error) {
			if text, ok := files[filepath.Clean(path)]; ok {
				return []byte(text), nil
			}
			return nil, fs.ErrNotExist
		}})
		var got []string
		for _, f := range Run(c, loadErr, Facts{NoCompiler: true}) {
			if f.Severity != config.Note {
				got = append(got, string(f.Severity)+" "+f.Key)
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", row.name, row.x, diff)
		}
	}
}
