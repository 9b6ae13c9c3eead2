package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"x.go/dist/archive"
	"x.go/dist/installer"
	"x.go/manifests"
)

func (a *app) installerCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "installer COMMAND",
		Short: "Make packages as rust-installer does, from its command line",
		Long: `Make packages of directories and archives as rust-installer does. x installer
stands in its place: the same commands and flags, defaults, error texts and exit
statuses, the same trees and archives. Nothing is printed on success.

Only the flags listed here are known: the global flags of x are not. Each may be
given once, as --flag VALUE or --flag=VALUE. Configuration files are not read.

Where rust-installer loses data or goes on after an error, x stops: see the package
dist/installer. zst is a compression format, too.`,
		Example: `  x installer generate --image-dir image --package-name hello-1.0
  x installer combine --input-tarballs dist/a.tar.gz,dist/b.tar.gz
  x installer script --product-name Hello --output-script install.sh
  x installer tarball --work-dir . --input hello --output dist/hello`,
		DisableFlagParsing:    true,
		DisableFlagsInUseLine: true,
	}
	cmd.AddCommand(a.generateCommand(), a.combineCommand(), a.scriptCommand(), a.tarballCommand())
	hideGlobals(cmd, "config", "set", "build-dir", "sysroot", "jobs", "dry-run", "quiet", "verbose", "json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return a.installer(cmd, args) }
	return cmd
}

// installer answers a command line that names none of its commands.
func (a *app) installer(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		fmt.Fprint(a.Stderr, strings.TrimRight(cmd.UsageString(), "\n")+"\n")
		return exitError{code: exitUsage}
	}
	if args[0] == "help" {
		about, rest, err := cmd.Find(args[1:])
		if err == nil && len(rest) == 0 {
			return about.Help()
		}
		args = args[1:]
	}
	return a.refused(cmd, clapParse(cmd, nil, args))
}

// refused prints what is wrong with a command line, or the help that it asks for.
func (a *app) refused(cmd *cobra.Command, err error) error {
	if err == errClapHelp {
		return cmd.Help()
	}
	fmt.Fprint(a.Stderr, err)
	return exitError{code: exitUsage}
}

// installerFlags are the flags of one command of x installer, in its own words.
type installerFlags struct {
	set *pflag.FlagSet
	dir string
}

// text defines a flag whose value is taken as it is. In usage, % stands for the value.
func (f installerFlags) text(to *string, name, value, usage string) {
	f.set.StringVar(to, name, *to, strings.Replace(usage, "%", "`"+value+"`", 1))
}

// value defines a flag whose value set reads.
func (f installerFlags) value(def, name, value, usage string, set func(string) error) {
	f.set.Var(&clapValue{def, set}, name, strings.Replace(usage, "%", "`"+value+"`", 1))
}

// words defines a flag in whose value each "-" is a space: rust-installer's old scripts
// could not pass spaces on.
func (f installerFlags) words(to *string, name, value, usage string) {
	f.value(*to, name, value, usage, func(s string) error {
		*to = strings.ReplaceAll(s, "-", " ")
		return nil
	})
}

// list defines a flag whose value is a list of names.
func (f installerFlags) list(to *[]string, name, value, usage string, split func(string) []string) {
	f.value("", name, value, usage, func(s string) error {
		*to = split(s)
		return nil
	})
}

// pkg defines the flags of a package.
func (f installerFlags) pkg(p *installer.Package) {
	p.Dir = f.dir
	f.text(&p.Name, "package-name", "NAME", "call package and archives %")
	f.script(&p.Script)
	f.text(&p.Overlay, "non-installed-overlay", "DIR", "put the files of this %, which are not installed, beside install.sh")
	f.text(&p.WorkDir, "work-dir", "DIR", "lay the package out below this %, and leave it there")
	f.text(&p.OutputDir, "output-dir", "DIR", "write the archives into this %")
	f.compression(&p.Compression)
}

// script defines the flags of install.sh.
func (f installerFlags) script(s *installer.Scripter) {
	s.Dir = f.dir
	f.words(&s.Product, "product-name", "NAME", "call the product %; each \"-\" becomes a space")
	f.words(&s.SuccessMessage, "success-message", "MESSAGE", "print this % after an installation; each \"-\" becomes a space")
	f.text(&s.RelManifestDir, "rel-manifest-dir", "DIR", "keep the records in this % below lib")
	f.list(&s.LegacyManifestDirs, "legacy-manifest-dirs", "DIRS", "uninstall what old installers listed in these %, separated by commas", splitNames)
}

// compression defines the flags of archives.
func (f installerFlags) compression(c *installer.Compression) {
	f.value(string(c.Profile), "compression-profile", "FORMAT", "compress as hard as this % says: fast, balanced, best, or no-op for no archive",
		func(s string) error { return setProfile(&c.Profile, s) })
	f.value("gz,xz", "compression-formats", "FORMAT", "write archives of each %, separated by commas: gz, xz, zst",
		func(s string) error { return setFormats(&c.Formats, s) })
	f.value(strconv.FormatInt(c.FileTime, 10), "override-file-mtime", "FILE_MTIME", "give files the time %, in Unix seconds",
		func(s string) error { return setSeconds(&c.FileTime, s) })
}

// installerSubcommand finishes a command of x installer. failed is what
// rust-installer says before the reason of a failure.
func (a *app) installerSubcommand(cmd *cobra.Command, failed string, run func(context.Context) error) *cobra.Command {
	cmd.DisableFlagParsing = true
	cmd.ValidArgsFunction = clapComplete
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := clapParse(cmd, cmd.LocalNonPersistentFlags(), args); err != nil {
			return a.refused(cmd, err)
		}
		ctx := cmd.Context()
		err := run(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		a.printCauses(failed, installer.Causes(err))
		return exitError{code: exitFail}
	}
	return cmd
}

// printCauses prints an error as the Rust crate anyhow does.
func (a *app) printCauses(failed string, causes []string) {
	fmt.Fprintf(a.Stderr, "Error: %s\n\nCaused by:\n", failed)
	for i, text := range causes {
		number := ""
		if len(causes) > 1 {
			number = fmt.Sprintf("%5d: ", i)
		}
		indent := strings.Repeat(" ", max(len(number), 4))
		if number == "" {
			number = indent
		}
		fmt.Fprintln(a.Stderr, number+strings.ReplaceAll(text, "\n", "\n"+indent))
	}
}

func (a *app) generateCommand() *cobra.Command {
	g := installer.NewGenerator()
	cmd := &cobra.Command{
		Use:   "generate [flags]",
		Short: "Make a package of one component from a directory",
		Long: `Make a package of one component from the files of a directory: an archive with
install.sh, and with manifest.in as the list of what to install. The package is laid
out in WORK-DIR/PACKAGE-NAME and stays there; what was there before is removed.

Files keep their permissions, and symbolic links stay links: install.sh and x install
take them, rustup does not. A bulk directory is listed as a whole: what it has is removed with it.`,
		Example: `  x installer generate --component-name hello --package-name hello-1.0
  x installer generate --image-dir=image --bulk-dirs=share/doc/hello`,
	}
	f := installerFlags{cmd.Flags(), a.Dir}
	f.text(&g.Component, "component-name", "NAME", "call the component %")
	f.text(&g.ImageDir, "image-dir", "DIR", "install the files of this %")
	f.list(&g.BulkDirs, "bulk-dirs", "DIRS", "install these %, separated by commas, each as a whole", splitNames)
	f.pkg(&g.Package)
	return a.installerSubcommand(cmd, "failed to generate installer", func(ctx context.Context) error { return g.Run(ctx) })
}

func (a *app) combineCommand() *cobra.Command {
	c := installer.NewCombiner()
	cmd := &cobra.Command{
		Use:   "combine [flags]",
		Short: "Make a package of all components of other archives",
		Long: `Make a package of all components of other archives. Their components are
installed in the order of the archives. Each archive NAME.tar.gz (.xz, .zst) is
unpacked to WORK-DIR/NAME, where it stays, as the package does in
WORK-DIR/PACKAGE-NAME; what was there before is removed.`,
		Example: `  x installer combine --input-tarballs dist/a.tar.gz,dist/b.tar.xz
  x installer combine --package-name=all --input-tarballs=dist/a.tar.gz`,
	}
	f := installerFlags{cmd.Flags(), a.Dir}
	f.list(&c.Inputs, "input-tarballs", "FILE,FILE", "combine these archives: %", splitTrimmed)
	f.pkg(&c.Package)
	return a.installerSubcommand(cmd, "failed to combine installers", func(ctx context.Context) error { return c.Run(ctx) })
}

func (a *app) scriptCommand() *cobra.Command {
	s := installer.NewScripter()
	cmd := &cobra.Command{
		Use:     "script [flags]",
		Short:   "Write install.sh alone",
		Long:    "Write install.sh alone. The file must not exist.",
		Example: `  x installer script --product-name=Hello --success-message=Hello-is-ready.`,
	}
	f := installerFlags{cmd.Flags(), a.Dir}
	f.script(&s)
	f.text(&s.Output, "output-script", "FILE", "create this %")
	return a.installerSubcommand(cmd, "failed to generate installation script", func(context.Context) error { return s.Run() })
}

func (a *app) tarballCommand() *cobra.Command {
	t := installer.NewTarballer()
	t.Dir = a.Dir
	cmd := &cobra.Command{
		Use:   "tarball [flags]",
		Short: "Make archives of a directory as it is",
		Long: `Make archives of the directory WORK-DIR/INPUT as it is, with INPUT as their top
directory. INPUT may also be an absolute path that begins with WORK-DIR.`,
		Example: `  x installer tarball --work-dir . --input hello --output dist/hello
  x installer tarball --input hello --compression-formats xz,zst`,
	}
	f := installerFlags{cmd.Flags(), a.Dir}
	f.text(&t.Input, "input", "NAME", "pack this directory: % below the work directory")
	f.text(&t.Output, "output", "PATH", "write archives of this %, which .tar.gz is added to")
	f.text(&t.WorkDir, "work-dir", "DIR", "find the input in this %")
	f.compression(&t.Compression)
	return a.installerSubcommand(cmd, "failed to generate tarballs", func(ctx context.Context) error { return t.Run(ctx) })
}

// clapValue is the value of a flag that is not taken as it is.
type clapValue struct {
	text string // as given, or the default
	set  func(string) error
}

// String implements [pflag.Value].
func (v *clapValue) String() string { return v.text }

// Type implements [pflag.Value].
func (v *clapValue) Type() string { return "string" }

// Set implements [pflag.Value].
func (v *clapValue) Set(s string) error {
	if err := v.set(s); err != nil {
		return err
	}
	v.text = s
	return nil
}

// splitNames splits a list with commas, in which empty names do not count.
func splitNames(s string) []string {
	return slices.DeleteFunc(strings.Split(s, ","), func(name string) bool { return name == "" })
}

// splitTrimmed is splitNames, without the blanks around names.
func splitTrimmed(s string) []string {
	names := strings.Split(s, ",")
	for i, name := range names {
		names[i] = strings.TrimSpace(name)
	}
	return slices.DeleteFunc(names, func(name string) bool { return name == "" })
}

// setProfile reads the value of --compression-profile.
func setProfile(to *archive.Profile, s string) error {
	p, err := archive.ParseProfile(s)
	if err != nil {
		return fmt.Errorf("invalid compression profile: %s", s)
	}
	*to = p
	return nil
}

// setFormats reads the value of --compression-formats.
func setFormats(to *[]archive.Format, s string) error {
	*to = nil
	for name := range strings.SplitSeq(s, ",") {
		f, err := manifests.ParseFormat(strings.TrimSpace(name))
		if err != nil {
			return fmt.Errorf("unknown compression format: %s", strings.TrimSpace(name))
		}
		*to = append(*to, f)
	}
	return nil
}

// setSeconds reads the value of --override-file-mtime, a number of Rust's type u64.
func setSeconds(to *int64, s string) error {
	digits := strings.TrimPrefix(s, "+")
	n, err := strconv.ParseUint(digits, 10, 64)
	switch {
	case s == "":
		return errors.New("cannot parse integer from empty string")
	case err == nil && n <= math.MaxInt64:
		*to = int64(n)
		return nil
	case strings.Trim(digits, "0123456789") == "" && digits != "":
		return errors.New("number too large to fit in target type")
	}
	return errors.New("invalid digit found in string")
}
