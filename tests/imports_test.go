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

// layers lists the packages of the module, the lowest floor first, with what each
// may import beside the standard library: packages of the module on lower floors,
// and other modules.
var layers = []struct {
	floor   int
	pkg     string
	own     []string // packages of this module
	foreign []string // modules
}{
	{0, "dist/match", nil, nil},
	{0, "dist/measure", nil, []string{"golang.org/x/sys"}},
	{0, "dist/plot", nil, nil},
	{0, "targets/nearest", nil, nil},

	{1, "bootstrap/programs/process", nil, nil},
	{1, "bootstrap/toml", nil, []string{"github.com/pelletier/go-toml/v2"}},
	{1, "dist/installsh", nil, nil},
	{1, "dist/linkage", nil, nil},
	{1, "dist/sandbox", nil, []string{"golang.org/x/sys"}},
	{1, "dist/xz", []string{"dist/match"}, []string{"golang.org/x/sys"}},
	{1, "dist/zstd", []string{"dist/match"}, nil},
	{1, "targets", []string{"targets/nearest"}, nil},

	{2, "bootstrap/cargoflags", []string{"bootstrap/toml", "targets"}, nil},
	{2, "bootstrap/config", []string{"bootstrap/toml", "targets", "targets/nearest"}, nil},
	{2, "bootstrap/programs", []string{"targets"}, nil},
	{2, "bootstrap/programs/launcher", []string{"bootstrap/programs/process"}, nil},
	{2, "bootstrap/programs/lldwrapper", []string{"bootstrap/programs/process"}, nil},
	{2, "dist/loader", []string{"dist/linkage"}, nil},
	{2, "manifests", []string{"bootstrap/toml", "targets", "targets/nearest"}, []string{"github.com/bmatcuk/doublestar/v4"}},
	{2, "targets/link", []string{"targets"}, nil},

	{3, "bootstrap/lld", []string{"bootstrap/config", "manifests", "targets", "targets/link"}, nil},
	{3, "dist", []string{"dist/installsh", "manifests"}, []string{"github.com/bmatcuk/doublestar/v4", "github.com/gofrs/flock", "golang.org/x/sys"}},

	{4, "bootstrap/builddir", []string{"dist"}, []string{"golang.org/x/sys"}},
	{4, "bootstrap/migrate", []string{"bootstrap/config", "bootstrap/toml", "targets"}, nil},
	{4, "dist/archive", []string{"dist", "dist/installsh", "dist/xz", "dist/zstd", "manifests", "targets/nearest"},
		[]string{"github.com/klauspost/compress", "golang.org/x/sync"}},
	{4, "dist/bench", []string{"dist", "dist/measure", "dist/plot"}, nil},
	{4, "dist/channel", []string{"dist", "manifests"}, nil},
	{4, "dist/inspect", []string{"dist", "dist/linkage", "dist/loader", "targets/nearest"}, nil},
	{4, "dist/layout", []string{"bootstrap/toml", "dist", "targets", "targets/nearest"}, []string{"github.com/bmatcuk/doublestar/v4"}},
	{4, "dist/page", []string{"dist"}, nil},
	{4, "dist/sign", []string{"dist"}, []string{"aead.dev/minisign", "github.com/ProtonMail/go-crypto"}},
	{4, "dist/source", []string{"bootstrap/toml", "dist", "manifests", "targets"}, nil},
	{4, "dist/store", []string{"dist", "manifests"}, nil},

	{5, "bootstrap/doctor", []string{"dist", "dist/archive", "dist/inspect", "dist/linkage", "dist/loader", "dist/page", "targets", "targets/link"}, nil},
	{5, "bootstrap/marks", []string{"dist/inspect", "dist/linkage", "dist/loader", "manifests", "targets"}, []string{"github.com/klauspost/compress"}},
	{5, "bootstrap/optouts", []string{"bootstrap/cargoflags", "bootstrap/toml", "dist", "targets", "targets/link"}, []string{"github.com/bmatcuk/doublestar/v4", "golang.org/x/sys"}},
	{5, "dist/attest", []string{"dist", "dist/archive", "dist/sign", "manifests"}, []string{"golang.org/x/sync"}},
	{5, "dist/catalog", []string{"dist", "dist/archive", "dist/channel", "dist/page", "dist/plot", "manifests"}, nil},
	{5, "dist/compose", []string{"dist", "dist/archive", "dist/channel", "manifests"}, []string{"golang.org/x/sync"}},
	{5, "dist/install", []string{"dist", "dist/archive", "dist/channel", "dist/installsh", "dist/layout", "dist/sign", "manifests", "targets", "targets/nearest"}, []string{"golang.org/x/sync"}},
	{5, "dist/installer", []string{"dist", "dist/archive", "dist/installsh", "manifests"}, nil},
	{5, "dist/recompress", []string{"dist", "dist/archive", "dist/store", "dist/xz", "manifests"}, []string{"golang.org/x/sync"}},
	{5, "dist/store/cloud", []string{"dist", "dist/store", "manifests"}, []string{"github.com/aws/aws-sdk-go-v2", "gocloud.dev"}},

	{6, "bootstrap/toolchain", []string{"bootstrap/builddir", "bootstrap/config", "bootstrap/lld", "bootstrap/marks", "bootstrap/programs", "dist", "dist/linkage", "dist/loader", "manifests", "targets"}, []string{"golang.org/x/sync"}},
	{6, "dist/mirror", []string{"bootstrap/toml", "dist/channel", "dist/sign", "dist/store", "manifests", "targets"}, []string{"golang.org/x/sync"}},
	{6, "dist/recompress/engine", []string{"dist/recompress"}, nil},
	{6, "dist/verify", []string{"bootstrap/lld", "bootstrap/marks", "bootstrap/toml", "dist", "dist/archive", "dist/channel", "dist/install", "dist/linkage", "dist/loader", "dist/page", "dist/recompress", "dist/sandbox", "dist/sign", "dist/source", "manifests", "targets", "targets/nearest"}, []string{"github.com/bmatcuk/doublestar/v4", "golang.org/x/sync"}},

	{7, "bootstrap", []string{"bootstrap/builddir", "bootstrap/config", "bootstrap/lld", "bootstrap/marks", "bootstrap/programs", "bootstrap/toml",
		"bootstrap/toolchain", "dist", "dist/archive", "dist/compose", "dist/install", "dist/recompress", "dist/source", "dist/store", "dist/xz", "manifests", "targets", "targets/nearest"}, nil},
	{7, "bootstrap/check", []string{"bootstrap/config", "bootstrap/lld", "bootstrap/marks", "bootstrap/programs", "bootstrap/toolchain", "dist", "targets"},
		[]string{"golang.org/x/sys"}},
	{7, "bootstrap/explain", []string{"bootstrap/cargoflags", "bootstrap/lld", "bootstrap/marks", "bootstrap/toolchain", "dist", "targets", "targets/link"}, nil},
	{7, "bootstrap/inventory", []string{"bootstrap/lld", "bootstrap/marks", "bootstrap/toolchain", "dist", "dist/archive", "dist/inspect", "dist/linkage", "dist/loader", "manifests", "targets", "targets/link"}, nil},
	{7, "bootstrap/linkbench", []string{"bootstrap/programs", "bootstrap/toolchain", "dist", "dist/linkage", "dist/measure", "dist/plot"}, nil},
	{7, "dist/diff", []string{"dist", "dist/archive", "dist/linkage", "manifests"}, nil},
	{7, "dist/publish", []string{"dist", "dist/channel", "dist/compose", "dist/sign", "dist/store", "dist/verify", "manifests", "targets"}, []string{"golang.org/x/sync"}},

	{8, "bootstrap/cli", []string{"bootstrap", "bootstrap/builddir", "bootstrap/cargoflags", "bootstrap/check", "bootstrap/config",
		"bootstrap/doctor", "bootstrap/explain", "bootstrap/inventory", "bootstrap/linkbench", "bootstrap/lld", "bootstrap/marks", "bootstrap/migrate", "bootstrap/optouts", "bootstrap/toolchain", "dist", "dist/archive", "dist/attest", "dist/bench", "dist/catalog", "dist/channel", "dist/compose", "dist/diff",
		"dist/inspect", "dist/install", "dist/installer", "dist/layout", "dist/linkage", "dist/measure", "dist/mirror", "dist/publish", "dist/recompress", "dist/recompress/engine", "dist/sandbox", "dist/sign", "dist/store", "dist/store/cloud", "dist/verify", "dist/xz", "manifests", "targets", "targets/link", "targets/nearest"},
		[]string{"github.com/rogpeppe/go-internal", "github.com/spf13/cobra", "github.com/spf13/pflag", "github.com/vbauerster/mpb/v8", "golang.org/x/term"}},

	{9, "", []string{"bootstrap/cli"}, nil}, // x.go
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
			if imp == "net/http" && p.ImportPath != module+"/dist/channel" {
				t.Errorf("package %s imports net/http: servers are asked by dist/channel, which bounds what they send, and how long", p.ImportPath)
			}
			if !strings.Contains(strings.Split(imp, "/")[0], ".") {
				continue // standard library
			}
			grant := grantOf(l.own, l.foreign, imp, module)
			if grant == "" {
				t.Errorf("package %s imports %s: its layer may import %v and %v", p.ImportPath, imp, l.own, l.foreign)
			} else if above, own := index[imp]; own && layers[above].floor >= l.floor {
				t.Errorf("package %s imports %s, which is not on a lower floor", p.ImportPath, imp)
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
