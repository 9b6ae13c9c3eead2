package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"x.go/dist"
	"x.go/dist/mirror"
	"x.go/dist/store"
	"x.go/manifests"
	"x.go/targets"
)

// mirrorFlags are the flags of x mirror.
type mirrorFlags struct {
	channels, hosts, targets, components, profiles []string
	sources                                        bool
	nightlies                                      int
	since, until, rebase, cacheDir                 string
	undated, rustup, delete, check                 bool
	rustupVersions, redirects                      []string
	keyring                                        keyringFlag
}

func (a *app) mirrorCommand() *cobra.Command {
	var f mirrorFlags
	cmd := &cobra.Command{
		Use:   "mirror SOURCE STORE",
		Short: "Copy channels of a server into a store, and keep them current",
		Long: `Copy channels of a server into a store, and keep them current: the next run transfers
nothing but what is new. SOURCE is the URL of a server, such as
https://static.rust-lang.org, a store, or a directory: what is above dist. STORE is
a directory or the URL of a bucket; dist and rustup are created in it.

Each file is checked against its manifest while it streams. A channel's manifest
moves only when all that it names is there: .toml, and then .sha256, come last. A
broken connection is taken up where it broke; of large files, what a killed run had
is kept in the cache. A server that is silent or too slow for a minute, that sends on
to another server, or whose manifest names files elsewhere is refused.

Without --hosts, --targets, --components and --profiles, a channel is mirrored whole:
its manifest has the source's bytes, and all that belongs to it comes along: signatures
(.asc, .minisig), its provenance and SHA256SUMS, with the files that only this names.
With them, the manifest is a part of the source's, begins with a line that says so, and
has none of these: the source's cannot fit it. What is the same for all machines, such
as rust-src and the sources, is left out only by --components, --profiles or
--sources=false; what each installation needs, the profile minimal, never is.

With --keyring, each manifest of the source, and each provenance and SHA256SUMS that it
has, needs a signature by a key of the file, or by Rust's own key, which is in x:
--keyring rust. It must be right, and the key neither
expired nor revoked, before anything is transferred; no server is asked for keys. The
manifests have the digests of all archives. rustup itself is not signed.

--nightlies takes the newest nightlies that have what is wanted on each host, and
passes over those that lack some of it: without --components and --profiles, the
profile default. The newest of them is the mirror's channel nightly.

Proxies and their logins come from HTTP_PROXY, HTTPS_PROXY and NO_PROXY, logins of
servers from the URL or ~/.netrc. See also: x channel prune, x verify --store`,
		Example: `  x mirror https://static.rust-lang.org /srv/rust
  x mirror https://static.rust-lang.org /srv/rust --channels 1.90.0 --rustup
  x mirror https://mirror.example/rust /srv/rust --keyring rust
  x mirror https://mirror.example /srv/rust --channels nightly-2026-04-16
  x mirror https://static.rust-lang.org /srv/rust --nightlies 7 --dry-run
  x mirror /srv/rust s3://rust --hosts x86_64-unknown-linux-gnu --undated`,
		Args:              exactly("SOURCE", "STORE"),
		ValidArgsFunction: completeDirs,
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := a.mirrorOptions(cmd, f)
			if err != nil {
				return err
			}
			return a.mirror(cmd.Context(), args[0], args[1], o, f)
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.channels, "channels", nil, "mirror these `names`: stable, beta, nightly, versions (1.95.0, 1.95), days (nightly-2026-04-16) (default stable, unless nightlies are named)")
	flags.IntVar(&f.nightlies, "nightlies", 0, "mirror this `number` of the newest nightlies that have what is wanted on each host")
	flags.StringVar(&f.since, "since", "", "mirror nightlies from this `day` on, such as 2026-04-01")
	flags.StringVar(&f.until, "until", "", "mirror nightlies up to this `day`")
	flags.StringSliceVar(&f.hosts, "hosts", nil, "only for these machines: `triples` (default all)")
	flags.StringSliceVar(&f.targets, "targets", nil, "only to compile for these `triples`, and the hosts (default all)")
	flags.StringSliceVar(&f.components, "components", nil, "only these `components`, and the profile minimal (default all)")
	flags.StringSliceVar(&f.profiles, "profiles", nil, "only what is in these `profiles`, and in minimal: default, complete (default all)")
	flags.BoolVar(&f.sources, "sources", true, "also the archives of source code; with --components or --profiles, only if this is given")
	flags.BoolVar(&f.undated, "undated", false, "put each file into dist, too, where people look for it")
	flags.BoolVar(&f.rustup, "rustup", false, "mirror rustup itself for the hosts: RUSTUP_UPDATE_ROOT is then STORE/rustup")
	flags.StringSliceVar(&f.rustupVersions, "rustup-versions", nil, "also these older `versions` of rustup; implies --rustup")
	flags.BoolVar(&f.delete, "delete", false, "delete from the mirrored days, and from rustup's tree, what is not selected any more")
	flags.BoolVar(&f.check, "check", false, "read what is there, and transfer again what is damaged")
	flags.StringVar(&f.rebase, "rebase", "", "the manifests of the source have this `URL` in place of "+manifests.OfficialServer+", which they get back")
	flags.StringSliceVar(&f.redirects, "allow-redirect", nil, "the source may send on to these `hosts`, such as cdn.example.org")
	f.keyring.add(cmd, signedManifests)
	flags.StringVar(&f.cacheDir, "cache-dir", "", "complete large files in this `directory` (default that of x install)")
	cobra.CheckErr(cmd.MarkFlagDirname("cache-dir"))
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("channels", completeList("stable", "beta", "nightly")))
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("profiles", completeList("minimal", "default", "complete")))
	hideGlobals(cmd, "config", "set", "build-dir", "sysroot")
	return cmd
}

// openStore opens the store that an argument names.
func (a *app) openStore(ctx context.Context, place string) (*store.Store, error) {
	if err := store.CheckPlace(place); err != nil {
		return nil, usage(err)
	}
	if !strings.Contains(place, "://") {
		place = a.path(place)
	}
	s, err := store.Open(ctx, place)
	return s, usage(err)
}

// triples reads the values of a flag.
func triples(flag string, names []string) ([]targets.Triple, error) {
	var out []targets.Triple
	var errs []error
	for _, name := range names {
		t, err := targets.ParseTriple(name)
		if err != nil {
			errs = append(errs, fmt.Errorf("reading --%s: %w", flag, err))
		}
		out = append(out, t)
	}
	return out, errors.Join(errs...)
}

// mirrorOptions turns flags into options; all mistakes are reported at once.
func (a *app) mirrorOptions(cmd *cobra.Command, f mirrorFlags) (mirror.Options, error) {
	o := mirror.Options{
		Channels: f.channels, Nightlies: f.nightlies, Since: f.since, Until: f.until, Rebase: f.rebase,
		Undated: f.undated, Rustup: f.rustup || len(f.rustupVersions) > 0, RustupVersions: f.rustupVersions, Delete: f.delete, Check: f.check,
		Redirects: f.redirects, Jobs: a.flags.jobs, DryRun: a.flags.dryRun,
		Select: mirror.Selection{Components: f.components, Profiles: f.profiles},
	}
	if len(o.Channels) == 0 && o.Nightlies == 0 && o.Since == "" && o.Until == "" {
		o.Channels = []string{"stable"}
	}
	if cmd.Flags().Changed("sources") {
		o.Select.Sources = &f.sources
	}
	var err error
	if o.Keyring, err = a.readKeyring(f.keyring); err != nil {
		return o, err
	}
	var errs [2]error
	o.Select.Hosts, errs[0] = triples("hosts", f.hosts)
	o.Select.Targets, errs[1] = triples("targets", f.targets)
	return o, usage(errors.Join(errs[0], errs[1], o.Validate()))
}

// mirror runs and prints what was done.
func (a *app) mirror(ctx context.Context, source, place string, o mirror.Options, f mirrorFlags) error {
	if o.Source = source; !strings.Contains(source, "://") {
		o.Source = a.path(source)
	}
	s, err := a.openStore(ctx, place)
	if err != nil {
		return err
	}
	defer s.Close()
	if !o.DryRun {
		dir := a.cacheDir()
		if f.cacheDir != "" {
			dir = a.path(f.cacheDir)
		}
		cache, err := dist.OpenDir(filepath.Join(dir, "mirror"))
		if err != nil {
			return err
		}
		defer cache.Close()
		lock, err := dist.Lock(ctx, cache, a.waitingFor(cache.Name()))
		if err != nil {
			return err
		}
		defer lock.Remove()
		o.Cache = cache
	}
	p := a.newInstallProgress()
	o.Progress = func(e mirror.Event) {
		if e.End {
			p.end(e.Name)
		} else {
			p.fetching(e.Name, e.Done, e.Total)
		}
	}
	done, err := mirror.Run(ctx, s, o)
	p.close()
	for _, text := range done.Notes {
		a.progressf("x: note: %s", text)
	}
	if err != nil && len(done.Channels) == 0 {
		return err
	}
	return errors.Join(a.printMirror(done), err)
}

// printMirror prints what was mirrored, and how people use it.
func (a *app) printMirror(done mirror.Result) error {
	if a.flags.json {
		return a.printJSON(done)
	}
	var b strings.Builder
	if a.flags.dryRun {
		for _, file := range done.Files {
			fmt.Fprintf(&b, "transfer %s\n", dist.OneLine(file.Name))
		}
	}
	for _, name := range done.Deleted {
		fmt.Fprintf(&b, "delete %s\n", dist.OneLine(name))
	}
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "CHANNEL\tDAY\tVERSION\tFILES\tMANIFEST")
	for _, c := range done.Channels {
		state := "unchanged"
		if c.Changed {
			state = "new"
		}
		switch {
		case !c.Whole:
			state += ", a part: signatures of the source do not fit"
		case c.Signature != nil:
			state += ", signed by key " + c.Signature.Key
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\n", c.Name, dist.OneLine(c.Date), dist.OneLine(c.Version), c.Files, state)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if done.Rustup != "" {
		fmt.Fprintf(&b, "rustup %s\n", done.Rustup)
	}
	fmt.Fprintf(&b, "%s transferred, %s; %d were there\n", plural(len(done.Files), "file"), dist.FormatBytes(done.Bytes), done.Kept)
	if !a.flags.dryRun {
		fmt.Fprintf(&b, "to use it, with the URL at which %s is served: RUSTUP_DIST_SERVER=URL", dist.OneLine(done.Store))
		if done.Rustup != "" {
			fmt.Fprint(&b, " RUSTUP_UPDATE_ROOT=URL/rustup")
		}
		fmt.Fprintln(&b)
	}
	if _, err := fmt.Fprint(a.Stdout, b.String()); err != nil {
		return fmt.Errorf("printing what was mirrored: %w", err)
	}
	return nil
}
