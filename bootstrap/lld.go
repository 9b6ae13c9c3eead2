package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"x.go/bootstrap/config"
	"x.go/dist"
)

// LLD is what becomes of LLD in the sysroot: facts that rust.lld and its
// neighbours decide separately.
type LLD struct {
	Shipped  bool         `json:"shipped"`  // rust-lld is in the sysroot
	Default  bool         `json:"default"`  // a plain link of the host uses it
	Wrapper  WrapperKind  `json:"wrapper"`  // what gcc-ld holds
	Launcher LauncherKind `json:"launcher"` // what stands before rustc and clippy-driver
	Rule     config.Rule  `json:"rule"`     // the rule of the configuration that decided
}

// overrides reports whether the toolchain links otherwise than its compiler was
// built to.
func (l LLD) overrides() bool { return l.Wrapper == WrapperShim || l.Launcher != LauncherNone }

// WrapperKind says where the programs in gcc-ld come from.
type WrapperKind string

// The kinds of gcc-ld programs.
const (
	WrapperNone  WrapperKind = "none"  // there is no gcc-ld
	WrapperKept  WrapperKind = "kept"  // the input's own
	WrapperBuilt WrapperKind = "built" // built from package lldwrapper
	WrapperGiven WrapperKind = "given" // the program that x.toml names
	// WrapperShim runs the system linker: for a compiler that was built to use
	// LLD, in a toolchain that must not.
	WrapperShim WrapperKind = "shim"
)

// LauncherKind says which linker the launcher makes the host's default.
type LauncherKind string

// The kinds of launchers, see package launcher.
const (
	LauncherNone   LauncherKind = "none"   // there is no launcher
	LauncherSystem LauncherKind = "system" // the compiler was built to use LLD
	LauncherLLD    LauncherKind = "lld"    // the compiler was built to use the system linker
)

// RustLLD is the step that provides the file rust-lld.
type RustLLD struct{}

// String names the step in plans and errors.
func (RustLLD) String() string { return "RustLLD" }

// Run implements [Step]. The image is empty if LLD is not shipped.
func (RustLLD) Run(ctx context.Context, b *Builder) (dist.Image, error) {
	lld, err := Ensure(ctx, b, DecideLLD{})
	if err != nil {
		return dist.Image{}, err
	}
	var img dist.Image
	if !lld.Shipped {
		return img, nil
	}
	name := dist.LLDFile(b.Toolchain.Host.String(), b.Toolchain.Spec.ExeSuffix)
	from := b.Config.X.LLD.Binary
	if from == "" {
		from = filepath.Join(b.Toolchain.Sysroot, filepath.FromSlash(name))
	}
	if err := img.AddFile(name, from); err != nil {
		return dist.Image{}, err
	}
	return img, nil
}

// LLDWrapper is the step that provides the programs in gcc-ld.
type LLDWrapper struct{}

// String names the step in plans and errors.
func (LLDWrapper) String() string { return "LLDWrapper" }

// Run implements [Step]. The image is empty if there is to be no gcc-ld.
func (LLDWrapper) Run(ctx context.Context, b *Builder) (dist.Image, error) {
	lld, err := Ensure(ctx, b, DecideLLD{})
	if err != nil {
		return dist.Image{}, err
	}
	var img dist.Image
	host, exe := b.Toolchain.Host.String(), b.Toolchain.Spec.ExeSuffix
	add := func(source string, names ...string) error {
		for _, n := range names {
			from := source
			if from == "" {
				from = filepath.Join(b.Toolchain.Sysroot, filepath.FromSlash(n))
			}
			if err := b.addBuilt(&img, n, from); err != nil {
				return err
			}
		}
		return nil
	}
	names := dist.WrapperFiles(host, exe)
	switch lld.Wrapper {
	case WrapperNone:
		return img, nil
	case WrapperKept:
		return img, add("", names...)
	case WrapperGiven:
		return img, add(b.Config.X.LLD.Wrapper, names...)
	case WrapperBuilt:
		built, err := b.buildWrapper(ctx, WrapperLLD)
		if err != nil {
			return img, err
		}
		return img, add(built, names...)
	case WrapperShim:
		built, err := b.buildWrapper(ctx, WrapperSystem)
		if err != nil {
			return img, err
		}
		// Where no system linker can stand in for a flavor, the shim says so.
		return img, add(built, names...)
	}
	return img, fmt.Errorf("assembling gcc-ld: unknown kind of wrapper %q", lld.Wrapper)
}

// buildWrapper builds the gcc-ld program for the toolchain's host.
func (b *Builder) buildWrapper(ctx context.Context, mode WrapperMode) (string, error) {
	x := b.Config.X.LLD
	p := programBuild{name: lldWrapper, vars: []variable{{"mode", string(mode)}}}
	if x.SiteWrapper != "" {
		p.vars = append(p.vars, variable{"site", x.SiteWrapper})
	}
	if x.Jobserver {
		p.tag = "jobserver"
	}
	return b.buildProgram(ctx, p, string(mode))
}

// buildProgram builds p for the toolchain's host under a file name of its kind.
func (b *Builder) buildProgram(ctx context.Context, p programBuild, file string) (string, error) {
	var err error
	if p.goos, p.goarch, err = programPlatform(b.Toolchain.Spec); err != nil {
		return "", err
	}
	p.out = filepath.Join(b.BuildDir, b.Toolchain.Host.String(), programDirs[p.name], file+b.Toolchain.Spec.ExeSuffix)
	if !b.act("run", "go build "+p.name, p.String()) {
		return p.out, nil
	}
	if _, err := b.claim(filepath.Dir(p.out)); err != nil {
		return "", err
	}
	return p.out, p.build(ctx, b.Env)
}

// addBuilt adds a file that a step of this run made. In a dry run it was not
// made, and an empty file stands for it.
func (b *Builder) addBuilt(img *dist.Image, name, from string) error {
	if _, err := os.Stat(from); b.DryRun && errors.Is(err, os.ErrNotExist) {
		return img.AddBytes(name, nil, dist.ModeExec)
	}
	return img.AddFile(name, from)
}
