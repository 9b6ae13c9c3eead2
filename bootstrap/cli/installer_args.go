package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"x.go/targets/nearest"
)

// errClapHelp says that a command line asks for help.
var errClapHelp = errors.New("help is asked for")

// clapParse parses a command line by the rules and with the texts of the Rust crate
// clap 4, which rust-installer uses (`clap_builder/src/parser/parser.rs`): every flag
// takes a value, in the same argument after "=" or in the next one unless that begins
// with "-", and is given once. There are no other arguments. flags is nil for the
// command that only has others below it.
func clapParse(cmd *cobra.Command, flags *pflag.FlagSet, args []string) error {
	p := clapParser{cmd: cmd, flags: flags}
	for _, arg := range args {
		if err := p.next(arg); err != nil {
			return err
		}
	}
	return p.settle()
}

// clapParser is a command line that is being parsed.
type clapParser struct {
	cmd     *cobra.Command
	flags   *pflag.FlagSet
	used    []*pflag.Flag // in the order given
	pending *pflag.Flag   // its value may be the next argument
	value   *string       // of the pending flag
	ended   bool          // "--" was given
}

// next takes one argument.
func (p *clapParser) next(arg string) error {
	name, long := strings.CutPrefix(arg, "--")
	switch {
	case !p.ended && arg == "--":
		p.ended = true
		return nil
	case !p.ended && long:
		return p.long(name)
	case !p.ended && len(arg) > 1 && arg[0] == '-':
		return p.short(arg)
	case !p.ended && p.pending != nil && p.value == nil:
		p.value = &arg
		return nil
	}
	_ = p.settle() // this argument counts more
	if p.flags == nil {
		return p.unknownCommand(arg)
	}
	return clapError(fmt.Sprintf("unexpected argument '%s' found", arg), "", p.usage())
}

// long takes an argument that begins with "--".
func (p *clapParser) long(arg string) error {
	name, value, attached := strings.Cut(arg, "=")
	if name == "help" {
		return p.help(value, attached)
	}
	var flag *pflag.Flag
	if p.flags != nil {
		flag = p.flags.Lookup(name)
	}
	if flag == nil {
		return p.unknownFlag(name)
	}
	if err := p.settle(); err != nil {
		return err
	}
	p.pending = flag
	if attached {
		p.value = &value
		return p.settle()
	}
	return nil
}

// short takes an argument that begins with "-". There is no short flag but -h.
func (p *clapParser) short(arg string) error {
	if arg[1] == 'h' {
		return p.help("", false)
	}
	_ = p.settle() // this argument counts more
	_, n := utf8.DecodeRuneInString(arg[1:])
	return clapError(fmt.Sprintf("unexpected argument '%s' found", arg[:1+n]), "", p.usage())
}

// help asks for help.
func (p *clapParser) help(value string, attached bool) error {
	if attached {
		_ = p.settle() // this argument counts more
		usage := strings.TrimSuffix(p.usage(p.used...), " [OPTIONS]") + " --help"
		return clapError(fmt.Sprintf("unexpected value '%s' for '--help' found; no more were expected", value), "", usage)
	}
	if err := p.settle(); err != nil {
		return err
	}
	return errClapHelp
}

// settle gives the pending flag its value.
func (p *clapParser) settle() error {
	flag, value := p.pending, p.value
	p.pending, p.value = nil, nil
	switch {
	case flag == nil:
		return nil
	case value == nil:
		return clapError(fmt.Sprintf("a value is required for '%s' but none was supplied", clapFlag(flag)), "")
	case slices.Contains(p.used, flag):
		return clapError(fmt.Sprintf("the argument '%s' cannot be used multiple times", clapFlag(flag)), "", p.usage())
	case !utf8.ValidString(*value):
		return clapError("invalid UTF-8 was detected in one or more arguments", "", p.usage())
	}
	p.used = append(p.used, flag)
	if err := flag.Value.Set(*value); err != nil {
		return clapError(fmt.Sprintf("invalid value '%s' for '%s': %v", *value, clapFlag(flag), err), "")
	}
	return nil
}

// unknownFlag is the error for a flag that is not known. The usage lists those given
// so far.
func (p *clapParser) unknownFlag(name string) error {
	_ = p.settle()
	used, tip := p.used, ""
	if p.flags != nil {
		names := []string{"help"}
		p.flags.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if near := nearest.Names(name, names); len(near) > 0 {
			tip = fmt.Sprintf("a similar argument exists: '--%s'", near[0])
			if f := p.flags.Lookup(near[0]); f != nil && !slices.Contains(used, f) {
				used = append(slices.Clone(used), f)
			}
		}
	}
	return clapError(fmt.Sprintf("unexpected argument '--%s' found", name), tip, p.usage(used...))
}

// unknownCommand is the error for a command that is not known.
func (p *clapParser) unknownCommand(name string) error {
	names := []string{"help"}
	for _, c := range p.cmd.Commands() {
		names = append(names, c.Name())
	}
	tip := ""
	if near := nearest.Names(name, names); len(near) > 0 {
		tip = fmt.Sprintf("a similar subcommand exists: '%s'", near[0])
	}
	return clapError(fmt.Sprintf("unrecognized subcommand '%s'", name), tip, p.usage())
}

// usage is the line that shows how to call the command, with some of its flags.
func (p *clapParser) usage(flags ...*pflag.Flag) string {
	line := "Usage: " + p.cmd.CommandPath()
	for _, f := range flags {
		line += " " + clapFlag(f)
	}
	switch {
	case p.flags == nil:
		line += " <COMMAND>"
	case len(flags) == 0:
		line += " [OPTIONS]"
	}
	return line
}

// clapFlag names a flag with its value, as "--image-dir <DIR>".
func clapFlag(f *pflag.Flag) string {
	value, _ := pflag.UnquoteUsage(f)
	return fmt.Sprintf("--%s <%s>", f.Name, value)
}

// clapError is a whole message of clap.
func clapError(what, tip string, paragraphs ...string) error {
	text := "error: " + what + "\n"
	if tip != "" {
		text += "\n  tip: " + tip + "\n"
	}
	for _, p := range paragraphs {
		text += "\n" + p + "\n"
	}
	return errors.New(text + "\nFor more information, try '--help'.\n")
}

// clapComplete completes the values of flags: cobra offers the names alone for a
// command that parses its flags itself.
func clapComplete(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	name := ""
	if before, value, ok := strings.Cut(word, "="); ok {
		name, word = before, value
	} else if len(args) > 0 {
		name = args[len(args)-1]
	}
	if f := cmd.LocalNonPersistentFlags().Lookup(strings.TrimPrefix(name, "--")); f != nil {
		return clapValues(f, word)
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}

// clapValues completes the value of a flag.
func clapValues(f *pflag.Flag, word string) ([]string, cobra.ShellCompDirective) {
	switch value, _ := pflag.UnquoteUsage(f); {
	case f.Name == "compression-profile":
		return []string{"fast", "balanced", "best", "no-op"}, cobra.ShellCompDirectiveNoFileComp
	case f.Name == "compression-formats":
		return completeList("gz", "xz", "zst")(nil, nil, word)
	case value == "DIR":
		return nil, cobra.ShellCompDirectiveFilterDirs
	case value == "FILE" || value == "FILE,FILE" || value == "PATH":
		return nil, cobra.ShellCompDirectiveDefault
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}
