package optouts

import (
	"fmt"
	"slices"
	"strings"

	"x.go/bootstrap/cargoflags"
	"x.go/targets"
	"x.go/targets/link"
)

// Status says in a word what an option does to linking.
type Status string

// The statuses.
const (
	StatusOff     Status = "lld-off" // LLD would link, and does not
	StatusOn      Status = "lld-on"  // LLD would not link, and does
	StatusChanges Status = "changes" // another linker, or other arguments for it
	StatusNone    Status = "none"    // nothing would be different without it
	StatusSame    Status = "same"    // nothing would be different without it, because of another option beside it
	StatusRefused Status = "refused" // rustc stops with an error
	StatusUnknown Status = "unknown" // a variable decides, or the target is not known
)

// judge asks targets/link what options do for one compiler.
type judge struct {
	compiler  targets.Compiler
	snapshot  targets.Snapshot
	target    targets.Triple
	decisions map[string]link.Explanation
}

// verdict is what an option does.
type verdict struct {
	status Status
	text   string
	target string // that it was asked about
	lld    bool   // LLD links there without the options of the group
	works  bool   // without the option, the others of its group are taken
	cross  bool   // the target is not the compiler's host
}

// place resolves the target that a place in a file names. applies is No where it is
// a condition that does not hold for the target that was asked about.
func (j *judge) place(name string) (t targets.Triple, applies targets.Tristate) {
	switch {
	case name == "" || name == "*":
		return j.target, targets.Yes
	case strings.HasPrefix(name, "cfg("):
		spec, err := j.snapshot.For(j.compiler, j.target)
		if err != nil {
			return j.target, targets.Unknown
		}
		holds, err := cargoflags.Holds(name, cargoflags.SpecCfgs(spec, nil))
		if err != nil {
			holds = targets.Unknown
		}
		return j.target, holds
	}
	if spec, err := j.snapshot.Find(j.compiler, name); err == nil {
		return spec.Triple, targets.Yes
	}
	for _, n := range j.snapshot.Names() { // as in CARGO_TARGET_TRIPLE_LINKER
		if strings.EqualFold(strings.NewReplacer("-", "_", ".", "_").Replace(n), name) {
			if spec, err := j.snapshot.Find(j.compiler, n); err == nil {
				return spec.Triple, targets.Yes
			}
		}
	}
	return targets.Triple{}, targets.Unknown
}

// explain answers for a set of arguments, once for each.
func (j *judge) explain(t targets.Triple, args []string, unlocked bool) (link.Explanation, bool) {
	key := fmt.Sprint(t, unlocked, strings.Join(args, "\x00"))
	if e, ok := j.decisions[key]; ok {
		return e, true
	}
	q, err := link.NewQuery(j.snapshot, j.compiler, t, args)
	if err != nil {
		return link.Explanation{}, false
	}
	if unlocked {
		q.Bootstrap = "1"
	}
	e := link.Explain(q)
	if j.decisions == nil || len(j.decisions) > 10000 {
		j.decisions = map[string]link.Explanation{}
	}
	j.decisions[key] = e
	return e, true
}

// known splits off what the release does not know: an error that is not in the rules
// of link, which has those of the newest releases.
func (j *judge) known(args []string) (text string, ok bool) {
	for _, a := range args {
		if h, until := lookupHistory(a); h != nil {
			if why := h.refusal(j.compiler.Release, until); why != "" {
				return why, false
			}
		}
	}
	return "", true
}

// verdict says what the option does among those of its group.
func (j *judge) verdict(o *found, group []found, unlocked bool) verdict {
	t, applies := j.place(o.target)
	switch {
	case t.IsZero():
		return verdict{status: StatusUnknown, target: o.target, text: fmt.Sprintf("not known: rustc %s has no target %q, which it names", j.compiler.Release, o.target)}
	case o.class == ClassToolchain:
		return verdict{status: StatusChanges, target: t.String(), text: toolchainEffect(o)}
	case len(o.args) == 0:
		return verdict{status: StatusNone, target: t.String(), text: "none on rustc: neither cargo nor rustc reads " + o.key + "; C and C++ code that is linked beside it may obey it"}
	}
	v := j.judge(t, o, group, unlocked)
	v.target = t.String()
	switch applies {
	case targets.No:
		v.status, v.text = StatusNone, fmt.Sprintf("none on %s: %s does not hold there", t, o.target)
	case targets.Unknown:
		v.text = fmt.Sprintf("where %s holds: %s", o.target, v.text)
	}
	return v
}

func (j *judge) judge(t targets.Triple, o *found, group []found, unlocked bool) verdict {
	where := fmt.Sprintf("rustc %s for %s", j.compiler.Release, t)
	base, ok := j.explain(t, nil, unlocked)
	if !ok {
		return verdict{status: StatusUnknown, text: "not known for " + where}
	}
	v := verdict{lld: base.Decision.UsesLLD()}
	if why, ok := j.known(o.args); !ok {
		v.status, v.text = StatusRefused, fmt.Sprintf("rustc %s stops at it: %s", j.compiler.Release, why)
		return v
	}
	locked := !unlocked && !j.compiler.Release.AllowsUnstable()
	all, without := j.groupArgs(group, nil, locked && o.class != ClassUnlock), j.groupArgs(group, o, locked)
	with, _ := j.explain(t, all, unlocked)
	rest, _ := j.explain(t, without, unlocked)
	unlocks := slices.Contains(all, "-Zunstable-options") && o.class != ClassUnlock
	alone := o.args
	if unlocks {
		alone = append([]string{"-Zunstable-options"}, alone...)
	}
	single, _ := j.explain(t, alone, unlocked)
	v.works, v.cross = rest.Decision.Exit == 0, t != j.compiler.Host
	switch {
	case strings.ContainsAny(o.args[0], "$%{<@"):
		v.status, v.text = StatusUnknown, variableEffect(o, where)
	case single.Decision.Exit != 0 && o.class != ClassUnlock:
		v.status, v.text = StatusRefused, j.refusal(o, single, where)
	case linkerArgEffects[o.class] != nil:
		v.status, v.text = linkerArgEffects[o.class](o, with, where)
	case o.class == ClassUnlock:
		v.status, v.text = unlockEffect(with, rest, where)
	default:
		v.status, v.text = compare(o, base, single, with, rest, where)
	}
	return v
}

// groupArgs returns the arguments of a group without those of one option, and
// without those that the release does not know. Where the compiler is locked, each -Z
// stops it: the others are judged without them.
func (j *judge) groupArgs(group []found, but *found, locked bool) []string {
	var out []string
	for i := range group {
		o := &group[i]
		if locked && len(o.args) > 0 && strings.HasPrefix(o.args[0], "-Z") {
			continue
		}
		if but != nil && o.at == but.at && o.option == but.option {
			continue
		}
		if _, ok := j.known(o.args); ok && (len(o.args) == 0 || !strings.ContainsAny(o.args[0], "<@")) {
			out = append(out, o.args...)
		}
	}
	return out
}

// refusal repeats rustc's own message, and says what works instead.
func (j *judge) refusal(o *found, e link.Explanation, where string) string {
	text := fmt.Sprintf("%s stops at it: %s", where, e.Decision.Error)
	if o.class == ClassFeatures && strings.Contains(o.args[0], "-lld") && e.Decision.Rule == link.RuleUnstableOnTarget {
		text += "; -Clink-arg=-fuse-ld=bfd is stable on every target"
	}
	return text
}

// sameLink reports whether two decisions run the same linker in the same way.
func sameLink(a, b link.Explanation) bool {
	return a.Decision.Exit == b.Decision.Exit && a.Decision.Linked == b.Decision.Linked && a.Decision.Linker == b.Decision.Linker &&
		a.Decision.Flavor.UsesCC() == b.Decision.Flavor.UsesCC() && slices.Equal(effective(a.Decision.LLDArgs), effective(b.Decision.LLDArgs))
}

// effective leaves of the arguments that choose a linker those that the C compiler
// obeys: the last -fuse-ld counts, and the toolchain's gcc-ld has LLD alone.
func effective(args []string) []string {
	named := ""
	for _, a := range args {
		if strings.HasPrefix(a, "-fuse-ld=") {
			named = a
		}
	}
	var out []string
	for _, a := range args {
		switch {
		case strings.HasPrefix(a, "-fuse-ld=") && a != named, slices.Contains(out, a),
			named != "-fuse-ld=lld" && strings.HasPrefix(a, "-B") && strings.HasSuffix(a, "/bin/gcc-ld"):
		default:
			out = append(out, a)
		}
	}
	return out
}

// compare tells what an option changes: alone, and beside the others of its group.
func compare(o *found, base, single, with, rest link.Explanation, where string) (Status, string) {
	if sameLink(base, single) && (sameLink(with, rest) || with.Decision.Exit != 0) {
		return StatusNone, noEffect(o, single, where)
	}
	before, after := base, single
	among := ""
	if sameLink(base, single) || with.Decision.Exit == 0 && rest.Decision.Exit == 0 && base.Decision.UsesLLD() != rest.Decision.UsesLLD() {
		before, after = rest, with
		among = "beside the options around it, "
	}
	if sameLink(before, after) {
		return StatusSame, fmt.Sprintf("none beside the options around it: with or without it, %s %s", where, linksWith(after))
	}
	switch was, is := before.Decision.UsesLLD(), after.Decision.UsesLLD(); {
	case was && !is:
		return StatusOff, fmt.Sprintf("%sturns LLD off: without it %s %s; with it, it %s%s", among, where, linksWith(before), linksWith(after), remarks(after))
	case !was && is:
		return StatusOn, fmt.Sprintf("%sturns LLD on: without it %s %s; with it, it %s%s", among, where, linksWith(before), linksWith(after), remarks(after))
	}
	return StatusChanges, fmt.Sprintf("%s%s %s with it, and %s without it%s", among, where, linksWith(after), linksWith(before), remarks(after))
}

// noEffect says why nothing changes.
func noEffect(o *found, e link.Explanation, where string) string {
	switch {
	case e.LLD == "toolchain" && e.Decision.Flavor.UsesCC():
		return fmt.Sprintf("none: %s links with the LLD of its toolchain by default, since 1.90", where)
	case e.Decision.UsesLLD():
		return fmt.Sprintf("none: %s %s anyway", where, linksWith(e))
	case o.class == ClassFeatures || o.class == ClassSelfContained:
		return fmt.Sprintf("none: %s does not link with LLD by default%s", where, remarks(e))
	}
	return fmt.Sprintf("none: %s %s anyway", where, linksWith(e))
}

// linksWith names the linker of a decision.
func linksWith(e link.Explanation) string {
	d := e.Decision
	switch {
	case d.Exit != 0:
		return "stops: " + d.Error
	case !d.Linked:
		return "links nothing"
	case !d.Flavor.UsesCC():
		return "runs " + d.Linker + " directly"
	case e.LLD == "toolchain":
		return "links with the LLD of its toolchain through " + d.Linker
	}
	if name, ok := d.NamedLinker(); ok {
		return fmt.Sprintf("tells %s to link with %s", d.Linker, name)
	}
	return "links with the linker that " + d.Linker + " chooses"
}

// remarks are warnings that matter to whoever reads about an option.
func remarks(e link.Explanation) string {
	var out string
	for _, w := range e.Warnings {
		switch w.ID {
		case "linker-name-drops-lld", "self-contained-y-crashes", "components-without-effect", "linker-is-no-c-compiler", "rust-lld-without-flavor", "m68k-has-no-lld", "ld-path-is-clangs", "path-in-fuse-ld", "system-lld":
			out += "; " + w.Text
		}
	}
	return out
}

func variableEffect(o *found, where string) string {
	switch o.class {
	case ClassLinker:
		return "names the linker of " + where + ", which a variable decides"
	case ClassFuseLd:
		return "tells the C compiler of " + where + " which linker to run, which a variable decides"
	}
	return "not known: a variable decides"
}

// unlockEffect is about -Zunstable-options, which only serves the options beside it.
func unlockEffect(with, rest link.Explanation, where string) (Status, string) {
	switch {
	case with.Decision.Exit != 0:
		return StatusRefused, fmt.Sprintf("%s stops: %s", where, with.Decision.Error)
	case sameLink(with, rest):
		return StatusNone, fmt.Sprintf("none on linking: %s takes the linker options beside it without it", where)
	}
	return StatusChanges, fmt.Sprintf("unlocks the linker options beside it, which %s refuses otherwise: %s", where, rest.Decision.Error)
}

// linkerArgEffects are about arguments that the linker itself obeys. e is the decision
// with all options of the group.
var linkerArgEffects = map[Class]func(o *found, e link.Explanation, where string) (Status, string){
	ClassStartStop: startStopEffect,
	ClassUndefined: func(_ *found, e link.Explanation, where string) (Status, string) {
		return StatusChanges, fmt.Sprintf("the linker does not check whether shared libraries find their symbols; LLD does so by default, BFD only as far as it sees all of them: %s %s", where, linksWith(e))
	},
	ClassThreads: func(_ *found, e link.Explanation, where string) (Status, string) {
		if e.Decision.UsesLLD() {
			return StatusChanges, "sets how many threads LLD runs; without it, one for each processor"
		}
		return StatusUnknown, fmt.Sprintf("only LLD, mold and gold know it, and %s %s", where, linksWith(e))
	},
}

func startStopEffect(o *found, e link.Explanation, where string) (Status, string) {
	keeps := strings.Contains(o.args[len(o.args)-1], "nostart-stop-gc")
	named, isNamed := e.Decision.NamedLinker()
	switch {
	case e.Decision.UsesLLD() && keeps:
		return StatusChanges, "LLD keeps sections to which only __start_ and __stop_ symbols refer, as BFD does by default; without it, it drops them"
	case e.Decision.UsesLLD():
		return StatusNone, "none: LLD drops sections to which only __start_ and __stop_ symbols refer by default"
	case isNamed && named != "bfd":
		return StatusUnknown, fmt.Sprintf("not known: %s %s", where, linksWith(e))
	case keeps:
		return StatusNone, fmt.Sprintf("none: %s does not link with LLD, and BFD keeps sections to which __start_ and __stop_ symbols refer by default", where)
	}
	return StatusChanges, "BFD drops sections to which only __start_ and __stop_ symbols refer; some versions crash at it"
}
