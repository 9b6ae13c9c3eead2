package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"x.go/bootstrap"
)

func (a *app) cleanCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "clean",
		Short: "Remove what x has made in the build folder",
		Long: `Remove the folders that x has made in the build folder: dist, and the assembled
sysroots. Folders that were there before x stay, so that a build folder which is
shared with x.py is safe.`,
		Example: "  x clean\n  x clean --dry-run",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.loadConfig()
			if err != nil {
				return err
			}
			dir := a.buildDir(cfg)
			if !fileExists(dir) {
				return nil
			}
			if !a.flags.dryRun {
				unlock, err := bootstrap.Lock(cmd.Context(), dir, func(holder string) {
					a.progressf("x: waiting for the build folder %q, which %s uses", dir, holder)
				})
				if err != nil {
					return err
				}
				defer unlock()
			}
			made, err := bootstrap.Dir(dir).Made()
			if err != nil {
				return err
			}
			for _, p := range made {
				fmt.Fprintln(a.Stdout, filepath.Join(dir, p))
				if a.flags.dryRun {
					continue
				}
				if err := os.RemoveAll(filepath.Join(dir, p)); err != nil {
					return fmt.Errorf("cleaning build folder %q: %w", dir, err)
				}
			}
			return nil
		},
	}
}
