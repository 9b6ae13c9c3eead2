package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"

	"github.com/spf13/cobra"

	"x.go/dist"
	"x.go/dist/verify"
)

func (a *app) verifyCommand() *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use:   "verify [path...]",
		Short: "Prove from the archives alone what they link with",
		Long: `Test archives before they are published. x unpacks them, moves the prefix, and
lets their compiler build programs in a clean environment, without rustup. It runs
each program and reads it to find out which linker wrote it: rustc silently falls
back to another linker, so a link that succeeds proves nothing about LLD.

A path is a directory of archives (build/dist by default), an archive, a channel
manifest (a file, or a file:// or http:// URL), an installed tree or a sysroot.

The archives' own compiler is run. Verify archives that you do not trust in a
sandbox, or with --checks static,channel, which runs nothing of theirs.

Exit status: 0 all passed, 1 something failed, 2 wrong usage, 3 nothing failed but
something could not be checked here.`,
		Example: `  x verify
  x verify --expect system         after x dist --set rust.lld=false
  x verify --checks static,channel /srv/mirror/dist
  x verify --html report.html --junit report.xml --json > report.json`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.verify(cmd.Context(), args, f) },
	}
	hideGlobals(cmd, "sysroot", "dry-run")
	flags := cmd.Flags()
	flags.StringVar(&f.expect, "expect", string(verify.Auto), "a default link must use this `linker`: lld, system, or auto for what the archives say")
	flags.StringVar(&f.checks, "checks", "", "run these comma-separated `groups`: static, sysroot, link, channel, client (default all that apply)")
	flags.StringVar(&f.html, "html", "", "also write the report to this `file`, as one page of HTML")
	flags.StringVar(&f.junit, "junit", "", "also write the report to this `file`, as JUnit XML")
	complete(cmd, "expect", string(verify.Auto), string(verify.ExpectLLD), string(verify.ExpectSystem))
	var groups []string
	for _, g := range verify.Groups() {
		groups = append(groups, string(g))
	}
	complete(cmd, "checks", groups...)
	return cmd
}

// complete offers fixed values for a flag. It stops the program for a flag that
// the command does not have, which only a mistake in this package can cause.
func complete(cmd *cobra.Command, flag string, values ...string) {
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)))
}

// verifyFlags are the flags of x verify.
type verifyFlags struct{ expect, checks, html, junit string }

// verify runs the dist test and prints its report.
func (a *app) verify(ctx context.Context, args []string, f verifyFlags) error {
	opts, err := a.verifyOptions(args, f.expect, f.checks)
	if err != nil {
		return err
	}
	report, err := verify.Run(ctx, opts)
	if err != nil {
		return err
	}
	for _, out := range []struct {
		path  string
		write func(io.Writer) error
	}{{f.html, report.WriteHTML}, {f.junit, report.WriteJUnit}} {
		if out.path == "" {
			continue
		}
		var buf bytes.Buffer // so that a report that cannot be rendered leaves the file alone
		if err := out.write(&buf); err != nil {
			return err
		}
		if err := dist.WriteOutput(a.path(out.path), buf.Bytes()); err != nil {
			return fmt.Errorf("writing report %q: %w", out.path, err)
		}
	}
	if a.flags.json {
		err = report.WriteJSON(a.Stdout)
	} else {
		err = report.WriteText(a.Stdout, a.flags.verbose)
	}
	if err != nil {
		return fmt.Errorf("printing the report: %w", err)
	}
	switch report.Status() {
	case verify.Fail:
		return exitError{code: exitFail}
	case verify.Skip: // never exitOK: what was not checked has not passed
		return exitError{code: exitSkip}
	}
	return nil
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
		dir := filepath.Join(a.buildDir(cfg), "dist")
		if !fileExists(dir) {
			return opts, usagef("nothing to verify: there is no %q: run `x dist` first, or name a directory of archives", dir)
		}
		opts.Inputs = []string{dir}
	}
	if rustup, err := exec.LookPath("rustup"); err == nil {
		opts.Rustup = rustup
	}
	// The programs that are linked look for linkers where this command would.
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
