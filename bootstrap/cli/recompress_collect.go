package cli

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"x.go/bootstrap"
	"x.go/dist/recompress"
)

// collectFlags are the flags of x recompress collect.
type collectFlags struct{ plan, store, out string }

func (a *app) recompressCollectCommand() *cobra.Command {
	var f collectFlags
	cmd := &cobra.Command{
		Use:   "collect",
		Short: "Gather what the tasks of a plan made",
		Long: `Gather what the tasks of a plan made, when all are done: each archive, with its
.sha256. If one is missing, its task is named and nothing is written. Each archive is
compared with its digest, decoded, and compared with the tar stream of the plan before
it gets its name. A damaged one is removed from the store and named, so that its task
does it again. The parts of large archives are joined.`,
		Example: `  x recompress collect --plan plan.json --store /srv/kept --out release
  x recompress collect --json --plan plan.json --store s3://kept --out release`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.recompressCollect(cmd.Context(), f) },
	}
	addPlanPlace(cmd, &f.plan, &f.store)
	cmd.Flags().StringVar(&f.out, "out", "", "write the archives into this `directory`, and create it if needed")
	cobra.CheckErr(cmd.MarkFlagDirname("out"))
	hideGlobals(cmd, "config", "set", "sysroot", "build-dir", "dry-run")
	return cmd
}

func (a *app) recompressCollect(ctx context.Context, f collectFlags) error {
	if f.out == "" {
		return usagef("want --out, the directory of the archives")
	}
	t, s, err := a.openTasks(ctx, f.plan, f.store)
	if err != nil {
		return err
	}
	defer s.Close()
	all, failure := t.Collect(ctx, recompress.CollectOptions{Store: s, Dir: a.path(f.out), Jobs: a.readers()})
	if err := a.printCollected(all, failure); err != nil {
		return err
	}
	return failure
}

// collectedAnswer is what `x recompress collect --json` prints.
type collectedAnswer struct {
	Archives []recompress.Collected `json:"archives"`
	Errors   []string               `json:"errors"`
}

func (a *app) printCollected(all []recompress.Collected, failure error) error {
	if a.flags.json {
		return a.printJSON(collectedAnswer{append([]recompress.Collected{}, all...), append([]string{}, errorLines(failure)...)})
	}
	if len(all) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(a.Stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "ARCHIVE\tSIZE\tPARTS")
	for _, c := range all {
		fmt.Fprintf(w, "%s\t%s\t%d\n", c.Name, bootstrap.FormatSize(c.Size), c.Parts)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("printing the answer: %w", err)
	}
	return nil
}
