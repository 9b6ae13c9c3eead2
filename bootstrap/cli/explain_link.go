package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"x.go/bootstrap/cargoflags"
	"x.go/bootstrap/explain"
	"x.go/targets/link"
)

// explainLinkFlags are the flags of `x explain` about linking.
type explainLinkFlags struct {
	compilerFlags
	target      string
	rustflags   bool
	cargoConfig []string
	batch       bool
}

// addExplainLinkFlags defines the flags with which explainLink works.
func (a *app) addExplainLinkFlags(cmd *cobra.Command) {
	a.link.add(cmd)
	f := cmd.Flags()
	f.StringVar(&a.link.target, "target", "", "`triple` or JSON file to link for (default the host)")
	f.BoolVar(&a.link.rustflags, "rustflags", false, "answer for cargo in this directory: its target, compiler, RUSTFLAGS, .cargo/config.toml; and RUSTC_BOOTSTRAP")
	f.StringArrayVar(&a.link.cargoConfig, "cargo-config", nil, "with --rustflags, what cargo gets as --config: a `key=value` or a file; may be repeated")
	f.BoolVar(&a.link.batch, "batch", false, "answer JSON lines from standard input with JSON lines")
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("target", completeTriples))
}

// explainLink answers which linker rustc runs, and why. args are those of
// `x explain` where they are no key of the configuration.
func (a *app) explainLink(cmd *cobra.Command, args []string) error {
	if before := cmd.ArgsLenAtDash(); len(args) > 0 && before != 0 {
		return usagef("explaining %q: neither a key nor a flag: a target goes after --target, flags of rustc after --", args[0])
	}
	if len(a.link.cargoConfig) > 0 && !a.link.rustflags {
		return usagef("--cargo-config is for --rustflags: give both")
	}
	asked, err := a.ask(cmd.Context(), &a.link.compilerFlags)
	if err != nil {
		return err
	}
	if a.link.batch {
		if len(args) > 0 || a.link.target != "" || a.link.rustflags {
			return usagef("--batch reads targets and flags from standard input: drop --target, --rustflags and what follows --")
		}
		return a.explainBatch(cmd.Context(), asked)
	}
	answer, err := asked.Link(cmd.Context(), explain.Question{Target: a.link.target, Args: args, Cargo: a.link.rustflags, CargoConfig: a.link.cargoConfig})
	if err != nil {
		return questionError(err)
	}
	if a.flags.json {
		return a.printJSON(answer)
	}
	origin := asked.Rustc
	if origin == "" && a.link.release == "" {
		origin = "the newest stable release that x knows; --release, --rustc or --sysroot names another"
	}
	return a.print(linkText(answer, origin))
}

// explainBatch answers JSON lines until the input ends.
func (a *app) explainBatch(ctx context.Context, asked *explain.Asked) error {
	done := make(chan error, 1)
	go func() { done <- asked.Batch(ctx, a.Stdin, a.Stdout) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		// A read from a terminal or a pipe cannot be ended from outside; the
		// process ends instead.
		return fmt.Errorf("answering the batch: %w", ctx.Err())
	}
}

// linkText tells an answer to people. origin says where release and host of the
// compiler come from, "" for --release.
func linkText(e explain.Answer, origin string) string {
	var b strings.Builder
	row := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-10s%s\n", name, fmt.Sprintf(format, args...))
	}
	target := e.TargetName
	if e.TargetOrigin != "" {
		target += " (" + e.TargetOrigin + ")"
	}
	row("target", "%s", target)
	row("compiler", "rustc %s on %s", e.Compiler.Release, e.Compiler.Host)
	if origin != "" {
		row("", "(%s)", origin)
	}
	row("", "%s", bakedText(e.Query))
	writeFlags(&b, e.Flags)
	b.WriteByte('\n')
	writeDecision(&b, e.Explanation)
	writeSteps(&b, e)
	writeWays(&b, e)
	writeWarnings(&b, e)
	return b.String()
}

// writeFlags writes the flags of one origin in a line.
func writeFlags(b *strings.Builder, flags []cargoflags.Flag) {
	name := "flags"
	for len(flags) > 0 {
		origin := flags[0].Origin
		n := slices.IndexFunc(flags, func(f cargoflags.Flag) bool { return f.Origin != origin })
		if n < 0 {
			n = len(flags)
		}
		args := make([]string, n)
		for i, f := range flags[:n] {
			args[i] = f.Arg
		}
		line := strings.Join(quoteAll(args), " ")
		if origin != explain.CommandLine {
			line += "   from " + origin
		}
		fmt.Fprintf(b, "%-10s%s\n", name, line)
		name, flags = "", flags[n:]
	}
}

// bakedText says what the compiler's own default is.
func bakedText(q link.Query) string {
	switch {
	case !q.Compiler.LLDDefault:
		return "built without LLD as its default linker"
	case q.Target.IsLinuxGNU() && !q.CustomTarget:
		return "built with LLD as its default linker, for this target too"
	}
	return "built with LLD as its default linker, not for targets of this kind"
}

// writeDecision tells what rustc does.
func writeDecision(b *strings.Builder, e link.Explanation) {
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
func linksWith(e link.Explanation) string {
	d := e.Decision
	if slices.ContainsFunc(e.Warnings, func(w link.Warning) bool { return w.ID == "linker-is-no-c-compiler" }) {
		return "starts " + d.Linker + " as if it were a C compiler, which it is not: nothing links"
	}
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
	if name, ok := d.NamedLinker(); ok {
		return fmt.Sprintf("links with the linker that is named to it, %q%s", name, through)
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
func writeSteps(b *strings.Builder, e explain.Answer) {
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
func originOf(e explain.Answer, r link.Rule) string {
	options := map[link.Rule]string{link.RuleLinkerOption: "linker=", link.RuleFlavorOption: "linker-flavor="}
	option, ok := options[r]
	if !ok {
		return ""
	}
	for i := len(e.Flags) - 1; i >= 0; i-- {
		f := e.Flags[i]
		if f.Origin != explain.CommandLine && strings.HasPrefix(strings.ReplaceAll(strings.TrimPrefix(f.Arg, "-C"), "_", "-"), option) {
			return " (from " + f.Origin + ")"
		}
	}
	return ""
}

func writeWays(b *strings.Builder, e explain.Answer) {
	if len(e.Ways) == 0 {
		return
	}
	without, taken := "", "stable  "
	if e.Decision.Exit != 0 {
		without = ", without the flags above"
	}
	if slices.ContainsFunc(e.Flags, func(f cargoflags.Flag) bool { return strings.HasSuffix(f.Arg, "unstable-options") }) {
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

func writeWarnings(b *strings.Builder, e explain.Answer) {
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
