package lld

import (
	"fmt"
	"path/filepath"
	"strings"

	"x.go/bootstrap/config"
	"x.go/targets"
)

const (
	keyBinary  = "lld.binary"
	keyWrapper = "lld.wrapper"
	keySite    = "lld.site-wrapper"
	keyThreads = "lld.threads"
	keyJobs    = "lld.jobserver"
	keyBaked   = "lld.baked-default"
)

// Decide reconciles what the configuration asks for with what the toolchain has.
// The error is a [config.Errors] with everything refused: what x.py refuses,
// settings of x.toml that contradict each other, and what x cannot do to this
// toolchain. With an error of the last kind the Decision is complete; with the
// others it holds only Wanted, as [Refused] returns it.
func Decide(c config.Config, f Facts) (Decision, error) {
	wanted, errs := want(c, f)
	if errs = append(errs, contradictions(c)...); len(errs) > 0 {
		return Decision{Wanted: Refused(errs)}, errs
	}
	k := &decider{c: c, f: f, want: wanted}
	k.ship()
	k.wrapper()
	if k.tc.Baked {
		k.turnOff()
	} else {
		k.turnOn()
	}
	k.programs()
	k.whileBuilding()
	k.withoutEffect()
	d := Decision{Wanted: wanted, Outcome: k.out, Findings: k.findings}
	if len(k.errs) > 0 {
		return d, k.errs
	}
	return d, nil
}

// contradictions refuses settings of x.toml that contradict each other, or that
// -ldflags cannot pass to the wrapper's build.
func contradictions(c config.Config) (errs config.Errors) {
	refuse := func(key, hint, format string, args ...any) {
		errs = append(errs, &config.Error{Where: c.Origin(key), Key: key, Message: fmt.Sprintf(format, args...), Hint: hint})
	}
	x := c.X.LLD
	if ours(x) && givesWrapper(x) {
		refuse(keyWrapper, "set lld.wrapper = \"build\"", "%q is a program of its own, which lld.site-wrapper, lld.threads and lld.jobserver cannot change", x.Wrapper)
	}
	if x.SiteWrapper != "" && (!filepath.IsAbs(x.SiteWrapper) || strings.ContainsAny(x.SiteWrapper, "'\n")) {
		refuse(keySite, "", "got %q, want an absolute path without quotes or line breaks", x.SiteWrapper)
	}
	return errs
}

// ours reports whether x.toml asks for a feature that only the wrapper of x has.
func ours(x config.XLLD) bool { return x.SiteWrapper != "" || x.Bounds() != "" }

// givesWrapper reports whether lld.wrapper names a program.
func givesWrapper(x config.XLLD) bool { return x.Wrapper != "keep" && x.Wrapper != "build" }

// decider is one run of [Decide] for an accepted configuration.
type decider struct {
	c        config.Config
	f        Facts
	want     Wanted
	tc       Toolchain
	out      Outcome
	findings []config.Finding
	errs     config.Errors
}

// say adds a finding about a key, at the place that set it.
func (k *decider) say(s config.Severity, key, remedy, format string, args ...any) {
	place := key
	if o := k.c.Origin(key); o.IsSet() {
		place = o.String()
	}
	k.findings = append(k.findings, config.Finding{Severity: s, Place: place, Key: key, Reason: fmt.Sprintf(format, args...), Remedy: remedy})
}

// refuse adds an error about a key.
func (k *decider) refuse(key, hint, format string, args ...any) {
	e := &config.Error{Key: key, Message: fmt.Sprintf(format, args...), Hint: hint}
	if o := k.c.Origin(key); o.IsSet() {
		e.Where = o
	}
	k.errs = append(k.errs, e)
}

// ship decides whether LLD is shipped, and starts with the default that the
// configuration asks for.
func (k *decider) ship() {
	host := k.c.Build.Build
	if k.f.Toolchain != nil {
		host = k.f.Toolchain.Host
	}
	k.out = Outcome{
		Shipped: k.want.Shipped, Default: k.want.Default[host] == DefaultSelfContainedLLD,
		Wrapper: WrapperNone, Launcher: LauncherNone, Rule: k.want.Rule,
	}
	if k.f.Toolchain == nil {
		k.tc = Toolchain{Host: host, Baked: k.out.Default, RustLLD: k.out.Shipped, Wrappers: true}
	} else {
		k.tc = *k.f.Toolchain
	}
	unasked := k.want.Rule == RuleNoDefaultHost || k.want.Rule == RuleBeforeDefaults
	if !k.out.Shipped && k.tc.RustLLD && k.want.lld == targets.Unknown && unasked {
		// x.py would not have built LLD by default, but the input has it.
		k.out.Shipped, k.out.Default = true, k.tc.Baked
	}
	if !k.out.Shipped || k.tc.RustLLD || k.c.X.LLD.Binary != "" {
		return
	}
	const remedy = "set lld.binary in x.toml to an LLD to ship, or set rust.lld = false"
	switch {
	case k.want.lld == targets.Yes:
		k.refuse(keyLLD, remedy, "the input toolchain has no rust-lld")
	case k.tc.Baked:
		k.refuse(keyLLD, remedy, "the input toolchain has no rust-lld, and its compiler was built to link with it")
	default:
		severity := config.Note // a toolchain that knows no LLD is what distributions have
		if k.c.X.LLD.BakedDefault == config.BakedDefaultLauncher {
			severity = config.Warning
		}
		k.say(severity, keyLLD, remedy, "the input toolchain links with the system linker and has no rust-lld, so LLD is not shipped, although %s", k.want.Reason)
		k.out.Shipped, k.out.Default = false, false
	}
}

// wrapper decides where the programs in gcc-ld come from.
func (k *decider) wrapper() {
	x := k.c.X.LLD
	switch {
	case !k.out.Shipped:
	case givesWrapper(x):
		k.out.Wrapper = WrapperGiven
	case x.Wrapper == "keep" && k.tc.Wrappers && !ours(x):
		k.out.Wrapper = WrapperKept
	default:
		k.out.Wrapper = WrapperBuilt
	}
}

// turnOff overrides a compiler that was built to use LLD, if LLD must not be the
// default.
func (k *decider) turnOff() {
	if k.out.Default {
		return
	}
	// The launcher needs the shim too: LLD is the compiler's default for all
	// linux-gnu targets (rust-lang/rust#147626), and only for one of them is the
	// option to turn it off stable.
	k.out.Wrapper = WrapperShim
	built := "the compiler was built to link with LLD by default, but " + k.reason()
	const shim = "set lld.baked-default = \"shim\""
	switch how := k.c.X.LLD.BakedDefault; {
	case how == config.BakedDefaultError:
		k.refuse(keyBaked, "give a compiler that was built with rust.lld = false, or "+shim, "%s", built)
	case how == config.BakedDefaultLauncher && !k.tc.OptOut:
		k.refuse(keyBaked, shim, "the compiler refuses -Clinker-features=-lld for %s, which a launcher would give it", k.tc.Host)
	case how == config.BakedDefaultLauncher:
		k.out.Launcher = LauncherSystem
		k.say(config.Note, keyBaked, "", "%s: a launcher before rustc will turn LLD off, and gcc-ld will run the system linker for other targets", built)
	default:
		k.say(config.Note, keyBaked, "", "%s: gcc-ld will run the system linker", built)
	}
}

// turnOn overrides a compiler that was built to use the system linker, if x.toml
// asks for the launcher. With it, rust.lld = true asks for LLD as the default even
// where x.py would only ship it: releases before 1.90, and other hosts.
func (k *decider) turnOn() {
	override := fmt.Sprintf("target.%s.%s", k.tc.Host, linkerOption)
	asked := k.want.lld == targets.Yes && k.c.Target(k.tc.Host).DefaultLinkerLinuxOverride != config.LinuxLinkerOff
	launcher := k.tc.Linux && k.c.X.LLD.BakedDefault == config.BakedDefaultLauncher
	const built = "the compiler was built to use the system linker by default"
	switch {
	case k.out.Shipped && launcher && (k.out.Default || asked):
		why := k.want.Reason
		if k.out.Default {
			why = k.reason()
		}
		k.out.Default, k.out.Launcher = true, LauncherLLD
		k.say(config.Note, keyBaked, "", built+", although %s: a launcher before rustc and clippy-driver will ask for LLD", why)
	case k.out.Default:
		k.out.Default = false
		remedy := "give a compiler that was built so, or set " + override + " = \"off\""
		if k.tc.Linux {
			remedy = "give a compiler that was built so, set lld.baked-default = \"launcher\", or set " + override + " = \"off\""
		}
		severity := config.Note // nobody asked for another one
		if asked || k.c.IsSet(override) {
			severity = config.Warning
		}
		k.say(severity, keyLLD, remedy, built+", although %s", k.reason())
	}
}

// reason tells why the host has the default that the configuration asks for.
func (k *decider) reason() string {
	if !k.want.Shipped && k.want.Rule != RuleHostOverride {
		return k.want.Reason
	}
	for _, h := range k.want.Hosts {
		if h.Host == k.tc.Host {
			return h.Reason
		}
	}
	return "build.host does not name " + k.tc.Host.String()
}

// programs refuses to build programs for hosts that x cannot build them for.
func (k *decider) programs() {
	if k.f.CanBuild == nil {
		return
	}
	if k.out.BuildsWrapper() || k.out.Launcher != LauncherNone {
		k.program(k.tc.Host)
	}
	if k.f.Toolchain != nil || !k.out.Shipped || givesWrapper(k.c.X.LLD) {
		return
	}
	// The toolchains of other hosts are not known, nor whether they have a gcc-ld.
	for _, t := range k.c.Build.Host {
		if t != k.tc.Host {
			k.program(t)
		}
	}
}

func (k *decider) program(host targets.Triple) {
	err := k.f.CanBuild(host)
	switch {
	case err == nil:
	case k.out.Overrides():
		k.refuse(keyBaked, "give a compiler that was built as configured", "what changes the default linker cannot be built for host %s: %v", host, err)
	default:
		k.refuse("build.host", "set lld.wrapper in x.toml to a program for "+host.String(), "gcc-ld cannot be built for host %s: %v", host, err)
	}
}

// whileBuilding reports what x.py would say about the same configuration.
func (k *decider) whileBuilding() {
	for _, w := range k.want.Warnings {
		k.say(config.Warning, keyLLD, "set rust.lld = false", "%s", w)
	}
	if k.want.UsedWhileBuilding != config.LLDModeSelfContained || k.want.Shipped {
		return
	}
	key := keyUseLLD
	if k.c.IsSet(keyOverride) {
		key = keyOverride
	}
	k.say(config.Warning, key, "", "x.py refuses this with --stage 1 or more: "+
		"Trying to use self-contained lld as a linker, but LLD is not being added to the sysroot. Enable it with rust.lld = true.")
}

// withoutEffect reports keys of x.toml that have nothing to act on.
func (k *decider) withoutEffect() {
	shim := k.out.Wrapper == WrapperShim
	lld := k.out.Shipped && !shim // gcc-ld runs LLD
	for _, row := range []struct {
		key    string
		counts bool
	}{
		{keyBinary, k.out.Shipped},
		{keyWrapper, lld || !givesWrapper(k.c.X.LLD)},
		{keySite, lld || shim},
		{keyThreads, lld},
		{keyJobs, lld},
	} {
		x := k.c.X.LLD
		switch {
		case row.key == keyJobs && row.counts && x.Jobserver && k.tc.NoJobserver:
			k.say(config.Warning, row.key, "remove it", "it has no effect, because the wrapper for host %s knows no jobserver", k.tc.Host)
		case row.key == keyThreads && row.counts && k.tc.NoJobserver && x.Threads.Has(config.ThreadsJobserver):
			k.say(config.Warning, row.key, "remove the word", "%q has no effect, because the wrapper for host %s knows no jobserver", config.ThreadsJobserver, k.tc.Host)
		case row.key == keyThreads && row.counts && k.tc.NoJobserver && x.Threads.Has(config.ThreadsMemory):
			k.say(config.Warning, row.key, "remove the word", "%q has no effect, because the wrapper for host %s does not know the memory that is free", config.ThreadsMemory, k.tc.Host)
		case row.counts || !k.c.IsSet(row.key):
		case shim && row.key != keyBinary:
			k.say(config.Warning, row.key, "remove it", "it has no effect, because gcc-ld runs the system linker")
		default:
			k.say(config.Warning, row.key, "set rust.lld = true or remove it", "it has no effect, because LLD is not shipped: %s", k.want.Reason)
		}
	}
}
