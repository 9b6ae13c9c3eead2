package lld

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"x.go/bootstrap/config"
	"x.go/targets"
)

// DefaultLinker is what a compiler links with by default.
type DefaultLinker string

// The values of [DefaultLinker].
const (
	// DefaultSystem is the linker that cc chooses.
	DefaultSystem DefaultLinker = "system"
	// DefaultSelfContainedLLD is rust-lld of the sysroot, run through cc.
	DefaultSelfContainedLLD DefaultLinker = "self-contained-lld-cc"
)

// Rule names a rule of the decision on LLD.
type Rule string

// The rules, in the order in which they are asked.
const (
	RuleRefused        Rule = "refused"              // the configuration is an error
	RuleLLDSet         Rule = "rust.lld"             // rust.lld is set, by whatever layer
	RuleExternalLLVM   Rule = "external-llvm"        // llvm-config for the build triple
	RuleHostOverride   Rule = "host-linker-override" // default-linker-linux-override on each host that could have LLD
	RuleDefaultHost    Rule = "lld-host"             // a host's default is LLD
	RuleNoDefaultHost  Rule = "no-lld-host"          // no host's default is LLD
	RuleBeforeDefaults Rule = "lld-not-by-default"   // releases that never ship LLD unasked
)

// RuleOutcome is a rule that did not decide, and why.
type RuleOutcome struct {
	Rule   Rule   `json:"rule"`
	Reason string `json:"reason"`
}

// Wanted is what the configuration asks for by the rules of a release: the answer
// to three separate questions, with reasons.
type Wanted struct {
	// Shipped says that rust-lld and gcc-ld are in the sysroot.
	Shipped bool `json:"shipped"`
	// Default is, for a compiler hosted on each triple, the linker of a
	// program for that same triple.
	Default map[targets.Triple]DefaultLinker `json:"default"`
	// UsedWhileBuilding is the LLD that upstream's build links Rust code with. It
	// does not change the defaults of the compiler that is built.
	UsedWhileBuilding config.LLDMode `json:"used_while_building"`
	// Rule decided Shipped, and Reason says how.
	Rule   Rule   `json:"rule"`
	Reason string `json:"reason"`
	// Hosts says for each host, in order, why its default is what it is.
	Hosts []HostReason `json:"hosts"`
	// Lost are the other rules, and why they did not decide.
	Lost []RuleOutcome `json:"lost"`
	// Warnings are about configurations that upstream accepts and fails on later.
	Warnings []string `json:"warnings,omitempty"`
	// Error is the error's text if the configuration is refused; see [Refused].
	Error string `json:"error,omitempty"`

	lld targets.Tristate // rust.lld as of the release
}

// Refused returns what a configuration asks for that is refused with err, which
// may be an error of [config.Load].
func Refused(err error) Wanted {
	w := empty()
	w.Rule, w.Error = RuleRefused, err.Error()
	return w
}

// empty returns a Wanted whose JSON has {} and [] instead of null, so that a
// script can index them without a check.
func empty() Wanted {
	return Wanted{Default: map[targets.Triple]DefaultLinker{}, Hosts: []HostReason{}, Lost: []RuleOutcome{}}
}

// HostReason says why a host has its default linker.
type HostReason struct {
	Host    targets.Triple `json:"host"`
	Default DefaultLinker  `json:"default"`
	Reason  string         `json:"reason"`
}

// want decides whether LLD is shipped, which linker each host's compiler has as
// its default, and which LLD links the build, by the rules of a release
// (rust-lang/rust#116278, #124129, #126701, #140525, #143175, #143255, #147046,
// #147157, #162546). The errors hold upstream's own texts, in upstream's order.
func want(c config.Config, f Facts) (Wanted, config.Errors) {
	k := newRuling(c, f)
	k.names()
	for _, era := range eras {
		if k.minor >= era.since {
			era.decide(k)
			break
		}
	}
	k.finish()
	return k.out, k.errs
}

// eras are the times with rules of their own, the newest first.
//
// The release of a change is the first one that branched off after its merge;
// that of #147157 rests on the dates of its pull requests.
var eras = []struct {
	since  config.Minor
	decide func(*ruling)
}{
	{92, (*ruling).overrides},    // #147046, #147157: a table of hosts, an override per host
	{90, (*ruling).everyChannel}, // #140525, #143175: x86_64-unknown-linux-gnu on every channel
	{80, (*ruling).nightlyOnly},  // #124129: x86_64-unknown-linux-gnu on dev and nightly
	{0, (*ruling).onlyIfAsked},   // #116278 and before
}

const (
	keyLLD       = "rust.lld"
	keyOverride  = "rust.bootstrap-override-lld"
	keyUseLLD    = "rust.use-lld"
	keyCILLVM    = "llvm.download-ci-llvm"
	keyCIRustc   = "rust.download-rustc"
	x86LinuxGNU  = "x86_64-unknown-linux-gnu"
	loongLinux   = "loongarch64-unknown-linux-gnu"
	linkerOption = "default-linker-linux-override"
)

// wantedKeys are the keys that [Wanted] depends on; "*" stands for a triple.
var wantedKeys = []string{
	keyLLD, keyUseLLD, keyOverride, "rust.default-linker", "rust.channel", keyCIRustc,
	keyCILLVM, "build.host", "target.*.llvm-config", "target.*." + linkerOption,
}

// IsKey reports whether [Wanted] depends on a key, by its [config.Key.ID].
func IsKey(id string) bool { return slices.Contains(wantedKeys, id) }

// lldHosts are the hosts whose compiler has LLD as its default
// (default_linux_linker_overrides in `toml/target.rs`). An empty channel means
// every channel.
var lldHosts = []struct {
	host    string
	channel string
	since   config.Minor
}{
	{host: x86LinuxGNU, since: 92},
	{host: loongLinux, channel: "nightly", since: 100}, // #162546
}

// ruling is one run of the decision.
type ruling struct {
	c         config.Config
	minor     config.Minor
	channel   string
	build     targets.Triple
	hosts     []targets.Triple
	lld       targets.Tristate // rust.lld as of the release
	lldFrom   string
	external  bool // an external LLVM for the build triple
	hasConfig bool // an llvm-config for the build triple
	ciLLVM    bool // LLVM comes from CI
	out       Wanted
	errs      config.Errors
}

func newRuling(c config.Config, f Facts) *ruling {
	release := f.Release
	if release.IsZero() {
		release = c.Release()
	}
	k := &ruling{c: c, out: empty(), minor: config.MinorOf(release), build: c.Build.Build, hosts: f.hosts(c)}
	k.channel = cmp.Or(f.Channel, c.Rust.Channel)
	if k.channel == "auto-detect" {
		k.channel = cmp.Or(release.Channel(), "stable")
	}
	k.lld, k.lldFrom = k.lldAsOf()
	k.llvm()
	k.out.UsedWhileBuilding = c.Rust.BootstrapOverrideLLD
	if c.Rust.UseLLD != "" && !c.IsSet(keyOverride) {
		k.out.UsedWhileBuilding = c.Rust.UseLLD
	}
	k.out.lld = k.lld
	return k
}

// lldAsOf returns rust.lld and its origin as of the release: the profile dist
// set it from 1.81 (#126701) to 1.89 (#143255).
func (k *ruling) lldAsOf() (targets.Tristate, string) {
	o := k.c.Origin(keyLLD)
	if o.Kind > config.OriginProfile || k.c.Profile != "dist" {
		return k.c.Rust.LLD, o.String()
	}
	if k.minor >= 81 && k.minor < 90 {
		return targets.Yes, "profile dist"
	}
	return targets.Unknown, ""
}

// llvm finds out where LLVM comes from. Upstream takes it from CI by default
// since 1.83 (#130529) and before that on dev, if CI has one for the build triple. An
// llvm-config without an explicit download-ci-llvm counts as external where it is not
// known that upstream refuses both together: the packager's intent is plain. An empty
// llvm-config is one, too: upstream takes it for the source directory.
func (k *ruling) llvm() {
	explicit := k.c.IsSet(keyCILLVM)
	k.hasConfig = k.c.IsSet(k.configKey())
	k.ciLLVM = k.c.LLVM.DownloadCILLVM.Bool && (explicit || k.minor >= 83 || k.channel == "dev")
	if !explicit && k.hasConfig {
		k.ciLLVM = k.c.DownloadsLLVM()
	}
	k.external = k.hasConfig && !k.ciLLVM
}

func (k *ruling) configKey() string { return fmt.Sprintf("target.%s.llvm-config", k.build) }

func (k *ruling) fail(key, hint, format string, args ...any) {
	k.errs = append(k.errs, &config.Error{Where: k.c.Origin(key), Key: key, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// names refuses the old and the new name of one key together. Upstream checks this
// before anything else.
func (k *ruling) names() {
	if k.minor >= 92 && k.c.Rust.UseLLD != "" && k.c.IsSet(keyOverride) {
		k.fail(keyUseLLD, "remove rust.use-lld, its old name",
			"Cannot use both `rust.use-lld` and `rust.bootstrap-override-lld`. Please use only `rust.bootstrap-override-lld`")
	}
}

// won records the rule that decided Shipped.
func (k *ruling) won(shipped bool, r Rule, format string, args ...any) {
	k.out.Shipped, k.out.Rule, k.out.Reason = shipped, r, fmt.Sprintf(format, args...)
}

// wonByKey records that rust.lld itself decided.
func (k *ruling) wonByKey() {
	k.won(k.lld == targets.Yes, RuleLLDSet, "rust.lld = %t by %s", k.lld == targets.Yes, k.lldFrom)
}

// lost records a rule that did not decide.
func (k *ruling) lost(r Rule, format string, args ...any) {
	k.out.Lost = append(k.out.Lost, RuleOutcome{r, fmt.Sprintf(format, args...)})
}

func (k *ruling) host(t targets.Triple, d DefaultLinker, format string, args ...any) {
	if _, ok := k.out.Default[t]; ok {
		return
	}
	k.out.Default[t] = d
	k.out.Hosts = append(k.out.Hosts, HostReason{t, d, fmt.Sprintf(format, args...)})
}

// finish runs the checks that upstream runs after the decision.
func (k *ruling) finish() {
	for _, name := range []string{"llvm-config", "llvm-filecheck"} {
		key := fmt.Sprintf("target.%s.%s", k.build, name)
		if k.ciLLVM && k.c.IsSet(key) {
			k.fail(key, fmt.Sprintf("set llvm.download-ci-llvm = false (it is %s by %s), or remove the %s", k.c.LLVM.DownloadCILLVM, k.c.Origin(keyCILLVM), name),
				"setting build-target.%s is incompatible with download-ci-llvm.", name)
		}
	}
	if k.hasConfig {
		if rustc := k.c.Rust.DownloadRustc; rustc.Bool && rustc.Text == "" {
			k.fail(k.configKey(), "set rust.download-rustc = false, or remove the llvm-config",
				"setting llvm_config for the host is incompatible with download-rustc")
		}
	}
	k.externalLLVM()
}

// externalLLVM is about LLD from an LLVM that upstream does not build. Since
// 1.90 that is an error (#143175); in 1.88 and 1.89 LLD was left out with a
// warning (#139853), and the install step failed for lack of it.
func (k *ruling) externalLLVM() {
	if !k.external || k.lld != targets.Yes {
		return
	}
	switch {
	case k.minor >= 90:
		key := keyLLD
		k.fail(key, fmt.Sprintf("remove rust.lld = true or %s (%s)", k.configKey(), k.c.Origin(k.configKey())),
			"Cannot enable LLD with `rust.lld = true` when using external llvm-config.")
	case k.minor >= 88:
		k.out.Shipped = false
		k.out.Warnings = append(k.out.Warnings, "LLD is enabled when using external llvm-config. LLD will not be built and copied to the sysroot.")
	}
}

// overrides decides by the rules of 1.92 and later (#147157, #147626).
func (k *ruling) overrides() {
	k.checkOverrides()
	candidates, free := k.candidates()
	switch {
	case k.lld != targets.Unknown:
		k.wonByKey()
	case k.external:
		k.won(false, RuleExternalLLVM, "%s is set by %s, and LLD is not built from an external LLVM", k.configKey(), k.c.Origin(k.configKey()))
	case len(candidates) > 0 && len(free) == 0:
		k.won(false, RuleHostOverride, "target.%s.%s is set, so the host does not ask for LLD by itself", candidates[0], linkerOption)
	case len(free) > 0:
		k.won(true, RuleDefaultHost, "%s is in build.host and its default linker is LLD", free[0])
	default:
		k.won(false, RuleNoDefaultHost, "no triple of build.host has LLD as its default linker on channel %s", k.channel)
	}
	k.losers(candidates, free)
	for _, t := range k.hosts {
		k.hostDefault(t, slices.Contains(candidates, t))
	}
}

// checkOverrides refuses override keys that cannot work, target by target.
func (k *ruling) checkOverrides() {
	for _, t := range k.c.TargetTriples() {
		if k.c.Targets[t].DefaultLinkerLinuxOverride != config.LinuxLinkerSelfContainedLLD {
			continue
		}
		key := fmt.Sprintf("target.%s.%s", t, linkerOption)
		if k.c.Rust.DefaultLinker != "" {
			k.fail(key, fmt.Sprintf("remove it or rust.default-linker (%s)", k.c.Origin("rust.default-linker")),
				"cannot set both `default-linker` and `default-linker-linux` for target `%s`", t)
		}
		if !linuxGNU(t) {
			k.fail(key, "remove it", "`default-linker-linux` can only be set for Linux GNU targets, not for `%s`", t)
		}
		if k.lld != targets.Yes {
			k.fail(key, "", "Trying to override the default Linux linker for `%s` to be self-contained LLD, but LLD is not being built. Enable it with rust.lld = true.", t)
		}
	}
}

// linuxGNU is upstream's own test, which a triple of one's own passes, too.
func linuxGNU(t targets.Triple) bool { return strings.Contains(t.String(), "linux-gnu") }

// candidates returns the hosts that are in the table of LLD hosts, and those
// of them that no override names.
func (k *ruling) candidates() (all, free []targets.Triple) {
	for _, h := range lldHosts {
		if k.minor < h.since || h.channel != "" && h.channel != k.channel {
			continue
		}
		for _, t := range k.hosts {
			if t.String() != h.host || slices.Contains(all, t) {
				continue
			}
			all = append(all, t)
			if k.c.Target(t).DefaultLinkerLinuxOverride == "" {
				free = append(free, t)
			}
		}
	}
	return all, free
}

// losers says why the other rules of 1.92 did not decide.
func (k *ruling) losers(candidates, free []targets.Triple) {
	k.others([]contender{
		{RuleLLDSet, k.lld != targets.Unknown, "rust.lld is not set"},
		{RuleExternalLLVM, k.external, fmt.Sprintf("LLVM of %s is not external", k.build)},
		{RuleHostOverride, len(candidates) > 0 && len(free) == 0, "no override takes a host out of the table"},
		{RuleDefaultHost, len(free) > 0, fmt.Sprintf("no host that could have LLD is left on channel %s", k.channel)},
	})
}

// contender is a rule that could decide Shipped.
type contender struct {
	rule    Rule
	applies bool   // it would have decided if it came first
	absent  string // why it does not apply
}

// others says why each rule that did not win lost.
func (k *ruling) others(rules []contender) {
	for _, r := range rules {
		switch {
		case r.rule == k.out.Rule:
		case r.applies:
			k.lost(r.rule, "%s comes first", k.out.Rule)
		default:
			k.lost(r.rule, "%s", r.absent)
		}
	}
}

// hostDefault decides the default linker of a compiler hosted on t.
func (k *ruling) hostDefault(t targets.Triple, inTable bool) {
	key := fmt.Sprintf("target.%s.%s", t, linkerOption)
	switch override := k.c.Target(t).DefaultLinkerLinuxOverride; {
	case override == config.LinuxLinkerOff:
		k.host(t, DefaultSystem, "%s is %q by %s", key, override, k.c.Origin(key))
	case override != "":
		k.host(t, DefaultSelfContainedLLD, "%s is %q by %s", key, override, k.c.Origin(key))
	case !inTable:
		k.host(t, DefaultSystem, "LLD is not the default on this host")
	case k.out.Shipped:
		k.host(t, DefaultSelfContainedLLD, "LLD is the default on this host, and it is shipped")
	default:
		k.host(t, DefaultSystem, "LLD is the default on this host, but it is not shipped")
	}
}
