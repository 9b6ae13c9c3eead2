package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"x.go/bootstrap"
	"x.go/bootstrap/check"
	"x.go/bootstrap/config"
	"x.go/bootstrap/marks"
	"x.go/bootstrap/toolchain"
	"x.go/targets"
)

// checkFlags are the flags of `x check`.
type checkFlags struct {
	strict, noToolchain bool
	release, destdir    string
	source              string
	given               givenFlags
}

func (a *app) checkCommand() *cobra.Command {
	var f checkFlags
	cmd := &cobra.Command{
		Use:   "check [dist|install]",
		Short: "Find what would stop dist or install, before any work",
		Long: `Check the configuration and the file system for what would stop dist or install,
or give a result that nobody meant. All findings are printed at once, errors
first, each with its place, reason and remedy:

  bootstrap.toml:4:7: error: rust.lld: REASON; REMEDY

If there is a compiler, x asks it for its release and for the linker that it was
built to use; --no-toolchain leaves it alone. Nothing is written. With -v, x also
lists the keys that have no effect on packaging, and all changes of x.py since
change-id. Keys that a patched x.py has can be allowed in x.toml: see
bootstrap.allow-keys in x config --example x.

With --source, the configuration is that of a source tree, by the rules of its release
and without a toolchain, and the tree is checked for what would stop x dist rustc-src:
missing or changed vendored crates, products of a build, absolute paths, links out.

A compiler that does not run here is not asked: its facts are read from its files, a
note says how each is known, and "read" in the JSON of the toolchain lists them. What
nothing tells is given with --host and --release.

--json prints {"config", "toolchain", "findings", "errors", "warnings", "notes"}:
toolchain is null or {"rustc", "sysroot", "host", "release", "baked_lld"}, and a
finding is {"severity", "place", "key", "reason", "remedy"}, where severity is
error, warning or note.

Exit status: 0 no errors, 2 errors, or warnings with --strict.`,
		Example: `  x check
  x check --strict --json
  x check --release 1.92 --no-toolchain --set rust.lld=true
  x check install --destdir debian/tmp
  x check --source ../rust`,
		Args:      oneOfValid,
		ValidArgs: []string{"dist", "install"},
		RunE: func(cmd *cobra.Command, args []string) error {
			command := "dist"
			if len(args) > 0 {
				command = args[0]
			}
			report, err := a.check(cmd.Context(), command, f)
			if err != nil {
				return err
			}
			if err := a.printCheck(report); err != nil {
				return err
			}
			if report.Errors > 0 || f.strict && report.Warnings > 0 {
				return exitError{code: exitUsage}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&f.strict, "strict", false, "fail on warnings, too")
	cmd.Flags().BoolVar(&f.noToolchain, "no-toolchain", false, "do not run the compiler")
	cmd.Flags().StringVar(&f.release, "release", "", "apply the rules of this `version` of Rust (default the compiler's, else the newest)")
	f.given.addHosts(cmd)
	cmd.Flags().StringVar(&f.destdir, "destdir", "", "install will stage below this `directory` (default DESTDIR in the environment)")
	cmd.Flags().StringVar(&f.source, "source", "", "check the source tree in this `directory`, and its bootstrap.toml")
	cobra.CheckErr(cmd.MarkFlagDirname("source"))
	return cmd
}

// check collects all findings.
func (a *app) check(ctx context.Context, command string, f checkFlags) (checkReport, error) {
	release, err := releaseFlag("--release", f.release)
	if err != nil {
		return checkReport{}, err
	}
	report := checkReport{Findings: []config.Finding{}}
	if err := a.give(f.given); err != nil {
		return checkReport{}, err
	}
	src := a.configSource()
	if f.source != "" {
		of, found, err := bootstrap.CheckSource(ctx, a.options(), f.source)
		if err != nil {
			return checkReport{}, err
		}
		if release.IsZero() {
			release = of
		}
		report.Findings, src.SrcDir, f.noToolchain = append(report.Findings, found...), a.path(f.source), true
	}
	src.Release = release
	cfg, loadErr := config.Load(src)
	var all []toolchain.Toolchain
	if !f.noToolchain {
		missing := config.Failure
		if !release.IsZero() {
			missing = config.Note
		}
		found, findings, err := a.askToolchains(ctx, cfg, command, missing, release)
		report.Findings = append(report.Findings, findings...)
		if err != nil {
			return checkReport{}, err
		}
		all = found
	}
	judge := func(facts check.Facts) {
		if !release.IsZero() {
			facts.LLD.Release, facts.LLD.Channel = release, ""
		}
		facts.Verbose = a.flags.verbose
		facts.Command, facts.Dir, facts.Destdir = command, a.Dir, a.path(cmp.Or(f.destdir, a.getenv("DESTDIR")))
		for _, finding := range check.Run(cfg, loadErr, facts) {
			if !slices.Contains(report.Findings, finding) {
				report.Findings = append(report.Findings, finding)
			}
		}
	}
	for _, tc := range all {
		// The compiler knows better than this program which keys it has and
		// what machine it is for.
		src.Host = tc.Host
		if src.Release.IsZero() {
			src.Release = tc.Version.Release
		}
		cfg, loadErr = config.Load(src)
		facts, err := check.Ask(ctx, cfg, tc)
		if err != nil {
			return checkReport{}, err
		}
		for _, other := range all {
			facts.Others = append(facts.Others, other.Sysroot)
		}
		report.Toolchains = append(report.Toolchains, checkToolchain{tc.Rustc, tc.Sysroot, tc.Host, tc.Version.Release.String(), tc.BakedLLD(), tc.Read})
		judge(facts)
	}
	if len(all) == 0 {
		facts := check.Machine()
		if f.noToolchain {
			facts.Sysroot, facts.NoCompiler = a.sysroot(), true // its files can be looked at all the same
		}
		judge(facts)
	} else {
		report.Toolchain = &report.Toolchains[0]
	}
	report.Config = cfg.MainFile()
	if loadErr == nil {
		for _, d := range declared(cfg) {
			if err := d.Check(); err != nil {
				report.Findings = append(report.Findings, config.Finding{Severity: config.Warning, Place: d.Origin, Key: "component." + d.Name, Reason: err.Error()})
			}
		}
	}
	if _, err := a.sourceDateEpoch(); err != nil {
		report.Findings = append(report.Findings, config.Finding{Severity: config.Failure, Place: "SOURCE_DATE_EPOCH", Reason: err.Error()})
	}
	if a.flags.verbose {
		report.Findings = append(report.Findings, cfg.WithoutEffect()...)
	}
	config.SortFindings(report.Findings)
	report.count()
	return report, nil
}

// askToolchains finds the input toolchains and asks them: for install, which takes one,
// that one. That there is none stops dist, so it is an error, but missing is how severe:
// somebody who names a release may well ask about a compiler that is still to be built.
func (a *app) askToolchains(ctx context.Context, cfg config.Config, command string, missing config.Severity, release targets.Release) ([]toolchain.Toolchain, []config.Finding, error) {
	o := a.options()
	o.OneHost = command == "install"
	src := o.Trees(cfg)
	found, err := toolchain.FindAll(ctx, src)
	if _, missing := errors.AsType[*marks.MissingError](err); missing && !release.IsZero() {
		src.Source.Given.Release = release
		found, err = toolchain.FindAll(ctx, src)
	}
	switch {
	case err == nil:
		all, err := o.Pick(cfg, found)
		if err == nil {
			return all, nil, nil
		}
		return all, []config.Finding{{Severity: config.Failure, Place: "--sysroot", Reason: err.Error()}}, nil
	case ctx.Err() != nil:
		return nil, nil, ctx.Err()
	case errors.Is(err, toolchain.ErrNoToolchain):
		return nil, []config.Finding{{Severity: missing, Place: "PATH", Reason: "there is no rustc, so nothing was compared with a toolchain",
			Remedy: "give one with --sysroot, set build.rustc, or check the files alone with --no-toolchain"}}, nil
	case len(src.Sysroots) > 0:
		return nil, []config.Finding{{Severity: config.Failure, Place: "--sysroot", Reason: err.Error(), Remedy: "name a finished toolchain"}}, nil
	case src.Source.Rustc != "" && !fileExists(src.Source.Rustc):
		return nil, nil, nil // Check says so
	case src.Source.Rustc != "":
		return nil, []config.Finding{{Severity: config.Failure, Place: cfg.Origin("build.rustc").String(), Key: "build.rustc", Reason: err.Error(),
			Remedy: "name the compiler of a finished toolchain"}}, nil
	}
	return nil, []config.Finding{{Severity: config.Failure, Place: "PATH", Reason: err.Error(), Remedy: "give a toolchain with --sysroot"}}, nil
}

// warnRelease says on stderr that x does not know a release.
func (a *app) warnRelease(r targets.Release) {
	if f, known := config.KnownRelease(r); !known {
		fmt.Fprintf(a.Stderr, "x: %s\n", f)
	}
}

// releaseFlag reads the value of a flag such as --release; empty is the zero
// Release.
func releaseFlag(flag, text string) (targets.Release, error) {
	if text == "" {
		return targets.Release{}, nil
	}
	r, err := targets.ParseRelease(text)
	if err != nil {
		return r, usagef("reading %s: %w", flag, err)
	}
	return r, nil
}
