package bootstrap

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"x.go/bootstrap/config"
	"x.go/dist"
	"x.go/dist/install"
)

// installStep is the step that installs the components of a selection, straight
// from their images: nothing is compressed on the way.
type installStep struct {
	Selection Selection
	To        InstallDirs
}

// InstallDirs says where an installation goes: [install.Options] without
// its slice, so that it can name a step.
type InstallDirs struct {
	DestDir, Prefix, Bindir, Libdir, Sysconfdir, Datadir, Mandir, Docdir string
	RecordDestDir                                                        bool
	Repair                                                               bool // restore what is there
}

// ConfiguredDirs returns the directories of [install] in a configuration. What it
// does not set is "" and left to the installer, but for Prefix.
func ConfiguredDirs(cfg config.Config) InstallDirs {
	set := func(key, value string) string {
		if !cfg.IsSet("install." + key) {
			return ""
		}
		return value
	}
	in := cfg.Install
	return InstallDirs{
		Prefix: cmp.Or(set("prefix", in.Prefix), "/usr/local"), Bindir: set("bindir", in.Bindir), Libdir: set("libdir", in.Libdir),
		Sysconfdir: set("sysconfdir", in.Sysconfdir), Datadir: set("datadir", in.Datadir), Mandir: set("mandir", in.Mandir), Docdir: set("docdir", in.Docdir),
	}
}

// Options returns the options of an installer for these directories.
func (d InstallDirs) Options() install.Options {
	return install.Options{
		DestDir: d.DestDir, Prefix: d.Prefix, Bindir: d.Bindir, Libdir: d.Libdir,
		Repair: d.Repair, RecordDestDir: d.RecordDestDir, Sysconfdir: d.Sysconfdir, Datadir: d.Datadir, Mandir: d.Mandir, Docdir: d.Docdir,
	}
}

// String names the step in plans and errors.
func (i installStep) String() string { return "Install(" + i.To.DestDir + i.To.Prefix + ")" }

// Run implements [step].
func (i installStep) Run(ctx context.Context, b *Builder) (install.Installed, error) {
	components, script, err := b.selected(ctx, i.Selection)
	if err != nil {
		return install.Installed{}, err
	}
	opts := i.To.Options()
	opts.Uninstaller = script
	act := i.announce(b, components)
	if opts.DryRun = !act; opts.DryRun && opts.Repair && b.unbuilt != "" {
		return install.Installed{}, fmt.Errorf("planning a repair: %q is not built yet, so nobody knows whether the installed one is right: run `x build` first", b.unbuilt)
	}
	if b.waiting != nil {
		opts.Waiting = func(holder string) { b.waiting(i.To.DestDir+i.To.Prefix, holder) }
	}
	return install.Run(ctx, opts, components)
}

// announce notes what is installed where, and reports whether to do it. A repair takes
// of the components only those that are there.
func (i installStep) announce(b *Builder, components []dist.Component) bool {
	place := i.To.DestDir + i.To.Prefix
	if i.To.Repair {
		return b.act("repair", place, "")
	}
	act := true
	for _, c := range components {
		act = b.act("install", c.Name, fmt.Sprintf("%s, %d files", place, c.Image.Len())) && act
	}
	return act
}

// selected lays out the components of a selection, and the uninstaller of all.
func (b *Builder) selected(ctx context.Context, s Selection) ([]dist.Component, []byte, error) {
	parts, err := ensure(ctx, b, packagesStep{s})
	if err == nil {
		err = anyOf(parts)
	}
	if err != nil {
		return nil, nil, err
	}
	var components []dist.Component
	for _, p := range parts {
		if p.name.Component.Archive != combinedArchive { // it repeats the others
			components = append(components, p.pkg.Components...)
		}
	}
	if len(components) == 0 {
		return nil, nil, errors.New("selecting components: the combined archive is not a component: name the components to install, or none for all")
	}
	script, err := parts[0].pkg.Script()
	return components, script, err
}
