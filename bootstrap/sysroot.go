package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"

	"x.go/bootstrap/lld"
	"x.go/bootstrap/toolchain"
	"x.go/dist"
)

// SysrootDir is where the assembled sysroot is.
func (b *Builder) SysrootDir() string { return filepath.Join(b.buildDir, b.stageDir()) }

// stageDir is [Builder.SysrootDir] inside the build directory.
func (b *Builder) stageDir() string { return path.Join(b.tc.Host.String(), "stage2") }

// linked is the toolchain with LLD as configured, and what it needs beside its files.
type linked struct {
	components []toolchain.InputComponent
	libraries  toolchain.Libraries
}

// linkedStep is the step that puts LLD as configured into the input's components. It
// writes nothing but programs that it builds.
type linkedStep struct{}

// String names the step in plans and errors.
func (linkedStep) String() string { return "WithLLD" }

// Run implements [step]. It tells what the toolchain needs beside its files.
func (linkedStep) Run(ctx context.Context, b *Builder) (linked, error) {
	components, err := b.tc.WithoutLLD(b.input.Components)
	if err != nil {
		return linked{}, err
	}
	i := b.compiler(components)
	if components[i].Image, err = withLLD(ctx, b, components[i].Image); err != nil {
		return linked{}, err
	}
	libraries := b.tc.ReadLibraries(components)
	for _, f := range slices.Concat(b.tc.Findings(), b.input.Findings, libraries.Findings(b.tc.Sysroot)) {
		b.tellFinding(f)
	}
	return linked{libraries.WithLibraries(components), libraries}, nil
}

// compiler returns the index of the host's component rustc.
func (b *Builder) compiler(components []toolchain.InputComponent) int {
	return slices.IndexFunc(components, func(c toolchain.InputComponent) bool {
		return c.Spec.Archive == "rustc" && c.Target == b.tc.Host
	})
}

// assembleStep is the step that builds the components of the output toolchain: the
// input's, with LLD as configured, the build record and the launcher.
type assembleStep struct{}

// String names the step in plans and errors.
func (assembleStep) String() string { return "Assemble" }

// Run implements [step].
func (assembleStep) Run(ctx context.Context, b *Builder) ([]toolchain.InputComponent, error) {
	l, err := ensure(ctx, b, linkedStep{})
	if err != nil {
		return nil, err
	}
	components := slices.Clone(l.components)
	i := b.compiler(components)
	if components[i].Image, err = withRecord(ctx, b, components[i].Image); err != nil {
		return nil, err
	}
	return components, withLauncher(ctx, b, components)
}

// judge decides what becomes of a component, and tells it if that is not the usual.
func (b *Builder) judge(c toolchain.InputComponent, wanted, asked bool) (packed bool, err error) {
	v := c.Judge(b.tc, wanted, asked)
	if v.Finding != nil {
		b.tellOnce(*v.Finding)
	}
	return v.Packed, v.Err
}

// sysrootStep is the step that stages the assembled toolchain in
// [Builder.SysrootDir], and returns that directory.
type sysrootStep struct{}

// String names the step in plans and errors.
func (sysrootStep) String() string { return "Sysroot" }

// Run implements [step].
func (sysrootStep) Run(ctx context.Context, b *Builder) (string, error) {
	components, err := ensure(ctx, b, assembleStep{})
	if err != nil {
		return "", err
	}
	var whole dist.Image
	var errs []error
	for _, c := range components {
		wanted := c.Wanted(b.cfg, b.tc.Host)
		packed, err := b.judge(c, wanted, false)
		if errs = append(errs, err); !packed && (wanted || len(c.Broken) > 0) {
			continue
		}
		if err := whole.Merge(c.Image); err != nil {
			return "", fmt.Errorf("assembling the sysroot: %w", err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return "", err
	}
	dir := b.SysrootDir()
	if dir == b.tc.Sysroot {
		return "", fmt.Errorf("assembling the sysroot: the input %q is also where the result goes: choose another directory with --build-dir", dir)
	}
	if !b.act("install", dir, fmt.Sprintf("%d files, %s", whole.Len(), FormatSize(whole.Size()))) {
		return dir, nil
	}
	own, err := b.dir.Claim(b.stageDir())
	if err != nil {
		return "", err
	}
	if !own {
		return "", fmt.Errorf("assembling the sysroot: %q was there before x and may be x.py's: choose another directory with --build-dir", dir)
	}
	return dir, b.dir.Stage(ctx, whole, b.stageDir())
}

// withLLD returns rustc's image, which has no LLD, with LLD as configured, checked by the rules.
func withLLD(ctx context.Context, b *Builder, rustc dist.Image) (dist.Image, error) {
	decided, err := ensure(ctx, b, decideLLDStep{})
	if err != nil {
		return dist.Image{}, err
	}
	rustLLD, err := ensure(ctx, b, rustLLDStep{})
	if err != nil {
		return dist.Image{}, err
	}
	wrapper, err := ensure(ctx, b, lldWrapperStep{})
	if err != nil {
		return dist.Image{}, err
	}
	host, exe := b.tc.Host.String(), b.tc.Spec.ExeSuffix
	img := rustc.Clone()
	if err := errors.Join(img.Merge(rustLLD), img.Merge(wrapper)); err != nil {
		return dist.Image{}, fmt.Errorf("assembling the sysroot: %w", err)
	}
	if findings := dist.Check(img, lldRules(decided, host, exe)); len(findings) > 0 {
		return dist.Image{}, fmt.Errorf("checking the sysroot's LLD: %w", errors.Join(findings...))
	}
	return img, nil
}

// lldRules returns what must hold of the files of a sysroot with this LLD.
func lldRules(decided lld.Outcome, host, exe string) []dist.Rule {
	switch {
	case decided.Shipped:
		return dist.RequireLLD(host, exe)
	case decided.Wrapper == lld.WrapperNone:
		return append(dist.ForbidLLD(host, exe), dist.ForbidWrappers(host)...)
	}
	return append(dist.ForbidLLD(host, exe), dist.RequireWrappers(host, exe)...)
}
