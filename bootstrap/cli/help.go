package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// helpWidth is where lines of help end: a terminal of 80 columns shows them whole.
const helpWidth = 80

func init() {
	// The order of the commands is one of thought: what comes first is needed
	// first. cobra has no setting for it but this one.
	cobra.EnableCommandSorting = false
}

// helpCommand prints the help of a command, or writes that of all of them as
// man pages. It replaces cobra's, which ends with status 0 for an unknown one.
func (a *app) helpCommand() *cobra.Command {
	var man string
	cmd := &cobra.Command{
		Use:   "help [command]",
		Short: "Print the help of a command, or write man pages",
		Long: `Print the help of a command. Without one, print the list of commands.

--man writes the same texts as man pages into a directory: x.1, x-dist.1 and so
on. Their date is that of SOURCE_DATE_EPOCH; without it they have none, so the
same x always writes the same pages.`,
		Example: `  x help dist
  x help targets show
  x help --man share/man/man1`,
		ValidArgsFunction: func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
			var names []string
			if about, rest, err := cmd.Root().Find(args); err == nil && len(rest) == 0 {
				for _, c := range about.Commands() {
					if c.IsAvailableCommand() && strings.HasPrefix(c.Name(), word) {
						names = append(names, c.Name()+"\t"+c.Short)
					}
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if man != "" {
				if len(args) > 0 {
					return usagef("--man writes the pages of all commands: drop %q", strings.Join(args, " "))
				}
				return a.writeManPages(cmd.Root(), a.path(man))
			}
			about, rest, err := cmd.Root().Find(args)
			switch {
			case err != nil:
				return usage(err)
			case len(rest) > 0:
				return unknownCommand(about, rest)
			}
			return about.Help()
		},
	}
	cmd.Flags().StringVar(&man, "man", "", "write man pages into this `directory`")
	cobra.CheckErr(cmd.MarkFlagDirname("man"))
	hideGlobals(cmd, "config", "set", "build-dir", "sysroot", "jobs", "quiet", "verbose", "json")
	return cmd
}

// hiddenKey is the annotation of a command that names global flags without
// meaning to it.
const hiddenKey = "x:hidden-globals"

// hideGlobals leaves global flags that mean nothing to a command, and to those
// below it, out of its help. They are still accepted: a script may give all
// commands the same flags.
func hideGlobals(cmd *cobra.Command, names ...string) {
	if cmd.Annotations == nil {
		cmd.Annotations = map[string]string{}
	}
	cmd.Annotations[hiddenKey] = strings.Join(names, " ")
}

// globals returns the global flags that mean something to a command.
func globals(cmd *cobra.Command) *pflag.FlagSet {
	var hidden []string
	for c := cmd; c != nil; c = c.Parent() {
		hidden = append(hidden, strings.Fields(c.Annotations[hiddenKey])...)
	}
	shown := pflag.NewFlagSet("globals", pflag.ContinueOnError)
	shown.SortFlags = false
	cmd.Root().PersistentFlags().VisitAll(func(f *pflag.Flag) {
		if !slices.Contains(hidden, f.Name) {
			shown.AddFlag(f)
		}
	})
	return shown
}

// locals returns the flags of a command itself, in the order of their
// definition.
func locals(cmd *cobra.Command) *pflag.FlagSet {
	own := pflag.NewFlagSet("locals", pflag.ContinueOnError)
	own.SortFlags = false
	cmd.Flags().SortFlags = false
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if cmd.Root().PersistentFlags().Lookup(f.Name) != f { // cobra merges those of the root in
			own.AddFlag(f)
		}
	})
	return own
}

// commandGroup is a part of the list of commands below another one.
type commandGroup struct {
	title    string
	commands []*cobra.Command
}

// listed returns the commands below cmd that are not hidden, by group and in
// the order of the help. Where there are no groups, one without a special
// title has them all.
func listed(cmd *cobra.Command) []commandGroup {
	var out []commandGroup
	for _, g := range append(cmd.Groups(), &cobra.Group{Title: "Commands:"}) {
		group := commandGroup{title: g.Title}
		for _, c := range cmd.Commands() {
			if c.GroupID == g.ID && (c.IsAvailableCommand() || c.Name() == "help") {
				group.commands = append(group.commands, c)
			}
		}
		if len(group.commands) > 0 {
			out = append(out, group)
		}
	}
	return out
}

// paragraph is a part of the text of a command.
type paragraph struct {
	lines   []string
	literal bool // lines that are indented stay as they are: commands, tables
	apart   bool // an empty line stands before it
}

// paragraphs splits the text of a command.
func paragraphs(text string) []paragraph {
	var out []paragraph
	apart := true
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		if line == "" {
			apart = true
			continue
		}
		literal := strings.HasPrefix(line, "  ") || strings.HasPrefix(line, "\t")
		if apart || out[len(out)-1].literal != literal {
			out = append(out, paragraph{literal: literal, apart: apart})
		}
		apart = false
		last := &out[len(out)-1]
		last.lines = append(last.lines, line)
	}
	return out
}

// fill breaks text into lines of at most [helpWidth] columns. The first starts in
// column indent, where the others are indented to.
func fill(text string, indent int) string {
	var b strings.Builder
	column := indent
	for _, word := range strings.Fields(text) {
		switch {
		case column == indent:
		case column+1+len(word) <= helpWidth:
			b.WriteString(" ")
			column++
		default:
			b.WriteString("\n" + strings.Repeat(" ", indent))
			column = indent
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}

// printHelp prints the text of a command, filled to the width of a terminal, and
// its usage.
func printHelp(w io.Writer, cmd *cobra.Command) error {
	var b strings.Builder
	for _, p := range paragraphs(cmd.Long) {
		if p.apart && b.Len() > 0 {
			b.WriteString("\n")
		}
		if p.literal {
			b.WriteString(strings.Join(p.lines, "\n") + "\n")
			continue
		}
		b.WriteString(fill(strings.Join(p.lines, " "), 0) + "\n")
	}
	if _, err := io.WriteString(w, b.String()+"\n"); err != nil {
		return err
	}
	return printUsage(w, cmd)
}

// useLine says how to call a command.
func useLine(cmd *cobra.Command) string {
	if !cmd.HasParent() {
		return cmd.Name() + " COMMAND [flags]"
	}
	return cmd.UseLine()
}

// printUsage prints what follows the text of a command in its help.
func printUsage(w io.Writer, cmd *cobra.Command) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage:\n  %s\n", useLine(cmd))
	if cmd.Example != "" {
		fmt.Fprintf(&b, "\nExamples:\n%s\n", cmd.Example)
	}
	for _, g := range listed(cmd) {
		fmt.Fprintf(&b, "\n%s\n", g.title)
		for _, c := range g.commands {
			fmt.Fprintf(&b, "  %-*s %s\n", c.NamePadding(), c.Name(), c.Short)
		}
	}
	for _, set := range []struct {
		title string
		flags *pflag.FlagSet
	}{{"Flags", locals(cmd)}, {"Global flags", globals(cmd)}} {
		if set.flags.HasAvailableFlags() {
			fmt.Fprintf(&b, "\n%s:\n%s", set.title, set.flags.FlagUsagesWrapped(helpWidth))
		}
	}
	if !cmd.HasParent() {
		b.WriteString("\nExit status:\n")
		for _, s := range exitStatuses {
			fmt.Fprintf(&b, "  %-3d  %s\n", s.code, fill(s.meaning, 7))
		}
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\n`%s COMMAND --help` explains one command.\n", cmd.CommandPath())
	}
	_, err := io.WriteString(w, b.String())
	return err
}
