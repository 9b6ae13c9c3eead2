package cli

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"x.go/bootstrap/config"
	"x.go/bootstrap/lld"
)

func (a *app) explainCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "explain [KEY] [flags] [-- RUSTC FLAGS]",
		Short: "Say which linker rustc runs and why, or explain a key",
		Long: `Without a key, say which linker rustc runs for a target and its flags, which rule
decided, which rules lost, and what would turn LLD on or off. No compiler is
needed: x carries the rules and the targets of some releases. --rustc or --sysroot
asks a compiler for its facts instead. The exit status is 0 even if the answer is
that rustc stops with an error.

With --rustflags, answer for cargo in this directory: for build.target, for the
compiler of RUSTC or build.rustc in place of that of --rustc, and with the flags of
RUSTFLAGS and .cargo/config.toml. What follows -- then stands where cargo rustc -- FLAGS
puts it, before the configured flags. --rustc is asked which conditions
target.'cfg(...)' hold; without it, x says which ones it cannot know.

With --batch, read questions from standard input, one JSON object on a line:
{"id", "target", "flags", "unstable", "bootstrap", "channel", "sysroot",
"release", "host", "lld_default"}. Only target is required. Each answer is a line
{"id", "exit", "error", "linker", "lld_args"}. A wrong line is answered with
{"id", "problem"}, and the exit status is then 1.

With a key of bootstrap.toml or x.toml, explain its value: where it comes from,
what it overrode, what it means and what it does here. For rust.lld and the keys
that bear on it, add the decision on LLD: whether LLD is shipped, each host's
default linker, the rule that decided and the rules that lost.

--json prints {"target", "compiler", "decision", "lld", "steps", "ways",
"warnings", "flags", "notes"}. For a key it prints {"key", "value", "origin",
"default", "overrode", "doc", "effect", "note", "lld"}: value and default are
TOML, overrode is an array of {"value", "origin"}, and lld is as in x config.`,
		Example: `  x explain --target aarch64-unknown-linux-gnu
  x explain --rustflags            as cargo in this directory would run rustc
  x explain --rustflags --cargo-config 'build.rustflags=["-Clinker=clang"]'
  x explain --rustc rustc --json -- -Clinker=gcc
  x explain --batch --release 1.95.0 < cases.jsonl > answers.jsonl
  x explain rust.lld
  x explain dist.compression-formats --set 'dist.compression-formats=["zst"]'
  x explain target.x86_64-unknown-linux-gnu.llvm-config --json`,
		ValidArgsFunction: completeKeys,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && cmd.ArgsLenAtDash() < 0 && isKey(args[0]) {
				return a.explainKey(args[0], a.link.release)
			}
			return a.explainLink(cmd, args)
		},
	}
	a.addExplainLinkFlags(cmd)
	hideGlobals(cmd, "dry-run", "verbose")
	return cmd
}

// isKey reports whether a word is meant as a key: it is one, or starts with a
// section, or is a key's name without its section. A mistyped key must get its
// suggestions, not the answer to another question.
func isKey(word string) bool {
	if _, ok := config.LookupKey(word); ok {
		return true
	}
	first, _, dotted := strings.Cut(word, ".")
	return slices.ContainsFunc(slices.Concat(config.Schema(), config.RemovedKeys()), func(k config.Key) bool {
		section, _, _ := strings.Cut(k.Section, ".")
		return section == first || !dotted && k.Name == word
	}) || dotted && len(config.NearestKeys(word)) > 0
}

// explainAnswer is what `x explain KEY --json` prints.
type explainAnswer struct {
	config.Explanation
	LLD *lld.Wanted `json:"lld,omitempty"`
}

func (a *app) explainKey(key, releaseText string) error {
	release, err := releaseFlag("--release", releaseText)
	if err != nil {
		return err
	}
	row, ok := config.LookupKey(key)
	if !ok {
		return unknownKey(key)
	}
	src := a.configSource()
	src.Release = release
	a.warnRelease(release)
	cfg, err := config.Load(src)
	if err != nil {
		return usage(err)
	}
	answer := explainAnswer{}
	if answer.Explanation, err = cfg.Explain(key); err != nil {
		return usage(err)
	}
	var refused error
	if lld.IsKey(row.ID()) {
		var d lld.Decision
		d, refused = lld.Decide(cfg, lld.Facts{Release: release})
		answer.LLD = &d.Wanted
	}
	if a.flags.json {
		err = a.printJSON(answer)
	} else {
		err = a.print(explainText(answer))
	}
	if err != nil {
		return err
	}
	return usage(refused)
}

// explainText writes an explanation for people.
func explainText(e explainAnswer) string {
	var b strings.Builder
	if e.Value != "" {
		fmt.Fprintf(&b, "%s = %s\n", e.Key, e.Value)
	} else {
		fmt.Fprintf(&b, "%s is not set\n", e.Key)
	}
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	row := func(name, text string) {
		if text != "" {
			fmt.Fprintf(w, "  %s\t%s\n", name, text)
		}
	}
	row("origin", e.Origin)
	for _, o := range e.Overrode {
		row("overrode", fmt.Sprintf("%s from %s", o.Value, o.Origin))
	}
	row("default", e.Default)
	row("meaning", e.Doc)
	effect := e.Effect
	if effect == "" {
		effect = "none: it is accepted and does nothing to archives or to linking"
	}
	row("effect", effect)
	row("note", e.Note)
	w.Flush() // into a strings.Builder
	if e.LLD != nil {
		writeLLD(&b, *e.LLD)
	}
	return b.String()
}

// writeLLD writes the decision on LLD.
func writeLLD(b *strings.Builder, d lld.Wanted) {
	if d.Error != "" {
		b.WriteString("\nLLD: the configuration is refused\n")
		return
	}
	shipped := "is not shipped"
	if d.Shipped {
		shipped = "is shipped"
	}
	fmt.Fprintf(b, "\nLLD %s: %s\n", shipped, d.Reason)
	w := tabwriter.NewWriter(b, 0, 8, 2, ' ', 0)
	fmt.Fprintf(w, "  decided by\t%s\n", d.Rule)
	for _, h := range d.Hosts {
		fmt.Fprintf(w, "  default on %s\t%s: %s\n", h.Host, h.Default, h.Reason)
	}
	if d.UsedWhileBuilding != "" && d.UsedWhileBuilding != config.LLDModeNone {
		fmt.Fprintf(w, "  while building\t%s\n", d.UsedWhileBuilding)
	}
	for _, l := range d.Lost {
		fmt.Fprintf(w, "  not by %s\t%s\n", l.Rule, l.Reason)
	}
	for _, warning := range d.Warnings {
		fmt.Fprintf(w, "  warning\t%s\n", warning)
	}
	w.Flush() // into a strings.Builder
}

// unknownKey says what became of a removed key, or names similar ones.
func unknownKey(key string) error {
	for _, k := range config.RemovedKeys() {
		if k.ID() != key {
			continue
		}
		if k.ReplacedBy != "" {
			return usagef("explaining key %q: removed in %s (rust-lang/rust#%d): write %s", key, k.Removed, k.ChangeID, k.ReplacedBy)
		}
		return usagef("explaining key %q: removed in %s (rust-lang/rust#%d): it did nothing", key, k.Removed, k.ChangeID)
	}
	near := config.NearestKeys(key)
	if len(near) == 0 {
		return usagef("explaining key %q: no such key: `x config --example` lists all", key)
	}
	return usagef("explaining key %q: no such key: did you mean %s?", key, strings.Join(near, ", "))
}

// completeKeys offers all keys with what they mean; those of targets with the
// triple of this machine.
func completeKeys(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []string
	for _, k := range config.Schema() {
		id := k.ID()
		if k.Section == "target.*" {
			id = strings.Replace(id, "*", thisHost().String(), 1)
		}
		if !strings.Contains(id, "*") {
			out = append(out, id+"\t"+k.Doc)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
