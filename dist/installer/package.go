package installer

import (
	"cmp"
	"context"
	"fmt"

	"x.go/dist"
	"x.go/dist/installsh"
	"x.go/manifests"
)

// Package is what [Generator] and [Combiner] have in common.
type Package struct {
	// Name is the top directory of the archives, and their name without extension.
	// Default "package".
	Name string
	// Script is install.sh of the package; its Output does not count.
	Script Scripter
	// Overlay is a directory of files to put beside install.sh, which are not
	// installed. "" is none, the default.
	Overlay string
	// WorkDir is where the package is laid out: WorkDir/Name. Default "./workdir".
	WorkDir string
	// OutputDir is where the archives go. Default "./dist".
	OutputDir string
	// Compression of the archives.
	Compression Compression
	// Dir is where relative paths begin; "" is the working directory. Errors show
	// paths as they were given.
	Dir string
}

// newPackage has the defaults of rust-installer.
func newPackage() Package {
	script := NewScripter()
	script.RelManifestDir = "packagelib"
	return Package{Name: "package", Script: script, WorkDir: "./workdir", OutputDir: "./dist", Compression: newCompression()}
}

// workspace is a package that is being laid out.
type workspace struct {
	Package
	place
	tree
	script  []byte
	overlay dist.Image
}

// prepare checks everything that can be known before anything is written.
func (p Package) prepare() (*workspace, error) {
	w := &workspace{Package: p, place: place(p.Dir)}
	w.name = under(p.WorkDir, p.Name)
	err := manifests.CheckMemberName(p.Name)
	if err != nil {
		return nil, fmt.Errorf("package name %q: %w", p.Name, err)
	}
	if w.script, err = p.Script.text(); err != nil {
		return nil, err
	}
	if p.Overlay == "" {
		return w, nil
	}
	w.overlay, err = w.input(p.Overlay, nil)
	return w, err
}

// input reads a tree that is going to be copied.
func (w *workspace) input(dir string, check func(name string) error) (dist.Image, error) {
	if err := cmp.Or(w.apart(w.name, dir), w.around(dir, w.name)); err != nil {
		return dist.Image{}, err
	}
	return w.read(dir, check)
}

// begin creates the empty directory of the package.
func (w *workspace) begin() error {
	err := w.createDirs(w.WorkDir)
	if err == nil {
		err = w.remove(w.name)
	}
	if err == nil {
		err = w.createDirs(w.name)
	}
	if err == nil {
		w.tree, err = w.open(w.name)
	}
	return err
}

// finish adds what all packages have and writes the archives.
func (w *workspace) finish(ctx context.Context, components ...string) error {
	if err := w.writeRecords(components...); err != nil {
		return err
	}
	if err := w.copyImage(ctx, "", w.Overlay, w.overlay); err != nil {
		return err
	}
	if err := w.write(installsh.FileName, w.script, 0o755); err != nil {
		return err
	}
	if err := w.createDirs(w.OutputDir); err != nil {
		return err
	}
	t := Tarballer{Input: w.Package.Name, Output: under(w.OutputDir, w.Package.Name), WorkDir: w.WorkDir, Compression: w.Compression, Dir: w.Dir}
	return t.Run(ctx)
}

// close closes the directory of the package, if it is open.
func (w *workspace) close() error {
	if w.root == nil {
		return nil
	}
	return w.root.Close()
}
