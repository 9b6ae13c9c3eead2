package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"x.go/bootstrap/config"
	"x.go/dist/install"
	"x.go/dist/sign"
)

// installDirs are the flags that say where an installation is.
type installDirs struct {
	destdir string
	keys    []string // flags that replace keys of [install]
}

// add defines the flags.
func (d *installDirs) add(f *pflag.FlagSet) {
	d.keys = append(d.keys, "prefix")
	f.String("prefix", "", "the installation is below this `directory` (default install.prefix, else /usr/local)")
	d.addBelow(f)
}

// addBelow defines the flags but for --prefix.
func (d *installDirs) addBelow(f *pflag.FlagSet) {
	for _, dir := range []struct{ name, usage string }{
		{"bindir", "`directory` of programs, in PREFIX unless absolute (default install.bindir, else bin)"},
		{"libdir", "`directory` of libraries (default install.libdir, else lib)"},
		{"sysconfdir", "`directory` of configuration (default install.sysconfdir, else etc)"},
		{"datadir", "`directory` of data (default install.datadir, else share)"},
		{"mandir", "`directory` of man pages (default install.mandir, else DATADIR/man)"},
		{"docdir", "`directory` of documents (default install.docdir, else DATADIR/doc/NAME)"},
	} {
		d.keys = append(d.keys, dir.name)
		f.String(dir.name, "", dir.usage)
	}
	f.StringVar(&d.destdir, "destdir", "", "stage below this `directory` (default DESTDIR in the environment)")
}

// configure has the flags replace the keys of the configuration, and returns the
// absolute staging directory, "" for none.
func (a *app) configure(cmd *cobra.Command, d *installDirs) (destdir string, err error) {
	for _, k := range d.keys {
		flag := cmd.Flags().Lookup(k)
		if !flag.Changed {
			continue
		}
		value, err := a.home("--"+k, flag.Value.String())
		if err != nil {
			return "", err
		}
		if value == "" {
			return "", usagef("reading --%s: got an empty directory: write / for the root", k)
		}
		if k == "prefix" {
			value = a.path(value)
		}
		a.configFlags = append(a.configFlags, config.Flag{Name: "--" + k, Key: "install." + k, Value: value})
	}
	// An empty --destdir is no staging directory, as in a makefile without DESTDIR.
	if d.destdir == "" {
		return a.path(a.getenv("DESTDIR")), nil
	}
	destdir, err = a.home("--destdir", d.destdir)
	return a.path(destdir), err
}

// home replaces ~ at the start of a directory: shells leave it alone in --prefix=~/x.
func (a *app) home(flag, dir string) (string, error) {
	user, rest, _ := strings.Cut(dir, "/")
	if !strings.HasPrefix(user, "~") {
		return dir, nil
	}
	home := a.getenv("HOME")
	if user != "~" || !filepath.IsAbs(home) {
		return "", usagef("reading %s: nothing says where %q is: write the whole path, or ./%s for a directory of that name", flag, user, dir)
	}
	return filepath.Join(home, rest), nil
}

// installFlags are the flags of x install.
type installFlags struct {
	installDirs
	recordDestdir             bool
	from, components, without []string
	host, release, profile    string
	keyring                   keyringFlag
	ring                      *sign.Keyring // of that flag
	targets                   []string
	repair                    bool
	layout                    layoutFlags
}

func (a *app) installCommand() *cobra.Command {
	var f installFlags
	cmd := &cobra.Command{
		Use:   "install [source|component...]",
		Short: "Install the toolchain or archives into a prefix or a staging area",
		Long: `Install components, all at once or not at all, without starting a shell. The result
is that of install.sh: lib/rustlib lists what is installed, and uninstall.sh, x
uninstall or a later install.sh removes or upgrades it. A file of yours that is in
the way is kept as FILE.old.

Without a source, x installs the assembled toolchain, and writes no archives. A
source is an archive (.tar.xz, .tar.gz, .tar.zst), an unpacked one, a directory of
archives, such as build/dist, or a channel: its manifest, or the directory with it.
An argument with a slash or such an ending is a source, as is the name of a file or
directory that no component has; --from takes any. Other arguments are components:
"rust-std" or, as install.sh calls it, "rust-std-x86_64-unknown-linux-gnu".

Of a directory of archives, those for the host are installed; of a channel, what
rustup installs for the profile. Archives of a server are kept in the cache until
they are installed: what was fetched is not fetched again. Before anything is
changed, x reads all archives to their ends. It checks digests against the channel,
or the .sha256 file beside an archive. With --keyring, a channel's manifest needs a
signature, offline checked, by a key that has neither expired nor been revoked.

Of a package with symbolic links, as x installer makes them, the file that a listed
link leads to is installed in its place: it must be in the package. In a directory
that is installed as a whole, links stay links, and nothing is written through them.

With --dry-run, x reads all, changes nothing, and prints a line for each thing that it
would do: repair, back up, remove, write (a list in lib/rustlib), replace or create.
Files that are as they should be have no line. --json has them counted.

With --repair, x restores what is installed, and of that only what is changed,
missing, of a wrong mode or kind: of toolchains that install.sh or rustup installed,
too. Name the archives or the channel that it was installed from. What was changed is
kept as FILE.old; files that nothing installed owns stay. See also: x verify --installed

The directories come from [install] in bootstrap.toml; flags replace them. With
--destdir, or DESTDIR in the environment, everything is written below that directory
and nothing outside of it. The lists in lib/rustlib then name the files at their
final places, so that uninstall.sh finds them once the package is installed;
--record-destdir has them name the staged files, as install.sh --destdir does.
Unlike x.py, x puts sysconfdir at PREFIX/etc unless install.sysconfdir is set.

With --layout, the files are arranged as a distribution has them: its directories,
links to its LLVM and LLD instead of copies, no records, and lists of the files of
each package for debhelper, rpm or a port. They come from the toolchain or a source.
` + "`x layout`" + ` names the layouts.

x never runs ldconfig, and writes nothing into /etc/ld.so.conf.d: programs of Rust
find their libraries without it. For others, run ldconfig after an install into a
directory of the system, as a package does in its own script.`,
		Example: `  x install --prefix ~/rust
  x install --prefix /usr --destdir debian/tmp
  x install rustc rust-std cargo --prefix /opt/rust --dry-run
  x install rustfmt-1.95.0-x86_64-unknown-linux-gnu.tar.xz --prefix ~/rust
  x install --repair build/dist --prefix /opt/rust
  x install --layout debian --destdir debian/tmp --lists debian
  x install --layout alpine --destdir pkg build/dist
  x install build/dist --without rust-docs,clippy --prefix /opt/rust
  x install https://static.rust-lang.org/dist/channel-rust-stable.toml
  x install /srv/dist/channel-rust-stable.toml --keyring rust
  x install /srv/mirror/dist/channel-rust-stable.toml --profile minimal`,
		ValidArgsFunction: a.completeInstall,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.install(cmd, args, f) },
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.from, "from", nil, "install from this `source`; may be repeated")
	flags.StringSliceVar(&f.components, "components", nil, "install these comma-separated `components`")
	flags.StringSliceVar(&f.without, "without", nil, "do not install these comma-separated `components`")
	flags.StringVar(&f.host, "host", "", "`triple` of the machine to install for: of a directory or channel (default this one), or of the input's compiler")
	flags.StringVar(&f.release, "release", "", "`version` of the input's compiler, where it does not run here and its files do not say it")
	flags.StringSliceVar(&f.targets, "target", nil, "also install rust-std for these comma-separated `triples`, of a directory or channel")
	flags.StringVar(&f.profile, "profile", "", "`profile` of the channel: minimal, default or complete (default default)")
	f.keyring.add(cmd, signedManifests)
	f.add(flags)
	flags.BoolVar(&f.repair, "repair", false, "restore what is installed where it is not as it should be")
	flags.BoolVar(&f.recordDestdir, "record-destdir", false, "list the installed files with the staging directory before them, as install.sh does")
	complete(cmd, "profile", "minimal", "default", "complete")
	for _, name := range []string{"components", "without"} {
		cobra.CheckErr(cmd.RegisterFlagCompletionFunc(name, a.completeComponents))
	}
	for _, k := range f.keys {
		cobra.CheckErr(cmd.MarkFlagDirname(k))
	}
	cobra.CheckErr(cmd.MarkFlagDirname("destdir"))
	f.layout.add(cmd)
	cmd.Annotations = map[string]string{manySysroots: "yes"}
	return cmd
}

// completeInstall offers components; the shell offers files besides.
func (a *app) completeInstall(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	names, _ := a.completeComponents(cmd, args, word)
	return names, cobra.ShellCompDirectiveDefault
}

// install installs what the arguments and flags name.
func (a *app) install(cmd *cobra.Command, args []string, f installFlags) error {
	destdir, err := a.configure(cmd, &f.installDirs)
	if err != nil {
		return err
	}
	l, err := a.chooseLayout(cmd, f.layout, destdir)
	if err != nil {
		return err
	}
	sources, names := f.from, f.components
	for _, arg := range args {
		if install.IsSource(a.Dir, arg) {
			sources = append(sources, arg)
		} else {
			names = append(names, arg)
		}
	}
	for _, flag := range []string{"target", "profile", "keyring"} {
		if len(sources) == 0 && cmd.Flags().Changed(flag) {
			return usagef("--%s chooses from archives: name a source, such as build/dist or a channel manifest", flag)
		}
	}
	if f.ring, err = a.readKeyring(f.keyring); err != nil {
		return err
	}
	f.components = trimmed(names)
	f.without = trimmed(f.without)
	if f.layout.name != "" && f.repair {
		return usagef("--repair and --layout exclude each other: stage again, which replaces what was staged")
	}
	if f.repair && cmd.Flags().Changed("record-destdir") {
		return usagef("--repair keeps the lists as they are: leave out --record-destdir")
	}
	var st *stager
	if f.layout.name != "" {
		if st, err = a.newStager(l, f.layout, destdir); err != nil {
			return err
		}
	}
	switch {
	case len(sources) == 0:
		given := givenFlags{release: f.release}
		if f.host != "" {
			given.hosts = []string{f.host}
		}
		if err := a.give(given); err != nil {
			return err
		}
		return a.installToolchain(cmd.Context(), f, st, destdir)
	case st != nil:
		return a.stageArchives(cmd.Context(), a.installFrom(f, sources), st)
	}
	return a.installArchives(cmd.Context(), f, sources, destdir)
}

// trimmed drops blanks around names, as in "rustc, cargo".
func trimmed(names []string) []string {
	var out []string
	for _, name := range names {
		out = append(out, strings.TrimSpace(name))
	}
	return out
}

// installToolchain installs the assembled toolchain, or stages it.
func (a *app) installToolchain(ctx context.Context, f installFlags, st *stager, destdir string) error {
	o := a.options()
	o.OneHost = true
	s, err := a.open(ctx, o)
	if err != nil {
		return err
	}
	defer s.close()
	selection, err := s.Select(f.components...)
	if err == nil && len(f.without) > 0 {
		selection, err = s.Without(selection, f.without...)
	}
	if err != nil {
		return err
	}
	if st != nil {
		return a.stageToolchain(ctx, s, selection, st)
	}
	dirs := s.InstallDirs()
	dirs.DestDir, dirs.RecordDestDir, dirs.Repair = destdir, f.recordDestdir, f.repair
	done, err := s.Install(ctx, selection, dirs)
	if err != nil {
		return err
	}
	s.progress.close()
	if a.flags.dryRun && !a.flags.json {
		for _, act := range s.Plan() {
			fmt.Fprintln(a.Stdout, act)
		}
		a.printChanges(done)
		a.tellKept(done)
		return nil
	}
	return a.printInstalled(done, filepath.Join(dirs.DestDir, dirs.Prefix))
}

// installFrom says what the flags choose from archives.
func (a *app) installFrom(f installFlags, sources []string) install.From {
	host := f.host
	if host == "" {
		host = thisHost().String()
	}
	return install.From{
		Sources: sources, Dir: a.Dir, Components: f.components, Without: f.without, Host: host, Targets: f.targets, Profile: f.profile, CacheDir: a.cacheDir(), Keyring: f.ring,
	}
}

// installArchives installs from archives.
func (a *app) installArchives(ctx context.Context, f installFlags, sources []string, destdir string) error {
	dirs, err := a.configuredDirs(destdir)
	if err != nil {
		return err
	}
	dirs.RecordDestDir = f.recordDestdir
	from := a.installFrom(f, sources)
	p := a.newInstallProgress()
	defer p.close()
	from.Fetching = p.fetching
	opts := dirs.Options()
	opts.Repair = f.repair
	opts.DryRun, opts.Progress = a.flags.dryRun, p.writing
	opts.Waiting = a.waitingFor(filepath.Join(dirs.DestDir, dirs.Prefix))
	done, err := install.RunFrom(ctx, opts, from)
	p.close()
	if err != nil {
		return err
	}
	return a.printInstalled(done, filepath.Join(dirs.DestDir, dirs.Prefix))
}
