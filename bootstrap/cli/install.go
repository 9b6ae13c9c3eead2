package cli

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"
)

func (a *app) installCommand() *cobra.Command {
	var destdir, prefix string
	var recordDestdir bool
	var lay layoutFlags
	cmd := &cobra.Command{
		Use:   "install [component...]",
		Short: "Install the toolchain into a prefix or a staging directory",
		Long: `Install the named components of the assembled toolchain, or all of them, without
writing archives or starting a shell. The result is that of install.sh:
lib/rustlib lists what is installed, and uninstall.sh removes it.

The directories come from [install] in bootstrap.toml; --prefix replaces
install.prefix. With --destdir, or DESTDIR in the environment, everything is
written below that directory and nothing outside of it. The lists in lib/rustlib
then name the files at their final places, so that uninstall.sh finds them once the
package is installed; --record-destdir has them name the staged files, as install.sh
--destdir does. Unlike x.py, x puts sysconfdir at PREFIX/etc unless install.sysconfdir is set.

With --layout, the files are arranged as a distribution has them: its directories,
links to its LLVM and LLD instead of copies, no records, and lists of the files of
each package for debhelper, rpm or a port. ` + "`x layout`" + ` names the layouts.`,
		Example: `  x install --prefix ~/rust
  x install --prefix /usr --destdir debian/tmp
  x install rustc rust-std cargo --prefix /opt/rust --dry-run
  x install --layout debian --destdir debian/tmp --lists debian`,
		ValidArgsFunction: a.completeComponents,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			// An empty --destdir is no staging directory, as in a makefile
			// without DESTDIR.
			stage := a.path(destdir)
			if destdir == "" {
				stage = a.path(a.getenv("DESTDIR"))
			}
			l, err := a.chooseLayout(cmd, lay, stage)
			if err != nil {
				return err
			}
			s, err := a.open(ctx)
			if err != nil {
				return err
			}
			defer s.close()
			selection, err := s.Select(args...)
			if err != nil {
				return err
			}
			if lay.name != "" {
				return a.stageToolchain(ctx, s, selection, l, lay, stage)
			}
			dirs := s.InstallDirs()
			if prefix != "" {
				dirs.Prefix = a.path(prefix)
			}
			dirs.DestDir = stage
			dirs.RecordDestDir = recordDestdir
			done, err := s.Install(ctx, selection, dirs)
			if err != nil {
				return err
			}
			s.progress.close()
			return a.answer(s, done, func() {
				fmt.Fprintln(a.Stdout, filepath.Join(dirs.DestDir, dirs.Prefix))
			})
		},
	}
	cmd.Flags().StringVar(&prefix, "prefix", "", "install below this `directory` (default install.prefix, else /usr/local)")
	cmd.Flags().BoolVar(&recordDestdir, "record-destdir", false, "list the installed files with the staging directory before them, as install.sh does")
	cmd.Flags().StringVar(&destdir, "destdir", "", "stage below this `directory` (default DESTDIR in the environment)")
	lay.add(cmd)
	return cmd
}
