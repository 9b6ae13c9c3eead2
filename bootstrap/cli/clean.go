package cli

import (
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
			show := func(p string) { fmt.Fprintln(a.Stdout, filepath.Join(dir, p)) }
			if a.flags.dryRun {
				made, err := builddir.Claimed(dir)
				for _, p := range made {
					show(p)
				}
				return err
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
			return build.Clean(show)
		},
	}
	hideGlobals(cmd, "sysroot", "jobs", "json")
	return cmd
}
