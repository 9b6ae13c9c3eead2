package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"x.go/bootstrap"
	"x.go/dist"
	"x.go/dist/install"
	"x.go/targets/nearest"
)

func (a *app) uninstallCommand() *cobra.Command {
	var dirs installDirs
	cmd := &cobra.Command{
		Use:   "uninstall [component...]",
		Short: "Remove installed components, or all of them, from a prefix",
		Long: `Remove the named components from a prefix, or all that are installed there: what x
install, install.sh or the installer of rustup has installed. The lists in
lib/rustlib say which files are theirs; directories go as far as they are empty. A
file that you have changed since x installed it is kept as FILE.old.

A component is called as in lib/rustlib/components, or shorter: "clippy" is
clippy-preview, "rust-std" that of every target. Nothing to remove is no error, so
that a script may clean up before it installs. The last component takes the lists and
uninstall.sh along.

The directories are those of x install: give it the same flags. x never runs ldconfig.`,
		Example: `  x uninstall --prefix ~/rust
  x uninstall rust-docs clippy --prefix /opt/rust --dry-run
  x uninstall --prefix /usr --destdir debian/tmp --json`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.uninstall(cmd, args, &dirs) },
	}
	hideGlobals(cmd, "build-dir", "sysroot", "jobs")
	dirs.add(cmd.Flags())
	for _, k := range dirs.keys {
		cobra.CheckErr(cmd.MarkFlagDirname(k))
	}
	cobra.CheckErr(cmd.MarkFlagDirname("destdir"))
	cmd.ValidArgsFunction = func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		opts, _, err := a.uninstallOptions(cmd, &dirs)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		names, _ := install.Components(opts) // nothing to offer if it cannot be read
		return names, cobra.ShellCompDirectiveNoFileComp
	}
	return cmd
}

// uninstallOptions returns where to uninstall from, and the directory to name.
func (a *app) uninstallOptions(cmd *cobra.Command, f *installDirs) (opts install.Options, place string, err error) {
	destdir, err := a.configure(cmd, f)
	if err != nil {
		return opts, "", err
	}
	dirs, err := a.configuredDirs(destdir)
	return dirs.Options(), filepath.Join(dirs.DestDir, dirs.Prefix), err
}

// uninstall removes the components of those names.
func (a *app) uninstall(cmd *cobra.Command, names []string, f *installDirs) error {
	opts, place, err := a.uninstallOptions(cmd, f)
	if err != nil {
		return err
	}
	opts.DryRun = a.flags.dryRun
	opts.Waiting = a.waitingFor(place)
	done, err := install.Uninstall(cmd.Context(), opts, names...)
	if err != nil {
		return err
	}
	if len(done.NotInstalled) > 0 {
		left, _ := install.Components(opts) // only for the hint
		for _, name := range done.NotInstalled {
			a.progressf("x: note: component %q is not installed in %q%s", name, place, nearest.Hint(name, left))
		}
	}
	if len(done.Components) == 0 && len(names) == 0 {
		a.progressf("x: note: nothing is installed in %q", place)
	}
	return a.printInstalled(done, place)
}

// configuredDirs returns the directories of [install], below a staging directory.
func (a *app) configuredDirs(destdir string) (bootstrap.InstallDirs, error) {
	cfg, err := a.loadConfig()
	if err != nil {
		return bootstrap.InstallDirs{}, err
	}
	dirs := bootstrap.ConfiguredDirs(cfg)
	dirs.DestDir = destdir
	if !filepath.IsAbs(dirs.Prefix) {
		return dirs, usagef("install.prefix %q: want an absolute path", dirs.Prefix)
	}
	return dirs, nil
}

// waitingFor says who holds an installation.
func (a *app) waitingFor(place string) func(holder string) {
	return func(holder string) {
		a.progressf("x: waiting for the directory %q, which %s uses", place, holder)
	}
}

// cacheDir returns where archives of servers are kept until they are installed.
func (a *app) cacheDir() string {
	for _, key := range []struct{ env, below string }{{"XDG_CACHE_HOME", ""}, {"HOME", ".cache"}} {
		if dir := a.getenv(key.env); filepath.IsAbs(dir) {
			return filepath.Join(dir, key.below, "x")
		}
	}
	// A name that nobody else can have taken, not even on purpose.
	return filepath.Join(os.TempDir(), fmt.Sprintf("x-cache-%d", os.Getuid()))
}

// printInstalled prints what was done, or in a dry run would be.
func (a *app) printInstalled(done install.Installed, place string) error {
	switch {
	case a.flags.json:
		return a.printJSON(done)
	case a.flags.dryRun:
		for _, name := range done.Components {
			fmt.Fprintf(a.Stdout, "component %s\n", name)
		}
		a.printChanges(done)
		a.tellKept(done)
	default:
		a.tellKept(done)
		fmt.Fprintln(a.Stdout, place)
	}
	return nil
}

// printChanges prints what a dry run says would be done, in the order in which it would.
func (a *app) printChanges(done install.Installed) {
	line := func(format string, words ...any) { fmt.Fprintf(a.Stdout, format+"\n", words...) }
	for _, p := range done.Repaired {
		line("repair %s (%s: %s)", dist.OneLine(p.Path), p.Kind, dist.OneLine(p.Detail))
	}
	for _, b := range done.Backups {
		line("back up %s as %s", dist.OneLine(b.Path), dist.OneLine(b.Old))
	}
	for _, list := range []struct {
		verb  string
		paths []string
	}{
		{"remove", done.Removed}, {"remove", done.Records.Removed}, {"write", done.Records.Written}, {"replace", done.Replaced}, {"create", done.Created},
	} {
		for _, file := range list.paths {
			line("%s %s", list.verb, dist.OneLine(file))
		}
	}
}

// tellKept tells what of others an installation has found, and what a repair mended.
func (a *app) tellKept(done install.Installed) {
	if done.Unfinished {
		a.progressf("x: note: a run that was killed had left changes, which are completed or taken back first")
	}
	if n := len(done.Repaired); n > 0 && !a.flags.dryRun {
		a.progressf("x: repaired %s, such as %q: %s", plural(n, "place"), done.Repaired[0].Path, done.Repaired[0].Detail)
	}
	for _, b := range done.Backups {
		if a.flags.dryRun {
			break // they are printed
		}
		a.progressf("x: note: %q was in the way, and is now %q", b.Path, b.Old)
	}
	for _, file := range done.Extra {
		a.progressf("x: note: %q is no file of what is installed: left as it is", file)
	}
	for _, name := range done.NotRepaired {
		a.progressf("x: note: component %q is in none of the sources: left as it is", name)
	}
}
