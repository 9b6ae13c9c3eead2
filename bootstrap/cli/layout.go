package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"x.go/bootstrap"
	"x.go/dist"
	"x.go/dist/install"
	"x.go/dist/layout"
)

func (a *app) layoutCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "layout [name]",
		Short: "List the layouts of distributions, or print one to start from",
		Long: `Print the names of the layouts with which x install --layout arranges a toolchain as
a distribution has it, or the file of one. Save it, change it, and name your file:
x install --layout FILE takes any path with a slash or with .toml at its end.

A layout is TOML. Globs that begin with a slash are matched against places in the
file system, others against names as in the archives; ** matches any directories.
  prefix         where a file goes for which there is no row
  [variables]    values of {name} in rows; --layout-set NAME=VALUE replaces one
  [list]         format: debhelper, rpm, plist or paths; man-suffix: follows the
                 name of a manual page; owned: directories of the packages
  executable     globs of files to make executable
  [[drop]]       files: globs of what is left out
  [[move]]       from: a glob; to: a directory/ or one place, where {file} and
                 {parent} are the last two elements of the name
  [[duplicate]]  link: files that become links to equal ones in keep
  [[link]]       path: leads to the place "to", if a file matches "with"
  [[package]]    name, files, doc, license: the first that matches has the file
Each row may say why, for readers. Every layout has the variables {host},
{release}, {series}, {multiarch} and {lib}; a row with {target} counts for each
other target in the toolchain.`,
		Example: `  x layout
  x layout debian >rust.toml`,
		ValidArgs: layout.Names(),
		Args:      oneOfValid,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				text, err := layout.Text(args[0])
				if err == nil {
					_, err = a.Stdout.Write(text)
				}
				return err
			}
			return a.printLayouts()
		},
	}
	hideGlobals(cmd, "config", "set", "build-dir", "sysroot", "jobs", "dry-run", "quiet", "verbose")
	return cmd
}

// layoutRow is a layout in the list of them.
type layoutRow struct {
	Name        string `json:"name"`
	Description string `json:"description"`
}

func (a *app) printLayouts() error {
	var rows []layoutRow
	for _, name := range layout.Names() {
		l, err := layout.Named(name)
		if err != nil {
			return err
		}
		rows = append(rows, layoutRow{name, l.Description})
	}
	if a.flags.json {
		return a.printJSON(rows)
	}
	w := tabwriter.NewWriter(a.Stdout, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\n", r.Name, r.Description)
	}
	return w.Flush()
}

// layoutFlags say how x install arranges the files.
type layoutFlags struct {
	name, lists string
	set         []string
}

func (f *layoutFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.name, "layout", "", "arrange the files as a distribution does: a `name` of x layout, or a file")
	flags.StringVar(&f.lists, "lists", "", "write the layout's lists of files to this `directory` (default BUILD/layout/NAME)")
	flags.StringArrayVar(&f.set, "layout-set", nil, "set a variable of the layout, `name=value`; may be repeated")
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("layout", cobra.FixedCompletions(layout.Names(), cobra.ShellCompDirectiveDefault)))
	cobra.CheckErr(cmd.MarkFlagDirname("lists"))
}

// chooseLayout reads the layout of --layout. cmd may have no flag that the layout
// replaces.
func (a *app) chooseLayout(cmd *cobra.Command, f layoutFlags, destdir string) (layout.Layout, error) {
	if f.name == "" {
		for _, flag := range []string{"lists", "layout-set"} {
			if cmd.Flags().Changed(flag) {
				return layout.Layout{}, usagef("--%s belongs to a layout: choose one with --layout", flag)
			}
		}
		return layout.Layout{}, nil
	}
	for _, flag := range []string{"prefix", "bindir", "libdir", "sysconfdir", "datadir", "mandir", "docdir", "record-destdir"} {
		if cmd.Flags().Changed(flag) {
			return layout.Layout{}, usagef("--%s and --layout exclude each other: the layout has all directories; `x layout %s` prints one to change", flag, layout.Names()[0])
		}
	}
	if destdir == "" {
		return layout.Layout{}, usagef("--layout stages a toolchain for a package: name the staging directory with --destdir")
	}
	l, err := a.readLayout(f.name)
	if err != nil {
		return l, usage(err)
	}
	var errs []error
	for _, s := range f.set {
		errs = append(errs, l.Set(s))
	}
	return l, usage(errors.Join(errs...))
}

func (a *app) readLayout(word string) (layout.Layout, error) {
	if !layout.IsFile(word) {
		return layout.Named(word)
	}
	data, err := dist.ReadInput(a.path(word), layout.MaxSize)
	if err != nil {
		return layout.Layout{}, fmt.Errorf("reading layout: %w", err)
	}
	return layout.Parse(word, data)
}

// stagedAnswer is the answer of x install --layout.
type stagedAnswer struct {
	Layout    string          `json:"layout"`
	DestDir   string          `json:"destdir"`
	Lists     string          `json:"lists"`
	Packages  []stagedPackage `json:"packages"`
	Empty     []string        `json:"empty"`
	Unmatched []string        `json:"unmatched"`
	Differ    []string        `json:"differ"`
	Removed   []string        `json:"removed"`
}

// stagedPackage is a package with the files that it has.
type stagedPackage struct {
	Name  string       `json:"name"`
	List  string       `json:"list"` // name of the file in Lists
	Bytes int64        `json:"bytes"`
	Files []stagedFile `json:"files"`
}

type stagedFile struct {
	Path string `json:"path"`           // absolute, without the staging directory
	Link string `json:"link,omitempty"` // target of a symbolic link
	Mode string `json:"mode"`
}

// stageToolchain stages components of the assembled toolchain.
func (a *app) stageToolchain(ctx context.Context, s *session, selection bootstrap.Selection, st *stager) error {
	components, err := s.Components(ctx, selection)
	if err != nil {
		return err
	}
	s.progress.close()
	staged, goOn, err := st.arrange(ctx, layout.Facts{Host: s.Toolchain().Host, Release: s.Toolchain().Version.Release.String()}, components)
	var done install.Installed
	if err == nil && goOn {
		done, err = install.Stage(ctx, st.Staging, staged)
	}
	if err != nil {
		return err
	}
	return st.print(done)
}

// stageArchives stages components of archives.
func (a *app) stageArchives(ctx context.Context, from install.From, st *stager) error {
	p := a.newInstallProgress()
	defer p.close()
	from.Fetching, st.Progress = p.fetching, p.writing
	temp := ""
	if !a.flags.dryRun { // /tmp may be too small
		temp = filepath.Dir(st.StateDir)
		if err := os.MkdirAll(temp, 0o755); err != nil {
			return fmt.Errorf("creating the directory of unpacked archives: %w", err)
		}
	}
	done, err := install.StageFrom(ctx, st.Staging, from, temp, func(f layout.Facts, components []dist.Component) (layout.Staged, bool, error) {
		return st.arrange(ctx, f, components)
	})
	p.close()
	if err != nil {
		return err
	}
	return st.print(done)
}

// stager stages components as a layout arranges them.
type stager struct {
	install.Staging
	app    *app
	layout layout.Layout
	answer stagedAnswer
}

func (a *app) newStager(l layout.Layout, f layoutFlags, destdir string) (*stager, error) {
	cfg, err := a.loadConfig()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(a.buildDir(cfg), "layout")
	st := &stager{app: a, layout: l, Staging: install.Staging{
		DestDir: destdir, ListDir: a.path(f.lists), StateDir: filepath.Join(dir, "staged"), Waiting: a.waitingFor(destdir),
	}}
	if st.ListDir == "" {
		st.ListDir = filepath.Join(dir, l.Name)
	}
	return st, nil
}

// arrange applies the layout. It returns false in a dry run.
func (st *stager) arrange(ctx context.Context, f layout.Facts, components []dist.Component) (layout.Staged, bool, error) {
	staged, err := st.layout.Apply(ctx, f, components)
	if err != nil {
		return staged, false, err
	}
	st.answer = answerOf(st.layout, st.Staging, staged)
	st.app.noteLayout(staged)
	return staged, !st.app.flags.dryRun, nil
}

// print prints what was staged, or in a dry run would be.
func (st *stager) print(done install.Installed) error {
	st.answer.Removed = append(st.answer.Removed, done.Removed...)
	if st.app.flags.json {
		return st.app.printJSON(st.answer)
	}
	return st.app.printStaged(st.answer)
}

func answerOf(l layout.Layout, s install.Staging, staged layout.Staged) stagedAnswer {
	answer := stagedAnswer{
		Layout: l.Name, DestDir: s.DestDir, Lists: s.ListDir, Packages: []stagedPackage{}, Removed: []string{},
		Empty: append([]string{}, staged.Empty...), Unmatched: append([]string{}, staged.Unmatched...), Differ: append([]string{}, staged.Differ...),
	}
	for i, p := range staged.Packages {
		row := stagedPackage{Name: p.Name, List: staged.Lists[i].Name, Bytes: p.Image.Size()}
		for e := range p.Image.Entries() {
			row.Files = append(row.Files, stagedFile{Path: "/" + e.Name, Link: e.Link, Mode: fmt.Sprintf("%04o", e.Mode.Perm())})
		}
		answer.Packages = append(answer.Packages, row)
	}
	return answer
}

// noteLayout tells what of a layout had no effect.
func (a *app) noteLayout(staged layout.Staged) {
	if len(staged.Empty) > 0 {
		a.progressf("x: note: no files for %s", strings.Join(staged.Empty, ", "))
	}
	const show = 5
	if n := len(staged.Unmatched); n > show && !a.flags.verbose {
		a.progressf("x: note: %d globs of the layout match nothing; --verbose lists them", n)
	} else {
		for _, row := range staged.Unmatched {
			a.progressf("x: note: nothing matches %s", row)
		}
	}
	for _, pair := range staged.Differ {
		a.progressf("x: note: %s differ, so neither is a link", pair)
	}
}

func (a *app) printStaged(answer stagedAnswer) error {
	w := tabwriter.NewWriter(a.Stdout, 0, 0, 2, ' ', 0)
	for _, p := range answer.Packages {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", p.Name, plural(len(p.Files), "file"), dist.FormatBytes(p.Bytes), filepath.Join(answer.Lists, p.List))
		for _, file := range p.Files {
			if !a.flags.verbose {
				break
			}
			if file.Link != "" {
				file.Path += " -> " + file.Link
			}
			fmt.Fprintf(w, "  %s\n", dist.Printable(file.Path))
		}
	}
	return w.Flush()
}
