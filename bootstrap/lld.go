package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"x.go/bootstrap/config"
	"x.go/bootstrap/lld"
	"x.go/bootstrap/programs"
	"x.go/dist"
)

// decideLLDStep is the step that decides what becomes of LLD. It fails where the
// configuration asks for what the input cannot give.
type decideLLDStep struct{}

// String names the step in plans and errors.
func (decideLLDStep) String() string { return "DecideLLD" }

// Run implements [step]. It tells the decision's warnings and notes.
func (decideLLDStep) Run(ctx context.Context, b *Builder) (lld.Outcome, error) {
	facts, err := b.tc.LLDFacts(ctx, b.cfg)
	if err != nil {
		return lld.Outcome{}, err
	}
	d, err := lld.Decide(b.cfg, facts)
	if err != nil {
		return lld.Outcome{}, err // it names keys and places
	}
	for _, f := range d.Findings {
		b.note("%s%s: %s", b.hostPrefix(), f.Key, f.Text())
	}
	return d.Outcome, nil
}

// rustLLDStep is the step that provides the file rust-lld.
type rustLLDStep struct{}

// String names the step in plans and errors.
func (rustLLDStep) String() string { return "RustLLD" }

// Run implements [step]. The image is empty if LLD is not shipped.
func (rustLLDStep) Run(ctx context.Context, b *Builder) (dist.Image, error) {
	decided, err := ensure(ctx, b, decideLLDStep{})
	if err != nil {
		return dist.Image{}, err
	}
	var img dist.Image
	if !decided.Shipped {
		return img, nil
	}
	name := dist.LLDFile(b.tc.Host.String(), b.tc.Spec.ExeSuffix)
	err = img.AddFile(name, b.tc.RustLLD(b.cfg))
	if err != nil && b.cfg.X.LLD.Binary != "" {
		err = fmt.Errorf("%w: correct lld.binary", err)
	}
	return img, err
}

// lldWrapperStep is the step that provides the programs in gcc-ld.
type lldWrapperStep struct{}

// String names the step in plans and errors.
func (lldWrapperStep) String() string { return "LLDWrapper" }

// Run implements [step]. The image is empty if there is to be no gcc-ld.
func (lldWrapperStep) Run(ctx context.Context, b *Builder) (dist.Image, error) {
	decided, err := ensure(ctx, b, decideLLDStep{})
	if err != nil {
		return dist.Image{}, err
	}
	var img dist.Image
	add := img.AddFile
	file := b.tc.Path
	switch decided.Wrapper {
	case lld.WrapperNone:
		return img, nil
	case lld.WrapperKept:
	case lld.WrapperGiven:
		file = func(string) string { return b.cfg.X.LLD.Wrapper }
	case lld.WrapperBuilt, lld.WrapperShim:
		mode := programs.WrapperLLD
		if decided.Wrapper == lld.WrapperShim {
			mode = programs.WrapperSystem // where no system linker can stand in for a flavor, it says so
		}
		built, err := b.buildWrapper(ctx, mode)
		if err != nil {
			return img, err
		}
		file = func(string) string { return built }
		add = func(name, from string) error { return b.addBuilt(&img, name, from) }
	default:
		return img, fmt.Errorf("assembling gcc-ld: unknown kind of wrapper %q", decided.Wrapper)
	}
	for _, name := range dist.WrapperFiles(b.tc.Host.String(), b.tc.Spec.ExeSuffix) {
		if err := add(name, file(name)); err != nil {
			return dist.Image{}, err
		}
	}
	return img, nil
}

// buildWrapper builds the gcc-ld program for the toolchain's host.
func (b *Builder) buildWrapper(ctx context.Context, mode programs.WrapperMode) (string, error) {
	x := b.cfg.X.LLD
	p := programs.Build{Name: programs.LLDWrapper, Settings: []programs.Setting{{Name: "mode", Value: string(mode)}}}
	if x.SiteWrapper != "" {
		p.Settings = append(p.Settings, programs.Setting{Name: "site", Value: x.SiteWrapper})
	}
	bounds, jobserver := b.threads(mode)
	if jobserver {
		p.Settings = append(p.Settings, programs.Setting{Name: "jobserver", Value: "yes"})
	}
	if bounds != "" {
		p.Settings = append(p.Settings, programs.Setting{Name: "threads", Value: bounds})
	}
	return b.buildProgram(ctx, p, string(mode))
}

// threads returns what the gcc-ld program of a mode is to bound the threads of LLD by:
// the words of [config.Threads] but one, "" for none, and whether it is to know
// jobservers.
func (b *Builder) threads(mode programs.WrapperMode) (bounds string, jobserver bool) {
	if mode != programs.WrapperLLD {
		return "", false
	}
	all := b.cfg.X.LLD.Bounds()
	return string(all.Without(config.ThreadsJobserver)), all.Has(config.ThreadsJobserver) && programs.HasJobserver(b.tc.Spec)
}

// buildProgram builds p for the toolchain's host under a file name of its kind.
func (b *Builder) buildProgram(ctx context.Context, p programs.Build, file string) (string, error) {
	p.Host = b.tc.Spec
	dir := path.Join(b.tc.Host.String(), programDirs[p.Name])
	p.Out = filepath.Join(b.buildDir, dir, file+b.tc.Spec.ExeSuffix)
	verb, object := "write", p.Name
	if p.Compiles() {
		verb, object = "run", "go build "+p.Name
	}
	if !b.act(verb, object, p.String()) {
		return p.Out, nil
	}
	if _, err := b.dir.Claim(dir); err != nil {
		return "", err
	}
	return p.Out, p.Run(ctx, b.env)
}

// addBuilt adds a file that a step of this run built. In a dry run it was not
// built, and an empty file stands for it.
func (b *Builder) addBuilt(img *dist.Image, name, from string) error {
	if _, err := os.Stat(from); b.dryRun && errors.Is(err, os.ErrNotExist) {
		b.unbuilt = name
		return img.AddBytes(name, nil, dist.ModeExec)
	}
	return img.AddFile(name, from)
}
