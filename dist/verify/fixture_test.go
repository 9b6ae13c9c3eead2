package verify_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"x.go/dist"
	"x.go/manifests"
	"x.go/targets"
	"x.go/tests/testenv"
)

// scratch holds what tests share; TestMain removes it.
var scratch = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "x-verify-test-") })

func TestMain(m *testing.M) {
	code := testenv.Main(m)
	if dir, err := scratch(); err == nil {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// compiler is the toolchain that the rustc on PATH belongs to.
type compiler struct {
	sysroot string
	host    targets.Triple
	version manifests.Version
}

var thisCompiler = sync.OnceValues(func() (compiler, error) {
	out, err := exec.Command("rustc", "-vV").Output()
	if err != nil {
		return compiler{}, err
	}
	says, err1 := manifests.ParseRustc(string(out))
	out, err2 := exec.Command("rustc", "--print", "sysroot").Output()
	return compiler{strings.TrimSpace(string(out)), says.Host, says.Version}, errors.Join(err1, err2)
})

// pack makes the package of one component of the toolchain, from the list that
// rustup installed it by.
func (c compiler) pack(archive string) (dist.Package, error) {
	spec, ok := manifests.LookupComponent(archive)
	if !ok {
		return dist.Package{}, fmt.Errorf("no component %q", archive)
	}
	list, err := os.ReadFile(filepath.Join(c.sysroot, "lib/rustlib/manifest-"+spec.InstalledName(c.host)))
	if err != nil {
		return dist.Package{}, err
	}
	lines, err := manifests.ParseFileList(list)
	if err != nil {
		return dist.Package{}, err
	}
	comp := dist.Component{Name: spec.Dir(c.host), BulkDirs: spec.BulkDirs}
	for _, d := range lines {
		path := filepath.Join(c.sysroot, filepath.FromSlash(d.Path))
		if d.Kind == manifests.DirDirective {
			err = comp.Image.AddTree(d.Path, path, nil)
		} else {
			err = comp.Image.AddFile(d.Path, path)
		}
		if err != nil {
			return dist.Package{}, err
		}
	}
	p := dist.Package{
		Name:       spec.PackageName(c.version.PackageVersion(), c.host),
		Components: []dist.Component{comp}, Product: spec.Product, SuccessMessage: spec.SuccessMessage(),
	}
	err = errors.Join(
		p.Overlay.AddBytes("version", []byte(c.version.String()), dist.ModeFile),
		p.Overlay.AddBytes("git-commit-hash", []byte(c.version.CommitHash), dist.ModeFile))
	return p, err
}
