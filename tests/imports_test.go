package tests

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
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
	{pkg: "bootstrap/toml", foreign: []string{"github.com/pelletier/go-toml/v2"}},
	{pkg: "manifests", own: []string{"bootstrap/toml", "targets"}, foreign: []string{"github.com/bmatcuk/doublestar/v4"}},
	{pkg: "dist/installer"},
	{pkg: "dist/bench"},
	{pkg: "dist/xz", foreign: []string{"golang.org/x/sys"}},
	{pkg: "dist", own: []string{"manifests", "targets", "dist/installer", "dist/xz"},
		foreign: []string{"github.com/bmatcuk/doublestar/v4", "github.com/klauspost/compress", "github.com/ulikunitz/xz", "golang.org/x/sync", "golang.org/x/sys"}},
	{pkg: "dist/linkage"},
	{pkg: "dist/verify", own: []string{"dist", "dist/linkage", "dist/xz", "manifests", "targets"},
		foreign: []string{"github.com/klauspost/compress", "github.com/ulikunitz/xz", "golang.org/x/sync", "golang.org/x/sys"}},
	{pkg: "bootstrap/config", own: []string{"bootstrap/toml", "targets"}},
	{pkg: "bootstrap/cargoflags", own: []string{"bootstrap/toml", "targets"}},
	{pkg: "bootstrap/process"},
	{pkg: "bootstrap/lldwrapper", own: []string{"bootstrap/process"}},
	{pkg: "bootstrap/launcher", own: []string{"bootstrap/process"}},
	{pkg: "bootstrap", own: []string{"bootstrap/config", "dist", "manifests", "targets"}, foreign: []string{"golang.org/x/sys"}},
	{pkg: "bootstrap/explain", own: []string{"bootstrap", "bootstrap/cargoflags", "targets"}},
	{pkg: "bootstrap/cli",
		own:     []string{"bootstrap", "bootstrap/config", "bootstrap/cargoflags", "dist", "dist/bench", "dist/linkage", "dist/verify", "dist/xz", "manifests", "targets"},
		foreign: []string{"github.com/spf13/cobra", "github.com/vbauerster/mpb/v8", "golang.org/x/sys"}},
	{pkg: "", own: []string{"bootstrap/cli"}}, // x.go
}

// TestImports holds the imports of every package against the layers, and the
// layers against the packages: a row or a grant that nobody uses fails too.
func TestImports(t *testing.T) {
	const module = "x.go"
	index := map[string]int{}
	unused := map[string]bool{} // rows, and grants as "package grant"
	for i, l := range layers {
		index[strings.TrimSuffix(module+"/"+l.pkg, "/")] = i
		unused[l.pkg] = true
		for _, grant := range slices.Concat(l.own, l.foreign) {
			unused[l.pkg+" "+grant] = true
		}
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
		l := layers[at]
		delete(unused, l.pkg)
		for _, imp := range p.Imports {
			if !strings.Contains(strings.Split(imp, "/")[0], ".") {
				continue // standard library
			}
			grant := grantOf(l.own, l.foreign, imp, module)
			if grant == "" {
				t.Errorf("package %s imports %s: its layer may import %v and %v", p.ImportPath, imp, l.own, l.foreign)
			} else if above, own := index[imp]; own && above >= at {
				t.Errorf("package %s imports %s, which stands above it", p.ImportPath, imp)
			}
			delete(unused, l.pkg+" "+grant)
		}
	}
	for _, row := range slices.Sorted(maps.Keys(unused)) {
		if pkg, grant, ok := strings.Cut(row, " "); ok {
			t.Errorf("the table of layers lets %q import %s, which it does not: remove the grant", pkg, grant)
		} else {
			t.Errorf("the table of layers has a row %q, but there is no such package", row)
		}
	}
}

// grantOf returns the grant that allows an import, or "".
func grantOf(own, foreign []string, imp, module string) string {
	if rest, ok := strings.CutPrefix(imp, module+"/"); ok {
		if slices.Contains(own, rest) {
			return rest
		}
		return ""
	}
	for _, m := range foreign {
		if imp == m || strings.HasPrefix(imp, m+"/") {
			return m
		}
	}
	return ""
}

type listedPackage struct {
	ImportPath, Name string
	Imports          []string
}

// goList describes the packages of the module that match the pattern.
func goList(t *testing.T, pattern string) []listedPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Name,Imports", pattern)
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
