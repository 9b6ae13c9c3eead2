package tests

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"x.go/tests/testenv"
)

// TestExports finds exported names without a user: another package, a test of
// another package, or an Example of their own. These count as used without one:
// what satisfies an interface, types of what is used, the constants of a used
// type, and fields, which stand with their struct.
func TestExports(t *testing.T) {
	u := newUses(t)
	for _, p := range u.listed {
		u.check(p)
	}
	exports := u.exports()
	for _, name := range slices.Sorted(maps.Keys(exports)) {
		if !u.used[exports[name]] {
			t.Errorf("%s has no user outside its package: unexport it, delete it, or give it an Example", name)
		}
	}
}

type exportsPackage struct {
	ImportPath, Name, Dir, Export      string
	GoFiles, TestGoFiles, XTestGoFiles []string
	Standard                           bool
	Module                             *struct{ Main bool }
	checked                            *types.Package
	files                              []*ast.File
}

func (p *exportsPackage) own() bool { return p.Module != nil && p.Module.Main }

// uses holds the packages of the module, type-checked from source as one whole,
// and the rest from the compiler's export data.
type uses struct {
	t      *testing.T
	fset   *token.FileSet
	byPath map[string]*exportsPackage
	listed []*exportsPackage // of the module
	gc     types.Importer
	used   map[types.Object]bool
	seen   []*types.Package
}

func newUses(t *testing.T) *uses {
	cmd := exec.Command(testenv.Need(t, "go"), "list", "-deps", "-test", "-export", "-json=ImportPath,Name,Dir,Export,GoFiles,TestGoFiles,XTestGoFiles,Standard,Module", "../...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	u := &uses{t: t, fset: token.NewFileSet(), byPath: map[string]*exportsPackage{}, used: map[types.Object]bool{}}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		p := &exportsPackage{}
		if err := dec.Decode(p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(p.ImportPath, " ") || strings.HasSuffix(p.ImportPath, ".test") {
			continue // a variant for tests
		}
		u.byPath[p.ImportPath] = p
		if p.own() {
			u.listed = append(u.listed, p)
		}
	}
	u.gc = importer.ForCompiler(u.fset, "gc", func(path string) (io.ReadCloser, error) {
		if p := u.byPath[path]; p != nil && p.Export != "" {
			return os.Open(p.Export)
		}
		return nil, fmt.Errorf("no export data of %s", path)
	})
	return u
}

// Import implements [types.Importer].
func (u *uses) Import(path string) (*types.Package, error) {
	p := u.byPath[path]
	if p == nil || !p.own() {
		pkg, err := u.gc.Import(path)
		if err == nil && !slices.Contains(u.seen, pkg) {
			u.seen = append(u.seen, pkg)
		}
		return pkg, err
	}
	if p.checked == nil {
		p.files = u.parse(p.Dir, p.GoFiles)
		p.checked = u.typeCheck(path, p.files, func(*ast.Ident) bool { return false })
		u.seen = append(u.seen, p.checked)
	}
	return p.checked, nil
}

func (u *uses) parse(dir string, names []string) []*ast.File {
	var files []*ast.File
	for _, name := range names {
		f, err := parser.ParseFile(u.fset, filepath.Join(dir, name), nil, 0)
		if err != nil {
			u.t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

// typeCheck notes what the files use of other packages; ownToo says of which
// identifiers a use of the package under test counts.
func (u *uses) typeCheck(path string, files []*ast.File, ownToo func(*ast.Ident) bool) *types.Package {
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	// Errors come only of test helpers that are not seen from outside.
	conf := types.Config{Importer: u, Error: func(error) {}}
	pkg, _ := conf.Check(path, u.fset, files, info)
	subject := strings.TrimSuffix(path, "_test")
	for id, obj := range info.Uses {
		if obj.Pkg() != nil && (obj.Pkg().Path() != subject || ownToo(id)) {
			u.use(obj)
		}
	}
	return pkg
}

// check type-checks a package and its tests.
func (u *uses) check(p *exportsPackage) {
	if _, err := u.Import(p.ImportPath); err != nil {
		u.t.Fatal(err)
	}
	if len(p.TestGoFiles) > 0 {
		u.typeCheck(p.ImportPath, u.parse(p.Dir, slices.Concat(p.GoFiles, p.TestGoFiles)), func(*ast.Ident) bool { return false })
	}
	files := u.parse(p.Dir, p.XTestGoFiles)
	u.typeCheck(p.ImportPath+"_test", files, func(id *ast.Ident) bool {
		for _, f := range files {
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Pos() <= id.Pos() && id.Pos() < fn.End() {
					return strings.HasPrefix(fn.Name.Name, "Example")
				}
			}
		}
		return false
	})
}

// use marks an object, and the types that its own type consists of.
func (u *uses) use(obj types.Object) {
	switch o := obj.(type) {
	case *types.Var:
		obj = o.Origin()
	case *types.Func:
		obj = o.Origin()
	}
	if obj.Pkg() == nil || u.used[obj] {
		return
	}
	u.used[obj] = true
	u.useType(obj.Type())
	if _, isType := obj.(*types.TypeName); isType {
		u.useType(obj.Type().Underlying())
	}
}

func (u *uses) useType(t types.Type) {
	switch t := t.(type) {
	case *types.Named:
		u.use(t.Origin().Obj())
		for arg := range t.TypeArgs().Types() {
			u.useType(arg)
		}
	case *types.Alias:
		u.use(t.Obj())
		u.useType(types.Unalias(t))
	case *types.Struct:
		for f := range t.Fields() {
			if f.Exported() {
				u.useType(f.Type())
			}
		}
	case *types.Map:
		u.useType(t.Key())
		u.useType(t.Elem())
	case interface{ Elem() types.Type }: // pointers, slices, arrays, channels
		u.useType(t.Elem())
	case *types.Signature:
		for _, tuple := range []*types.Tuple{t.Params(), t.Results()} {
			for v := range tuple.Variables() {
				u.useType(v.Type())
			}
		}
	}
}

// exports returns the exported names of the module's libraries that need a user,
// such as "dist.Image.Add".
func (u *uses) exports() map[string]types.Object {
	interfaces := u.interfaces()
	out := map[string]types.Object{}
	for _, p := range u.listed {
		if p.Name == "main" || strings.HasPrefix(p.ImportPath, "x.go/tests") {
			continue
		}
		scope, label := p.checked.Scope(), strings.TrimPrefix(p.ImportPath, "x.go/")+"."
		for _, name := range scope.Names() {
			obj := scope.Lookup(name)
			if !obj.Exported() || u.isWord(obj) {
				continue
			}
			out[label+name] = obj
			named, ok := obj.Type().(*types.Named)
			if _, isType := obj.(*types.TypeName); !ok || !isType {
				continue
			}
			for m := range named.Methods() {
				if m.Exported() && !satisfies(named, m, interfaces) {
					out[label+name+"."+m.Name()] = m
				}
			}
		}
	}
	return out
}

// isWord reports whether obj is a constant of a type that is used.
func (u *uses) isWord(obj types.Object) bool {
	named, ok := obj.Type().(*types.Named)
	_, isConst := obj.(*types.Const)
	return ok && isConst && u.used[named.Obj()]
}

// interfaces returns those of all packages seen, by their methods' names; nil
// stands for a generic one, of which the name must do.
func (u *uses) interfaces() map[string][]*types.Interface {
	found := map[string][]*types.Interface{}
	add := func(obj types.Object) {
		if i, ok := obj.Type().Underlying().(*types.Interface); ok {
			generic := i
			if named, ok := obj.Type().(*types.Named); ok && named.TypeParams().Len() > 0 {
				i, generic = nil, i
			}
			for m := range generic.Methods() {
				found[m.Name()] = append(found[m.Name()], i)
			}
		}
	}
	add(types.Universe.Lookup("error"))
	for _, path := range []string{"encoding", "encoding/json", "flag", "fmt", "io", "io/fs", "sort"} {
		if _, err := u.Import(path); err != nil {
			u.t.Fatal(err)
		}
	}
	for _, pkg := range u.seen {
		for _, name := range pkg.Scope().Names() {
			if obj, ok := pkg.Scope().Lookup(name).(*types.TypeName); ok {
				add(obj)
			}
		}
	}
	return found
}

// satisfies reports whether a method makes its type implement an interface.
func satisfies(named *types.Named, m *types.Func, interfaces map[string][]*types.Interface) bool {
	if slices.Contains([]string{"As", "Is", "IsZero", "Unwrap"}, m.Name()) {
		return true // packages errors and json ask for them without an interface that has a name
	}
	return slices.ContainsFunc(interfaces[m.Name()], func(i *types.Interface) bool {
		return i == nil || types.Implements(named, i) || types.Implements(types.NewPointer(named), i)
	})
}
