package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"x.go/bootstrap/config"
	"x.go/targets"
	"x.go/targets/nearest"
)

// app is one invocation of x.
type app struct {
	IO
	args  []string // without the program's name
	flags globalFlags
	// configFlags are flags of a command that replace keys of the configuration.
	configFlags []config.Flag
	hosts       []targets.Triple // of --host
	release     targets.Release  // of --release
	link        explainLinkFlags

	stdout   *output   // what IO.Stdout is
	terminal io.Writer // the process's own stderr, for progress that redraws itself
}

// globalFlags are the flags of every command.
type globalFlags struct {
	config   string
	set      []string
	buildDir string
	sysroots []string
	jobs     int
	dryRun   bool
	quiet    bool
	verbose  bool
	json     bool

	// Only of the commands that compress.
	maxMemory  string
	noReadBack bool
}

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "x",
		Short: "Build dist archives of a Rust toolchain, and prove what they link with",
		Long: `x turns a finished Rust toolchain and a bootstrap.toml into dist archives and a
channel that rustup and install.sh accept. It then proves, from the archives
alone, which linker they link with.

The input is a sysroot, as x.py, rustup or a distribution built it. x reads it
and never changes it. Everything x writes goes into the build directory.`,
		Example: `  x check                        what would stop x dist, before any work
  x dist                         archives and a channel of the rustc on PATH
  x dist --set rust.lld=false    the same toolchain, using the system linker
  x verify                       unpack build/dist elsewhere, link with it`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          unknownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if n := len(a.flags.sysroots); n > 1 && cmd.Annotations[manySysroots] == "" {
				return usagef("got --sysroot %d times, want it once: only dist, build, install and check take several toolchains", n)
			}
			return nil
		},
	}
	// Before there are commands: that of cobra's own completion takes what is set.
	root.SetIn(a.Stdin)
	root.SetOut(a.Stdout)
	root.SetErr(a.Stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if !cmd.HasParent() && len(a.args) > 0 && !strings.HasPrefix(a.args[0], "-") {
			// The flag is that of a command whose name is mistyped.
			return unknownCommand(cmd, a.args)
		}
		return usagef("%w: see `%s --help`", plainFlagError(err), cmd.CommandPath())
	})
	root.SetUsageFunc(func(cmd *cobra.Command) error { return printUsage(cmd.OutOrStdout(), cmd) })
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		// Like cobra's own, it has nowhere to return an error to: a reader that
		// has gone away, such as head, is not worth more.
		_ = printHelp(cmd.OutOrStdout(), cmd)
	})
	a.addGlobalFlags(root)
	a.addCommands(root)
	checkArgs(root.Commands())
	return root
}

// manySysroots is the annotation of commands that take --sysroot several times.
const manySysroots = "many-sysroots"

// sysroot returns the toolchain of --sysroot, for a command that takes one; "" for none.
func (a *app) sysroot() string {
	if len(a.flags.sysroots) == 0 {
		return ""
	}
	return a.path(a.flags.sysroots[0])
}

// addGlobalFlags defines the flags of every command.
func (a *app) addGlobalFlags(root *cobra.Command) {
	f := root.PersistentFlags()
	f.SortFlags = false
	f.StringVar(&a.flags.config, "config", "", "read this `file` instead of searching for bootstrap.toml")
	f.StringArrayVar(&a.flags.set, "set", nil, "override a `key=value` of bootstrap.toml or x.toml; may be repeated")
	f.StringVar(&a.flags.buildDir, "build-dir", "", "write everything below this `directory` (default build.build-dir, else build)")
	f.StringArrayVar(&a.flags.sysroots, "sysroot", nil, "input toolchain: the `directory` with bin/rustc, once for each host (default that of build.rustc, else of rustc on PATH)")
	f.IntVarP(&a.flags.jobs, "jobs", "j", 0, "use this `number` of processors (default build.jobs, else all)")
	f.BoolVar(&a.flags.dryRun, "dry-run", false, "print the plan and write nothing")
	f.BoolVarP(&a.flags.quiet, "quiet", "q", false, "print no progress")
	f.BoolVarP(&a.flags.verbose, "verbose", "v", false, "print every action")
	f.BoolVar(&a.flags.json, "json", false, "print the answer as JSON")
	f.BoolP("help", "h", false, "print the help of the command")
}

// checkArgs turns wrong arguments of the commands, and of those below them, into
// usage errors: cobra alone would end with status 1.
func checkArgs(cmds []*cobra.Command) {
	for _, c := range cmds {
		if c.Args != nil {
			c.Args = usageArgs(c.Args)
		}
		checkArgs(c.Commands())
	}
}

// plainFlagError takes the names of Go functions out of an error of pflag.
func plainFlagError(err error) error {
	var number *strconv.NumError
	var value *pflag.InvalidValueError
	if !errors.As(err, &number) || !errors.As(err, &value) {
		return err
	}
	return fmt.Errorf("parsing --%s %q: %w, want a number", value.GetFlag().Name, value.GetValue(), number.Err)
}

// usageArgs turns a wrong number or kind of arguments into a usage error.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		err := check(cmd, args)
		if _, ok := errors.AsType[exitError](err); err == nil || ok {
			return err
		}
		return usagef("%w: see `%s --help`", err, cmd.CommandPath())
	}
}

// exactly wants an argument for each name.
func exactly(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != len(names) {
			return fmt.Errorf("got %s, want %s", plural(len(args), "argument"), strings.Join(names, " and "))
		}
		return nil
	}
}

// none wants no argument.
func none(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("got argument %q, want none", args[0])
	}
	return nil
}

// oneOfValid wants at most one argument, one of the command's ValidArgs.
func oneOfValid(cmd *cobra.Command, args []string) error {
	words := cmd.ValidArgs
	switch {
	case len(args) > 1:
		return fmt.Errorf("got %s, want %s", plural(len(args), "argument"), strings.Join(words, " or "))
	case len(args) == 1 && !slices.Contains(words, args[0]):
		return fmt.Errorf("got %q, want %s%s", args[0], strings.Join(words, " or "), nearest.Hint(args[0], words))
	}
	return nil
}

// unknownCommand refuses a word that is no command below cmd, and names the
// nearest ones, or all if they are few. cobra suggests nothing once a command has a
// check of its own for arguments, and the root has one, so that the error gets its
// exit status.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	const few = 6
	hint := fmt.Sprintf("see `%s --help`", cmd.CommandPath())
	var below []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			below = append(below, c.Name())
		}
	}
	if len(below) <= few {
		hint = "want " + strings.Join(below, " or ")
	}
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
