package cli

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"x.go/bootstrap/builddir"
)

func (a *app) cleanCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "clean",
		Short: "Remove what x wrote to the build directory",
		Long: `Remove the directories that x created in the build directory: dist and the
assembled sysroots. Directories that were there before x stay, so it is safe to
share a build directory with x.py.

--json prints {"removed"}: the paths, or with --dry-run those that would be.`,
		Example: "  x clean\n  x clean --dry-run",
		Args:    none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			// No toolchain is asked: one that is gone, or broken, must not keep
			// its output from being removed.
			cfg, err := a.loadConfig()
			if err != nil {
				return err
			}
			dir := a.buildDir(cfg)
			if !fileExists(dir) {
				return a.printClean(cleanAnswer{Removed: []string{}})
			}
			answer := cleanAnswer{Removed: []string{}}
			gone := func(p string) { answer.Removed = append(answer.Removed, filepath.Join(dir, p)) }
			if a.flags.dryRun {
				made, err := builddir.Claimed(dir)
				for _, p := range made {
					gone(p)
				}
				return errors.Join(err, a.printClean(answer))
			}
			build, err := builddir.Open(cmd.Context(), dir, func(holder string) {
				a.progressf("x: waiting for the directory %q, which %s uses", dir, holder)
			})
			if err != nil {
				return err
			}
			defer build.Close()
			// Only a record of what x created says what may go: names alone are
			// those of x.py, too.
			err = build.Clean(gone)
			return errors.Join(err, a.printClean(answer))
		},
	}
	hideGlobals(cmd, "sysroot", "jobs")
	return cmd
}

// cleanAnswer is what `x clean --json` prints.
type cleanAnswer struct {
	Removed []string `json:"removed"`
}

func (a *app) printClean(answer cleanAnswer) error {
	if a.flags.json {
		return a.printJSON(answer)
	}
	if len(answer.Removed) == 0 {
		a.progressf("x: nothing to clean")
	}
	for _, p := range answer.Removed {
		fmt.Fprintln(a.Stdout, p)
	}
	return nil
}
