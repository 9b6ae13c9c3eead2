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
		Short: "Install the toolchain into a prefix or a staging directory",
		Long: `Install the named components of the assembled toolchain, or all of them, without
writing archives or starting a shell. The result is that of install.sh:
lib/rustlib lists what is installed, and uninstall.sh removes it.

The directories come from [install] in bootstrap.toml; --prefix replaces
install.prefix. With --destdir, or DESTDIR in the environment, everything is
written below that directory and nothing outside of it. Unlike x.py, x puts
sysconfdir at PREFIX/etc unless install.sysconfdir is set.`,
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
			selection, err := s.builder.Select(args...)
			if err != nil {
				return usage(err)
			}
			dirs := installDirs(s.builder.Config)
			if prefix != "" {
				dirs.Prefix = a.path(prefix)
			}
			// An empty --destdir is no staging directory, as in a makefile
			// without DESTDIR.
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
	cmd.Flags().StringVar(&prefix, "prefix", "", "install below this `directory` (default install.prefix, else /usr/local)")
	cmd.Flags().StringVar(&destdir, "destdir", "", "stage below this `directory` (default DESTDIR in the environment)")
	return cmd
}

// installDirs returns the directories of [install]. Where the file says nothing,
// the empty string leaves the choice to the installer: x.py's own defaults, such as
// sysconfdir = "/etc", lead out of a prefix in a home directory
// (rust-lang/rust#63915).
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
