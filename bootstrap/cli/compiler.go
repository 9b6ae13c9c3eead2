package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"x.go/bootstrap/explain"
	"x.go/targets"
)

// compilerFlags say which compiler a question about targets is asked of.
type compilerFlags struct {
	release    string
	host       string
	rustc      string
	lldDefault string
}

// add defines the flags. The global --sysroot belongs to them too.
func (f *compilerFlags) add(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&f.release, "release", "", "`version` of the compiler, or a channel (default the newest stable that x knows, or that of --sysroot)")
	fs.StringVar(&f.host, "host", "", "`triple` that the compiler runs on (default this machine's, or that of --sysroot); picks one of several")
	fs.StringVar(&f.rustc, "rustc", "", "ask this `compiler` for its release, host and default; --sysroot does the same")
	fs.StringVar(&f.lldDefault, "lld-default", "auto", "whether the compiler was built to link with LLD: `answer` yes, no, or auto for what rust-lang.org ships")
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("release", completeReleases))
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("host", completeTriples))
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("lld-default", cobra.FixedCompletions([]string{"yes", "no", "auto"}, cobra.ShellCompDirectiveNoFileComp)))
}

// ask finds the compiler that the flags describe.
func (a *app) ask(ctx context.Context, f *compilerFlags) (*explain.Asked, error) {
	o := a.explainOptions(f.rustc)
	o.Release, o.Host = f.release, f.host
	switch f.lldDefault {
	case "auto":
	case "yes":
		o.LLDDefault = targets.Yes
	case "no":
		o.LLDDefault = targets.No
	default:
		return nil, usagef("reading --lld-default: got %q, want yes, no or auto", f.lldDefault)
	}
	asked, err := explain.Ask(ctx, o)
	return asked, questionError(err)
}

// explainOptions is about a compiler to run, where one is named.
func (a *app) explainOptions(rustc string) explain.Options {
	return explain.Options{Rustc: rustc, Sysroot: a.sysroot(), Dir: a.Dir, Env: a.Env}
}

// questionError turns a wrong question into a usage error.
func questionError(err error) error {
	if _, ok := errors.AsType[*explain.QuestionError](err); ok {
		return usage(err)
	}
	return err
}

// completeTriples offers the targets of the newest release held.
func completeTriples(_ *cobra.Command, _ []string, prefix string) ([]cobra.Completion, cobra.ShellCompDirective) {
	s, _ := targets.Builtin().Newest("")
	var out []cobra.Completion
	for _, name := range s.Names() {
		if strings.HasPrefix(name, prefix) {
			out = append(out, name)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// completeReleases offers the releases held.
func completeReleases(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var out []cobra.Completion
	for _, r := range targets.Builtin().Releases() {
		out = append(out, r.String())
	}
	return append(out, "stable", "nightly"), cobra.ShellCompDirectiveNoFileComp
}
