package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"x.go/bootstrap/optouts"
)

// optOutsFlags are the flags of `x opt-outs`.
type optOutsFlags struct {
	compilerFlags
	target   string
	noIgnore bool
	sarif    bool
	fix      bool
	diff     bool
}

func (a *app) optOutsCommand() *cobra.Command {
	var f optOutsFlags
	cmd := &cobra.Command{
		Use:   "opt-outs DIR...",
		Short: "Find where a tree opts out of LLD, or asks for a linker",
		Long: `Look through directories for options that turn LLD off or on, name a linker, or
work around one: in cargo's configuration, build scripts, CI, packaging, Nix,
containers, Bazel, make and the like, scripts and documentation. For each, say what
it does for a compiler and a target, the likely reason (from the comment beside it,
and from Cargo.lock), and whether that reason still holds. What is commented out is
not found.

The compiler is the newest stable one that x knows, on x86_64-unknown-linux-gnu, and
links for itself; --release, --host and --target name others. A [target.TRIPLE] or
CARGO_TARGET_TRIPLE_LINKER counts for its own target.

x reads what ripgrep would: it obeys .gitignore, .ignore and .rgignore, unless
--no-ignore is given, and passes over binaries. Hidden files count, as .github and
.cargo do, but not .git. It follows no link, and reads the first 4 MiB of a file.

--fix removes what is not needed any more: where the reason is known not to hold, or
nothing would be different without it. It prints the diff; --diff, or --fix with
--dry-run, only prints it. Documentation and source code are left to people.

--json prints {"findings":[{"file", "line", "option", "effect", "reason", "needed"}]}
and more members; needed is true, false, or null where that is not known. --sarif
prints SARIF 2.1.0 for code scanning.

Exit status: 0 nothing found, 1 something found (with --fix: something is left), 2
wrong usage, or something could not be read.`,
		Example: `  x opt-outs .
  x opt-outs --release 1.89 --json ~/src/project
  x opt-outs --target aarch64-unknown-linux-gnu crates tools
  x opt-outs --sarif . > opt-outs.sarif
  x opt-outs --diff .
  x opt-outs --fix .`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("got no directory, want DIR")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.optOuts(cmd.Context(), args, f) },
	}
	hideGlobals(cmd, "config", "set", "build-dir", "verbose", "quiet")
	f.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.target, "target", "", "`triple` to link for where a file does not say so (default the host)")
	flags.BoolVar(&f.noIgnore, "no-ignore", false, "look at files that .gitignore and its like leave out")
	flags.BoolVar(&f.sarif, "sarif", false, "print SARIF 2.1.0, for code scanning")
	flags.BoolVar(&f.fix, "fix", false, "remove what is not needed any more, and print the diff")
	flags.BoolVar(&f.diff, "diff", false, "print what --fix would change, and change nothing")
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("target", completeTriples))
	return cmd
}

func (a *app) optOuts(ctx context.Context, dirs []string, f optOutsFlags) error {
	if f.sarif && (a.flags.json || f.fix || f.diff) {
		return usagef("--sarif is an output of its own: drop --json, --fix and --diff")
	}
	o, err := a.optOutsOptions(ctx, f)
	if err != nil {
		return err
	}
	r, err := optouts.Run(ctx, dirs, o)
	if err != nil {
		return usage(err)
	}
	edits := r.Edits()
	if f.fix && !f.diff && !a.flags.dryRun {
		for i := range edits {
			if err := edits[i].Write(); err != nil {
				return usage(err)
			}
		}
	}
	if err := a.printOptOuts(r, edits, f); err != nil {
		return err
	}
	if err := r.Err(); err != nil {
		return usage(err)
	}
	left := len(r.Findings)
	if f.fix && !f.diff && !a.flags.dryRun {
		left -= r.Fixable()
	}
	if left > 0 {
		return exitError{code: exitFail} // the findings are the message
	}
	return nil
}

// printOptOuts prints the answer in the form that the flags ask for.
func (a *app) printOptOuts(r *optouts.Report, edits []optouts.Edit, f optOutsFlags) error {
	var changes strings.Builder
	if f.fix || f.diff {
		for _, e := range edits {
			changes.Write(diff.Diff("a/"+e.File, e.Old, "b/"+e.File, e.New))
		}
	}
	switch {
	case f.sarif:
		text, err := r.SARIF(buildVersion().Version, a.Dir)
		if err != nil {
			return err
		}
		return a.print(string(text) + "\n")
	case a.flags.json:
		return a.printJSON(struct {
			Findings []optouts.Finding `json:"findings"`
			Diff     string            `json:"diff,omitempty"`
		}{r.Findings, changes.String()})
	case f.diff:
		return a.print(changes.String())
	case f.fix:
		done := "removed"
		if a.flags.dryRun {
			done = "would remove"
		}
		return a.print(changes.String() + optOutsText(r, true) + fmt.Sprintf("%s %s in %s\n", done, plural(r.Fixable(), "option"), plural(len(edits), "file")))
	}
	return a.print(optOutsText(r, false))
}

// optOutsOptions reads the flags.
func (a *app) optOutsOptions(ctx context.Context, f optOutsFlags) (optouts.Options, error) {
	if f.host == "" && f.rustc == "" && a.sysroot() == "" {
		f.host = "x86_64-unknown-linux-gnu" // whose default changed; the same answer on every machine
	}
	o := optouts.Options{Dir: a.Dir, NoIgnore: f.noIgnore, Jobs: a.flags.jobs}
	asked, err := a.ask(ctx, &f.compilerFlags)
	if err != nil {
		return o, err
	}
	o.Compiler, o.Snapshot = asked.Compiler, asked.Snapshot
	if f.target != "" {
		spec, err := o.Snapshot.Find(o.Compiler, f.target)
		if err != nil {
			return o, usage(err)
		}
		o.Target = spec.Triple
	}
	return o, nil
}

// optOutsText tells findings to people; where fixed, those that are left.
func optOutsText(r *optouts.Report, fixed bool) string {
	var b strings.Builder
	for _, f := range r.Findings {
		if fixed && f.Fixable {
			continue
		}
		fmt.Fprintf(&b, "%s: %s\n    effect  %s\n", f.Where(), f.Option, fill(f.Effect, 12))
		if f.Reason != "" {
			fmt.Fprintf(&b, "    reason  %s\n", fill(f.Reason, 12))
		}
		fmt.Fprintf(&b, "    needed  %s\n", fill(neededText(f), 12))
	}
	if fixed {
		return b.String()
	}
	needed, obsolete, unknown := r.Counts()
	fmt.Fprintf(&b, "%s in %s: %d needed, %d not needed any more, %d not known\n", plural(len(r.Findings), "option"), plural(r.Looked, "file"), needed, obsolete, unknown)
	return b.String()
}

func neededText(f optouts.Finding) string {
	word := "not known"
	if f.Needed != nil {
		word = map[bool]string{true: "yes", false: "no"}[*f.Needed]
	}
	if f.Why != "" {
		return word + ": " + f.Why
	}
	return word
}
