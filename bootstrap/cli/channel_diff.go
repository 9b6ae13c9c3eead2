package cli

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"x.go/dist"
	"x.go/manifests"
)

func (a *app) channelDiffCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "diff A B",
		Short: "Compare what two channels offer",
		Long: `Compare what two channels offer: components gained and lost by target, versions,
archives with other bytes, profiles and renames. Where archives are does not count.
Of archives on this machine it also has the sizes, and by their build records how
the toolchain of each host links. What else is in them, x diff compares.

Exit status: 0 no difference, 1 different, 2 wrong usage or a channel that cannot be
read.`,
		Example: `  x channel diff /srv/rust/dist/channel-rust-stable.toml build/channel
  x channel diff --json old/dist new/dist/channel-rust-stable.toml`,
		Args:              exactly("A", "B"),
		ValidArgsFunction: completeManifests,
		RunE: func(cmd *cobra.Command, args []string) error {
			from, err := a.openChannel(cmd.Context(), args[0])
			if err != nil {
				return usage(err)
			}
			to, err := a.openChannel(cmd.Context(), args[1])
			if err != nil {
				return usage(err)
			}
			found, err := from.Compare(cmd.Context(), to)
			if err != nil {
				return usage(err)
			}
			if err := a.printChannelDiff(found.Differences); err != nil {
				return err
			}
			if len(found.Unknown) > 0 {
				a.progressf("x: note: no archive on this machine tells how the toolchain links of %s", strings.Join(found.Unknown, ", "))
			}
			if len(found.Differences) > 0 {
				return exitError{code: exitFail} // the differences are the message
			}
			return nil
		},
	}
	hideGlobals(cmd, "config", "set", "build-dir", "dry-run", "verbose")
	return cmd
}

func (a *app) printChannelDiff(found []manifests.Difference) error {
	if a.flags.json {
		if found == nil {
			found = []manifests.Difference{}
		}
		return a.printJSON(found)
	}
	w := tabwriter.NewWriter(a.Stdout, 0, 0, 2, ' ', 0)
	for _, d := range found {
		change := ""
		if d.Old != "" && d.New != "" {
			change = d.Old + " -> " + d.New
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", d.Kind, d.Package, d.Target, d.What, sizeChange(d), change)
	}
	return w.Flush()
}

// sizeChange says how large archives were and are, as far as it is known.
func sizeChange(d manifests.Difference) string {
	switch {
	case d.OldSize > 0 && d.NewSize > 0:
		percent := 100 * float64(d.NewSize-d.OldSize) / float64(d.OldSize)
		return fmt.Sprintf("%s -> %s (%+.1f %%)", dist.FormatBytes(d.OldSize), dist.FormatBytes(d.NewSize), percent)
	case d.OldSize > 0:
		return dist.FormatBytes(d.OldSize)
	case d.NewSize > 0:
		return dist.FormatBytes(d.NewSize)
	}
	return ""
}
