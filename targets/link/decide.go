package link

import (
	"slices"
	"strings"

	"x.go/targets"
)

// Query is one question to [Decide]: a compiler, a target as that compiler
// sees it, and rustc's arguments. [NewQuery] asks about a builtin target.
type Query struct {
	Compiler targets.Compiler
	Target   *targets.Spec
	Host     *targets.Spec // the compiler's own host as a target of that compiler
	// CustomTarget says that the target comes from a JSON file, see
	// [targets.ParseSpecFile], which wants -Zunstable-options.
	CustomTarget bool

	Args      []string // rustc's arguments; --target among them is not read
	Unstable  bool     // -Zunstable-options is given beside Args
	Bootstrap string   // RUSTC_BOOTSTRAP; "1" unlocks, "-1" locks

	// Refusal is the first line of what this compiler said where it was asked about
	// the target and these arguments and refused, "" where it was not. Rules that
	// this package knows come before it.
	Refusal string

	World World
}

// World is the part of a machine that a decision depends on: directories and
// programs. In the zero World the compiler's sysroot is <sysroot>, and everything
// exists.
type World struct {
	Sysroot  string // the compiler's own, as it prints it; "" for <sysroot>
	Explicit string // --sysroot as given, where Args do not hold it
	// Exists reports whether a path is there: gcc-ld directories, and linkers
	// given with a path. nil: everything is.
	Exists func(path string) bool
	// OnPath reports whether a program is found in the search path that
	// rustc gives to linkers. nil: every one is.
	OnPath func(name string) bool
	// ReadFile reads an @PATH argument file. nil: there are none.
	ReadFile func(path string) ([]byte, error)
}

// NewQuery asks a compiler about a target of a snapshot, in a [World] that has
// everything. The error is that of [targets.Snapshot.For].
func NewQuery(s targets.Snapshot, c targets.Compiler, t targets.Triple, args []string) (Query, error) {
	spec, err := s.For(c, t)
	if err != nil {
		return Query{}, err
	}
	host, err := s.For(c, c.Host)
	if err != nil {
		return Query{}, err
	}
	return Query{Compiler: c, Target: spec, Host: host, Args: args}, nil
}

// Decision is what rustc does: stop with an error, link nothing, or start a
// linker.
type Decision struct {
	Exit  int      `json:"exit"`            // rustc's exit status, as far as linking decides it
	Error string   `json:"error,omitempty"` // first line of its message, with "error: ", or ""
	Notes []string `json:"notes,omitempty"` // the lines after it, without the empty ones

	Linked  bool                 `json:"linked"`
	Linker  string               `json:"linker,omitempty"`  // argv[0] of the linker, "" unless Linked
	Flavor  targets.LinkerFlavor `json:"flavor,omitzero"`   // how the linker is talked to, zero unless Linked
	LLDArgs []string             `json:"lld_args,omitzero"` // of its arguments those that choose LLD; nil unless Linked
	Rule    Rule                 `json:"rule"`
}

// UsesLLD reports whether the linker is LLD, or a program that is told to run
// LLD. The last such argument counts. Nothing in rustc checks that the program
// obeys.
func (d Decision) UsesLLD() bool {
	if !d.Linked {
		return false
	}
	if !d.Flavor.UsesCC() {
		return d.Flavor.UsesLLD() || strings.HasSuffix(d.Linker, "ld.lld")
	}
	if isLinker(d.Linker) {
		return false // it does not know the options of C compilers
	}
	if named, ok := d.NamedLinker(); ok {
		return isLLD(named)
	}
	return d.Flavor.Kind() == targets.KindWasm || d.Flavor.Kind() == targets.KindEm
}

// NamedLinker returns the linker that the C compiler is told to run: the last
// -fuse-ld, or --ld-path, which counts more and which only clang knows.
func (d Decision) NamedLinker() (name string, ok bool) {
	for _, option := range []string{"--ld-path=", "-fuse-ld="} {
		for _, arg := range slices.Backward(d.LLDArgs) {
			if name, ok := strings.CutPrefix(arg, option); ok {
				return name, true
			}
		}
	}
	return "", false
}

// Decide answers which linker rustc starts, or which error it stops with. It
// checks in rustc's order. It is the only place with these rules: everything
// else in this module asks it.
func Decide(q Query) Decision {
	var s session
	return s.answer(&q)
}

func (s *session) answer(q *Query) Decision {
	if d := s.decide(q); d != nil {
		return d.decision()
	}
	return s.out
}

// session is the state of one decision. The next decision may use it again: it
// keeps the memory and nothing else.
type session struct {
	q        *Query
	parser   argParser
	inv      *Invocation
	opts     linkOptions
	unstable bool // nightly-like and -Zunstable-options
	out      Decision
}

func (s *session) decide(q *Query) *diagnostic {
	*s = session{q: q, parser: argParser{inv: Invocation{Codegen: s.parser.inv.Codegen[:0]}}}
	if d := s.parser.parse(q.Args, q.World.ReadFile); d != nil {
		return d
	}
	s.inv = &s.parser.inv
	if d := s.checkNightly(); d != nil {
		return d
	}
	if s.inv.Exits {
		s.out.Rule = RuleNothingToLink
		return nil
	}
	for _, check := range checks {
		if d := check(s); d != nil {
			return d
		}
	}
	return nil
}

// checks are in rustc's order, that of build_session_options in rustc_session:
// rustc reports the first that fails.
var checks = [...]func(*session) *diagnostic{
	(*session).readOptions,
	(*session).checkComponents,
	(*session).checkFlavor,
	(*session).checkOptLevel,
	(*session).checkFeatures,
	(*session).checkInputs,
	(*session).checkCustom,
	(*session).checkRefusal,
	(*session).checkCompatibility,
	(*session).checkOutputs,
	(*session).link,
}

// allowsUnstable mirrors UnstableFeatures::from_environment of rustc_feature.
func (q *Query) allowsUnstable() bool {
	switch q.Bootstrap {
	case "1":
		return true
	case "-1":
		return false
	}
	return q.Compiler.Release.AllowsUnstable()
}

func (s *session) checkNightly() *diagnostic {
	if (s.q.Unstable || len(s.inv.Unstable) > 0) && !s.q.allowsUnstable() {
		return errNightlyOnly()
	}
	// rustc looks for the exact words: -Zunstable_options is taken, but
	// unlocks nothing.
	s.unstable = s.q.Unstable || slices.Contains(s.inv.Unstable, Option{Key: "unstable-options"})
	return nil
}

func (s *session) readOptions() *diagnostic {
	for i := range earlyOptions {
		if d := earlyOptions[i].check(s.inv); d != nil {
			return d
		}
	}
	for _, list := range s.inv.CrateTypes {
		for name := range strings.SplitSeq(list, ",") {
			if _, ok := crateTypes[name]; !ok {
				return errCrateType(name)
			}
		}
	}
	if d := s.opts.applyUnstable(s.inv.Unstable); d != nil {
		return d
	}
	if d := capLints.check(s.inv); d != nil {
		return d
	}
	for _, list := range s.inv.Emit {
		for item := range strings.SplitSeq(list, ",") {
			kind, _, _ := strings.Cut(item, "=")
			if !slices.Contains(emitTypes[:], kind) {
				return errEmit(kind)
			}
		}
	}
	if d := s.opts.applyAll(s.inv.Codegen, s.q.Compiler.Release.Compare(removedSince) >= 0); d != nil {
		return d
	}
	switch o := &s.opts; {
	case o.noUnits:
		return errUsage("value for codegen units must be a positive non-zero integer")
	case o.lto && o.noBitcode:
		return errUsage("options `-C embed-bitcode=no` and `-C lto` are incompatible")
	}
	return nil
}

var emitTypes = [...]string{"asm", "llvm-bc", "dep-info", "link", "llvm-ir", "metadata", "mir", "obj", "thin-link-bitcode"}

// stableTarget is the one name for which -linker and -lld are stable. rustc
// compares the text; the target's default plays no part (rust-lang/rust#140525).
const stableTarget = "x86_64-unknown-linux-gnu"

func (s *session) stableByName() bool {
	return s.unstable || s.q.Target.Triple.String() == stableTarget
}

func (s *session) checkComponents() *diagnostic {
	lsc := s.opts.linkSelfContained
	if _, bulk := lsc.bulkValue(); !bulk && !s.unstable {
		if lsc.disables(targets.Linker) && !s.stableByName() {
			return errUnstableOnTarget("link-self-contained=-linker", s.q.Target.NameInMessages())
		}
		if lsc.enabled != 0 || lsc.disabled&^targets.Linker != 0 {
			return errUnstableComponents()
		}
	}
	if c := lsc.conflicts(); c != 0 {
		return errConflict(c)
	}
	return nil
}

func (s *session) checkFlavor() *diagnostic {
	if f := s.opts.linkerFlavor; !f.isZero() && !f.stable() && !s.unstable {
		return errUnstableFlavor(f)
	}
	return nil
}

func (s *session) checkOptLevel() *diagnostic {
	switch s.opts.optLevel {
	case "", "0", "1", "2", "3", "s", "z":
		return nil
	}
	return errOptLevel(s.opts.optLevel)
}

func (s *session) checkFeatures() *diagnostic {
	switch f := s.opts.linkerFeatures; {
	case f.disablesLLD() && !s.stableByName():
		return errUnstableOnTarget("linker-features=-lld", s.q.Target.NameInMessages())
	case f.enablesLLD() && !s.unstable:
		return errUnstableLLD()
	}
	return nil
}

// checkInputs mirrors make_input of rustc_driver: one file is compiled. No input is
// no error here: whoever asks about flags leaves it out.
func (s *session) checkInputs() *diagnostic {
	if len(s.inv.Inputs) > 1 {
		return errInputs(s.inv.Inputs[0], s.inv.Inputs[1])
	}
	return nil
}

func (s *session) checkRefusal() *diagnostic {
	if s.q.Refusal != "" {
		return diagnose(RuleRefused, strings.TrimPrefix(s.q.Refusal, "error: "))
	}
	return nil
}

func (s *session) checkCustom() *diagnostic {
	if s.q.CustomTarget && !s.unstable && !s.inv.explains() {
		return errCustomTarget()
	}
	return nil
}

func (s *session) checkCompatibility() *diagnostic {
	target := s.q.Target.Flavor
	if f := s.opts.linkerFlavor; !f.isZero() && !f.compatibleWith(target) && !s.inv.explains() {
		return errIncompatible(f, target)
	}
	return nil
}

// link mirrors link_natively of rustc_codegen_ssa/back/link.rs.
func (s *session) link() *diagnostic {
	if !s.linksSomething() {
		s.out.Rule = RuleNothingToLink
		return nil
	}
	flavor, program, rule, d := s.chooseLinker()
	if d != nil {
		return d
	}
	inForce, d := s.componentsInForce(program)
	if d != nil {
		return d
	}
	if s.asksTooMuch(flavor) {
		return errCompilerBug()
	}
	args, d := s.lldArgs(flavor, inForce)
	if d != nil {
		return d
	}
	if !s.q.World.hasLinker(program) {
		return errLinkerMissing(program)
	}
	s.out = Decision{Linked: true, Linker: program, Flavor: flavor, LLDArgs: args, Rule: rule}
	return nil
}

// asksTooMuch reports whether rustc passes an option of C compilers to a linker
// that it calls directly, and so stops with a bug of its own (`assertion failed:
// l.is_cc()` in back/linker.rs): --static-crt on VxWorks, -nodefaultlibs on L4Re.
func (s *session) asksTooMuch(f targets.LinkerFlavor) bool {
	target := s.q.Target
	switch {
	case f.UsesCC():
		return false
	case target.OS == "vxworks":
		return f.Kind() == targets.KindGNU && target.CrtStatic(s.opts.crtStatic)
	case target.OS == "l4re":
		return f.Kind() == targets.KindUnix && !s.opts.defaultLibraries
	}
	return false
}

func (w *World) hasLinker(program string) bool {
	switch {
	case strings.Contains(program, "/"):
		return w.exists(program)
	case program == "":
		return false
	}
	return w.OnPath == nil || w.OnPath(program)
}

func (w *World) exists(path string) bool { return w.Exists == nil || w.Exists(path) }

// chooseLinker mirrors linker_and_flavor: first the flavor option, then the
// hints in the linker's name, then the target.
func (s *session) chooseLinker() (f targets.LinkerFlavor, program string, rule Rule, d *diagnostic) {
	target, o := s.q.Target, &s.opts
	switch {
	case !o.linkerFlavor.isZero():
		f, rule = o.linkerFlavor.apply(target.Flavor), RuleFlavorOption
		program = o.linker
	case o.linkerGiven:
		f, rule, program = target.Flavor, RuleLinkerOption, o.linker
		if fileStem(program) == "" {
			return f, "", rule, errNoStem()
		}
		cc, lld, bitcode := stemHints(program)
		f = withHints(f, cc, lld)
		if bitcode {
			f = llbc
		}
	case target.Linker != "":
		f, rule, program = target.Flavor, RuleTargetLinker, target.Linker
	default:
		f, rule = target.Flavor, RuleTargetFlavor
	}
	f = o.linkerFeatures.adjust(f)
	if program == "" && !o.linkerGiven {
		program = defaultProgram(f, s.q.hostCC())
	}
	return f, program, rule, nil
}

// hostCC is the C compiler that rustc starts by default: gcc on a Solaris or
// illumos host, cc on all others.
func (q *Query) hostCC() string {
	if q.Host.OS == "solaris" || q.Host.OS == "illumos" {
		return "gcc"
	}
	return "cc"
}

// componentsInForce mirrors self_contained_components.
func (s *session) componentsInForce(program string) (targets.Components, *diagnostic) {
	target := s.q.Target
	switch yes, given := s.opts.linkSelfContained.bulkValue(); {
	case given && target.SelfContained.Forbidden():
		return 0, errSelfContainedRefused()
	case given && yes:
		return targets.AllComponents, nil
	case given:
		return 0, nil
	}
	return target.SelfContained.InForce(target.CrtStatic(s.opts.crtStatic), func() bool {
		// A linker of that name outside the sysroot means that the
		// machine has a MinGW.
		native := s.q.Compiler.Host == target.Triple
		return native && (program == "rust-lld" || s.q.World.OnPath != nil && !s.q.World.OnPath(program))
	}), nil
}

// lldArgs returns the arguments that choose LLD, in the order of the linker's
// command line: rustc's own, the spec's and the user's.
func (s *session) lldArgs(f targets.LinkerFlavor, inForce targets.Components) ([]string, *diagnostic) {
	args := make([]string, 0, 3)
	if f.UsesLLD() && !f.UsesCC() {
		args = append(args, "-flavor", flavorPrograms[f.Kind()].lldName)
	}
	args = appendRelevant(args, s.q.Target.PreLinkArgs.For(f))
	args = appendRelevant(args, s.opts.preLinkArgs)
	if f.UsesLLD() && f.UsesCC() {
		lsc := s.opts.linkSelfContained
		if (lsc.enables(targets.Linker) || inForce.Has(targets.Linker)) && !lsc.disables(targets.Linker) {
			var d *diagnostic
			if args, d = s.appendGccLd(args); d != nil {
				return nil, d
			}
		}
		if !s.q.Target.LikeWasm {
			args = append(args, "-fuse-ld=lld")
		}
		if f.Kind() != targets.KindGNU && s.q.Target.Flavor != s.q.Host.Flavor {
			args = append(args, "--target="+s.q.Target.VersionedLLVMTarget())
		}
	}
	return appendRelevant(args, s.opts.linkArgs), nil
}

// appendGccLd adds one -B per sysroot, as given, duplicates included. rustc looks
// for the directory only, not for the programs in it.
func (s *session) appendGccLd(args []string) ([]string, *diagnostic) {
	w := &s.q.World
	found := false
	for _, root := range [...]string{s.explicitSysroot(), w.own()} {
		if root == "" {
			continue
		}
		arg := "-B" + root + "/lib/rustlib/" + s.q.Compiler.Host.String() + "/bin/gcc-ld"
		found = found || w.exists(arg[len("-B"):])
		args = append(args, arg)
	}
	if !found {
		return nil, errGccLdMissing()
	}
	return args, nil
}

func (s *session) explicitSysroot() string {
	if s.inv.Sysroot != "" {
		return s.inv.Sysroot
	}
	return s.q.World.Explicit
}

func (w *World) own() string {
	if w.Sysroot == "" {
		return "<sysroot>"
	}
	return w.Sysroot
}

// appendRelevant adds the arguments in more that choose a linker: -B with a
// directory, -fuse-ld, --ld-path, --target, and -flavor with its value.
func appendRelevant(args, more []string) []string {
	for i, arg := range more {
		switch {
		case strings.HasPrefix(arg, "-fuse-ld="), strings.HasPrefix(arg, "--ld-path="), strings.HasPrefix(arg, "--target="):
			args = append(args, arg)
		case arg == "-flavor":
			args = append(args, more[i:min(i+2, len(more))]...)
		case strings.HasPrefix(arg, "-B") && strings.Contains(arg, "/"):
			args = append(args, arg)
		}
	}
	return args
}
