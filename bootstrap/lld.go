package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"x.go/bootstrap/config"
	"x.go/dist"
	"x.go/targets"
)

// LLD is what becomes of LLD in the sysroot: three facts that rust.lld and its
// neighbours decide separately.
type LLD struct {
	Shipped bool        `json:"shipped"` // rust-lld is in the sysroot
	Default bool        `json:"default"` // a plain link of the host uses it
	Wrapper WrapperKind `json:"wrapper"` // what gcc-ld holds
	Rule    config.Rule `json:"rule"`    // the rule of the configuration that decided
}

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

// DecideLLD is the step that decides what becomes of LLD. It fails where the
// configuration asks for what the input cannot give.
type DecideLLD struct{}

func (DecideLLD) String() string { return "DecideLLD" }

// Run implements [Step].
func (DecideLLD) Run(_ context.Context, b *Builder) (LLD, error) {
	host := b.Toolchain.Host
	release, err := targets.ParseRelease(b.Toolchain.Release.Version)
	if err != nil {
		return LLD{}, err
	}
	want, err := b.Config.LLD(config.LLDInput{Release: release, Channel: b.Toolchain.Release.Channel, Hosts: b.hosts()})
	if err != nil {
		return LLD{}, err
	}
	exe := b.Toolchain.Spec.ExeSuffix
	in := lldInput{baked: b.Toolchain.BakedLLD(), rustLLD: b.inputHas(dist.LLDFile(host.String(), exe)), wrappers: true}
	for _, w := range dist.WrapperFiles(host.String(), exe) {
		in.wrappers = in.wrappers && b.inputHas(w)
	}
	lld, notes, err := decideLLD(want, host, b.Config, in)
	if err != nil {
		return LLD{}, err
	}
	for _, n := range notes {
		b.note("%s", n)
	}
	return lld, nil
}

// lldInput is what the input sysroot has of LLD.
type lldInput struct {
	baked    bool // the compiler was built to use it by default
	rustLLD  bool // rust-lld is there
	wrappers bool // all gcc-ld programs are there
}

// decideLLD reconciles what the configuration wants with what the input has.
func decideLLD(want config.LLDDecision, host targets.Triple, cfg config.Config, in lldInput) (lld LLD, notes []string, err error) {
	x := cfg.X.LLD
	asked := x.SiteWrapper != "" || x.Jobserver // of features that only our own program has
	if err := checkWrapper(x, asked); err != nil {
		return LLD{}, nil, err
	}
	lld = LLD{Shipped: want.Shipped, Default: want.Default[host] == config.DefaultSelfContainedLLD, Rule: want.Rule}
	if !lld.Shipped && in.rustLLD && cfg.Rust.LLD == config.Unset && (want.Rule == config.RuleNoDefaultHost || want.Rule == config.RuleBeforeDefaults) {
		// x.py would not have built LLD unasked, but somebody has.
		lld.Shipped, lld.Default = true, in.baked
	}
	if lld.Shipped && !in.rustLLD && x.Binary == "" {
		if cfg.Rust.LLD == config.True || in.baked {
			return LLD{}, nil, errors.New("assembling the sysroot: the input has no rust-lld: name one with lld.binary in x.toml, or set rust.lld = false")
		}
		notes = append(notes, "the input has no rust-lld, so none is shipped; set rust.lld = true and lld.binary in x.toml to ship one")
		lld.Shipped, lld.Default = false, false
	}
	switch {
	case in.baked && !lld.Default:
		if x.BakedDefault == config.BakedDefaultError {
			return LLD{}, nil, errors.New("assembling the sysroot: rust.lld = false, but the compiler was built to link with LLD by default, and lld.baked-default = \"error\" refuses that: give a compiler that was built with rust.lld = false, or set lld.baked-default = \"shim\"")
		}
		lld.Wrapper = WrapperShim
		notes = append(notes, "the compiler was built to link with LLD: gcc-ld runs the system linker instead")
	case !lld.Shipped:
		lld.Wrapper = WrapperNone
	case x.Wrapper == "keep" && in.wrappers && !asked:
		lld.Wrapper = WrapperKept
	case x.Wrapper == "keep" || x.Wrapper == "build":
		lld.Wrapper = WrapperBuilt
	default:
		lld.Wrapper = WrapperGiven
	}
	if lld.Default && !in.baked {
		lld.Default = false
		notes = append(notes, "the compiler was built to use the system linker: LLD is shipped but is not its default; programs can opt in with -Clink-arg=-fuse-ld=lld")
	}
	return lld, notes, nil
}

// checkWrapper refuses settings of x.toml that contradict each other or that
// the linker's command line cannot carry.
func checkWrapper(x config.XLLD, asked bool) error {
	switch {
	case asked && x.Wrapper != "keep" && x.Wrapper != "build":
		return fmt.Errorf("assembling gcc-ld: lld.wrapper = %q is a program of its own, which lld.site-wrapper and lld.jobserver can't change: set lld.wrapper = \"build\"", x.Wrapper)
	case x.SiteWrapper != "" && (!filepath.IsAbs(x.SiteWrapper) || strings.ContainsAny(x.SiteWrapper, "'\n")):
		return fmt.Errorf("assembling gcc-ld: lld.site-wrapper %q: want an absolute path without quotes or line breaks", x.SiteWrapper)
	case x.BakedDefault == config.BakedDefaultLauncher:
		return errors.New("assembling the sysroot: lld.baked-default = \"launcher\" is not built yet: set \"shim\" or \"error\"")
	}
	return nil
}

// RustLLD is the step that provides the file rust-lld.
type RustLLD struct{}

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
	goos, goarch, err := wrapperPlatform(b.Toolchain.Spec)
	if err != nil {
		return "", err
	}
	x := b.Config.X.LLD
	w := wrapperBuild{
		goos: goos, goarch: goarch, mode: mode, site: x.SiteWrapper, jobserver: x.Jobserver,
		out: filepath.Join(b.BuildDir, b.Toolchain.Host.String(), wrapperDir, string(mode)+b.Toolchain.Spec.ExeSuffix),
	}
	if !b.act("run", "go build lldwrapper", w.String()) {
		return w.out, nil
	}
	if _, err := b.claim(filepath.Dir(w.out)); err != nil {
		return "", err
	}
	return w.out, w.build(ctx, b.Env)
}

// addBuilt adds a file that a step of this run made. In a dry run it was not
// made, and an empty file stands for it.
func (b *Builder) addBuilt(img *dist.Image, name, from string) error {
	if _, err := os.Stat(from); b.DryRun && errors.Is(err, os.ErrNotExist) {
		return img.AddBytes(name, nil, dist.ModeExec)
	}
	return img.AddFile(name, from)
}
