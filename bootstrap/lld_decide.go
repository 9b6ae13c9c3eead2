package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"x.go/bootstrap/config"
	"x.go/dist"
	"x.go/targets"
)

// DecideLLD is the step that decides what becomes of LLD. It fails where the
// configuration asks for what the input cannot give.
type DecideLLD struct{}

// String names the step in plans and errors.
func (DecideLLD) String() string { return "DecideLLD" }

// Run implements [Step].
func (DecideLLD) Run(ctx context.Context, b *Builder) (LLD, error) {
	host := b.Toolchain.Host
	want, err := b.Config.LLD(config.LLDInput{Release: b.Toolchain.Version.Release, Channel: b.Toolchain.Version.Channel(), Hosts: b.hosts()})
	if err != nil {
		return LLD{}, err
	}
	exe := b.Toolchain.Spec.ExeSuffix
	in := lldInput{baked: b.Toolchain.BakedLLD(), rustLLD: b.inputHas(dist.LLDFile(host.String(), exe)), wrappers: true, linux: b.Toolchain.Spec.OS == "linux"}
	for _, w := range dist.WrapperFiles(host.String(), exe) {
		in.wrappers = in.wrappers && b.inputHas(w)
	}
	if in.wrappers {
		// A shim that an earlier build put there is no program that runs LLD.
		r, err := b.inputRecord()
		if err != nil {
			return LLD{}, err
		}
		in.wrappers = RecordedLLD(r).Wrapper != WrapperShim
	}
	if in.baked && b.Config.X.LLD.BakedDefault == config.BakedDefaultLauncher {
		_, err := ask(ctx, b.Toolchain.env, b.Toolchain.Rustc, "-Clinker-features=-lld", "--print", "cfg")
		in.optOut = err == nil
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
	wrappers bool // all gcc-ld programs are there, and run LLD
	linux    bool // the host runs Linux, where a C compiler that knows -fuse-ld=lld links
	optOut   bool // the compiler takes -Clinker-features=-lld for its host; asked for the launcher only
}

// decideLLD reconciles what the configuration wants with what the input has.
func decideLLD(want config.LLDDecision, host targets.Triple, cfg config.Config, in lldInput) (lld LLD, notes []string, err error) {
	x := cfg.X.LLD
	ours := x.SiteWrapper != "" || x.Jobserver // features that only our own program has
	if err := checkWrapper(x, ours); err != nil {
		return LLD{}, nil, err
	}
	lld = LLD{
		Shipped: want.Shipped, Default: want.Default[host] == config.DefaultSelfContainedLLD,
		Launcher: LauncherNone, Rule: want.Rule,
	}
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
	case !lld.Shipped:
		lld.Wrapper = WrapperNone
	case x.Wrapper == "keep" && in.wrappers && !ours:
		lld.Wrapper = WrapperKept
	case x.Wrapper == "keep" || x.Wrapper == "build":
		lld.Wrapper = WrapperBuilt
	default:
		lld.Wrapper = WrapperGiven
	}
	var note string
	if in.baked {
		note, err = lld.turnOff(host, x.BakedDefault, in)
	} else {
		note = lld.turnOn(host, cfg, in)
	}
	if note != "" {
		notes = append(notes, note)
	}
	return lld, notes, err
}

// turnOff overrides a compiler that was built to use LLD, if it must not.
func (l *LLD) turnOff(host targets.Triple, how config.BakedDefault, in lldInput) (note string, err error) {
	if l.Default {
		return "", nil
	}
	// The launcher needs the shim too: LLD is the compiler's default for all
	// linux-gnu targets (rust-lang/rust#147626), and only for one of them is the
	// option to turn it off stable.
	l.Wrapper = WrapperShim
	switch {
	case how == config.BakedDefaultError:
		return "", errors.New("assembling the sysroot: rust.lld = false, but the compiler was built to link with LLD by default, and lld.baked-default = \"error\" refuses that: give a compiler that was built with rust.lld = false, or set lld.baked-default = \"shim\"")
	case how == config.BakedDefaultLauncher && !in.optOut:
		return "", fmt.Errorf("assembling the sysroot: lld.baked-default = \"launcher\", but the compiler refuses -Clinker-features=-lld for %s: set lld.baked-default = \"shim\"", host)
	case how == config.BakedDefaultLauncher:
		l.Launcher = LauncherSystem
		return "the compiler was built to link with LLD: a launcher turns that off, and gcc-ld runs the system linker for other targets", nil
	}
	return "the compiler was built to link with LLD: gcc-ld runs the system linker instead", nil
}

// turnOn overrides a compiler that was built to use the system linker, if the
// launcher is there to ask for LLD. Together with it, rust.lld = true asks for LLD
// as the default also where x.py would only ship it: releases before 1.90, and
// other hosts.
func (l *LLD) turnOn(host targets.Triple, cfg config.Config, in lldInput) (note string) {
	asked := cfg.Rust.LLD == config.True && cfg.Target(host).DefaultLinkerLinuxOverride != config.LinuxLinkerOff
	switch {
	case l.Shipped && in.linux && cfg.X.LLD.BakedDefault == config.BakedDefaultLauncher && (l.Default || asked):
		l.Default, l.Launcher = true, LauncherLLD
		return "the compiler was built to use the system linker: a launcher before rustc and clippy-driver asks for LLD"
	case l.Default:
		l.Default = false
		return "the compiler was built to use the system linker: LLD is shipped but is not its default; set lld.baked-default = \"launcher\" in x.toml to make it so, or link with -Clink-arg=-fuse-ld=lld"
	}
	return ""
}

// checkWrapper refuses settings of x.toml that contradict each other or that
// the linker's command line cannot carry.
func checkWrapper(x config.XLLD, ours bool) error {
	switch {
	case ours && x.Wrapper != "keep" && x.Wrapper != "build":
		return fmt.Errorf("assembling gcc-ld: lld.wrapper = %q is a program of its own, which lld.site-wrapper and lld.jobserver can't change: set lld.wrapper = \"build\"", x.Wrapper)
	case x.SiteWrapper != "" && (!filepath.IsAbs(x.SiteWrapper) || strings.ContainsAny(x.SiteWrapper, "'\n")):
		return fmt.Errorf("assembling gcc-ld: lld.site-wrapper %q: want an absolute path without quotes or line breaks", x.SiteWrapper)
	}
	return nil
}
