package tests

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// layers lists the packages of the module from the bottom up, with what each
// may import beside the standard library. A package may import only packages
// that stand above it in this list.
var layers = []struct {
	pkg     string
	own     []string // packages of this module
	foreign []string // modules
}{
	{pkg: "targets"},
	{pkg: "manifests", own: []string{"targets"}, foreign: []string{"github.com/pelletier/go-toml/v2"}},
	{pkg: "dist/installer"},
	{pkg: "dist/xz", foreign: []string{"golang.org/x/sys"}},
	{pkg: "dist", own: []string{"manifests", "targets", "dist/installer", "dist/xz"},
		foreign: []string{"github.com/klauspost/compress", "github.com/ulikunitz/xz", "golang.org/x/sync", "golang.org/x/sys"}},
	{pkg: "dist/linkage"},
	{pkg: "dist/verify", own: []string{"dist", "dist/linkage", "manifests", "targets"}},
	{pkg: "bootstrap/config", own: []string{"targets"}, foreign: []string{"github.com/pelletier/go-toml/v2"}},
	{pkg: "bootstrap/rustflags", own: []string{"targets"}, foreign: []string{"github.com/pelletier/go-toml/v2"}},
	{pkg: "bootstrap/process"},
	{pkg: "bootstrap/lldwrapper", own: []string{"bootstrap/process"}},
	{pkg: "bootstrap/launcher", own: []string{"bootstrap/process"}},
	{pkg: "bootstrap/bench"},
	{pkg: "bootstrap", own: []string{"bootstrap/config", "dist", "manifests", "targets"}, foreign: []string{"golang.org/x/sys"}},
	{pkg: "bootstrap/cli",
		own:     []string{"bootstrap", "bootstrap/bench", "bootstrap/config", "bootstrap/rustflags", "dist", "dist/linkage", "dist/verify", "dist/xz", "manifests", "targets"},
		foreign: []string{"github.com/spf13/cobra", "github.com/vbauerster/mpb/v8", "golang.org/x/sys"}},
	{pkg: "", own: []string{"bootstrap/cli"}}, // x.go
}

// TestImports holds the imports of every package against the layers.
func TestImports(t *testing.T) {
	const module = "x.go"
	index := map[string]int{}
	for i, l := range layers {
		index[strings.TrimSuffix(module+"/"+l.pkg, "/")] = i
	}
	for _, p := range goList(t, "../...") {
		if strings.HasPrefix(p.ImportPath, module+"/tests") {
			continue // sees everything
		}
		at, ok := index[p.ImportPath]
		if !ok {
			t.Errorf("package %s has no row in the table of layers", p.ImportPath)
			continue
		}
		for _, imp := range p.Imports {
			if !strings.Contains(strings.Split(imp, "/")[0], ".") {
				continue // standard library
			}
			if rest, own := strings.CutPrefix(imp, module+"/"); own {
				if !slices.Contains(layers[at].own, rest) {
					t.Errorf("package %s imports %s: its layer may import %v", p.ImportPath, imp, layers[at].own)
				} else if index[imp] >= at {
					t.Errorf("package %s imports %s, which stands above it", p.ImportPath, imp)
				}
				continue
			}
			if !slices.ContainsFunc(layers[at].foreign, func(m string) bool { return imp == m || strings.HasPrefix(imp, m+"/") }) {
				t.Errorf("package %s imports %s: its layer may import %v", p.ImportPath, imp, layers[at].foreign)
			}
		}
	}
}

type listedPackage struct {
	ImportPath string
	Imports    []string
}

// goList describes the packages of the module that match the pattern.
func goList(t *testing.T, pattern string) []listedPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", pattern)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var pkgs []listedPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listedPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}
