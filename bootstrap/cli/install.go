package cli

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"x.go/bootstrap"
	"x.go/bootstrap/config"
)

func (a *app) installCommand() *cobra.Command {
	var destdir, prefix string
	cmd := &cobra.Command{
		Use:   "install [component...]",
		Short: "Install the toolchain into a prefix or a staging folder",
		Long: `Install the components of the assembled toolchain, all or those that are named,
without archives or a shell in between. The result is that of install.sh:
lib/rustlib holds the lists of what is installed, and uninstall.sh removes it.

Folders come from [install] of bootstrap.toml; --prefix replaces install.prefix.
With --destdir, or DESTDIR in the environment, everything goes below that folder
and nothing outside of it is written. Unlike with x.py, sysconfdir is PREFIX/etc
unless install.sysconfdir says otherwise.`,
		Example: `  x install --prefix ~/rust
  x install --prefix /usr --destdir debian/tmp
  x install rustc rust-std cargo --prefix /opt/rust --dry-run`,
		ValidArgsFunction: a.completeComponents,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			s, err := a.open(ctx)
			if err != nil {
				return err
			}
			defer s.close()
			selection, err := s.builder.Input.Select(args...)
			if err != nil {
				return usage(err)
			}
			dirs := installDirs(s.builder.Config)
			if prefix != "" {
				dirs.Prefix = a.path(prefix)
			}
			if dirs.DestDir = a.path(destdir); destdir == "" {
				dirs.DestDir = a.path(a.getenv("DESTDIR"))
			}
			if !filepath.IsAbs(dirs.Prefix) {
				return usagef("install.prefix %q: want an absolute path", dirs.Prefix)
			}
			done, err := bootstrap.Ensure(ctx, s.builder, bootstrap.Install{Selection: selection, To: dirs})
			if err != nil {
				return err
			}
			s.progress.close()
			return a.answer(s, done, func() {
				fmt.Fprintln(a.Stdout, filepath.Join(dirs.DestDir, dirs.Prefix))
			})
		},
	}
	cmd.Flags().StringVar(&prefix, "prefix", "", "install below this `folder` (default install.prefix, else /usr/local)")
	cmd.Flags().StringVar(&destdir, "destdir", "", "put this `folder` before every path (default DESTDIR)")
	return cmd
}

// installDirs returns the folders of [install]. Where the file says nothing, the
// empty string leaves the choice to the installer.
func installDirs(cfg config.Config) bootstrap.InstallDirs {
	set := func(key, value string) string {
		if !cfg.IsSet("install." + key) {
			return ""
		}
		return value
	}
	in := cfg.Install
	dirs := bootstrap.InstallDirs{
		Prefix: set("prefix", in.Prefix), Bindir: set("bindir", in.Bindir), Libdir: set("libdir", in.Libdir),
		Sysconfdir: set("sysconfdir", in.Sysconfdir), Datadir: set("datadir", in.Datadir), Mandir: set("mandir", in.Mandir), Docdir: set("docdir", in.Docdir),
	}
	if dirs.Prefix == "" {
		dirs.Prefix = "/usr/local"
	}
	return dirs
}
