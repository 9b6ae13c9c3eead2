package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"

	"github.com/spf13/cobra"

	"x.go/dist/catalog"
	"x.go/dist/channel"
	"x.go/dist/store"
	"x.go/manifests"
)

// serveFlags say where x serve listens, and what it answers for what it does not have.
type serveFlags struct {
	listen    string
	upstream  string
	redirects []string
}

func (a *app) serveCommand() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve DIR|STORE",
		Short: "Serve channels to rustup, on this machine or a network",
		Long: `Serve channels to rustup over HTTP, until Ctrl-C or SIGTERM. DIR is the directory
above dist, or one that has the files of dist itself, as x dist leaves it: those are
then served below /dist, and below the dates of the manifest's URLs, so that rustup
can install from it. STORE is the URL of a bucket, above dist.

Nobody can write. Only regular files and directories are served, none whose name
starts with a dot, and none that a symbolic link finds outside of DIR. Downloads can
be resumed, unchanged files are not sent again, and directories are listed, as plain
text to who asks for it. There is no TLS and no login: put a web server before it
for more than a trusted network.

Of an overlay, only its own archives need to be here. By the redirects.json that
x channel overlay --redirect wrote, or by --upstream and --redirect, clients are sent
to another server (302) for files that are not there. A checksum or a signature is
never looked for elsewhere than its file.

The URLs are printed, with what to set for rustup. --verbose prints a line for each
request.`,
		Example: `  x serve build/dist
  x serve --listen 0.0.0.0:8080 /srv/rust
  x serve --upstream https://static.rust-lang.org /srv/overlay
  x serve 's3://rust?region=eu-west-1'
  x serve --redirect /dist/2026-04-16=https://mirror.example/dist/2026-04-16 .`,
		Args: exactly("a directory or a store"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.serve(cmd.Context(), args[0], f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8080", "`host:port` to listen on; port 0 is any free one, 0.0.0.0 all addresses")
	flags.StringVar(&f.upstream, "upstream", "", "send clients to this `URL`, the one above dist, for all that is not there")
	flags.StringArrayVar(&f.redirects, "redirect", nil, "send clients to a URL for what is not there below a path, `path=URL`; may be repeated")
	cmd.ValidArgsFunction = completeDirs
	hideGlobals(cmd, "config", "set", "build-dir", "sysroot", "jobs")
	return cmd
}

// completeDirs offers directories.
func completeDirs(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// options returns what the flags say about a server.
func (f serveFlags) options() (channel.Options, error) {
	o := channel.Options{Listen: f.listen, ContentType: store.ContentType, Listing: catalog.WriteListing}
	if _, _, err := net.SplitHostPort(f.listen); err != nil {
		return o, usagef("reading --listen %q: want HOST:PORT, such as 127.0.0.1:8080", f.listen)
	}
	rules := f.redirects
	if f.upstream != "" {
		rules = append([]string{"/=" + f.upstream}, rules...)
	}
	var errs []error
	for _, rule := range rules {
		prefix, target, ok := strings.Cut(rule, "=")
		if !ok {
			errs = append(errs, fmt.Errorf("reading --redirect %q: want PATH=URL", rule))
			continue
		}
		r, err := channel.NewRedirect(prefix, target)
		errs = append(errs, err)
		o.Redirects = append(o.Redirects, r)
	}
	return o, usage(errors.Join(errs...))
}

// serveAnswer is the answer of x serve, once it listens.
type serveAnswer struct {
	URLs []string `json:"urls"` // values for RUSTUP_DIST_SERVER
	// UpdateRoots are values for RUSTUP_UPDATE_ROOT, if rustup itself is there.
	UpdateRoots []string `json:"update_roots"`
}

// serve serves until ctx ends, which is how it is meant to end.
func (a *app) serve(ctx context.Context, place string, f serveFlags) error {
	o, err := f.options()
	if err != nil {
		return err
	}
	files, err := a.openFiles(ctx, place)
	if err != nil {
		return err
	}
	defer files.close()
	o.Files = files.at
	rules, err := channel.ReadRedirects(files.at(ctx))
	if err != nil {
		return fmt.Errorf("serving %q: %w", manifests.Redact(place), err)
	}
	told := len(o.Redirects) > 0
	for _, r := range rules { // what the command line says takes their place
		if !told || r.Target() == "" {
			o.Redirects = append(o.Redirects, r)
		}
	}
	if a.flags.dryRun {
		a.progressf("x: %q can be served", manifests.Redact(place))
		return nil
	}
	if a.flags.verbose {
		o.Log = a.logAccess
	}
	s, err := channel.Listen(o)
	if err != nil {
		return err
	}
	answer := serveAnswer{URLs: s.URLs(), UpdateRoots: []string{}}
	if _, err := fs.Stat(files.at(ctx), "rustup"); err == nil {
		for _, url := range answer.URLs {
			answer.UpdateRoots = append(answer.UpdateRoots, url+"/rustup")
		}
	}
	err = a.printServed(place, answer)
	if err == nil {
		err = s.Wait(ctx)
	}
	stopped := s.Close()
	if errors.Is(stopped, context.DeadlineExceeded) { // somebody's download takes longer
		a.progressf("x: note: %v", stopped)
		stopped = nil
	}
	return errors.Join(err, stopped)
}

// servedFiles are those of a directory or a bucket, with the layout of a distribution
// server.
type servedFiles struct {
	at    func(context.Context) fs.FS
	close func() error
}

// openFiles opens DIR or STORE of the command line.
func (a *app) openFiles(ctx context.Context, place string) (servedFiles, error) {
	if local, ok := channel.LocalPath(place); ok && (channel.IsURL(place) || !strings.Contains(place, "://")) {
		d, err := channel.OpenDir(a.path(local))
		if err != nil {
			return servedFiles{}, err
		}
		return servedFiles{func(context.Context) fs.FS { return d }, d.Close}, nil
	}
	s, err := a.openStore(ctx, place)
	if err != nil {
		return servedFiles{}, err
	}
	return servedFiles{s.FS, s.Close}, nil
}

// logAccess prints a request.
func (a *app) logAccess(r channel.Access) {
	fmt.Fprintf(a.Stderr, "%s %s %q %d %d %.3fs %q\n", r.Remote, r.Method, r.Target, r.Status, r.Bytes, r.Took.Seconds(), r.Agent)
}

func (a *app) printServed(place string, answer serveAnswer) error {
	if a.flags.json {
		return a.printJSON(answer)
	}
	a.progressf("x: serving %q until Ctrl-C", manifests.Redact(place))
	var b strings.Builder
	for _, url := range answer.URLs {
		fmt.Fprintf(&b, "export RUSTUP_DIST_SERVER=%s\n", url)
	}
	for _, url := range answer.UpdateRoots {
		fmt.Fprintf(&b, "export RUSTUP_UPDATE_ROOT=%s\n", url)
	}
	_, err := io.WriteString(a.Stdout, b.String())
	return err
}
