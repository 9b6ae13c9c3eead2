package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"x.go/dist"
	"x.go/dist/catalog"
	"x.go/manifests"
)

// pageFlags say what x channel page writes.
type pageFlags struct {
	out, url string
	newest   int
}

func (a *app) channelPageCommand() *cobra.Command {
	var f pageFlags
	cmd := &cobra.Command{
		Use:   "page DIR|STORE",
		Short: "Write pages of HTML that show people what channels offer",
		Long: `Write pages of HTML that show people what channels offer: index.html, and a page for
each channel with its components by target, what is missing since when, sizes over
time, which linker each toolchain uses by default, and how to install it.

DIR is the directory above dist, or one that has the files of dist itself; STORE is
the URL of a bucket, above dist. The pages need no script, no font and no server, and
equal channels give equal bytes. Written into DIR, they are what x serve shows.

Which linker a toolchain uses is read from the provenance beside its manifest, or from
x-build.json in the smallest of its archives: of releases before the newest, only if
that has at most 1 MiB. Sizes are those of archives that are there.`,
		Example: `  x channel page --out site build/dist
  x channel page --url https://rust.example.org --out /srv/rust /srv/rust`,
		Args:              exactly("a directory or a store"),
		ValidArgsFunction: completeDirs,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.channelPage(cmd.Context(), args[0], f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.out, "out", "", "write the pages to this `directory` (default BUILD/page)")
	flags.StringVar(&f.url, "url", "", "public `URL` above dist, for RUSTUP_DIST_SERVER (default https and the name in manifests.txt)")
	flags.IntVar(&f.newest, "newest", 60, "show at most this `number` of releases of each channel")
	cobra.CheckErr(cmd.MarkFlagDirname("out"))
	hideGlobals(cmd, "config", "set", "build-dir")
	return cmd
}

// pageAnswer is the answer of x channel page.
type pageAnswer struct {
	Out      string            `json:"out"`
	Pages    []writtenPage     `json:"pages"`
	Channels []catalog.Summary `json:"channels"`
}

type writtenPage struct {
	Name  string `json:"name"`
	Bytes int    `json:"bytes"`
}

func (a *app) channelPage(ctx context.Context, place string, f pageFlags) error {
	if f.newest < 1 {
		return usagef("reading --newest: got %d, want at least 1", f.newest)
	}
	if u, err := url.Parse(f.url); f.url != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "file" || u.User != nil) {
		return usagef("reading --url %q: want http://, https:// or file://, without a login", manifests.Redact(f.url))
	}
	out := a.path(f.out)
	if out == "" {
		cfg, err := a.loadConfig()
		if err != nil {
			return err
		}
		out = filepath.Join(a.buildDir(cfg), "page")
	}
	files, err := a.openFiles(ctx, place)
	if err != nil {
		return err
	}
	defer files.close()
	c, err := catalog.Read(ctx, files.at(ctx), f.newest)
	if err != nil {
		return fmt.Errorf("reading channels of %q: %w", manifests.Redact(place), err)
	}
	pages, err := c.Pages(strings.TrimSuffix(f.url, "/"))
	if err != nil {
		return err
	}
	if f.url == "" && c.PublicURL() == "" {
		a.progressf("x: note: manifests.txt does not say the public URL of the channels: the pages ask readers to put it in; --url gives it")
	}
	answer := pageAnswer{Out: out, Channels: c.Summaries()}
	for _, p := range pages {
		answer.Pages = append(answer.Pages, writtenPage{p.Name, len(p.Data)})
	}
	if !a.flags.dryRun {
		if err := writePages(out, pages); err != nil {
			return err
		}
	}
	if a.flags.json {
		return a.printJSON(answer)
	}
	return a.printPages(answer)
}

// writePages writes the pages, the first one last.
func writePages(out string, pages []catalog.Page) error {
	root, err := dist.OpenDir(out)
	if err != nil {
		return fmt.Errorf("creating directory %q: %w", out, dist.WithoutPath(err))
	}
	for _, p := range pages {
		if err = dist.WriteOwn(root, p.Name, p.Data, 0o644); err != nil {
			break
		}
	}
	return errors.Join(err, root.Close())
}

func (a *app) printPages(answer pageAnswer) error {
	w := tabwriter.NewWriter(a.Stdout, 0, 0, 2, ' ', 0)
	for _, p := range answer.Pages {
		fmt.Fprintf(w, "%s\t%s\n", filepath.Join(answer.Out, p.Name), dist.FormatBytes(int64(p.Bytes)))
	}
	return w.Flush()
}
