package cli

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"x.go/manifests"
)

func (a *app) channelDiffCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "diff A B",
		Short: "Compare what two channels offer",
		Long: `Compare what two channels offer: components gained and lost by target, versions,
archives with other bytes, profiles and renames. Where archives are does not count.
The archives themselves are not read: x diff compares those.

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
			found := from.Channel.Diff(to.Channel)
			if err := a.printChannelDiff(found); err != nil {
				return err
			}
			if len(found) > 0 {
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
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", d.Kind, d.Package, d.Target, d.What, change)
	}
	return w.Flush()
}
