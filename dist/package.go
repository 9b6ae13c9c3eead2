package dist

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"x.go/dist/installsh"
	"x.go/manifests"
)

// Component is an image with the name that it is installed by.
type Component struct {
	// Name is that of the directory in the archive, such as "rustc",
	// "rust-std-x86_64-unknown-linux-gnu" or "clippy-preview".
	Name  string
	Image Image
	// BulkDirs are directories of Image that the manifest lists as a whole,
	// with no line for a file inside, such as "share/doc/rust/html".
	BulkDirs []string
}

// Validate returns all reasons why c cannot be packaged.
func (c Component) Validate() error {
	var errs []error
	if err := manifests.CheckComponentName(c.Name); err != nil {
		errs = append(errs, fmt.Errorf("component name %q: %w", c.Name, err))
	}
	if len(c.Manifest()) == 0 { // rustup would install nothing
		errs = append(errs, errors.New("component has no files"))
	}
	for _, dir := range c.BulkDirs {
		if !c.Image.HasDir(dir) {
			errs = append(errs, fmt.Errorf("bulk directory %q is not in the image", dir))
		}
		if c.InBulkDir(dir) {
			errs = append(errs, fmt.Errorf("bulk directory %q is inside another", dir))
		}
	}
	return errors.Join(errs...)
}

// Manifest returns manifest.in: a line for each bulk directory, then one for each
// file outside of them, both sorted. Other directories have none, as in rust-installer.
func (c Component) Manifest() manifests.FileList {
	var m manifests.FileList
	for _, dir := range slices.Compact(slices.Sorted(slices.Values(c.BulkDirs))) {
		if c.Image.HasDir(dir) {
			m = append(m, manifests.Directive{Kind: manifests.DirDirective, Path: dir})
		}
	}
	for e := range c.Image.Entries() {
		if !e.IsDir() && !c.InBulkDir(e.Name) {
			m = append(m, manifests.Directive{Kind: manifests.FileDirective, Path: e.Name})
		}
	}
	return m
}

// InBulkDir reports whether name is inside one of c's bulk directories.
func (c Component) InBulkDir(name string) bool {
	return slices.ContainsFunc(c.BulkDirs, func(dir string) bool { return strings.HasPrefix(name, dir+"/") })
}

// Package is the content of one dist archive. A combined archive, such as
// rust-1.95.0-x86_64-unknown-linux-gnu, is a Package of several components with the
// same images as in their own archives.
type Package struct {
	// Name is the top directory and the stem of the file name, such as
	// "rustc-1.95.0-x86_64-unknown-linux-gnu".
	Name string
	// Components in the order of the file "components", which is the order of
	// installation. Upstream puts rustc before rust-std.
	Components []Component
	// Overlay holds the files beside install.sh: version, git-commit-hash,
	// git-commit-info and licences. They are not installed.
	Overlay Image
	// Product and SuccessMessage go into install.sh, such as "Rust" and "rustc
	// installed."; see [installsh.Options] for the defaults.
	Product, SuccessMessage string
}

// RecordsDir is the directory of the records of an installation, below libdir.
const RecordsDir = "rustlib"

// Script returns install.sh of the package, configured as x.py does
// (src/bootstrap/src/utils/tarball.rs).
func (p Package) Script() ([]byte, error) {
	return installsh.Script(installsh.Options{
		Product:            p.Product,
		SuccessMessage:     p.SuccessMessage,
		RelManifestDir:     RecordsDir,
		LegacyManifestDirs: []string{RecordsDir, "cargo"},
	})
}

// Image returns the whole tree of the archive, top directory included, as
// rust-installer's generate and combine lay it out. It reports all problems of the
// package at once.
func (p Package) Image() (Image, error) {
	top, err := p.tree()
	if err != nil {
		return Image{}, fmt.Errorf("assembling package %q: %w", p.Name, err)
	}
	img, err := top.Prefix(p.Name)
	if err != nil {
		return Image{}, fmt.Errorf("assembling package %q: %w", p.Name, err)
	}
	return img, nil
}

func (p Package) tree() (Image, error) {
	var errs []error
	note := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	note(CheckElement(p.Name))
	if len(p.Components) == 0 {
		note(errors.New("package has no components"))
	}
	script, err := p.Script()
	note(err)

	top := p.Overlay.Clone()
	var names []string
	for _, c := range p.Components {
		if err := c.Validate(); err != nil {
			note(fmt.Errorf("component %q: %w", c.Name, err))
			continue
		}
		names = append(names, c.Name)
		if top.HasDir(c.Name) {
			note(fmt.Errorf("component %q: the name is taken by another component or the overlay", c.Name))
			continue
		}
		tree, err := c.Image.Prefix(c.Name)
		note(err)
		note(tree.AddBytes(c.Name+"/"+manifests.ManifestFile, c.Manifest().Encode(), ModeFile))
		note(top.Merge(tree))
	}
	for _, err := range CheckOwners(p.Components) {
		note(err)
	}
	note(top.AddBytes(manifests.ComponentsFile, manifests.EncodeComponentNames(names...), ModeFile))
	note(top.AddBytes(manifests.VersionFile, []byte(manifests.InstallerVersion+"\n"), ModeFile))
	note(top.AddBytes(installsh.FileName, script, ModeExec))
	return top, errors.Join(errs...)
}
