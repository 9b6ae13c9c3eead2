package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"x.go/bootstrap/toolchain"
	"x.go/dist"
	"x.go/dist/sandbox"
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
manifest (a file, or a file:// or http:// URL), an installed tree or a sysroot. Of an
ELF file, or of each in a directory of programs, verify says which linker wrote it.

The archives' own compiler is run, on Linux in a sandbox: it sees the system
read-only, writes to a temporary directory, reaches no network, and leaves no process
behind. With --sandbox=require, a machine that has no whole sandbox is a failure.
rustup is not in it: --checks static,sysroot,link,channel leaves it out.

A compiler for another machine is run by QEMU (qemu-user), if PATH has it, with the C
compiler of that machine, such as aarch64-linux-gnu-gcc, in the place of cc. The libraries
come from the directories of cross compilers, or from the root of a system that
QEMU_LD_PREFIX names. Where it does not run, a rustc of the same build links with the
archives' standard library: that of other archives, of PATH, or of rustup. The rest is
skipped, and the reason says what to install.

With --installed, x compares what is installed below a prefix with the digests that
x install has recorded; or with sources, which are those of x install: archives, a
directory of them, a channel. So it checks toolchains that install.sh or rustup
installed, too. It tells files that are changed, missing, extra, or of a wrong mode or
kind, and records that disagree. uninstall.sh counts as one: it must be the script
that was installed, that of the sources, or x's own. Without digests nothing passes: that is a skip. It
runs nothing, and follows no links in the prefix. x install --repair mends.

With --store, or if the path is the URL of a bucket or a directory (s3://rust,
file:///srv/rust), it is a whole mirror: what is above dist. x lists it, and reads each
file that a manifest names back, to compare its digest. It takes the layout of every
mirror, with days and without. With --listing, no file but the manifests is read; with
--keyring, each manifest, provenance and SHA256SUMS needs a signature.

With --list, the arguments are globs of check names: verify explains those checks.

Exit status: 0 all passed, 1 something failed, 2 wrong usage, 3 nothing failed but
something could not be checked here. --allow-skip names what a site accepts not to
check; the report still shows it.`,
		Example: `  x verify
  x verify --expect system         after x dist --set rust.lld=false
  x verify --checks static,channel /srv/mirror/dist
  x verify --checks channel --keyring release.pub build/dist
  x verify --expect lld target/release/server
  x verify --allow-skip 'link/cross/*' --allow-skip client/install
  x verify --installed /opt/rust
  x verify --installed ~/.rustup/toolchains/mine build/dist
  x verify --store /srv/rust --keyring rust
  x verify --listing s3://rust-mirror
  x verify --store /srv/rust --junit report.xml
  x verify --list 'link/**'
  x verify --html report.html --junit report.xml --json > report.json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case f.list:
				return a.listChecks(args)
			case cmd.Flags().Changed("installed"):
				return a.verifyInstalled(cmd, args, f)
			case f.store || f.listing || len(args) > 0 && isStoreURL(args[0]):
				if len(args) == 0 {
					return usagef("got no store: name the directory or the bucket above dist")
				}
				return a.verifyStores(cmd.Context(), args, f)
			}
			for _, flag := range append([]string{"destdir", "host"}, f.dirs.keys...) {
				if cmd.Flags().Changed(flag) {
					return usagef("--%s says where an installation is: name its prefix with --installed", flag)
				}
			}
			return a.verify(cmd.Context(), args, f)
		},
	}
	hideGlobals(cmd, "sysroot", "dry-run")
	flags := cmd.Flags()
	flags.StringVar(&f.expect, "expect", string(verify.Auto), "a default link must use this `linker`: lld, system, or auto for what the archives say")
	flags.StringVar(&f.checks, "checks", "", "run these comma-separated `groups`: static, sysroot, link, channel, client (default all that apply)")
	flags.StringArrayVar(&f.allowSkip, "allow-skip", nil, "accept that checks with names like this `glob` cannot run here; may be repeated")
	flags.StringVar(&f.sandbox, "sandbox", string(sandbox.Auto), "run the archives' programs in a sandbox: auto as far as this machine has one, require, or off")
	complete(cmd, "sandbox", string(sandbox.Auto), string(sandbox.Require), string(sandbox.Off))
	f.keyrings.add(cmd)
	flags.StringVar(&f.installed, "installed", "", "compare what is installed below this `prefix` with its digests, or with sources")
	flags.StringVar(&f.host, "host", "", "`triple` of the machine that it is installed for, to choose from sources (default this one)")
	f.dirs.addBelow(flags)
	for _, name := range append([]string{"installed", "destdir"}, f.dirs.keys...) {
		cobra.CheckErr(cmd.MarkFlagDirname(name))
	}
	flags.BoolVar(&f.store, "store", false, "the arguments are mirrors: check that all that their manifests name is there, with the right digest")
	flags.BoolVar(&f.listing, "listing", false, "of mirrors, look only at the list of files, and read none back; implies --store")
	flags.BoolVar(&f.list, "list", false, "explain the checks, or those that the arguments match, and run none")
	flags.StringVar(&f.html, "html", "", "also write the report to this `file`, as one page of HTML")
	flags.StringVar(&f.junit, "junit", "", "also write the report to this `file`, as JUnit XML")
	complete(cmd, "expect", string(verify.Auto), string(verify.ExpectLLD), string(verify.ExpectSystem))
	var groups []string
	for _, g := range verify.Groups() {
		if g != verify.Installed && g != verify.Store {
			groups = append(groups, string(g))
		}
	}
	complete(cmd, "checks", groups...)
	var names []string
	for _, c := range verify.Catalogue() {
		names = append(names, c.Name+"\t"+c.What)
	}
	complete(cmd, "allow-skip", names...)
	return cmd
}

// ownCompilers returns this machine's compilers: the one that PATH leads to, and those of
// rustup, which verify could not ask for: nothing of the environment reaches it.
func (a *app) ownCompilers(ctx context.Context) []string {
	var out []string
	if tc, err := toolchain.Find(ctx, toolchain.Source{Env: a.Env}); err == nil && tc.Unrun == nil {
		out = append(out, tc.Rustc)
	}
	home := a.getenv("RUSTUP_HOME")
	if home == "" {
		home = filepath.Join(a.getenv("HOME"), ".rustup")
	}
	more, err := filepath.Glob(filepath.Join(home, "toolchains", "*", "bin", "rustc"))
	if err != nil {
		return out
	}
	for _, rustc := range more {
		if real, err := filepath.EvalSymlinks(rustc); err == nil && !slices.Contains(out, real) {
			out = append(out, real)
		}
	}
	return out
}

// listChecks explains the checks that globs match, or all of them.
func (a *app) listChecks(globs []string) error {
	if len(globs) == 0 {
		globs = []string{"**"}
	}
	var checks []verify.CheckInfo
	for _, glob := range globs {
		found, err := verify.Match(glob)
		if err != nil {
			return usagef("listing checks: %w", err)
		}
		for _, c := range found {
			if !slices.Contains(checks, c) {
				checks = append(checks, c)
			}
		}
	}
	if a.flags.json {
		return a.printJSON(checks)
	}
	for _, c := range checks {
		if _, err := fmt.Fprintf(a.Stdout, "%s\n    %s\n", c.Name, fill(c.What, 4)); err != nil {
			return fmt.Errorf("printing the checks: %w", err)
		}
	}
	return nil
}

// complete offers fixed values for a flag. It stops the program for a flag that
// the command does not have, which only a mistake in this package can cause.
func complete(cmd *cobra.Command, flag string, values ...string) {
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)))
}

// verifyFlags are the flags of x verify.
type verifyFlags struct {
	expect, checks, html, junit string
	sandbox                     string
	keyrings                    keyringsFlag
	allowSkip                   []string
	list, store, listing        bool
	installed, host             string
	dirs                        installDirs
}

// verify runs the dist test and prints its report.
func (a *app) verify(ctx context.Context, args []string, f verifyFlags) error {
	opts, err := a.verifyOptions(args, f)
	if err != nil {
		return err
	}
	progress := a.newVerifyProgress()
	opts.Progress = progress.event
	report, err := verify.Run(ctx, opts)
	progress.close()
	if err != nil {
		return err
	}
	return a.printReport(report, f)
}

// printReport prints a report, writes it to files, and returns its exit status.
func (a *app) printReport(report verify.Report, f verifyFlags) (err error) {
	if err := a.writeReport(report, f); err != nil {
		return err
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

// writeReport writes a report to the files that flags name.
func (a *app) writeReport(report verify.Report, f verifyFlags) error {
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
	return nil
}

// verifyOptions turns arguments and flags into what verify.Run takes.
func (a *app) verifyOptions(args []string, f verifyFlags) (verify.Options, error) {
	opts := verify.Options{Inputs: args, Jobs: a.flags.jobs, AllowSkip: f.allowSkip, Program: "x " + buildVersion().Version, Sandbox: sandbox.Mode(f.sandbox)}
	if !slices.Contains(sandbox.Modes(), opts.Sandbox) {
		return opts, usagef("reading --sandbox: got %q, want one of %q", f.sandbox, sandbox.Modes())
	}
	var err error
	if opts.Now, err = a.sourceDateEpoch(); err != nil {
		return opts, err
	}
	if opts.Keyrings, err = a.readKeyrings(f.keyrings); err != nil {
		return opts, err
	}
	if opts.Expect, err = verify.ParseExpect(f.expect); err != nil {
		return opts, usage(err)
	}
	if f.checks != "" {
		if opts.Groups, err = verify.ParseGroups(f.checks); err != nil {
			return opts, usage(err)
		}
		if slices.Contains(opts.Groups, verify.Installed) {
			return opts, usagef("reading --checks: %q are those of an installation: name its prefix with --installed", verify.Installed)
		}
		if slices.Contains(opts.Groups, verify.Store) {
			return opts, usagef("reading --checks: %q are those of a mirror: name it with --store", verify.Store)
		}
	}
	for _, glob := range f.allowSkip {
		if _, err := verify.Match(glob); err != nil {
			return opts, usagef("reading --allow-skip: %w", err)
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
	opts.Compilers, opts.SystemRoot = a.ownCompilers, a.getenv("QEMU_LD_PREFIX")
	// The programs that are linked look for linkers where this command would.
	opts.SearchPath = a.getenv("PATH")
	return opts, nil
}
