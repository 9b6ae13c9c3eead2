package bootstrap

import (
	"context"
	"fmt"
	"slices"

	"x.go/bootstrap/lld"
	"x.go/bootstrap/programs"
	"x.go/bootstrap/toolchain"
	"x.go/dist"
)

// launched are the programs that a launcher stands before, by component: those
// that link. rustdoc has doctests compiled by bin/rustc.
var launched = []struct{ archive, program string }{{"rustc", "rustc"}, {"clippy", "clippy-driver"}}

// launcherStep is the step that provides the program that stands before rustc and
// clippy-driver.
type launcherStep struct{}

// String names the step in plans and errors.
func (launcherStep) String() string { return "Launcher" }

// Run implements [step]. It returns the program's path, or "" if there is to be
// none.
func (launcherStep) Run(ctx context.Context, b *Builder) (string, error) {
	decided, err := ensure(ctx, b, decideLLDStep{})
	if err != nil || decided.Launcher == lld.LauncherNone {
		return "", err
	}
	return b.buildProgram(ctx, programs.Build{Name: programs.Launcher, Settings: []programs.Setting{
		{Name: "linker", Value: string(decided.Launcher)}, {Name: "host", Value: b.tc.Host.String()},
	}}, string(decided.Launcher))
}

// withLauncher puts the launcher before the programs of the components that
// have one. Their own place is taken: each moves to libexec, from where it finds
// its libraries as it does from bin.
//
// cargo keeps what rustc said of itself for as long as bin/rustc, now the launcher,
// has the same time. That differs between toolchains, as before: it is the archive's,
// or that of the installation or build.
func withLauncher(ctx context.Context, b *Builder, components []toolchain.InputComponent) error {
	path, err := ensure(ctx, b, launcherStep{})
	if err != nil {
		return err
	}
	exe := b.tc.Spec.ExeSuffix
	for _, l := range launched {
		i := slices.IndexFunc(components, func(c toolchain.InputComponent) bool {
			return c.Spec.Archive == l.archive && c.Target == b.tc.Host
		})
		if i < 0 {
			continue
		}
		img, err := b.launch(components[i].Image, path, "bin/"+l.program+exe, "libexec/"+l.program+exe)
		if err != nil {
			return fmt.Errorf("putting the launcher before %s: %w", l.program, err)
		}
		components[i].Image = img
	}
	return nil
}

// launch returns the image with the program real in the place for it, and the
// launcher before it. An input that has a launcher already is brought back first;
// with launcher "" that is all.
func (b *Builder) launch(img dist.Image, launcher, bin, libexec string) (dist.Image, error) {
	real, was := img.Lookup(libexec)
	if !was {
		var ok bool
		if real, ok = img.Lookup(bin); launcher == "" || !ok {
			return img, nil
		}
	}
	img = img.Clone()
	if _, err := img.Remove(bin, libexec); err != nil {
		return dist.Image{}, err
	}
	real.Name = bin
	if launcher != "" {
		real.Name = libexec
		if err := b.addBuilt(&img, bin, launcher); err != nil {
			return dist.Image{}, err
		}
	}
	return img, img.Add(real)
}
