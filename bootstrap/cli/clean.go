package cli

import (
	"fmt"
	"os"
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
share a build directory with x.py.`,
		Example: "  x clean\n  x clean --dry-run",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			// No toolchain is asked: one that is gone, or broken, must not keep
			// its output from being removed.
			cfg, err := a.loadConfig()
			if err != nil {
				return err
			}
			dir := a.buildDir(cfg)
			if !fileExists(dir) {
				return nil
			}
			if !a.flags.dryRun {
				unlock, err := builddir.Lock(cmd.Context(), dir, func(holder string) {
					a.progressf("x: waiting for the build directory %q, which %s uses", dir, holder)
				})
				if err != nil {
					return err
				}
				defer unlock()
			}
			// Only a record of what x created says what may go: names alone are
			// those of x.py, too.
			made, err := builddir.Dir(dir).Claimed()
			if err != nil {
				return err
			}
			for _, p := range made {
				fmt.Fprintln(a.Stdout, filepath.Join(dir, p))
				if a.flags.dryRun {
					continue
				}
				if err := os.RemoveAll(filepath.Join(dir, p)); err != nil {
					return fmt.Errorf("cleaning build directory %q: %w", dir, err)
				}
			}
			return nil
		},
	}
	hideGlobals(cmd, "sysroot", "jobs", "json")
	return cmd
}
