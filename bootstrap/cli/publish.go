package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"x.go/bootstrap"
	"x.go/dist/publish"
	_ "x.go/dist/store/cloud" // buckets
	"x.go/dist/verify"
)

// publishFlags are the flags of x publish.
type publishFlags struct {
	gate      string
	allowSkip []string
	keyrings  keyringsFlag
	options   publish.Options
}

// gateNone is the value of --gate that verifies nothing.
const gateNone = "none"

func (a *app) publishCommand() *cobra.Command {
	var f publishFlags
	cmd := &cobra.Command{
		Use:   "publish [DIR] STORE",
		Short: "Bring a channel to the place that rustup installs from",
		Long: `Bring a channel to the place that rustup installs from. DIR has archives and
manifests, as x dist leaves them (build/dist by default). STORE is the directory above
dist, or a bucket: a path, file:///srv/rust, or s3://BUCKET/PREFIX. Credentials are
those that the AWS tools find; ?endpoint=URL&use_path_style=true names another server.
gs://BUCKET and azblob://CONTAINER (of Google Cloud Storage and Azure, with what their
tools log in with) need an x that was built with: go build -tags cloud

The layout is that of static.rust-lang.org. The order is safe for who installs
meanwhile: archives and their .sha256 go to dist/DATE if they are absent, are read back
and digested; then the manifests of the day, copies without date, and what rustup looks
at: channel-rust-NAME.toml, its .sha256 last. At the end manifests.txt lists the day.

A name with a date never changes. A second release of one day and channel is refused:
--date gives it a later one. The same command finishes what a killed one has left, and
sends nothing that is there. Of two publishers one wins, and the other is told.

The day is that of the manifests, unless --date says another, and their URLs must be
those of the day: where they have no day, as x dist leaves them, x publishes them with
it. A signed manifest cannot change. So sign what x channel make --dated has written.
SHA256SUMS of the directory is channel-rust-NAME-SHA256SUMS in dist/DATE. --keyring has
x check all signatures before anything is put.

x compares with what the store offers now. A component that would be gone keeps
everybody who has it at the old release: that is refused, unless --allow-gone names it.
An older release does not move a name such as stable back without --move-back.

Of an overlay with redirects.json, what other servers have stays there: the store gets
the rule, in dist/redirects.json, and the gate asks the other servers whether they have
these files, and no more; rustup, in the gate, takes them from there.

Before anything is public, the gate verifies the archives and manifests, and has the
real rustup install each profile, add and remove each component, and update from what
the store offers now. A failure stops, and so does a skip that --allow-skip does not
name. --gate chooses other checks of x verify, and --gate=none skips them all.`,
		Example: `  x publish /srv/rust
  x publish --public-url https://rust.example.org build/dist s3://rust-dist
  x publish --keyring release.pub release s3://rust-dist
  x publish --dry-run --json release s3://rust-dist/staging
  x publish --allow-gone rls-preview --allow-gone i686-pc-windows-gnu /srv/rust`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 && len(args) != 2 {
				return fmt.Errorf("got %s, want [DIR] STORE", plural(len(args), "argument"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.publish(cmd.Context(), args, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.options.PublicURL, "public-url", "", "the `URL` under which the store is read, for manifests.txt (default that of its lines)")
	flags.StringVar(&f.gate, "gate", "static,channel,client", "before anything is public, run these comma-separated `groups` of x verify; none to skip them")
	flags.StringArrayVar(&f.allowSkip, "allow-skip", nil, "accept that the gate cannot run checks with names like this `glob` here; may be repeated")
	f.keyrings.add(cmd)
	flags.StringVar(&f.options.Date, "date", "", "publish as the release of this `day`, YYYY-MM-DD (default that of the manifests)")
	flags.StringArrayVar(&f.options.AllowGone, "allow-gone", nil, "accept that this `component` or target is no longer offered; may be repeated")
	flags.BoolVar(&f.options.MoveBack, "move-back", false, "let an older release replace what a channel offers")
	flags.BoolVar(&f.options.Repair, "repair", false, "put files again that the store has in a damaged state")
	complete(cmd, "gate", gateNone, "static,channel", "static,channel,client")
	hideGlobals(cmd, "sysroot")
	return cmd
}

func (a *app) publish(ctx context.Context, args []string, f publishFlags) error {
	o := f.options
	o.Jobs = a.flags.jobs
	if len(args) == 2 {
		o.Dir = a.path(args[0])
	} else {
		cfg, err := a.loadConfig()
		if err != nil {
			return err
		}
		if o.Dir = filepath.Join(a.buildDir(cfg), "dist"); !fileExists(o.Dir) {
			return usagef("nothing to publish: there is no %q: run `x dist` first, or name a directory", o.Dir)
		}
	}
	gate, err := a.gate(f)
	if err != nil {
		return err
	}
	s, err := a.openStore(ctx, args[len(args)-1])
	if err != nil {
		return err
	}
	defer s.Close()
	var progress *publishProgress // while the plan runs
	o.Progress = func(e publish.Event) { progress.event(e) }
	if o.Keyrings, err = a.readKeyrings(f.keyrings); err != nil {
		return err
	}
	plan, err := publish.New(ctx, s, o)
	if _, signed := errors.AsType[*publish.DateError](err); signed {
		return fmt.Errorf("%w: x channel make --dated --out RELEASE %q", err, o.Dir)
	}
	if gone, ok := errors.AsType[*publish.GoneError](err); ok && !a.flags.json {
		return fmt.Errorf("%w: --allow-gone %s", err, gone.Components[0])
	}
	if err != nil {
		return err
	}
	a.notePlan(plan)
	if a.flags.dryRun {
		return a.printPublication(publication{Plan: plan})
	}
	if len(gate.Groups) > 0 && slices.ContainsFunc(plan.Steps, func(s publish.Step) bool { return !s.Present && s.Action != publish.Check }) {
		if err := a.passGate(ctx, plan, gate); err != nil {
			return err
		}
	}
	progress = a.newPublishProgress()
	result, err := plan.Run(ctx)
	progress.close()
	if _, ok := errors.AsType[*publish.DamagedError](err); ok && !o.Repair {
		err = fmt.Errorf("%w: --repair puts it again", err)
	}
	if _, ok := errors.AsType[*publish.ConflictError](err); ok {
		err = fmt.Errorf("%w: --date YYYY-MM-DD", err)
	}
	return errors.Join(a.printPublication(publication{Plan: plan, Result: &result, Errors: errorLines(err)}), err)
}

// gate returns what verifies before a publication; without groups nothing does.
func (a *app) gate(f publishFlags) (verify.Options, error) {
	if f.gate == gateNone {
		return verify.Options{}, nil
	}
	o, err := a.verifyOptions([]string{"gate"}, verifyFlags{expect: string(verify.Auto), checks: f.gate, allowSkip: f.allowSkip, sandbox: "auto"})
	if err == nil && f.gate == "" {
		err = usagef("reading --gate: got nothing, want groups of checks, or none to skip them")
	}
	return o, err
}

// passGate returns an error unless everything passes.
func (a *app) passGate(ctx context.Context, plan *publish.Plan, o verify.Options) error {
	progress := a.newVerifyProgress()
	o.Progress = progress.event
	report, err := plan.Gate(ctx, o)
	progress.close()
	if err != nil {
		return err
	}
	switch report.Status() {
	case verify.Pass:
		a.progressf("x: the gate: %s", report.Summary())
		return nil
	case verify.Skip:
		err = errors.New("the gate could not check everything here: accept that with --allow-skip NAME, or skip groups with --gate: nothing was published")
	default:
		err = errors.New("the gate failed: nothing was published")
	}
	return errors.Join(report.WriteText(a.Stderr, false), err)
}

// notePlan says what the publisher should know before.
func (a *app) notePlan(p *publish.Plan) {
	for _, h := range p.Held {
		a.progressf("x: warning: %s stays at %s: this is %s, which is older; --move-back moves it", h.Name, h.Offered, h.Got)
	}
	for _, name := range p.Gone {
		a.progressf("x: warning: %s is gone, as --allow-gone says: who has it stays at the old release", name)
	}
	for _, note := range p.Notes {
		a.progressf("x: note: %s", note)
	}
}

// publication is what x publish --json prints.
type publication struct {
	*publish.Plan
	Result *publish.Result `json:"result,omitempty"` // of a run
	Errors []string        `json:"errors,omitempty"`
}

func (a *app) printPublication(p publication) error {
	if a.flags.json {
		return a.printJSON(p)
	}
	if p.Result == nil {
		return a.printSteps(p.Steps)
	}
	r := p.Result
	_, err := fmt.Fprintf(a.Stdout, "%s\n", publishedLine(p, r))
	return err
}

func publishedLine(p publication, r *publish.Result) string {
	head := fmt.Sprintf("published %s of %s as %s in %s", p.Version, p.Date, strings.Join(p.Names, ", "), p.Store)
	switch {
	case len(p.Errors) > 0:
		head = fmt.Sprintf("not published: %s of %s", p.Version, p.Date)
	case len(p.Names) == 0:
		head = fmt.Sprintf("published %s of %s in %s, without moving a channel", p.Version, p.Date, p.Store)
	}
	return fmt.Sprintf("%s: %d put (%s), %d copied, %d replaced, %d repaired, %d read back",
		head, r.Put, bootstrap.FormatSize(r.Sent), r.Copied, r.Replaced, r.Repaired, r.ReadBack)
}

// printSteps prints the plan, a line for each step.
func (a *app) printSteps(steps []publish.Step) error {
	w := tabwriter.NewWriter(a.Stdout, 0, 8, 2, ' ', 0)
	for _, s := range steps {
		state := "to do"
		if s.Present {
			state = "there"
		}
		if s.Action == publish.Check {
			state = ""
		}
		from := ""
		if s.Action == publish.Copy {
			from = "from " + s.From
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", s.Action, s.Name, bootstrap.FormatSize(s.Size), state, from)
	}
	return w.Flush()
}

func (a *app) withdrawCommand() *cobra.Command {
	var o publish.WithdrawOptions
	cmd := &cobra.Command{
		Use:   "withdraw STORE CHANNEL",
		Short: "Take the last release of a channel back",
		Long: `Take the last release of a channel back: the files by which rustup finds the channel
return to the release before it, or to that of --to. rustup then updates to that one.
Names of the same release go back with it, such as 1.95 with stable; one that no other
release had, such as 1.95.1, is removed.

What has a date stays, and can still be installed by it; manifests.txt stays as well.
Components that only the withdrawn release has are listed: who has installed one must
remove it first.`,
		Example: `  x channel withdraw /srv/rust nightly
  x channel withdraw --to 2026-04-16 --dry-run s3://rust-dist stable`,
		Args: exactly("STORE", "CHANNEL"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.withdraw(cmd.Context(), args, o) },
	}
	cmd.Flags().StringVar(&o.To, "to", "", "return to the release of this `day`, YYYY-MM-DD")
	hideGlobals(cmd, "config", "set", "build-dir")
	return cmd
}

// withdrawal is what x channel withdraw --json prints.
type withdrawal struct {
	*publish.Withdrawal
	Result *publish.Result `json:"result,omitempty"` // of a run
}

func (a *app) withdraw(ctx context.Context, args []string, o publish.WithdrawOptions) error {
	o.Channel = args[1]
	s, err := a.openStore(ctx, args[0])
	if err != nil {
		return err
	}
	defer s.Close()
	w, err := publish.NewWithdrawal(ctx, s, o)
	if err != nil {
		return err
	}
	for _, name := range w.Gone {
		a.progressf("x: warning: %s is only in the release that goes: who has it must remove it to update", name)
	}
	answer := withdrawal{Withdrawal: w}
	if !a.flags.dryRun {
		result, err := w.Run(ctx)
		if err != nil {
			return err
		}
		answer.Result = &result
	}
	switch {
	case a.flags.json:
		return a.printJSON(answer)
	case a.flags.dryRun:
		return a.printSteps(w.Steps)
	}
	removed := ""
	if len(w.Removed) > 0 {
		removed = ", removed " + strings.Join(w.Removed, ", ")
	}
	_, err = fmt.Fprintf(a.Stdout, "withdrew %s from %s: %s back at %s%s\n", w.From, w.Store, strings.Join(w.Names, ", "), w.To, removed)
	return err
}
