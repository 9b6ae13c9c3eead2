package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// app is one invocation of x.
type app struct {
	IO
	flags globalFlags
	link  explainLinkFlags
}

// globalFlags are the flags of every command.
type globalFlags struct {
	config   string
	set      []string
	buildDir string
	sysroot  string
	jobs     int
	dryRun   bool
	quiet    bool
	verbose  bool
	json     bool

	// Of the commands that compress.
	maxMemory  string
	noReadBack bool
}

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "x",
		Short: "Make dist archives of a Rust toolchain, and prove what they link with",
		Long: `x turns a finished Rust toolchain and a bootstrap.toml into dist archives and a
channel that rustup and install.sh accept, and proves from the archives alone
which linker they link with.

The input is a sysroot: what x.py, rustup or a distribution made. x reads it and
never changes it; everything it makes is in the build folder.`,
		Example: `  x dist                          archives and channel of the rustc on PATH, in build/dist
  x dist --set rust.lld=false     the same toolchain, linking with the system linker
  x verify                        unpack build/dist elsewhere, link with it, read the result`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w: see `%s --help`", err, cmd.CommandPath())
	})
	f := root.PersistentFlags()
	f.SortFlags = false
	f.StringVar(&a.flags.config, "config", "", "read this `file` instead of searching for bootstrap.toml")
	f.StringArrayVar(&a.flags.set, "set", nil, "override a `key=value` of bootstrap.toml or x.toml; may be repeated")
	f.StringVar(&a.flags.buildDir, "build-dir", "", "put everything that is made into this `folder` (default build.build-dir, else build)")
	f.StringVar(&a.flags.sysroot, "sysroot", "", "input toolchain: the `folder` with bin/rustc (default build.rustc, else rustc on PATH)")
	f.IntVarP(&a.flags.jobs, "jobs", "j", 0, "how many `processors` to use (default build.jobs, else all)")
	f.BoolVar(&a.flags.dryRun, "dry-run", false, "print the plan and touch nothing")
	f.BoolVarP(&a.flags.quiet, "quiet", "q", false, "print no progress")
	f.BoolVarP(&a.flags.verbose, "verbose", "v", false, "print every action")
	f.BoolVar(&a.flags.json, "json", false, "print the answer as JSON")
	root.AddCommand(a.commands()...)
	checkArgs(root.Commands())
	root.Args = unknownCommand
	return root
}

// hideGlobals leaves global flags that mean nothing to a command, and to those
// below it, out of its help.
func hideGlobals(cmd *cobra.Command, names ...string) {
	cmd.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		for _, name := range names {
			if f := cmd.InheritedFlags().Lookup(name); f != nil {
				f.Hidden = true
			}
		}
		cmd.Root().HelpFunc()(cmd, args)
	})
}

// checkArgs makes wrong arguments of the commands, and of those below them, a
// usage error.
func checkArgs(cmds []*cobra.Command) {
	for _, c := range cmds {
		if c.Args != nil {
			c.Args = usageArgs(c.Args)
		}
		checkArgs(c.Commands())
	}
}

// usageArgs makes a wrong number or kind of arguments a usage error.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usagef("%w: see `%s --help`", err, cmd.CommandPath())
		}
		return nil
	}
}

// unknownCommand names the nearest command instead of running the root.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := "see `x --help`"
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = "did you mean " + strings.Join(near, " or ") + "?"
	}
	return usagef("unknown command %q: %s", args[0], hint)
}

// progressf prints a message of progress to stderr, unless --quiet.
func (a *app) progressf(format string, args ...any) {
	if !a.flags.quiet {
		fmt.Fprintf(a.Stderr, format+"\n", args...)
	}
}
