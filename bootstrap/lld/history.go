package lld

import "x.go/targets"

// onlyIfAsked decides by the rules of 1.79 and before: LLD is shipped if
// rust.lld says so, and is nobody's default.
func (k *ruling) onlyIfAsked() {
	k.asked("LLD is built only if rust.lld = true before 1.80")
	for _, t := range k.hosts {
		k.host(t, DefaultSystem, "LLD is not the default before 1.80")
	}
}

// asked decides by rust.lld alone.
func (k *ruling) asked(absent string) {
	if k.lld != targets.Unknown {
		k.wonByKey()
		k.lost(RuleBeforeDefaults, "%s comes first", RuleLLDSet)
		return
	}
	k.won(false, RuleBeforeDefaults, "%s", absent)
	k.lost(RuleLLDSet, "rust.lld is not set")
}

// nightlyOnly decides by the rules of 1.80 to 1.89 (#124129): on dev and
// nightly, a build for x86_64-unknown-linux-gnu alone builds LLD by default, if
// LLVM is from CI or the target's section exists and has no llvm-config. That the
// section has to exist was a bug, fixed in 1.90.
func (k *ruling) nightlyOnly() {
	nightly := k.channel == "dev" || k.channel == "nightly"
	_, section := k.c.Targets[k.build]
	k.single(nightly, "only dev and nightly had LLD by default before 1.90", k.ciLLVM || section && !k.external)
	k.builtIn(nightly, "only dev and nightly had LLD as default before 1.90")
}

// everyChannel decides by the rules of 1.90 and 1.91 (#140525): the same on
// every channel.
func (k *ruling) everyChannel() {
	k.single(true, "", k.ciLLVM || !k.external)
	k.builtIn(true, "")
}

// single decides by the rules of the releases that built LLD by default only with
// x86_64-unknown-linux-gnu as the one and only host.
func (k *ruling) single(channelOK bool, channelText string, llvmOK bool) {
	alone := k.build.String() == x86LinuxGNU && len(k.hosts) == 1 && k.hosts[0] == k.build
	switch {
	case k.lld != targets.Unknown:
		k.wonByKey()
	case !channelOK:
		k.won(false, RuleBeforeDefaults, "%s", channelText)
	case !alone:
		k.won(false, RuleNoDefaultHost, "build.host is not just %s", x86LinuxGNU)
	case !llvmOK:
		k.won(false, RuleExternalLLVM, "LLVM is external, or not known to be built here")
	default:
		k.won(true, RuleDefaultHost, "%s is the only host and its default linker is LLD", k.build)
	}
	k.others([]contender{
		{RuleLLDSet, k.lld != targets.Unknown, "rust.lld is not set"},
		{RuleBeforeDefaults, !channelOK, "the channel has LLD by default"},
		{RuleNoDefaultHost, !alone, "the only host has LLD as its default linker"},
		{RuleExternalLLVM, !llvmOK, "LLVM is not external"},
		{RuleDefaultHost, channelOK && alone && llvmOK, "not every condition of the default holds"},
	})
}

// builtIn gives the hosts their default by the rules of the releases in which one
// bit, set if LLD was built, changed the target x86_64-unknown-linux-gnu in the
// compilers of all hosts.
func (k *ruling) builtIn(channelOK bool, channelText string) {
	for _, t := range k.hosts {
		switch {
		case t.String() != x86LinuxGNU:
			k.host(t, DefaultSystem, "LLD is not the default on this host")
		case !k.out.Shipped:
			k.host(t, DefaultSystem, "LLD is the default on this host, but it is not shipped")
		case !channelOK:
			k.host(t, DefaultSystem, "%s", channelText)
		default:
			k.host(t, DefaultSelfContainedLLD, "LLD is the default on this host, and it is shipped")
		}
	}
}
