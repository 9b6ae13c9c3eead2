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

// assembleStep is the step that builds the components of the output toolchain: the
// input's, with LLD as configured. It writes nothing but programs that it
// builds.
type assembleStep struct{}

// String names the step in plans and errors.
func (assembleStep) String() string { return "Assemble" }

// Run implements [step].
func (assembleStep) Run(ctx context.Context, b *Builder) ([]toolchain.InputComponent, error) {
	components := slices.Clone(b.input.Components)
	rustc := slices.IndexFunc(components, func(c toolchain.InputComponent) bool {
		return c.Spec.Archive == "rustc" && c.Target == b.tc.Host
	})
	if rustc < 0 {
		return nil, fmt.Errorf("assembling the sysroot: %q has no component rustc for %s", b.tc.Sysroot, b.tc.Host)
	}
	img, err := withLLD(ctx, b, components[rustc].Image)
	if err != nil {
		return nil, err
	}
	if components[rustc].Image, err = withRecord(ctx, b, img); err != nil {
		return nil, err
	}
	return components, withLauncher(ctx, b, components)
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
	for _, c := range components {
		if err := whole.Merge(c.Image); err != nil {
			return "", fmt.Errorf("assembling the sysroot: %w", err)
		}
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

// withLLD returns rustc's image with LLD as configured, checked by the rules.
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
	if _, err := img.Remove(append(dist.WrapperFiles(host, exe), dist.LLDFile(host, exe))...); err != nil {
		return dist.Image{}, err
	}
	// A gcc-ld may hold names of an older rustc (ld, ld64), which nothing runs.
	if _, err := img.Remove("lib/rustlib/" + host + "/bin/gcc-ld"); err != nil {
		return dist.Image{}, err
	}
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
