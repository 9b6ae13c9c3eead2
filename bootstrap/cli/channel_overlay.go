package cli

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"x.go/dist/channel"
	"x.go/dist/compose"
)

// overlayFlags are those of x channel overlay.
type overlayFlags struct {
	outFlags
	part       partFlags
	base       string
	redirect   string
	upstream   string
	anyRelease bool
	replace    bool
}

// serveRedirect is the value of --redirect for x serve, which needs no configuration.
const serveRedirect = "serve"

func (a *app) channelOverlayCommand() *cobra.Command {
	var f overlayFlags
	cmd := &cobra.Command{
		Use:   "overlay --base CHANNEL DIR...",
		Short: "Lay targets and components of your own over a release",
		Long: `Lay archives of your own over a channel, the base, such as Rust's own: targets,
components and hosts that it does not have. DIR has the archives, as for
x channel make; the base is the path or the URL of its manifest. Each host of the
base lists what is new.

The archives of the base are copied, each checked against its channel: all, or those
of the hosts, targets and components that you name. With --redirect they stay where
they are, only your own are written, and the server of the channel sends rustup to
the others: beside the channel, redirects.json has the rule, which x serve obeys.
For nginx, caddy or s3 the configuration is printed as well; "serve" prints none.
Clients go to the server of the base or, for a base on disk, to Rust's own;
--upstream names another.

URLs are those of Rust's own server, which rustup replaces by RUSTUP_DIST_SERVER.
Those of other servers are rewritten to them: an installed toolchain keeps its URLs,
and only Rust's own follow when the channel moves.

Archives must be of the release and the commit of the base. One in the place of the
base's own is an error, unless it is the same, or with --replace. Components that
x.toml declares must be in the new channel. A signature of the base does not fit it:
sign it.`,
		Example: `  x channel overlay --base stable/dist --out /srv/rust/dist board/dist
  x channel overlay --base stable/dist --redirect nginx board/dist > rust.conf
  x channel overlay --base stable/dist --host aarch64-apple-darwin mine other
  x channel overlay --base old/dist --redirect serve --replace mine`,
		Args:              atLeast(1, "DIR"),
		ValidArgsFunction: completeDirs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.channelOverlay(cmd, args, f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.base, "base", "", "lay the archives over this `channel`: a manifest's path or URL, or a directory")
	flags.StringVar(&f.redirect, "redirect", "", "leave the base where it is, and print the rule for a `server`: nginx, caddy, s3 or serve")
	flags.StringVar(&f.upstream, "upstream", "", "with --redirect, send clients to this `URL`, the one above dist, for what has URLs of Rust's own server")
	flags.BoolVar(&f.replace, "replace", false, "let archives replace those of the base")
	flags.StringVar(&f.date, "date", "", "date the channel `YYYY-MM-DD` (default that of the base)")
	flags.BoolVar(&f.anyRelease, "any-release", false, "take archives of other releases and commits")
	f.addPlace(cmd)
	f.part.add(cmd)
	complete(cmd, "redirect", append(compose.WebServers(), serveRedirect)...)
	hideGlobals(cmd, "sysroot", "jobs", "verbose")
	return cmd
}

// check refuses flags that do not fit.
func (f *overlayFlags) check() error {
	if err := f.outFlags.check(); err != nil {
		return err
	}
	if f.base == "" {
		return usagef("naming the channel: give it with --base")
	}
	if kinds := append(compose.WebServers(), serveRedirect); f.redirect != "" && !slices.Contains(kinds, f.redirect) {
		return usagef("reading --redirect %q: want %s", f.redirect, strings.Join(kinds, ", "))
	}
	if f.upstream == "" {
		return nil
	}
	if f.redirect == "" {
		return usagef("reading --upstream: without --redirect all archives are copied")
	}
	_, err := channel.NewRedirect("/", f.upstream)
	return usage(err)
}

func (a *app) channelOverlay(cmd *cobra.Command, args []string, f overlayFlags) error {
	cfg, own, err := a.channelConfig()
	if err != nil {
		return err
	}
	if err := f.check(); err != nil {
		return err
	}
	part, err := f.part.selection(cmd)
	if err != nil {
		return err
	}
	if f.date != "" {
		if f.date, err = a.channelDate(f.date); err != nil {
			return err
		}
	}
	p := a.newFileProgress()
	defer p.close()
	o := compose.OverlayOptions{
		MergeOptions: compose.MergeOptions{Name: f.name, URL: f.url, AnyRelease: f.anyRelease, Declared: own, Progress: p.event}, Date: f.date, Part: part, Replace: f.replace,
		Redirect: f.redirect != "", Upstream: f.upstream,
	}
	return a.writeChannel(cmd.Context(), p, a.outDir(cfg.Build.BuildDir, f.out), f.redirect, func(ctx context.Context) (*compose.Draft, error) {
		base, err := a.openChannel(ctx, f.base)
		if err != nil {
			return nil, err
		}
		if f.dated && o.Redirect { // of one's own archives alone
			o.URL = compose.DefaultURL + "/" + cmp.Or(f.date, base.Channel.Date)
			return compose.Overlay(ctx, base, a.paths(args), o)
		}
		return f.withURLs(compose.Overlay(ctx, base, a.paths(args), o))
	})
}

// redirectAnswer is what a web server has to know of an overlay.
type redirectAnswer struct {
	Path string `json:"path"`
	To   string `json:"to,omitempty"` // "" if such paths are nowhere
}

// redirectConfig returns the configuration for the server of a channel in the directory
// out, "" if it needs none.
func redirectConfig(server, out string, d *compose.Draft) (string, error) {
	if server == "" || server == serveRedirect {
		return "", nil
	}
	root := "/srv/rust"
	if abs, err := filepath.Abs(out); err == nil && filepath.Base(abs) == "dist" {
		root = filepath.ToSlash(filepath.Dir(abs))
	}
	text, err := compose.RedirectConfig(server, root, d.Redirects)
	return string(text), err
}

// redirectNotes say what the configuration of a server does not.
func redirectNotes(server, out string) []string {
	var notes []string
	if server == "s3" {
		notes = append(notes, "S3 cannot refuse a path: sign the channel, and put the manifests of its day, too, as x publish does; its website endpoint has no TLS without CloudFront")
	}
	if server != "" && server != serveRedirect && filepath.Base(out) != "dist" {
		notes = append(notes, fmt.Sprintf("a web server has the files of %q as /dist", out))
	}
	return notes
}
