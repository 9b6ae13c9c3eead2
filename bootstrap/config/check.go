package config

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"x.go/targets"
)

// Files is what [Check] may ask of the file system. It changes nothing.
type Files interface {
	// Lstat returns what a path is, without following a link.
	Lstat(name string) (fs.FileInfo, error)
	// Stat returns what a path is or leads to.
	Stat(name string) (fs.FileInfo, error)
	// Writable returns why nothing can be made in a folder, or nil.
	Writable(dir string) error
	// Free returns the free bytes of the file system that holds a folder.
	Free(dir string) (int64, error)
}

// Facts is what Check knows besides the configuration. Facts with their zero
// value are not known, and nothing is said that needs them.
type Facts struct {
	// Command is the command to come: "dist" (also meant by ""), "install".
	Command string
	// Destdir is the folder that stands for the root while installing.
	Destdir string
	// Release and Channel are the input compiler's, Host the triple it runs on.
	Release targets.Release
	Channel string
	Host    targets.Triple
	// Sysroot is the folder of the input toolchain.
	Sysroot string
	// BakedLLD tells whether the compiler's built-in default is LLD.
	BakedLLD Tristate
	// Stage is the explicit --stage.
	Stage int
	// Dir is the folder that relative paths start from.
	Dir string
	// Memory is the machine's memory in bytes, InputSize what is to be packed,
	// and CompressMemory what one thread of the compressors takes at least; 0
	// makes an estimate of that.
	Memory         int64
	InputSize      int64
	CompressMemory int64
	// KnownTarget reports whether there is such a target, or names similar
	// ones; nil asks the builtin registry.
	KnownTarget func(targets.Triple) error
	// CanBuildWrapper reports whether gcc-ld can be built for a host.
	CanBuildWrapper func(targets.Triple) bool
	// Files is the file system; nil skips all that needs it.
	Files Files
}

// Check looks for everything that would stop dist or install, or make
// something else of them than the author means, before any work starts. The
// findings come in the order of severity, then in a fixed order.
func Check(c Config, f Facts) []Finding {
	k := &checker{c: c, f: f, out: slices.Clone(c.notices)}
	k.host = f.Host
	if k.host.IsZero() {
		k.host = c.Build.Build
	}
	k.lld()
	for _, check := range checks {
		check(k)
	}
	if f.Files != nil {
		for _, check := range fileChecks {
			check(k)
		}
	}
	rank := map[Severity]int{Failure: 0, Warning: 1, Note: 2}
	slices.SortStableFunc(k.out, func(a, b Finding) int { return cmp.Compare(rank[a.Severity], rank[b.Severity]) })
	return k.out
}

// checks need the configuration and plain facts, fileChecks the file system.
var (
	checks = []func(*checker){
		(*checker).buildLLD, (*checker).legacy, (*checker).changeID, (*checker).setProfile, (*checker).stages, (*checker).profileNoOp,
		(*checker).installPaths, (*checker).triples, (*checker).tools, (*checker).xKeys, (*checker).baked, (*checker).wrappers, (*checker).memory,
	}
	fileChecks = []func(*checker){
		(*checker).sysrootFiles, (*checker).programs, (*checker).folders, (*checker).disk,
	}
)

type checker struct {
	c       Config
	f       Facts
	host    targets.Triple
	decided *LLDDecision // nil if the configuration is refused
	out     []Finding
}

// say adds a finding about a key, at the place where it was set.
func (k *checker) say(s Severity, key, remedy, reason string, args ...any) {
	place := key
	if o := k.c.Origin(key); o.IsSet() {
		place = o.String()
	}
	k.out = append(k.out, Finding{Severity: s, Place: place, Key: key, Reason: fmt.Sprintf(reason, args...), Remedy: remedy})
}

// at adds a finding about a path.
func (k *checker) at(s Severity, place, key, remedy, reason string, args ...any) {
	k.out = append(k.out, Finding{Severity: s, Place: place, Key: key, Reason: fmt.Sprintf(reason, args...), Remedy: remedy})
}

func (k *checker) lld() {
	d, err := k.c.LLD(LLDInput{Release: k.f.Release, Channel: k.f.Channel, Stage: k.f.Stage})
	if list, ok := err.(Errors); ok {
		k.out = append(k.out, list.Findings()...)
		return
	}
	k.decided = &d
	for _, w := range d.Warnings {
		k.say(Warning, keyLLD, "set rust.lld = false", "%s", w)
	}
}

// buildLLD is about a build that links with an LLD that it does not make. With
// an explicit --stage that is an error of [Config.LLD] already.
func (k *checker) buildLLD() {
	if k.decided != nil && k.decided.UsedWhileBuilding == LLDModeSelfContained && !k.decided.Shipped {
		k.say(Warning, buildLLDKey(k.c), "", "x.py refuses this with --stage 1 or more: %s", noBuildLLD)
	}
}

// legacy is about keys that should not be written any more. Where the release
// does not know the new name yet, the old one is right.
func (k *checker) legacy() {
	minor := minorOf(k.f.Release)
	for _, id := range sortedKeys(k.c.settings) {
		key, ok := LookupKey(id)
		if !ok || !key.Legacy || !k.c.IsSet(id) {
			continue
		}
		remedy := "remove it"
		if key.ReplacedBy != "" {
			if by, ok := LookupKey(key.ReplacedBy); ok && by.Since > minor {
				continue
			}
			remedy = "write " + strings.Replace(key.ReplacedBy, "*", instance(id), 1)
		}
		k.say(Note, id, remedy, "%s", key.Note)
	}
}

// changeID tells what changed since the author last looked.
func (k *checker) changeID() {
	id := k.c.ChangeID
	switch {
	case id.Ignore || len(k.c.files) == 0:
	case id.ID == 0:
		k.at(Note, "change-id", "change-id", fmt.Sprintf("set change-id = %d, or \"ignore\"", changes[len(changes)-1].ID), "The `change-id` is missing in the `bootstrap.toml`")
	default:
		minor := minorOf(k.f.Release)
		for _, c := range ChangesSince(id.ID) {
			if c.Topic != "" && c.Since <= minor {
				k.say(Note, "change-id", "", "changed since: %s", c)
			}
		}
	}
}

// setProfile is about a profile that comes too late to count.
func (k *checker) setProfile() {
	if o := k.c.Origin("profile"); o.Kind >= OriginSet {
		k.say(Warning, "profile", "write it into the file", "a profile of --set has no effect: it is read before --set, as in x.py")
	}
}

// stages is upstream's rule of rust-lang/rust#145472.
func (k *checker) stages() {
	key, stage := "build.dist-stage", k.c.Build.DistStage
	if k.f.Command == "install" {
		key, stage = "build.install-stage", k.c.Build.InstallStage
	}
	if stage == 0 && !k.c.Build.LocalRebuild {
		k.say(Failure, key, "set it to 1 or more", "cannot %s anything on stage 0. Use at least stage 1 or set build.local-rebuild=true and use a stage0 compiler built from in-tree sources.", cmp.Or(k.f.Command, "dist"))
	}
}

func (k *checker) profileNoOp() {
	if k.c.Dist.CompressionProfile == "no-op" && k.f.Command != "install" {
		k.say(Failure, "dist.compression-profile", "choose fast, balanced or best", "dist.compression-profile = 'no-op' can only be used for `x install`")
	}
}

// installPaths is about places outside of the prefix or of DESTDIR
// (rust-lang/rust#63915, #38441).
func (k *checker) installPaths() {
	in := k.c.Install
	if !path.IsAbs(in.Prefix) && !filepath.IsAbs(in.Prefix) {
		k.say(Failure, "install.prefix", "write the whole path", "got %q, want an absolute path", in.Prefix)
	}
	for _, p := range []struct{ key, dir string }{
		{"install.prefix", in.Prefix}, {"install.sysconfdir", in.Sysconfdir}, {"install.docdir", in.Docdir}, {"install.bindir", in.Bindir},
		{"install.libdir", in.Libdir}, {"install.mandir", in.Mandir}, {"install.datadir", in.Datadir},
	} {
		switch {
		case slices.Contains(strings.Split(filepath.ToSlash(p.dir), "/"), ".."):
			k.say(Failure, p.key, "write the path without \"..\"", "%q can leave the prefix and DESTDIR", p.dir)
		case p.dir == "":
			k.say(Failure, p.key, "write a path or remove the key", "got an empty path")
		}
	}
	prefixSet := k.c.IsSet("install.prefix")
	if prefixSet && path.IsAbs(in.Sysconfdir) && !within(in.Sysconfdir, in.Prefix) && !slices.Contains([]string{"/", "/usr", "/usr/local"}, path.Clean(in.Prefix)) {
		k.say(Warning, "install.sysconfdir", "set install.sysconfdir = \"etc\" to keep it below the prefix", "%s lies outside of the prefix %s", in.Sysconfdir, in.Prefix)
	}
}

func within(p, dir string) bool {
	p, dir = path.Clean(p), path.Clean(dir)
	return p == dir || strings.HasPrefix(p, strings.TrimSuffix(dir, "/")+"/")
}

// triples is about targets that no compiler knows, and about sections that no
// list needs.
func (k *checker) triples() {
	known := k.f.KnownTarget
	if known == nil {
		registry := sync.OnceValue(targets.Builtin)
		known = func(t targets.Triple) error { _, err := registry().Lookup(t); return err }
	}
	used := map[targets.Triple]bool{k.c.Build.Build: true}
	for _, list := range []struct {
		key     string
		triples []targets.Triple
	}{{"build.host", k.c.Build.Host}, {"build.target", k.c.Build.Target}, {"build.build", []targets.Triple{k.c.Build.Build}}} {
		for _, t := range list.triples {
			used[t] = true
			if k.c.IsSet(list.key) && !t.IsZero() {
				if err := known(t); err != nil {
					k.say(Warning, list.key, "correct the name, unless it is a target of your own", "unknown target %q: %v", t, err)
				}
			}
		}
	}
	for _, t := range slices.SortedFunc(maps.Keys(k.c.Targets), compareTriples) {
		if !used[t] {
			k.at(Note, "target."+t.String(), "", "add it to build.target, or remove the section", "neither build.build, build.host nor build.target names %s", t)
		}
	}
}

// tools is about keys that need each other.
func (k *checker) tools() {
	b := k.c.Build
	if b.CargoClippy != "" && b.Rustc == "" {
		k.say(Warning, "build.cargo-clippy", "set build.rustc to the same toolchain's", "Using `build.cargo-clippy` without `build.rustc` usually fails due to toolchain conflict.")
	}
	if len(b.Tools) > 0 && k.c.IsSet("build.tools") && !b.Extended {
		k.say(Note, "build.tools", "set build.extended = true", "build.tools has no effect while build.extended is false")
	}
	for _, t := range slices.SortedFunc(maps.Keys(k.c.Targets), compareTriples) {
		key := "target." + t.String() + ".llvm-has-rust-patches"
		if k.c.Targets[t].LLVMHasRustPatches.IsSet() && b.Submodules != False && k.c.Targets[t].LLVMConfig == "" {
			k.say(Failure, key, "set build.submodules = false or an llvm-config", "use of `llvm-has-rust-patches` is restricted to cases where either submodules are disabled or llvm-config been provided")
		}
	}
}

// xKeys is about keys of x.toml that have nothing to act on.
func (k *checker) xKeys() {
	if k.decided == nil || k.decided.Shipped {
		return
	}
	for _, key := range []string{"lld.binary", "lld.site-wrapper", "lld.jobserver"} {
		if k.c.IsSet(key) {
			k.say(Warning, key, "set rust.lld = true or remove it", "it has no effect, because LLD is not shipped: %s", k.decided.Reason)
		}
	}
}

// baked compares the compiler's built-in default with the decided one.
func (k *checker) baked() {
	if k.decided == nil || k.f.BakedLLD == Unset {
		return
	}
	want, ok := k.decided.Default[k.host]
	action := k.c.X.LLD.BakedDefault
	switch {
	case !ok:
	case k.f.BakedLLD == True && want == DefaultSystem && action == BakedDefaultError:
		k.say(Failure, "lld.baked-default", "give a compiler that was built with rust.lld = false, or set lld.baked-default = \"shim\"",
			"the compiler was built to link with LLD by default, and %s", k.reason())
	case k.f.BakedLLD == True && want == DefaultSystem:
		k.say(Note, "lld.baked-default", "", "the compiler was built to link with LLD by default, and %s: %s", k.reason(), bakedActions[action])
	case k.f.BakedLLD == False && want == DefaultSelfContainedLLD && action == BakedDefaultLauncher:
		k.say(Note, "lld.baked-default", "", "the compiler was built to use the system linker by default, although %s: a launcher before rustc will ask for LLD", k.reason())
	case k.f.BakedLLD == False && want == DefaultSelfContainedLLD:
		k.say(Warning, keyLLD, "give a compiler that was built so, set lld.baked-default = \"launcher\", or set target."+k.host.String()+"."+linkerOption+" = \"off\"",
			"the compiler was built to use the system linker by default, although %s", k.reason())
	}
}

var bakedActions = map[BakedDefault]string{
	BakedDefaultShim:     "gcc-ld will run the system linker",
	BakedDefaultLauncher: "a launcher before rustc will turn LLD off",
}

// reason tells why the host has its decided default.
func (k *checker) reason() string {
	for _, h := range k.decided.Hosts {
		if h.Host == k.host {
			return h.Reason
		}
	}
	return k.decided.Reason
}

// wrappers is about hosts that gcc-ld cannot be built for.
func (k *checker) wrappers() {
	if k.decided == nil || !k.decided.Shipped || k.f.CanBuildWrapper == nil {
		return
	}
	for _, t := range k.c.Build.Host {
		foreign := t != k.host
		if (foreign || k.c.X.LLD.Wrapper == "build") && (k.c.X.LLD.Wrapper == "keep" || k.c.X.LLD.Wrapper == "build") && !k.f.CanBuildWrapper(t) {
			k.say(Failure, "build.host", "set lld.wrapper in x.toml to a program for "+t.String(), "gcc-ld cannot be built for host %s", t)
		}
	}
}

// xzMemory is what one thread of the xz encoder takes for an archive as large as
// rustc's, by profile, and leastXZMemory what is left of that when a limit lowers
// the dictionary, as package dist/xz estimates them.
var xzMemory = map[string]int64{"fast": 192 << 20, "balanced": 900 << 20, "best": 1800 << 20}

const leastXZMemory = 64 << 20

func (k *checker) memory() {
	have, need, key := k.f.Memory, k.f.CompressMemory, "dist.compression-profile"
	remedy := "choose a weaker dist.compression-profile, limit dist.max-memory in x.toml, or leave xz out of dist.compression-formats"
	if need == 0 && slices.Contains(k.c.Dist.CompressionFormats, "xz") {
		need = xzMemory[k.c.Dist.CompressionProfile]
	}
	if limit := k.c.X.Dist.MaxMemory; limit > 0 {
		need = min(need, leastXZMemory)
		if have == 0 || limit < have {
			have, key, remedy = limit, "dist.max-memory", "raise it, or leave xz out of dist.compression-formats"
		}
	}
	if have > 0 && have < need {
		k.say(Failure, key, remedy, "profile %q needs at least %s for compression, got %s", k.c.Dist.CompressionProfile, sizeText(need), sizeText(have))
	}
}

// sizeText writes bytes in MiB, rounded up.
func sizeText(n int64) string { return fmt.Sprintf("%d MiB", (n+1<<20-1)>>20) }

// WithoutEffect lists the keys that somebody set and that do nothing to
// archives, installation or the LLD decision, in the order of the schema.
func (c Config) WithoutEffect() []Finding {
	var out []Finding
	for _, t := range tables {
		for _, name := range c.sectionNames(t.section) {
			for _, key := range t.keys {
				id := realID(t.section, name, key.Name)
				if o := c.Origin(id); key.Effect == "" && o.IsSet() && o.Kind != OriginProfile && id != "change-id" {
					out = append(out, Finding{Severity: Note, Place: o.String(), Key: id, Reason: "it is accepted and has no effect on packaging"})
				}
			}
		}
	}
	return out
}
