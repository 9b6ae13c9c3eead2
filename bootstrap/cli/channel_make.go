package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"x.go/bootstrap"
	"x.go/dist"
	"x.go/dist/channel"
	"x.go/dist/compose"
	"x.go/manifests"
)

// outFlags are the flags of the commands that write a channel.
type outFlags struct {
	out, date, name, url string
	dated                bool
}

func (f *outFlags) addPlace(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.out, "out", "", "write into this `directory`, and create it if needed (default BUILD/channel)")
	flags.StringVar(&f.name, "name", "", "call the channel `name` alone: stable, beta, nightly or a version")
	flags.StringVar(&f.url, "url", "", "write this `URL` of the directory of archives into the channel (default "+compose.DefaultURL+")")
	flags.BoolVar(&f.dated, "dated", false, "write the URLs of the channel's day, "+compose.DefaultURL+"/DATE, which x publish wants of a signed channel")
	cobra.CheckErr(cmd.MarkFlagDirname("out"))
	complete(cmd, "name", "stable", "beta", "nightly")
}

// withURLs gives a draft the URLs of its day, if that is asked for.
func (f *outFlags) withURLs(d *compose.Draft, err error) (*compose.Draft, error) {
	if err == nil && f.dated {
		d.DateURLs()
	}
	return d, err
}

// check refuses a name that rustup does not ask for.
func (f *outFlags) check() error {
	if f.dated && f.url != "" {
		return usagef("--dated and --url exclude each other: both say where the archives are")
	}
	if f.name != "" && !manifests.IsChannelName(f.name) {
		return usagef("reading --name: rustup asks for no channel %q, but for stable, beta, nightly or a version such as 1.95.0", f.name)
	}
	return nil
}

func (a *app) channelMakeCommand() *cobra.Command {
	var f outFlags
	var anyRelease bool
	cmd := &cobra.Command{
		Use:   "make DIR...",
		Short: "Make a channel of archives, from any number of machines",
		Long: `Make a channel of the archives in directories: those of x dist or x.py from any
number of machines, for any hosts and targets. Each archive is read whole: it says
its own version, commit and components. A file given as DIR counts, too.

The channel has all that build-manifest writes: extensions, renames, profiles, the
date and the commit, for each name of the release (stable, 1.95.0 and 1.95), with
its .sha256. Archives are copied beside it. URLs are those of Rust's own server,
which rustup replaces by RUSTUP_DIST_SERVER: any server of the directory as /dist
will do. --dated writes those of the channel's day, as x publish puts them: x publish
does so itself, but not with a channel that is signed. --url names another place for
good.

Components that Rust does not have are found by their archives,
NAME-VERSION-TARGET or NAME-VERSION, for any target. rustup adds them by name. One
without a target, such as data, is for all hosts. One for a target that is no host
is offered to each host. x.toml can declare them: a channel that lacks what is
declared is refused, and profiles, another name and whether hosts consist of a
component are as [component.NAME] says (x config --example x).

The same file from two machines is one if its bytes are equal. All archives must be
of one release and one commit. x refuses what rustup would trip over: files of two
components that collide, components that no host can add, and others. A release
that rustup cannot ask for, such as 1.88.0.0, is published under a name that it
takes, and x says so.

Nothing else in the output directory is changed; a file in the way is an error.`,
		Example: `  x channel make build/dist
  x channel make --out /srv/rust/dist linux/dist macos/dist windows/dist
  x channel make --dated --out release linux/dist macos/dist
  x channel make --name nightly --date 2026-04-16 --dry-run ci/*`,
		Args: atLeast(1, "DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.channelMake(cmd.Context(), args, f, anyRelease)
		},
	}
	f.addPlace(cmd)
	cmd.Flags().StringVar(&f.date, "date", "", "date the channel `YYYY-MM-DD` (default SOURCE_DATE_EPOCH, else the day of the commit, else today)")
	cmd.Flags().BoolVar(&anyRelease, "any-release", false, "take archives of different releases and commits")
	hideGlobals(cmd, "sysroot", "jobs", "verbose")
	return cmd
}

// atLeast wants a number of arguments.
func atLeast(n int, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) < n {
			return fmt.Errorf("got %s, want at least %d: %s", plural(len(args), "argument"), n, what)
		}
		return nil
	}
}

func (a *app) channelMake(ctx context.Context, args []string, f outFlags, anyRelease bool) error {
	cfg, own, err := a.channelConfig()
	if err != nil {
		return err
	}
	date, err := a.channelDate(f.date)
	if err != nil {
		return err
	}
	if err := f.check(); err != nil {
		return err
	}
	p := a.newFileProgress()
	defer p.close()
	o := compose.MakeOptions{Date: date, Today: time.Now().UTC().Format(time.DateOnly), Name: f.name, URL: f.url, AnyRelease: anyRelease, Declared: own, Progress: p.event}
	return a.writeChannel(ctx, p, a.outDir(cfg.Build.BuildDir, f.out), "", func(ctx context.Context) (*compose.Draft, error) {
		return f.withURLs(compose.Make(ctx, a.paths(args), o))
	})
}

// channelDate returns the day of publication, as far as it is told.
func (a *app) channelDate(flag string) (string, error) {
	if flag != "" {
		if _, err := time.Parse(time.DateOnly, flag); err != nil {
			return "", usagef("reading --date: got %q, want YYYY-MM-DD", flag)
		}
		return flag, nil
	}
	epoch, err := a.sourceDateEpoch()
	if err != nil || epoch.IsZero() {
		return "", err
	}
	return epoch.UTC().Format(time.DateOnly), nil
}

// outDir returns where a channel goes.
func (a *app) outDir(buildDir, out string) string {
	if out != "" {
		return filepath.Clean(a.path(out))
	}
	return filepath.Join(a.path(buildDir), "channel")
}

// writeChannel drafts a channel and writes it to the directory out, or says what it
// would write. redirect is a server whose configuration is the answer, or "".
func (a *app) writeChannel(ctx context.Context, p *fileProgress, out, redirect string, draft func(context.Context) (*compose.Draft, error)) error {
	if !a.flags.dryRun {
		// Before the draft: the directory may be one of those that it reads.
		unlock, err := a.lockOutput(ctx, out)
		if err != nil {
			return err
		}
		defer unlock()
	}
	d, err := draft(ctx)
	if err != nil {
		return err
	}
	var w compose.Written
	if !a.flags.dryRun {
		root, err := os.OpenRoot(out)
		if err != nil {
			return fmt.Errorf("opening directory %q: %w", out, dist.WithoutPath(err))
		}
		w, err = d.Write(ctx, root, p.event)
		if err := errors.Join(err, root.Close()); err != nil {
			return err
		}
	}
	p.close()
	return a.printDraft(out, redirect, d, w)
}

// draftAnswer is the answer of the commands that write a channel.
type draftAnswer struct {
	Out      string         `json:"out"`
	DryRun   bool           `json:"dry_run,omitempty"`
	Names    []string       `json:"names"`
	Date     string         `json:"date"`
	Version  string         `json:"version"`
	Hosts    []string       `json:"hosts"`
	Files    []string       `json:"files"` // of the channel
	Archives []draftArchive `json:"archives"`
	Notes    []string       `json:"notes,omitempty"`
	// Redirects are the rules of redirects.json, ServerConfig those of a web server.
	Redirects    []redirectAnswer `json:"redirects,omitempty"`
	ServerConfig string           `json:"server_config,omitempty"`
}

// draftArchive is an archive of the channel.
type draftArchive struct {
	Name   string         `json:"name"`
	From   string         `json:"from"`
	Size   int64          `json:"size,omitempty"`
	SHA256 manifests.Hash `json:"sha256"`
}

func (a *app) printDraft(out, redirect string, d *compose.Draft, w compose.Written) error {
	config, err := redirectConfig(redirect, out, d)
	if err != nil {
		return err
	}
	d.Notes = append(d.Notes, redirectNotes(redirect, out)...)
	if n := len(w.Other); n > 0 {
		const show = 3
		d.Notes = append(d.Notes, fmt.Sprintf("%s in %q are of no channel that was written: %q", plural(n, "archive"), out, w.Other[:min(n, show)]))
	}
	if n := len(w.Unsigned); n > 0 {
		d.Notes = append(d.Notes, fmt.Sprintf("removed %s that no longer fit, of signatures and digests, such as %q: sign again", plural(n, "file"), w.Unsigned[0]))
	}
	for _, note := range d.Notes {
		a.progressf("x: note: %s", note)
	}
	answer := draftAnswer{
		Out: out, DryRun: a.flags.dryRun, Names: d.Names, Date: d.Channel.Date, Version: d.Channel.Packages["rust"].Version,
		Hosts: d.Channel.Hosts(), Archives: []draftArchive{}, Notes: d.Notes, ServerConfig: config,
	}
	for _, r := range d.Redirects {
		answer.Redirects = append(answer.Redirects, redirectAnswer{Path: cmp.Or(r.Prefix(), "/"), To: r.Target()})
	}
	for _, f := range d.ChannelFiles() {
		answer.Files = append(answer.Files, f.Name)
	}
	if len(d.Redirects) > 0 {
		answer.Files = append(answer.Files, channel.RedirectsFile)
	}
	for _, f := range d.Files {
		answer.Archives = append(answer.Archives, draftArchive{f.Name, manifests.Redact(f.Place), f.Size, f.Hash})
	}
	if a.flags.json {
		return a.printJSON(answer)
	}
	lines := a.Stdout
	if config != "" {
		lines = a.Stderr
	}
	if a.flags.dryRun {
		for _, f := range answer.Archives {
			fmt.Fprintf(lines, "copy   %s from %s\n", filepath.Join(out, f.Name), f.From)
		}
		for _, f := range answer.Files {
			fmt.Fprintf(lines, "write  %s\n", filepath.Join(out, f))
		}
	} else {
		a.progressf("x: %s of %s, %s copied, for %s", plural(len(d.Files), "archive"), bootstrap.FormatSize(w.Bytes), plural(w.Copied, "file"), someOf(answer.Hosts, 3))
		for _, name := range answer.Names {
			fmt.Fprintln(lines, filepath.Join(out, "channel-rust-"+name+".toml"))
		}
	}
	_, err = io.WriteString(a.Stdout, config)
	return err
}

// fileProgress shows work on files: bars on a terminal, a line for each otherwise.
type fileProgress struct {
	*meter
	begun map[string]bool
}

func (a *app) newFileProgress() *fileProgress {
	return &fileProgress{meter: a.newMeter(), begun: map[string]bool{}}
}

// event shows one step; see [compose.Event].
func (p *fileProgress) event(e compose.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := e.Doing + " " + e.Name
	bar := p.active[key]
	if !p.begun[key] && p.bars == nil {
		fmt.Fprintf(p.out, "x: %s %s\n", e.Doing, dist.OneLine(e.Name))
	}
	p.begun[key] = true
	if p.bars == nil {
		return
	}
	if bar == nil && e.Size > 0 && !e.Done {
		bar = p.bars.AddBar(e.Size, mpb.PrependDecorators(decor.Name(e.Doing+" "+dist.OneLine(e.Name), decor.WCSyncSpaceR)),
			mpb.AppendDecorators(decor.Percentage(decor.WCSyncSpace)), mpb.BarRemoveOnComplete())
		p.active[key] = bar
	}
	if bar == nil {
		return
	}
	bar.IncrInt64(e.Bytes)
	if e.Done {
		bar.Abort(true)
		delete(p.active, key)
	}
}
