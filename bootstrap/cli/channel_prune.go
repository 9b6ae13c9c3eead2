package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"x.go/dist"
	"x.go/dist/mirror"
)

// pruneFlags are the flags of x channel prune.
type pruneFlags struct {
	days, newest int
	versions     []string
	yes          bool
}

func (a *app) channelPruneCommand() *cobra.Command {
	var f pruneFlags
	cmd := &cobra.Command{
		Use:   "prune STORE",
		Short: "Delete old days and versions from a store",
		Long: `Delete old days and versions from a store: the directory or bucket above dist. It
shows what would go; with --yes, it goes.

Any of the rules keeps the directory of a day: --keep-days, --newest, --keep-versions.
A directory outside of all of them goes, unless a manifest that stays names files in
it. The channels stable, beta and nightly always stay, and versions, such as
channel-rust-1.90.0.toml, if their day or --keep-versions keeps them. Copies in dist
of files that go (--undated of x mirror) go, too.

Manifests go first, then their lines in manifests.txt, then files: nobody finds a
manifest that names what is gone. Files that are not of the layout stay, as does
rustup's tree. A run that was killed is completed by the same command. Let no
x mirror or x publish run at the same time.`,
		Example: `  x channel prune /srv/rust --keep-days 30
  x channel prune /srv/rust --newest 7 --keep-versions 1.90.0,1.95 --yes
  x channel prune s3://rust-mirror --newest 3 --json`,
		Args:              exactly("STORE"),
		ValidArgsFunction: completeDirs,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.channelPrune(cmd.Context(), args[0], f) },
	}
	flags := cmd.Flags()
	flags.IntVar(&f.days, "keep-days", 0, "keep the directories of the last `number` of days")
	flags.IntVar(&f.newest, "newest", 0, "keep the newest `number` of days of each of stable, beta and nightly")
	flags.StringSliceVar(&f.versions, "keep-versions", nil, "keep these `names`: versions (1.90.0, 1.90), days (nightly-2026-04-16)")
	flags.BoolVar(&f.yes, "yes", false, "delete what is shown")
	hideGlobals(cmd, "config", "set", "build-dir")
	return cmd
}

// prunedAnswer is the answer of x channel prune.
type prunedAnswer struct {
	*mirror.Prune
	// Deleted says that it was done, and not only planned.
	Deleted bool `json:"deleted"`
}

func (a *app) channelPrune(ctx context.Context, place string, f pruneFlags) error {
	now, err := a.sourceDateEpoch()
	if err != nil {
		return err
	}
	if now.IsZero() {
		now = time.Now()
	}
	rule := mirror.Retention{Days: f.days, Now: now, Newest: f.newest, Versions: f.versions}
	if err := rule.Validate(); err != nil {
		return usage(err)
	}
	s, err := a.openStore(ctx, place)
	if err != nil {
		return err
	}
	defer s.Close()
	plan, err := mirror.PlanPrune(ctx, s, rule)
	if err != nil {
		return err
	}
	do := f.yes && !a.flags.dryRun
	if do {
		err := plan.Run(ctx, func(name string) {
			if a.flags.verbose {
				a.progressf("x: deleted %s", dist.OneLine(name))
			}
		})
		if err != nil {
			return err
		}
	}
	if a.flags.json {
		return a.printJSON(prunedAnswer{plan, do})
	}
	return a.printPruned(plan, do)
}

// printPruned prints a plan, or what was done.
func (a *app) printPruned(plan *mirror.Prune, done bool) error {
	var b strings.Builder
	for _, d := range plan.Kept {
		fmt.Fprintf(&b, "keep   %s  %s  %s\n", d.Date, strings.Join(d.Channels, " "), d.Why)
	}
	for _, d := range plan.Gone {
		fmt.Fprintf(&b, "delete %s  %s  %s, %s\n", d.Date, strings.Join(d.Channels, " "), plural(d.Files, "file"), dist.FormatBytes(d.Bytes))
	}
	for _, name := range append(plan.Manifests, plan.Files...) {
		if strings.Count(name, "/") == 1 {
			fmt.Fprintf(&b, "delete %s\n", name)
		}
	}
	for _, name := range plan.Left {
		fmt.Fprintf(&b, "leave  %s: it is not of the layout\n", name)
	}
	verb := "to delete"
	if done {
		verb = "deleted"
	}
	count := len(plan.Manifests) + len(plan.Files)
	fmt.Fprintf(&b, "%s %s, %s\n", plural(count, "file"), verb, dist.FormatBytes(plan.Bytes))
	if !done && count > 0 {
		a.progressf("x: note: nothing was deleted: add --yes")
	}
	if _, err := fmt.Fprint(a.Stdout, dist.Printable(b.String())); err != nil {
		return fmt.Errorf("printing what was pruned: %w", err)
	}
	return nil
}
