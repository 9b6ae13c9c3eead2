package cli

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"x.go/dist/verify"
)

func (a *app) verifyCommand() *cobra.Command {
	var expect, checks string
	cmd := &cobra.Command{
		Use:   "verify [path...]",
		Short: "Prove from archives alone what they link with",
		Long: `Check archives before they are published. They are unpacked to a moved prefix,
and their compiler builds programs in a clean environment without rustup; each
program is run, and read to see which linker made it: a link that succeeds does
not prove that LLD was used.

A path is a folder of archives (build/dist if none is given), an archive, a
channel manifest, an installed tree or a sysroot. The archives' compiler is run:
verify strangers' archives in a sandbox, or with --checks static,channel.

Exit status: 0 all passed, 1 something failed, 2 wrong usage, 3 something could
not be checked here.`,
		Example: `  x verify
  x verify --expect system         after x dist --set rust.lld=false
  x verify --checks static,channel /srv/mirror/dist
  x verify --json build/dist > report.json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts, err := a.verifyOptions(args, expect, checks)
			if err != nil {
				return err
			}
			report, err := verify.Run(cmd.Context(), opts)
			if err != nil {
				return err
			}
			return a.printReport(report)
		},
	}
	cmd.Flags().StringVar(&expect, "expect", string(verify.Auto), "`linker` that a default link must use: lld, system or auto")
	cmd.Flags().StringVar(&checks, "checks", "", "comma-separated `groups` to run: static, sysroot, link, channel, client (default all that apply)")
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("expect", cobra.FixedCompletions([]string{"lld", "system", "auto"}, cobra.ShellCompDirectiveNoFileComp)))
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("checks", cobra.FixedCompletions([]string{"static", "sysroot", "link", "channel", "client"}, cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}

// verifyOptions turns arguments and flags into what verify.Run takes.
func (a *app) verifyOptions(args []string, expect, checks string) (verify.Options, error) {
	opts := verify.Options{Inputs: args, Jobs: a.flags.jobs}
	var err error
	if opts.Expect, err = verify.ParseExpect(expect); err != nil {
		return opts, usage(err)
	}
	if checks != "" {
		if opts.Groups, err = verify.ParseGroups(checks); err != nil {
			return opts, usage(err)
		}
	}
	if len(args) == 0 {
		cfg, err := a.loadConfig()
		if err != nil {
			return opts, err
		}
		dir := a.buildDir(cfg) + "/dist"
		if !fileExists(dir) {
			return opts, usagef("nothing to verify: there is no %q: run `x dist` first, or name a folder of archives", dir)
		}
		opts.Inputs = []string{dir}
	}
	if rustup, err := exec.LookPath("rustup"); err == nil {
		opts.Rustup = rustup
	}
	opts.SearchPath = a.getenv("PATH")
	if a.flags.verbose {
		opts.Progress = func(e verify.Event) {
			if !e.Done && e.Bytes == 0 {
				a.progressf("x: %s %s", e.Group, e.Subject)
			}
		}
	}
	return opts, nil
}

// printReport prints a report and returns the exit status that it stands for.
func (a *app) printReport(r verify.Report) error {
	if a.flags.json {
		if err := a.printJSON(r); err != nil {
			return err
		}
	} else if err := a.reportText(r); err != nil {
		return err
	}
	switch r.Status() {
	case verify.Fail:
		return exitError{code: exitFail}
	case verify.Skip:
		return exitError{code: exitSkip}
	}
	return nil
}

// reportText prints the checks, the worst first, and the verdict.
func (a *app) reportText(r verify.Report) error {
	w := tabwriter.NewWriter(a.Stdout, 0, 8, 2, ' ', 0)
	var errs []error
	print := func(format string, args ...any) {
		_, err := fmt.Fprintf(w, format, args...)
		errs = append(errs, err)
	}
	for _, c := range r.WorstFirst() {
		print("%s\t%s\t%s\t%s\n", c.Status, c.Name, c.Subject, c.Detail)
		if c.Status == verify.Pass && !a.flags.verbose {
			continue
		}
		for _, f := range c.Findings {
			print("\t\t\t%s\n", f)
		}
	}
	errs = append(errs, w.Flush())
	summary := []string{fmt.Sprintf("%d passed", r.Count(verify.Pass))}
	for s, word := range map[verify.Status]string{verify.Fail: "failed", verify.Skip: "skipped"} {
		if n := r.Count(s); n > 0 {
			summary = append(summary, fmt.Sprintf("%d %s", n, word))
		}
	}
	_, err := fmt.Fprintf(a.Stdout, "%s: %s\n", r.Status(), strings.Join(summary, ", "))
	return errors.Join(append(errs, err)...)
}
