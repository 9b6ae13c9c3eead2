// Package check finds everything that would stop dist or install, or give another
// result than the author means, before any work starts. It asks package lld for the
// decision on LLD, as a build does.
package check

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"x.go/bootstrap/config"
	"x.go/bootstrap/lld"
	"x.go/bootstrap/toolchain"
	"x.go/dist"
	"x.go/targets"
)

// Run returns the errors of loading a configuration together with what else there is
// to find, in the order of [config.SortFindings]. What follows only from an
// error of loading is left out: a key with a wrong value has its default, and a file
// with a syntax error has no keys. loadErr is that of [config.Load].
func Run(c config.Config, loadErr error, f Facts) []config.Finding {
	list, _ := errors.AsType[config.Errors](loadErr)
	out := list.Findings()
	wrong := map[string]bool{}
	for _, e := range list {
		if e.Key == "" {
			return out
		}
		wrong[e.Key] = true
	}
	for _, found := range all(c, f) {
		if !wrong[found.Key] || found.Key == "" {
			out = append(out, found)
		}
	}
	config.SortFindings(out)
	return out
}

// all checks what is wrong with a configuration that could be loaded.
func all(c config.Config, f Facts) []config.Finding {
	k := &checker{c: c, f: f, out: c.Notices()}
	k.lld()
	for _, check := range checks {
		check(k)
	}
	if f.Toolchain != nil {
		k.toolchain(*f.Toolchain)
		k.components(*f.Toolchain)
	}
	if f.Files != nil {
		for _, check := range fileChecks {
			check(k)
		}
	}
	return k.out
}

// checks need the configuration and plain facts, fileChecks the file system.
var (
	checks = []func(*checker){
		(*checker).changeID, (*checker).setProfile, (*checker).stages, (*checker).profileNoOp,
		(*checker).installPaths, (*checker).triples, (*checker).backends, (*checker).tools, (*checker).memory,
	}
	fileChecks = []func(*checker){
		(*checker).sysrootFiles, (*checker).programs, (*checker).dirs, (*checker).disk,
	}
)

type checker struct {
	c       config.Config
	f       Facts
	decided lld.Decision
	out     []config.Finding
}

// say adds a finding about a key, at the place that set it.
func (k *checker) say(s config.Severity, key, remedy, reason string, args ...any) {
	place := key
	if o := k.c.Origin(key); o.IsSet() {
		place = o.String()
	}
	k.out = append(k.out, config.Finding{Severity: s, Place: place, Key: key, Reason: fmt.Sprintf(reason, args...), Remedy: remedy})
}

// at adds a finding about a path.
func (k *checker) at(s config.Severity, place, key, remedy, reason string, args ...any) {
	k.out = append(k.out, config.Finding{Severity: s, Place: place, Key: key, Reason: fmt.Sprintf(reason, args...), Remedy: remedy})
}

// lld adds the findings of the decision on LLD.
func (k *checker) lld() {
	d, err := lld.Decide(k.c, k.f.LLD)
	if list, ok := errors.AsType[config.Errors](err); ok {
		k.out = append(k.out, list.Findings()...)
	}
	k.out = append(k.out, d.Findings...)
	k.decided = d
}

// changeID tells what changed since the author last looked. What concerns no key of
// the file and not LLD is only counted, unless all is asked for.
func (k *checker) changeID() {
	id, minor := k.c.ChangeID, config.MinorOf(k.c.Release())
	switch {
	case id.Ignore || len(k.c.Files()) == 0:
	case id.ID == 0:
		k.noChangeID(minor)
	default:
		set, rest := k.c.SetKeys(), 0
		for _, c := range config.ChangesSince(id.ID) {
			switch {
			case c.Since > minor:
			case k.f.Verbose || c.Topic == "lld" || slices.ContainsFunc(c.Keys(), func(key string) bool { return set[key] }):
				k.say(config.Note, "change-id", "", "changed since: %s", c)
			default:
				rest++
			}
		}
		if rest > 0 {
			k.say(config.Note, "change-id", "`x check -v` lists them", "%d other changes since concern no key of this file", rest)
		}
	}
}

// noChangeID advises a change-id that the release takes.
func (k *checker) noChangeID(minor config.Minor) {
	last := config.LastChange(minor)
	if last.ID == 0 {
		return // the key is newer
	}
	remedy := fmt.Sprintf("set change-id = %d", last.ID)
	if minor >= config.ChangeIDIgnore {
		remedy += ", or \"ignore\""
	}
	k.at(config.Note, "change-id", "change-id", remedy, "The `change-id` is missing in the `%s`", config.FileName(minor))
}

// setProfile reports a profile that comes too late to count.
func (k *checker) setProfile() {
	if o := k.c.Origin("profile"); o.Kind >= config.OriginSet {
		k.say(config.Warning, "profile", "write it into the file", "a profile of --set has no effect: it is read before --set, as in x.py")
	}
}

// stages is upstream's rule of rust-lang/rust#145472.
func (k *checker) stages() {
	key, stage := "build.dist-stage", k.c.Build.DistStage
	if k.f.Command == "install" {
		key, stage = "build.install-stage", k.c.Build.InstallStage
	}
	if stage == 0 && !k.c.Build.LocalRebuild {
		k.say(config.Failure, key, "set it to 1 or more", "cannot %s anything on stage 0. Use at least stage 1 or set build.local-rebuild=true and use a stage0 compiler built from in-tree sources.", cmp.Or(k.f.Command, "dist"))
	}
}

func (k *checker) profileNoOp() {
	if k.c.Dist.CompressionProfile == "no-op" && k.f.Command != "install" {
		k.say(config.Failure, "dist.compression-profile", "choose fast, balanced or best", "dist.compression-profile = 'no-op' can only be used for `x install`")
	}
}

// installPaths reports places outside the prefix or DESTDIR
// (rust-lang/rust#63915, #38441).
func (k *checker) installPaths() {
	in := k.c.Install
	if !path.IsAbs(in.Prefix) && !filepath.IsAbs(in.Prefix) {
		k.say(config.Failure, "install.prefix", "write the whole path", "got %q, want an absolute path", in.Prefix)
	}
	for _, p := range []struct{ key, dir string }{
		{"install.prefix", in.Prefix}, {"install.sysconfdir", in.Sysconfdir}, {"install.docdir", in.Docdir}, {"install.bindir", in.Bindir},
		{"install.libdir", in.Libdir}, {"install.mandir", in.Mandir}, {"install.datadir", in.Datadir},
	} {
		switch {
		case slices.Contains(strings.Split(filepath.ToSlash(p.dir), "/"), ".."):
			k.say(config.Failure, p.key, "write the path without \"..\"", "%q can leave the prefix and DESTDIR", p.dir)
		case p.dir == "":
			k.say(config.Failure, p.key, "write a path or remove the key", "got an empty path")
		}
	}
	if k.f.Command == "install" {
		k.partedDirs()
	}
	// /etc is where the FHS has the configuration of every prefix.
	if k.c.IsSet("install.prefix") && path.IsAbs(in.Sysconfdir) && !within(in.Sysconfdir, in.Prefix) && !within(in.Sysconfdir, "/etc") {
		k.say(config.Warning, "install.sysconfdir", "set install.sysconfdir = \"etc\" to keep it below the prefix", "%s lies outside of the prefix %s", in.Sysconfdir, in.Prefix)
	}
}

// partedDirs reports directories that part the compiler from its libraries.
func (k *checker) partedDirs() {
	in, set := k.c.Install, func(key, value string) string {
		if k.c.IsSet(key) {
			return value
		}
		return ""
	}
	d := dist.ProgramDirs{Prefix: in.Prefix, Bindir: set("install.bindir", in.Bindir), Libdir: set("install.libdir", in.Libdir)}
	if key, err := d.Parted(); err != nil {
		k.say(config.Failure, key, "remove it, or set install.bindir and install.libdir to bin and lib of one directory", "%v", err)
	}
}

func within(p, dir string) bool {
	p, dir = path.Clean(p), path.Clean(dir)
	return p == dir || strings.HasPrefix(p, strings.TrimSuffix(dir, "/")+"/")
}

// triples reports targets that no compiler knows, and sections that no list needs.
func (k *checker) triples() {
	used := map[targets.Triple]bool{}
	var unknown unknownTargets
	for _, list := range []struct {
		key     string
		triples []targets.Triple
	}{{"build.build", []targets.Triple{k.c.Build.Build}}, {"build.host", k.c.Build.Host}, {"build.target", k.c.Build.Target}} {
		for _, t := range list.triples {
			if k.c.IsSet(list.key) && !t.IsZero() && !used[t] {
				unknown.add(list.key, t, k.known(t))
			}
			used[t] = true
		}
	}
	unknown.say(k)
	for _, t := range k.c.TargetTriples() {
		if !used[t] {
			k.at(config.Note, "target."+t.String(), "", "add it to build.target, or remove the section", "neither build.build, build.host nor build.target names %s", t)
		}
	}
}

// known returns why nobody knows a target, or nil. A toolchain knows its own host and
// what it has a standard library for.
func (k *checker) known(t targets.Triple) error {
	switch tc := k.f.Toolchain; {
	case k.f.KnownTarget != nil:
		return k.f.KnownTarget(t)
	case tc != nil && (tc.Host == t || k.hasStd(t)), k.c.HasSpecFile(t):
		return nil
	}
	if s, note, err := registry().At(k.c.Release()); err == nil && note == "" {
		_, err := s.Lookup(t)
		return err
	}
	_, err := registry().Lookup(t) // a release that is not held may have what any other has
	return err
}

var registry = sync.OnceValue(targets.Builtin)

// rustc names the release that lacks a target: the one that was asked about.
func (k *checker) rustc(e *targets.UnknownTargetError) string {
	if r := k.c.Release(); !r.IsZero() {
		return "rustc " + r.String()
	}
	return "rustc " + e.Release.String()
}

// unknownTargets are what one finding tells of all unknown targets.
type unknownTargets struct {
	key   string // the first one that names one
	names []string
	typo  *targets.UnknownTargetError // the first that looks like one
	err   error                       // the first
}

func (u *unknownTargets) add(key string, t targets.Triple, err error) {
	if err == nil {
		return
	}
	if u.err == nil {
		u.key, u.err = key, err
	}
	const compared = 20 // a comparison with all names takes long
	u.names = append(u.names, t.String())
	if e, ok := errors.AsType[*targets.UnknownTargetError](err); ok && u.typo == nil && len(u.names) <= compared && e.IsTypo() {
		u.key, u.typo = key, e
	}
}

// say reports them: as a warning if one looks like a known name, else as a note, for
// a target of one's own is normal.
func (u *unknownTargets) say(k *checker) {
	if u.err == nil {
		return
	}
	const show = 3
	names := strings.Join(u.names[:min(show, len(u.names))], ", ")
	if more := len(u.names) - show; more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	e, ok := errors.AsType[*targets.UnknownTargetError](u.err)
	switch {
	case u.typo != nil:
		k.say(config.Warning, u.key, fmt.Sprintf("write %s, unless it is a target of your own", u.typo.Nearest()[0]), "%s has no target %s", k.rustc(u.typo), names)
	case ok:
		k.say(config.Note, u.key, "", "%s has no target %s: a target of your own needs its specification wherever it is used", k.rustc(e), names)
	default:
		k.say(config.Warning, u.key, "correct the name, unless it is a target of your own", "unknown target %s: %v", names, u.err)
	}
}

// backends reports codegen backends that upstream does not know, as it does itself.
func (k *checker) backends() {
	warn := func(key string, backends []string) {
		for _, b := range backends {
			if !slices.Contains(config.KnownBackends, b) && k.c.IsSet(key) {
				k.say(config.Warning, key, "write "+strings.Join(config.KnownBackends, ", ")+", or remove it", "codegen backend %q is not known and might fail", b)
			}
		}
	}
	warn("rust.codegen-backends", k.c.Rust.CodegenBackends)
	for _, t := range k.c.TargetTriples() {
		warn("target."+t.String()+".codegen-backends", k.c.Targets[t].CodegenBackends)
	}
}

// tools reports keys that miss another key.
func (k *checker) tools() {
	b := k.c.Build
	if b.CargoClippy != "" && b.Rustc == "" {
		k.say(config.Warning, "build.cargo-clippy", "set build.rustc to the same toolchain's", "Using `build.cargo-clippy` without `build.rustc` usually fails due to toolchain conflict.")
	}
	if len(b.Tools) > 0 && k.c.IsSet("build.tools") && !b.Extended {
		k.say(config.Note, "build.tools", "set build.extended = true", "build.tools has no effect while build.extended is false")
	}
	for _, t := range k.c.TargetTriples() {
		key := "target." + t.String() + ".llvm-has-rust-patches"
		if k.c.Targets[t].LLVMHasRustPatches != targets.Unknown && b.Submodules != targets.No && k.c.Targets[t].LLVMConfig == "" {
			k.say(config.Failure, key, "set build.submodules = false or an llvm-config", "use of `llvm-has-rust-patches` is restricted to cases where either submodules are disabled or llvm-config been provided")
		}
	}
}

// toolchain reports what dist would refuse in the toolchain.
func (k *checker) toolchain(tc toolchain.Toolchain) {
	if want := k.c.Rust.Channel; k.c.IsSet("rust.channel") && want != "auto-detect" && want != tc.Version.Channel() {
		k.say(config.Failure, "rust.channel", fmt.Sprintf("write %q, or give another toolchain", tc.Version.Channel()),
			"got %q, want %q, which rustc %s was built as", want, tc.Version.Channel(), tc.Version.Release)
	}
	if !k.c.IsSet("build.target") {
		return
	}
	for _, t := range k.c.Build.Target {
		if !k.hasStd(t) {
			k.say(config.Failure, "build.target", "remove it, or add its rust-std to the toolchain", "it names %s, but the toolchain has no rust-std for it", t)
		}
	}
}

// xzMemory is the memory, by profile, of one thread of the xz encoder for an archive
// as large as rustc's, and leastXZMemory that of the smallest dictionary, as package
// dist/xz estimates them.
var xzMemory = map[string]int64{"fast": 192 << 20, "balanced": 900 << 20, "best": 1800 << 20}

const leastXZMemory = 64 << 20

func (k *checker) memory() {
	have, need, key := k.f.Memory, int64(0), "dist.compression-profile"
	remedy := "choose a weaker dist.compression-profile, limit dist.max-memory in x.toml, or leave xz out of dist.compression-formats"
	if slices.Contains(k.c.Dist.CompressionFormats, "xz") {
		need = xzMemory[k.c.Dist.CompressionProfile]
	}
	if limit := k.c.X.Dist.MaxMemory; limit > 0 {
		need = min(need, leastXZMemory)
		if have == 0 || limit < have {
			have, key, remedy = limit, "dist.max-memory", "raise it, or leave xz out of dist.compression-formats"
		}
	}
	if have > 0 && have < need {
		k.say(config.Failure, key, remedy, "profile %q needs at least %s for compression, got %s", k.c.Dist.CompressionProfile, sizeText(need), sizeText(have))
	}
}

// sizeText writes bytes in MiB, rounded up.
func sizeText(n int64) string { return fmt.Sprintf("%d MiB", (n+1<<20-1)>>20) }
