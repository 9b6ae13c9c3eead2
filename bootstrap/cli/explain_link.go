package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"x.go/bootstrap/rustflags"
	"x.go/targets"
)

// explainLinkFlags are the flags of `x explain` about linking.
type explainLinkFlags struct {
	compilerFlags
	target    string
	rustflags bool
	batch     bool
}

// addExplainLinkFlags defines the flags with which explainLink works.
func (a *app) addExplainLinkFlags(cmd *cobra.Command) {
	a.link.add(cmd)
	f := cmd.Flags()
	f.StringVar(&a.link.target, "target", "", "`triple` or JSON file to link for (default the host)")
	f.BoolVar(&a.link.rustflags, "rustflags", false, "add the flags that cargo would give here: RUSTFLAGS, .cargo/config.toml; and RUSTC_BOOTSTRAP")
	f.BoolVar(&a.link.batch, "batch", false, "answer JSON lines from standard input with JSON lines")
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("target", completeTriples))
}

// explainLink answers which linker rustc runs, and why. args are those of
// `x explain` where they are no key of the configuration.
func (a *app) explainLink(cmd *cobra.Command, args []string) error {
	if before := cmd.ArgsLenAtDash(); len(args) > 0 && before != 0 {
		return usagef("explaining %q: neither a key nor a flag: a target goes after --target, flags of rustc after --", args[0])
	}
	c, err := a.askedCompiler(cmd.Context(), &a.link.compilerFlags)
	if err != nil {
		return err
	}
	if a.link.batch {
		if len(args) > 0 || a.link.target != "" || a.link.rustflags {
			return usagef("--batch reads targets and flags from standard input: drop --target, --rustflags and what follows --")
		}
		return a.explainBatch(cmd.Context(), c)
	}
	q, asked, err := a.linkQuery(c, args)
	if err != nil {
		return err
	}
	e, notes := c.override.Explain(q)
	answer := linkAnswer{Explanation: e, Flags: asked.flags, Notes: append(asked.notes, notes...)}
	if c.note != "" {
		answer.Notes = append(answer.Notes, c.note)
	}
	if a.flags.json {
		return a.printJSON(answer.withLists())
	}
	_, err = a.Stdout.Write([]byte(linkText(answer, q, c, asked)))
	return err
}

// linkAnswer is what `x explain --json` prints about a link.
type linkAnswer struct {
	targets.Explanation
	Flags []rustflags.Flag `json:"flags"` // all of them, in rustc's order
	Notes []string         `json:"notes,omitempty"`
}

// withLists prints empty lists as [], not as null.
func (e linkAnswer) withLists() linkAnswer {
	e.Flags = append([]rustflags.Flag{}, e.Flags...)
	e.Steps = append([]targets.Step{}, e.Steps...)
	e.Ways = append([]targets.Way{}, e.Ways...)
	e.Warnings = append([]targets.Warning{}, e.Warnings...)
	return e
}

// askedFlags are the arguments of rustc that a question is about.
type askedFlags struct {
	flags        []rustflags.Flag
	notes        []string
	target       string // as given
	targetOrigin string // what named the target, "" for the command line
}

// linkQuery gathers target and flags.
func (a *app) linkQuery(c askedCompiler, args []string) (targets.Query, askedFlags, error) {
	var asked askedFlags
	var cargo rustflags.Config
	if a.link.rustflags {
		var err error
		if cargo, err = a.cargoConfig(); err != nil {
			return targets.Query{}, asked, usage(err)
		}
	}
	name, err := a.linkTarget(c, cargo, args, &asked)
	if err != nil {
		return targets.Query{}, asked, err
	}
	asked.target = name
	q, err := a.targetQuery(c, name)
	if err != nil {
		return q, asked, err
	}
	if a.link.rustflags {
		if asked.flags, asked.notes, err = cargo.Flags(q.Target); err != nil {
			return q, asked, usage(err)
		}
		if q.Bootstrap = a.getenv("RUSTC_BOOTSTRAP"); q.Bootstrap != "" {
			asked.notes = append(asked.notes, "RUSTC_BOOTSTRAP="+q.Bootstrap+" is set here and counts")
		}
	}
	for _, arg := range args {
		asked.flags = append(asked.flags, rustflags.Flag{Arg: arg, Origin: commandLine})
	}
	for _, f := range asked.flags {
		q.Args = append(q.Args, f.Arg)
	}
	added := c.override.LauncherArgs(q)
	for i, arg := range added {
		asked.flags = slices.Insert(asked.flags, i, rustflags.Flag{Arg: arg, Origin: "the launcher in this toolchain's bin"})
	}
	q.Args = slices.Concat(added, q.Args)
	return q, asked, nil
}

// linkTarget finds the target's name: from --target, from rustc's own --target
// among the flags, from cargo's configuration, else the host.
func (a *app) linkTarget(c askedCompiler, cargo rustflags.Config, args []string, asked *askedFlags) (string, error) {
	// A wrong command line is rustc's to report: Explain does.
	inv, _ := targets.ParseInvocation(args, a.readArgFile)
	switch {
	case a.link.target != "" && inv.Target != "" && a.link.target != inv.Target:
		return "", usagef("--target %q and rustc's --target %q differ: give one", a.link.target, inv.Target)
	case a.link.target != "":
		return a.link.target, nil
	case inv.Target != "":
		return inv.Target, nil
	}
	if name, origin := cargo.Target(); name != "" {
		asked.targetOrigin = origin
		return name, nil
	}
	asked.targetOrigin = "the host"
	return c.compiler.Host.String(), nil
}

// targetQuery asks about a builtin target, or about the one in a JSON file.
func (a *app) targetQuery(c askedCompiler, name string) (targets.Query, error) {
	stem, custom := strings.CutSuffix(filepath.Base(name), ".json")
	if !custom {
		spec, err := c.snapshot.Find(c.compiler, name)
		return targets.Query{Compiler: c.compiler, Target: spec, Host: c.host, World: c.world}, usage(err)
	}
	data, err := readBounded(a.path(name), maxTargetFile)
	if err != nil {
		return targets.Query{}, usage(err)
	}
	spec, err := targets.ParseSpecFile(stem, data)
	if err != nil {
		return targets.Query{}, usagef("reading target file %q: %w", name, err)
	}
	return targets.Query{Compiler: c.compiler, Target: spec, Host: c.host, CustomTarget: true, World: c.world}, nil
}

// maxTargetFile bounds a target's JSON file; rustc's own have 3 KB.
const maxTargetFile = 1 << 20

// maxCargoConfig bounds a .cargo/config.toml.
const maxCargoConfig = 1 << 20

// cargoConfig reads cargo's configuration as cargo would in this folder.
func (a *app) cargoConfig() (rustflags.Config, error) {
	home := a.path(a.getenv("CARGO_HOME"))
	if home == "" {
		if user := a.getenv("HOME"); user != "" {
			home = filepath.Join(user, ".cargo")
		}
	}
	return rustflags.Load(rustflags.Source{
		Dir: a.Dir, CargoHome: home, Lookupenv: a.lookupenv,
		ReadFile: func(path string) ([]byte, error) {
			data, err := readBounded(path, maxCargoConfig)
			if errors.Is(err, syscall.ENOTDIR) {
				err = fs.ErrNotExist // .cargo is a file, which cargo does not mind
			}
			return data, err
		},
	})
}

// linkText tells an answer to people.
func linkText(e linkAnswer, q targets.Query, c askedCompiler, asked askedFlags) string {
	var b strings.Builder
	row := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-10s%s\n", name, fmt.Sprintf(format, args...))
	}
	target := asked.target
	if asked.targetOrigin != "" {
		target += " (" + asked.targetOrigin + ")"
	}
	row("target", "%s", target)
	row("compiler", "rustc %s on %s", e.Compiler.Release, e.Compiler.Host)
	if c.origin != "--release" {
		row("", "(%s)", c.origin)
	}
	row("", "%s", bakedText(q))
	writeFlags(&b, e.Flags)
	b.WriteByte('\n')
	writeDecision(&b, e.Explanation)
	writeSteps(&b, e)
	writeWays(&b, e)
	writeWarnings(&b, e)
	return b.String()
}

// writeFlags writes the flags of one origin in a line.
func writeFlags(b *strings.Builder, flags []rustflags.Flag) {
	name := "flags"
	for len(flags) > 0 {
		origin := flags[0].Origin
		n := slices.IndexFunc(flags, func(f rustflags.Flag) bool { return f.Origin != origin })
		if n < 0 {
			n = len(flags)
		}
		args := make([]string, n)
		for i, f := range flags[:n] {
			args[i] = f.Arg
		}
		line := strings.Join(quoteAll(args), " ")
		if origin != commandLine {
			line += "   from " + origin
		}
		fmt.Fprintf(b, "%-10s%s\n", name, line)
		name, flags = "", flags[n:]
	}
}

// commandLine is the origin of flags after --.
const commandLine = "command line"

// bakedText says what the compiler's own default is.
func bakedText(q targets.Query) string {
	switch {
	case !q.Compiler.LLDDefault:
		return "built without LLD as its default linker"
	case q.Target.IsLinuxGNU() && !q.CustomTarget:
		return "built with LLD as its default linker, for this target too"
	}
	return "built with LLD as its default linker, not for targets of this kind"
}

// writeDecision tells what rustc does.
func writeDecision(b *strings.Builder, e targets.Explanation) {
	d := e.Decision
	row := func(name, text string) { fmt.Fprintf(b, "%-10s%s\n", name, text) }
	switch {
	case d.Exit != 0:
		row("result", fmt.Sprintf("rustc stops with exit status %d (rule %s)", d.Exit, d.Rule))
		for _, line := range append([]string{d.Error}, d.Notes...) {
			row("", line)
		}
		return
	case !d.Linked:
		row("result", "rustc runs no linker: nothing of this command line is linked")
		return
	}
	row("result", linksWith(e))
	row("runs", strings.Join(append([]string{d.Linker, "…"}, quoteAll(d.LLDArgs)...), " "))
	row("flavor", d.Flavor.String())
}

// linksWith names the linker that does the work.
func linksWith(e targets.Explanation) string {
	d := e.Decision
	through := ""
	if d.Flavor.UsesCC() {
		through = ", through the C compiler " + d.Linker
	}
	switch e.LLD {
	case "toolchain":
		return "links with the LLD of the toolchain" + through
	case "system":
		return "links with an LLD of the system" + through
	}
	for _, arg := range slices.Backward(d.LLDArgs) {
		if strings.HasPrefix(arg, "-fuse-ld=") {
			return "links with the linker that " + arg + " names" + through
		}
	}
	if d.Flavor.UsesCC() {
		return "links with whatever linker the C compiler " + d.Linker + " uses"
	}
	return "links with " + d.Linker
}

// quoteAll quotes arguments with blanks.
func quoteAll(args []string) []string {
	out := make([]string, len(args))
	for i, s := range args {
		if out[i] = s; s == "" || strings.ContainsAny(s, " \t\n'\"\\$") {
			out[i] = "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
		}
	}
	return out
}

// stepMarks show at a glance which rule won.
var stepMarks = map[string]string{"won": "won ", "lost": "lost", "idle": "-   "}

// writeSteps tells of the rules about the linker, where rustc gets to them.
func writeSteps(b *strings.Builder, e linkAnswer) {
	if !e.Decision.Linked {
		return
	}
	b.WriteString("\nrules, the first that has a say wins\n")
	for _, s := range e.Steps {
		fmt.Fprintf(b, "  %s  %-20s  %s%s\n", stepMarks[s.State], s.Rule, s.Text, originOf(e, s.Rule))
	}
}

// originOf says where the option of a rule comes from, where cargo's
// configuration gave it.
func originOf(e linkAnswer, r targets.Rule) string {
	options := map[targets.Rule]string{targets.RuleLinkerOption: "linker=", targets.RuleFlavorOption: "linker-flavor="}
	option, ok := options[r]
	if !ok {
		return ""
	}
	for i := len(e.Flags) - 1; i >= 0; i-- {
		f := e.Flags[i]
		if f.Origin != commandLine && strings.HasPrefix(strings.ReplaceAll(strings.TrimPrefix(f.Arg, "-C"), "_", "-"), option) {
			return " (from " + f.Origin + ")"
		}
	}
	return ""
}

func writeWays(b *strings.Builder, e linkAnswer) {
	if len(e.Ways) == 0 {
		return
	}
	without, taken := "", "stable  "
	if e.Decision.Exit != 0 {
		without = ", without the flags above"
	}
	if slices.ContainsFunc(e.Flags, func(f rustflags.Flag) bool { return strings.HasSuffix(f.Arg, "unstable-options") }) {
		without, taken = without+", where -Zunstable-options is given", "accepted"
	}
	fmt.Fprintf(b, "\nwhat turns LLD %s here%s\n", e.Ways[0].Turns, without)
	for _, w := range e.Ways {
		state := taken
		if !w.Stable {
			state = "unstable"
		}
		fmt.Fprintf(b, "  %s  %s\n", state, strings.Join(w.Flags, " "))
		if w.Refusal != "" {
			writeItem(b, "            ", strings.TrimPrefix(w.Refusal, "error: "))
		}
	}
}

func writeWarnings(b *strings.Builder, e linkAnswer) {
	if len(e.Warnings)+len(e.Notes) > 0 {
		b.WriteString("\nbeware\n")
	}
	for _, w := range e.Warnings {
		writeItem(b, "  - ", fmt.Sprintf("%s (%s)", w.Text, w.ID))
	}
	for _, n := range e.Notes {
		writeItem(b, "  - ", n)
	}
}

// writeItem writes text after a lead, in lines of at most 100 columns.
func writeItem(b *strings.Builder, lead, text string) {
	const width = 100
	line := lead
	for w := range strings.FieldsSeq(text) {
		switch {
		case line == lead:
			line += w
		case len(line)+1+len(w) > width:
			b.WriteString(line + "\n")
			lead = strings.Repeat(" ", len(lead))
			line = lead + w
		default:
			line += " " + w
		}
	}
	b.WriteString(line + "\n")
}
